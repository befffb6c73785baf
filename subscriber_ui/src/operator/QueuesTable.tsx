import Typography from "@mui/material/Typography";

import { type Column, DataTable } from "../elements/DataTable";
import { relative } from "../format/durations";
import { Instant } from "../format/Instant";
import { count, NONE } from "../format/numbers";
import { useNow } from "../format/useNow";
import type { Queue } from "./health";

const NAMES: Record<Queue["name"], { name: string; waits: string }> = {
  slots: { name: "Slots", waits: "owed within 48 hours and not recorded" },
  builds: { name: "Builds", waits: "pushed, and not through the gate" },
  leaves: { name: "Leaves", waits: "covered by no checkpoint with its quorum" },
  letters: { name: "Letters", waits: "not delivered" },
  deliveries: { name: "Webhook deliveries", waits: "to be sent, or sent again" },
  payment_events: { name: "Payment events", waits: "arrived, and without their turn" },
};

const COLUMNS: Column<Queue>[] = [
  {
    id: "name",
    header: "Queue",
    value: (queue) => NAMES[queue.name].name,
    cell: (queue) => (
      <>
        <strong>{NAMES[queue.name].name}</strong>
        <Typography variant="caption" component="div" color="textSecondary">
          {NAMES[queue.name].waits}
        </Typography>
      </>
    ),
  },
  {
    id: "waiting",
    header: "Waiting",
    numeric: true,
    value: (queue) => queue.waiting,
    cell: (queue) => count(queue.waiting),
  },
  {
    id: "oldest_at",
    header: "Oldest",
    value: (queue) => queue.oldest_at,
    cell: (queue) => (queue.oldest_at === null ? NONE : <Age at={queue.oldest_at} />),
  },
];

/** Everything that waits in rows, empty queues too. */
export function QueuesTable({ queues }: { queues: Queue[] }) {
  return (
    <DataTable caption="Queues" columns={COLUMNS} rows={queues} rowKey={(queue) => queue.name} />
  );
}

function Age({ at }: { at: string }) {
  const now = useNow();
  return (
    <>
      {relative(at, now)}
      <Typography
        variant="caption"
        component="div"
        color="textSecondary"
        sx={{ display: { xs: "none", sm: "block" } }}
      >
        <Instant at={at} />
      </Typography>
    </>
  );
}
