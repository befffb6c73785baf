/** What the runs are filtered by, kept in the address so that it can be sent to somebody. */

import type { Proven } from "../queries";

export const PROVEN: readonly Proven[] = [
  "live",
  "late",
  "missed",
  "pending",
  "replayed",
  "backfilled",
];

export interface RunSearch {
  version?: string;
  proven?: Proven;
  /** A day such as 2026-11-22, UTC. */
  day?: string;
  /** The slot whose log is open. */
  slot?: string;
  cursor?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const read: RunSearch = {};
  const { version, proven, day, slot, cursor } = search;
  if (typeof version === "string") read.version = version;
  const known = PROVEN.find((each) => each === proven);
  if (known !== undefined) read.proven = known;
  if (typeof day === "string" && DAY.test(day) && !Number.isNaN(Date.parse(day))) read.day = day;
  if (typeof slot === "string" && !Number.isNaN(Date.parse(slot))) read.slot = slot;
  if (typeof cursor === "string") read.cursor = cursor;
  return read;
}

/** The hours of a day as the API filters: from its midnight to the next, exclusive. */
export function hoursOf(day: string): { from: string; to: string } {
  const begins = Date.parse(`${day}T00:00:00Z`);
  return { from: iso(begins), to: iso(begins + 86_400_000) };
}

/** As the API writes instants: whole seconds, UTC. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
