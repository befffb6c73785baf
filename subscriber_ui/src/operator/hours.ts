import type { Tick } from "./health";

export interface Hour {
  as_of: string;
  /** Null: no record of that slot. */
  tick: Tick | null;
}

const HOUR_MS = 3_600_000;
const SHOWN = 24;

/** The 24 hours up to `at`, oldest first, those without a record among them. */
export function hoursUpTo(at: string, ticks: Tick[]): Hour[] {
  const newest = Math.floor(Date.parse(at) / HOUR_MS) * HOUR_MS;
  const byHour = new Map(ticks.map((tick) => [Date.parse(tick.as_of), tick]));
  return Array.from({ length: SHOWN }, (_, index) => {
    const hour = newest - (SHOWN - 1 - index) * HOUR_MS;
    return { as_of: new Date(hour).toISOString(), tick: byHour.get(hour) ?? null };
  });
}

/** The chart in a sentence. */
export function inWords(hours: Hour[]): string {
  const ticks = hours.flatMap(({ tick }) => (tick === null ? [] : [tick]));
  const slowest = Math.max(0, ...ticks.map((tick) => tick.seconds));
  const late = ticks.filter((tick) => tick.late > 0).length;
  const missed = ticks.filter((tick) => tick.missed > 0).length;
  return (
    `Ticks of ${hours.length} hours: ${ticks.length} recorded, the slowest took ` +
    `${Math.round(slowest)} s; ${late} with late slots, ${missed} with missed slots. ` +
    "The table Ticks below has each."
  );
}
