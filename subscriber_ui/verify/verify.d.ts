// What the app knows of verify.js, which is checked by its own comments and vectors.
import type { Policy } from "./policy.js";

export interface Counts {
  live: number;
  late: number;
  undated: number;
  missed: number;
  unopened: number;
  paused: number;
}

export interface Bundle {
  signal: string;
  checkpoint: string;
  leaves: [number, string][];
  since: number | null;
  until: number | null;
  hints: { policy: string; url: string };
}

/** Times in seconds since 1970, lengths in seconds. */
export interface Terms {
  policy: Policy;
  now: number;
  maxAge: number | null;
  liveDeadline: number;
}

export interface Report {
  signal: string;
  checkpoint: { origin: string; size: number; root: Uint8Array };
  trust: string;
  datedAt: number | null;
  leaves: number;
  olderRoots: Map<number, Uint8Array>;
  since: number | null;
  until: number | null;
  firstSlot: number;
  lastSlot: number;
  versions: Map<string, Counts>;
  total: Counts;
}

export const FORMAT: string;
export const LIVE_DEADLINE: number;
export const MAX_AGE: number;
export function parseBundle(text: string): Bundle;
export function verifyBundle(bundle: Bundle, terms: Terms): Promise<Report>;
