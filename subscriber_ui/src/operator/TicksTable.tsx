import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { RouterLink } from "../elements/RouterLink";
import { duration } from "../format/durations";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import type { Tick } from "./health";

const COLUMNS: Column<Tick>[] = [
  {
    id: "as_of",
    header: "Slot",
    value: (tick) => tick.as_of,
    cell: (tick) => <Instant at={tick.as_of} />,
  },
  outcome("live", "Live"),
  outcome("late", "Late"),
  outcome("missed", "Missed"),
  {
    id: "seconds",
    header: "Took",
    numeric: true,
    value: (tick) => tick.seconds,
    cell: (tick) => duration(tick.seconds),
  },
  {
    id: "slots",
    header: "Which",
    cell: (tick) =>
      tick.late + tick.missed > 0 && (
        <RouterLink
          to="/operator/slots"
          sx={{ whiteSpace: "nowrap" }}
          search={{ from: tick.as_of.slice(0, 10), to: tick.as_of.slice(0, 10) }}
        >
          Late and missed
        </RouterLink>
      ),
  },
];

/** Every tick of 24 hours. */
export function TicksTable({ ticks }: { ticks: Tick[] }) {
  return (
    <DataTable
      caption="Ticks"
      columns={COLUMNS}
      rows={ticks}
      rowKey={(tick) => tick.as_of}
      empty={
        <EmptyState title="No slot was recorded in 24 hours">
          The first tick comes with the first live version, on the full hour after its push.
        </EmptyState>
      }
    />
  );
}

function outcome(id: "live" | "late" | "missed", header: string): Column<Tick> {
  return {
    id,
    header,
    numeric: true,
    value: (tick) => tick[id],
    cell: (tick) => count(tick[id]),
  };
}
