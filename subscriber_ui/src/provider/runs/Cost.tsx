import Stack from "@mui/material/Stack";

import { Figure } from "../../elements/Figure";
import { count, fixed, percent } from "../../format/numbers";
import type { Run } from "../queries";
import { isOutcome, median, type Outcome } from "./outcomes";

interface Props {
  runs: Run[];
  counts: Record<Outcome, number>;
}

/** What the due hours came to, and what they took. */
export function Cost({ runs, counts }: Props) {
  const judged = counts.live + counts.late + counts.missed;
  const due = runs.filter((run) => isOutcome(run.proven));
  const wall = median(due.map((run) => run.wall_ms));
  const cpu = median(due.flatMap((run) => (run.cpu_ms === null ? [] : [run.cpu_ms])));
  const memory = due.flatMap((run) => (run.peak_memory_mb === null ? [] : [run.peak_memory_mb]));
  const none = "No due hour was measured yet.";
  return (
    <Stack
      direction="row"
      useFlexGap
      sx={{ flexWrap: "wrap", columnGap: 4, rowGap: 2, alignContent: "flex-start", flex: 1 }}
    >
      <Figure
        label="Live"
        value={judged === 0 ? null : percent(counts.live / judged)}
        reason="No due hour has come to its end yet."
        note={`${count(counts.live)} of ${count(judged)} hours`}
      />
      <Figure label="Late" value={count(counts.late)} note="hours" />
      <Figure label="Missed" value={count(counts.missed)} note="hours" />
      <Figure
        label="Wall, median"
        value={wall === null ? null : `${fixed(wall, 0)} ms`}
        reason={none}
      />
      <Figure
        label="CPU, median"
        value={cpu === null ? null : `${fixed(cpu, 0)} ms`}
        reason={none}
      />
      <Figure
        label="Memory, most"
        value={memory.length === 0 ? null : `${fixed(Math.max(...memory), 0)} MB`}
        reason={none}
      />
    </Stack>
  );
}
