import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { ProvenanceBadge } from "../elements/ProvenanceBadge";
import { RouterLink } from "../elements/RouterLink";
import { duration } from "../format/durations";
import { Instant } from "../format/Instant";
import { runAddress, slotAddress } from "./dagster";
import { DagsterLink } from "./DagsterLink";
import type { AnyRun } from "./runs";

const SLOT_COLUMNS: Column<AnyRun>[] = [
  {
    id: "as_of",
    header: "Slot",
    value: (run) => run.as_of,
    cell: (run) => <Instant at={run.as_of} />,
    from: "sm",
  },
  {
    id: "signal",
    header: "Signal",
    value: (run) => run.signal,
    cell: (run) => <Signal run={run} />,
  },
  {
    id: "outcome",
    header: "Outcome",
    value: (run) => run.provenance,
    cell: (run) => <Outcome run={run} />,
  },
  {
    id: "reason",
    header: "Reason",
    value: (run) => run.reason,
    cell: (run) => <Reason run={run} />,
    from: "md",
  },
  {
    id: "recorded_after_s",
    header: "After",
    numeric: true,
    value: secondsAfter,
    cell: (run) => duration(secondsAfter(run)),
    from: "sm",
  },
  {
    id: "leaf_index",
    header: "Leaf",
    numeric: true,
    value: (run) => run.leaf_index,
    cell: (run) => <Leaf run={run} />,
    from: "sm",
  },
  {
    id: "dagster_run_id",
    header: "Run",
    value: (run) => run.dagster_run_id,
    cell: (run) => <Run run={run} />,
    from: "lg",
  },
  {
    id: "again",
    header: "Run again",
    cell: (run) => <Again run={run} />,
    from: "sm",
  },
];

/** What a file of them has besides. */
export const SLOT_CSV_COLUMNS: Column<AnyRun>[] = [
  ...SLOT_COLUMNS,
  { id: "version", header: "Version", value: (run) => run.version },
  { id: "recorded_at", header: "Recorded", value: (run) => run.recorded_at },
  { id: "run_again_at", header: "Run again", value: (run) => run.run_again_at },
];

/** Slots that came late or not at all. */
export function SlotsTable({ runs }: { runs: AnyRun[] }) {
  return (
    <DataTable
      caption="Late and missed slots"
      columns={SLOT_COLUMNS}
      rows={runs}
      rowKey={(run) => String(run.id)}
      empty={
        <EmptyState title="No slot came late or was missed">
          None is on record that fits these filters.
        </EmptyState>
      }
    />
  );
}

function secondsAfter(run: AnyRun): number {
  return (Date.parse(run.recorded_at) - Date.parse(run.as_of)) / 1000;
}

function Signal({ run }: { run: AnyRun }) {
  const [provider = "", name = ""] = run.signal.split("/");
  return (
    <>
      <Box sx={{ display: { sm: "none" } }}>
        <Instant at={run.as_of} />
      </Box>
      <RouterLink to="/signals/$provider/$name" params={{ provider, name }}>
        {run.signal}
      </RouterLink>
      <Typography variant="caption" component="div" color="textSecondary">
        {run.version}
      </Typography>
    </>
  );
}

function Outcome({ run }: { run: AnyRun }) {
  return (
    <Stack spacing={0.5} sx={{ alignItems: "flex-start" }}>
      <ProvenanceBadge of={run.provenance} />
      {run.run_again_at !== null && (
        <Typography variant="caption" component="div">
          run again <Instant at={run.run_again_at} />
        </Typography>
      )}
      <Box sx={{ display: { md: "none" } }}>
        <Reason run={run} />
      </Box>
      <Box sx={{ display: { sm: "none" } }}>
        <Again run={run} />
      </Box>
    </Stack>
  );
}

function Again({ run }: { run: AnyRun }) {
  return <DagsterLink to={(dagster) => slotAddress(dagster, run)} />;
}

function Reason({ run }: { run: AnyRun }) {
  if (run.reason === null) return <Absent reason="It was answered, after its deadline." />;
  return (
    <Typography
      variant="body2"
      component="span"
      sx={{ overflowWrap: "anywhere", minWidth: { md: 220 }, display: "inline-block" }}
    >
      {run.reason}
    </Typography>
  );
}

function Leaf({ run }: { run: AnyRun }) {
  if (run.leaf_index === null) return <Absent reason="The slot has no leaf." />;
  return <Link href={`/v1/log/proof?leaf=${run.leaf_index}`}>{run.leaf_index}</Link>;
}

function Run({ run }: { run: AnyRun }) {
  const id = run.dagster_run_id;
  if (id === null) return <Absent reason="It was run by hand, without Dagster." />;
  return <DagsterLink to={(dagster) => runAddress(dagster, id)} label={id.slice(0, 8)} />;
}
