/** Runs by hour, as a heat strip shows them. */

import type { Proven, Run } from "../queries";

export type Outcome = Extract<Proven, "live" | "late" | "missed" | "pending">;

export const OUTCOMES: readonly Outcome[] = ["live", "late", "missed", "pending"];

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Hour {
  at: number;
  /** Null: no run was due, or none is on record yet. */
  run: Run | null;
}

export interface Day {
  /** Its midnight, UTC. */
  begins: number;
  hours: Hour[];
}

/** Days up to the one of `now`, newest first, each of 24 hours; runs that were due only. */
export function strip(runs: Run[], days: number, now: number): Day[] {
  const due = new Map<number, Run>();
  for (const run of runs) {
    if (isOutcome(run.proven)) due.set(Date.parse(run.as_of), run);
  }
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  return Array.from({ length: days }, (_, back) => {
    const begins = today - back * DAY_MS;
    const hours = Array.from({ length: 24 }, (__, hour) => {
      const at = begins + hour * HOUR_MS;
      return { at, run: due.get(at) ?? null };
    });
    return { begins, hours };
  });
}

/** How many hours came to each end. */
export function tally(days: Day[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { live: 0, late: 0, missed: 0, pending: 0 };
  for (const { run } of days.flatMap((day) => day.hours)) {
    if (run !== null && isOutcome(run.proven)) counts[run.proven] += 1;
  }
  return counts;
}

/** The strip for those who do not see it. */
export function inWords(counts: Record<Outcome, number>, days: number): string {
  const due = OUTCOMES.reduce((sum, each) => sum + counts[each], 0);
  if (due === 0) return `No hour of the last ${days} days is on record.`;
  const parts = OUTCOMES.filter((each) => counts[each] > 0).map(
    (each) => `${counts[each]} ${each}`,
  );
  return `The last ${days} days: ${due} due hours, ${parts.join(", ")}.`;
}

export function isOutcome(proven: Proven): proven is Outcome {
  return OUTCOMES.some((each) => each === proven);
}

/** The middle one; null of none. */
export function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

const REASONS: Record<string, string> = {
  timeout: "No answer within timeout_seconds: compute less, or raise it, up to 60.",
  out_of_memory: "More than memory_mb: hold less, or raise it, up to 4,096.",
  exit: "The process ended without an answer: look for sys.exit, or a crash in a library.",
  error: "The model raised: mend it and publish a greater version. The traceback is in the log.",
  refused: "It died of a read it may not make: ask for the manifest's symbols, up to as_of.",
  invalid: "The answer breaks a rule; the first fault is named.",
};

/** What to do about a miss, by the word its reason begins with (docs/provider/errors.md). */
export function adviceOnMiss(reason: string | null): string | null {
  return REASONS[reason?.split(":", 1)[0] ?? ""] ?? null;
}
