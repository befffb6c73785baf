/**
 * The platform's clock, as its answers tell it: ages and countdowns count by it, never by the
 * reader's own, which may be wrong; a demonstration's clock runs ahead.
 */

const DIFFERS_MS = 2_000; // Date has whole seconds, and the answer travelled

let offsetMs = 0;
let demo = false;

export function learnClock(headers: Headers): void {
  const ahead = /^\+(\d+)s$/.exec(headers.get("X-Signalbox-Demo-Clock") ?? "");
  demo = ahead !== null;
  const date = Date.parse(headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  const measured = date + Number(ahead?.[1] ?? 0) * 1000 - Date.now();
  if (Math.abs(measured - offsetMs) > DIFFERS_MS) offsetMs = measured;
}

/** Milliseconds since the epoch, as the platform has them. */
export function now(): number {
  return Date.now() + offsetMs;
}

/** Whether this is a demonstration; known after the first answer. */
export function isDemo(): boolean {
  return demo;
}
