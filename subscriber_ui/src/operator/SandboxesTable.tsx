import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { Instant } from "../format/Instant";
import { count, fixed, number } from "../format/numbers";
import type { Sandboxes } from "./health";

const UNMEASURED = "No run of this path was measured by itself.";

const COLUMNS: Column<Sandboxes>[] = [
  { id: "engine", header: "Engine", value: (used) => used.engine },
  { id: "path", header: "Path", value: (used) => used.path },
  whole("runs", "Runs"),
  whole("answered", "Answered"),
  whole("missed", "Missed"),
  {
    id: "wall_ms",
    header: <Unbroken text="Wall time p50 / p95" />,
    numeric: true,
    value: (used) => used.wall_ms_p95,
    cell: (used) => <Spread p50={used.wall_ms_p50} p95={used.wall_ms_p95} />,
  },
  {
    id: "cpu_ms",
    header: <Unbroken text="CPU p50 / p95" />,
    numeric: true,
    value: (used) => used.cpu_ms_p95,
    cell: (used) => <Spread p50={used.cpu_ms_p50} p95={used.cpu_ms_p95} />,
  },
  {
    id: "peak_memory_mb",
    header: <Unbroken text="Peak memory" />,
    numeric: true,
    value: (used) => used.peak_memory_mb,
    cell: (used) =>
      used.peak_memory_mb === null ? (
        <Absent reason={UNMEASURED} />
      ) : (
        `${fixed(used.peak_memory_mb, 1)} MiB`
      ),
  },
  {
    id: "last_at",
    header: "Last",
    value: (used) => used.last_at,
    cell: (used) => <Instant at={used.last_at} precise />,
  },
];

/** What the sandboxes did, and what it took. */
export function SandboxesTable({ sandboxes }: { sandboxes: Sandboxes[] }) {
  return (
    <DataTable
      caption="Sandboxes"
      columns={COLUMNS}
      rows={sandboxes}
      rowKey={(used) => `${used.engine} ${used.path}`}
      empty={
        <EmptyState title="No sandbox ran in 24 hours">
          They run with the first tick, and with replays.
        </EmptyState>
      }
    />
  );
}

function Unbroken({ text }: { text: string }) {
  return <span style={{ whiteSpace: "nowrap" }}>{text}</span>;
}

function Spread({ p50, p95 }: { p50: number | null; p95: number | null }) {
  if (p50 === null || p95 === null) return <Absent reason={UNMEASURED} />;
  return `${number(p50)} / ${number(p95)} ms`;
}

function whole(id: "runs" | "answered" | "missed", header: string): Column<Sandboxes> {
  return {
    id,
    header,
    numeric: true,
    value: (used) => used[id],
    cell: (used) => count(used[id]),
  };
}
