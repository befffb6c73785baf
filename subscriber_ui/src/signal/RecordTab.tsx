import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { Absent, Figure } from "../elements/Figure";
import { MeasureFigure } from "../elements/MeasureFigure";
import { MetricName } from "../elements/MetricName";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { StateBadge } from "../elements/StateBadge";
import { Instant } from "../format/Instant";
import { inUnit } from "../format/measures";
import { count, percent } from "../format/numbers";
import { signalRoute } from "./frame";
import { LiveRecordBar } from "./LiveRecordBar";
import { recordQuery } from "./queries";

type Version = Schemas["VersionRecord"];

/** Everything the signal ever owed, with every version, dead and rejected ones too. */
export function RecordTab() {
  const path = signalRoute.useParams();
  const record = useQuery(recordQuery(path));
  return (
    <Awaited query={record} skeleton={<Skeleton variant="rounded" height={520} />}>
      {(data) => (
        <>
          <Section
            title="Every slot it ever owed"
            lead={
              data.since === null ? (
                "Nothing was due yet."
              ) : (
                <>
                  {count(data.due)} since <Instant at={data.since} />. No window is chosen, no state
                  hides anything.
                </>
              )
            }
          >
            <LiveRecordBar counts={data} />
          </Section>
          <Section
            title="What it is worth"
            lead="Over the whole live record, all versions together."
          >
            <Worth record={data} />
          </Section>
          <Versions record={data} />
        </>
      )}
    </Awaited>
  );
}

function Worth({ record }: { record: Schemas["TrackRecord"] }) {
  const { measures, reproduction, trials } = record;
  return (
    <Box
      sx={{
        display: "grid",
        gap: 2.5,
        gridTemplateColumns: "repeat(auto-fill, minmax(135px, 1fr))",
      }}
    >
      <MeasureFigure metric="total_return" label="Return" measure={measures?.["total_return"]} />
      <MeasureFigure
        metric="max_drawdown"
        label="Max drawdown"
        measure={measures?.["max_drawdown"]}
      />
      <MeasureFigure metric="sharpe" label="Sharpe ratio" measure={measures?.["sharpe"]} />
      <MeasureFigure
        metric="deflated_sharpe"
        label="Deflated Sharpe"
        measure={measures?.["deflated_sharpe"]}
        note={`counts ${count(trials)} tries`}
      />
      <MeasureFigure
        metric="skill_with_misses"
        label="Skill"
        measure={measures?.["skill_with_misses"]}
      />
      <MeasureFigure
        metric="hit_rate_with_misses"
        label="Hit rate"
        measure={measures?.["hit_rate_with_misses"]}
      />
      <Figure
        label="Tries"
        value={count(trials)}
        note="versions this provider ever pushed, of all signals"
      />
      <Figure
        label="Reproduced"
        value={reproduction.rate === null ? null : percent(reproduction.rate)}
        reason={reproduction.reason}
        note={
          reproduction.total === 0 ? undefined : (
            <>
              {count(reproduction.reproduced)} of {count(reproduction.total)} drawn by chance
              {reproduction.last_at !== null && (
                <>
                  , last <Instant at={reproduction.last_at} />
                </>
              )}
            </>
          )
        }
      />
    </Box>
  );
}

function Versions({ record }: { record: Schemas["TrackRecord"] }) {
  const path = signalRoute.useParams();
  const columns: Column<Version>[] = [
    {
      id: "version",
      header: "Version",
      value: (row) => row.version,
      cell: (row) =>
        row.published_at === null ? (
          row.version
        ) : (
          <RouterLink
            to="/signals/$provider/$name/performance"
            params={path}
            search={{ version: row.version }}
          >
            {row.version}
          </RouterLink>
        ),
    },
    ...COLUMNS,
  ];
  return (
    <Section
      title="Every version"
      lead="Newest first. Offline, retired and rejected ones stay: a new version does not make the record younger."
      actions={
        <DownloadButton
          file={`${path.provider}-${path.name}-versions.csv`}
          content={() => rowsAsCsv(columns, record.versions)}
        />
      }
      flush
    >
      <DataTable
        caption="Every version"
        columns={columns}
        rows={record.versions}
        rowKey={(row) => row.version}
        empty={<EmptyState title="Nothing was pushed yet" />}
      />
      <Typography variant="caption" color="textSecondary" component="p" sx={{ px: 2, py: 1 }}>
        Late: proven after the deadline. Missed: no answer that counts. Unopened: of the missed, an
        answer was logged and can no longer be shown.
      </Typography>
    </Section>
  );
}

function counted(id: "due" | "live" | "late" | "missed" | "unopened" | "pending"): Column<Version> {
  const header = `${id[0]?.toUpperCase() ?? ""}${id.slice(1)}`;
  return { id, header, value: (row) => row[id], cell: (row) => count(row[id]), numeric: true };
}

function measured(
  id: "total_return" | "max_drawdown" | "sharpe" | "deflated_sharpe" | "skill_with_misses",
  label: string,
  unit: string,
): Column<Version> {
  return {
    id,
    header: <MetricName metric={id} label={label} />,
    value: (row) => row[id] ?? null,
    cell: (row) => {
      const value = row[id];
      return value == null ? <Absent reason={row.reason} /> : inUnit(value, unit, id);
    },
    numeric: true,
  };
}

const COLUMNS: Column<Version>[] = [
  {
    id: "state",
    header: "State",
    value: (row) => row.state,
    cell: (row) => <StateBadge state={row.state} />,
  },
  {
    id: "pushed_at",
    header: "Pushed",
    value: (row) => row.pushed_at,
    cell: (row) => <Instant at={row.pushed_at} />,
  },
  counted("due"),
  counted("live"),
  counted("late"),
  counted("missed"),
  counted("unopened"),
  measured("total_return", "Return", "share"),
  measured("max_drawdown", "Max drawdown", "share"),
  measured("sharpe", "Sharpe", "ratio"),
  measured("deflated_sharpe", "Deflated", "probability"),
  measured("skill_with_misses", "Skill", "share"),
];
