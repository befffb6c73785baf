/** What of a playback is in its address. */

export interface PlaybackSearch {
  /** The instant shown; absent: the newest. */
  t?: string;
  /** Where the range begins; absent: 90 days before its end. */
  from?: string;
  symbol?: string;
  horizon?: number;
  /** Hours a second. */
  speed?: Speed;
  /** Hours of bars in sight. */
  hours?: Sight;
  /** Without what was computed later. */
  replays?: false;
}

export const SPEEDS = [1, 6, 24, 60] as const;
export type Speed = (typeof SPEEDS)[number];
export const SIGHTS = [48, 168, 720, 2160] as const;
export type Sight = (typeof SIGHTS)[number];

export function validateSearch(search: Record<string, unknown>): PlaybackSearch {
  return {
    t: instant(search["t"]),
    from: instant(search["from"]),
    symbol: typeof search["symbol"] === "string" ? search["symbol"] : undefined,
    horizon: Number.isInteger(search["horizon"]) ? (search["horizon"] as number) : undefined,
    speed: SPEEDS.find((speed) => speed === search["speed"]),
    hours: SIGHTS.find((hours) => hours === search["hours"]),
    replays: search["replays"] === false ? false : undefined,
  };
}

/** As an address has it: 2026-11-22T01:10:00Z. */
export function written(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

export function seconds(written: string): number {
  return Math.floor(Date.parse(written) / 1000);
}

function instant(value: unknown): string | undefined {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}
