import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { Section } from "../../elements/Section";
import { Instant } from "../../format/Instant";
import { count, fixed } from "../../format/numbers";
import { type Path, type Proven, type Run, runs } from "../queries";
import { Unseen } from "../Unseen";
import { Outcome } from "./Outcome";
import { hoursOf, PROVEN, type RunSearch } from "./search";

const ON_A_PAGE = 24;

interface Props {
  path: Path;
  version: string;
  search: RunSearch;
  change: (changed: Partial<RunSearch>) => void;
}

/** Runs of a version, newest first, as they are filtered by the address. */
export function RunTable({ path, version, search, change }: Props) {
  const filter = {
    limit: ON_A_PAGE,
    ...(search.proven === undefined ? {} : { provenance: search.proven }),
    ...(search.day === undefined ? {} : hoursOf(search.day)),
    ...(search.cursor === undefined ? {} : { cursor: search.cursor }),
  };
  const page = useQuery({ ...runs(path, version, filter), placeholderData: keepPreviousData });
  const columns = columnsOf(change, search);
  return (
    <Section
      title="Runs"
      flush
      actions={
        <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
          <Filters search={search} change={change} />
          <DownloadButton
            file={`${path.name}-${version}-runs.csv`}
            label="This page as CSV"
            content={() => rowsAsCsv(columns, page.data?.items ?? [])}
          />
        </Stack>
      }
    >
      <Awaited
        query={page}
        skeleton={
          <Box sx={{ px: 2 }}>
            <Lines count={12} height={34} />
          </Box>
        }
      >
        {({ items, next }) => (
          <>
            <DataTable
              caption="Runs"
              columns={columns}
              rows={items}
              rowKey={(row) => String(row.id)}
              empty={<NoRuns search={search} change={change} />}
            />
            <Pages next={next ?? null} search={search} change={change} />
          </>
        )}
      </Awaited>
    </Section>
  );
}

function Filters({ search, change }: Pick<Props, "search" | "change">) {
  return (
    <>
      <TextField
        select
        label="Outcome"
        value={search.proven ?? ""}
        onChange={(event) => {
          const chosen = event.target.value as Proven | "";
          change({ proven: chosen === "" ? undefined : chosen });
        }}
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        sx={{ width: 130 }}
      >
        <MenuItem value="">all</MenuItem>
        {PROVEN.map((each) => (
          <MenuItem key={each} value={each}>
            {each}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        type="date"
        label="Day, UTC"
        value={search.day ?? ""}
        onChange={(event) =>
          change({ day: event.target.value === "" ? undefined : event.target.value })
        }
        slotProps={{ inputLabel: { shrink: true } }}
        sx={{ width: 160 }}
      />
    </>
  );
}

function NoRuns({ search, change }: Pick<Props, "search" | "change">) {
  const isFiltered =
    search.proven !== undefined || search.day !== undefined || search.cursor !== undefined;
  if (!isFiltered) {
    return (
      <EmptyState title="No hour was run yet">
        The first run is at the next full hour after publication.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No run is like this"
      action={
        <Button onClick={() => change({ proven: undefined, day: undefined })}>Show all runs</Button>
      }
    />
  );
}

function Pages({
  next,
  search,
  change,
}: Pick<Props, "search" | "change"> & { next: string | null }) {
  if (next === null && search.cursor === undefined) return null;
  return (
    <Stack direction="row" spacing={1} sx={{ px: 2, py: 1, justifyContent: "flex-end" }}>
      {search.cursor !== undefined && (
        <Button size="small" onClick={() => change({})}>
          Newest
        </Button>
      )}
      {next !== null && (
        <Button size="small" onClick={() => change({ cursor: next })}>
          Older
        </Button>
      )}
    </Stack>
  );
}

function columnsOf(change: Props["change"], search: RunSearch): Column<Run>[] {
  return [
    {
      id: "as_of",
      header: "Slot",
      value: (row) => row.as_of,
      cell: (row) => <Instant at={row.as_of} />,
    },
    {
      id: "outcome",
      header: "Outcome",
      value: (row) => row.proven,
      cell: (row) => <Outcome of={row.proven} />,
    },
    {
      id: "reason",
      header: "Reason",
      value: (row) => row.reason,
      cell: (row) => row.reason?.split("\n", 1)[0] ?? "",
      from: "sm",
    },
    {
      id: "wall_ms",
      header: "Wall, ms",
      value: (row) => row.wall_ms,
      cell: (row) => fixed(row.wall_ms, 1),
      numeric: true,
      from: "sm",
    },
    {
      id: "cpu_ms",
      header: "CPU, ms",
      value: (row) => row.cpu_ms,
      cell: (row) => measured(row.cpu_ms, row),
      numeric: true,
      from: "md",
    },
    {
      id: "peak_memory_mb",
      header: "Memory, MB",
      value: (row) => row.peak_memory_mb,
      cell: (row) => measured(row.peak_memory_mb, row),
      numeric: true,
      from: "md",
    },
    { id: "path", header: "Path", value: (row) => row.path, from: "lg" },
    {
      id: "leaf_index",
      header: "Leaf",
      value: (row) => row.leaf_index,
      cell: (row) =>
        row.leaf_index === null ? (
          <Absent reason="Replayed and backfilled hours have no leaf: they prove nothing." />
        ) : (
          count(row.leaf_index)
        ),
      numeric: true,
      from: "sm",
    },
    {
      id: "log",
      header: <Unseen>Log</Unseen>,
      cell: (row) => (
        <Button
          size="small"
          aria-label={`Log of ${row.as_of}`}
          onClick={() =>
            change({
              slot: row.as_of,
              ...(search.cursor === undefined ? {} : { cursor: search.cursor }),
            })
          }
        >
          Log
        </Button>
      ),
    },
  ];
}

function measured(value: number | null, run: Run) {
  if (value !== null) return fixed(value, 1);
  return (
    <Absent
      reason={
        run.path === "replay"
          ? "A replay runs many hours in one process: this is not measured for each."
          : "It was not measured."
      }
    />
  );
}
