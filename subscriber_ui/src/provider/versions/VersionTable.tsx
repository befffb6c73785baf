import { type Column, DataTable } from "../../elements/DataTable";
import { RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import { StateBadge } from "../../elements/StateBadge";
import { Absent } from "../../elements/Figure";
import { Instant } from "../../format/Instant";
import { verdictInWords } from "../leaks/words";
import type { Path, Version } from "../queries";
import { Unseen } from "../Unseen";
import { MoveButtons } from "./MoveButtons";

interface Props {
  path: Path;
  versions: Version[];
  chosen: string;
}

/** Each version with its state and what may be done with it. */
export function VersionTable({ path, versions, chosen }: Props) {
  const columns: Column<Version>[] = [
    {
      id: "version",
      header: "Version",
      value: (row) => row.version,
      cell: (row) => (
        <RouterLink
          to="/provider/signals/$name"
          params={{ name: path.name }}
          search={{ version: row.version }}
          resetScroll={false}
          aria-current={row.version === chosen ? "true" : undefined}
          sx={{ fontWeight: row.version === chosen ? 700 : 500 }}
        >
          {row.version}
        </RouterLink>
      ),
    },
    {
      id: "state",
      header: "State",
      value: (row) => row.state,
      cell: (row) => <StateBadge state={row.state} />,
    },
    {
      id: "pushed_at",
      header: "Pushed",
      value: (row) => row.reserved_at,
      cell: (row) => <Instant at={row.reserved_at} />,
      from: "sm",
    },
    {
      id: "published_at",
      header: "Live since",
      value: (row) => row.published_at,
      cell: (row) =>
        row.published_at === null ? (
          <Absent reason={unpublished(row)} />
        ) : (
          <Instant at={row.published_at} />
        ),
      from: "md",
    },
    {
      id: "leak",
      header: "Leak report",
      value: (row) => row.leak_report?.verdict ?? null,
      cell: (row) =>
        row.leak_report === null ? (
          <Absent
            reason={row.state === "building" ? unpublished(row) : "The version was not examined."}
          />
        ) : (
          <RouterLink
            to="/provider/signals/$name/leaks"
            params={{ name: path.name }}
            search={{ version: row.version }}
          >
            {verdictInWords(row.leak_report)}
          </RouterLink>
        ),
      from: "md",
    },
    {
      id: "runs",
      header: <Unseen>Runs</Unseen>,
      cell: (row) =>
        row.published_at === null ? null : (
          <RouterLink
            to="/provider/signals/$name/runs"
            params={{ name: path.name }}
            search={{ version: row.version }}
            aria-label={`Runs of ${row.version}`}
          >
            Runs
          </RouterLink>
        ),
      from: "sm",
    },
    {
      id: "move",
      header: <Unseen>What may be done</Unseen>,
      cell: (row) => <MoveButtons path={path} version={row} />,
    },
  ];
  return (
    <Section
      title="Versions"
      lead="A version never changes. Publish a greater one; the old one runs on until you take it offline."
      flush
    >
      <DataTable
        caption="Versions"
        columns={columns}
        rows={versions}
        rowKey={(row) => row.version}
      />
    </Section>
  );
}

function unpublished(version: Version): string {
  return version.state === "building" ? "It is being built." : "It was never published.";
}
