/** Calendar months, UTC, as the API names them: 2026-11. */

/** Months from that of `since` to that of `now`, newest first, at most `most`. */
export function monthsUpTo(now: number, since: number, most: number): string[] {
  const date = new Date(now);
  const first = new Date(since).toISOString().slice(0, 7);
  const found: string[] = [];
  for (let back = 0; back < most; back += 1) {
    const begins = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back, 1);
    const month = new Date(begins).toISOString().slice(0, 7);
    if (month < first) break;
    found.push(month);
  }
  return found;
}
