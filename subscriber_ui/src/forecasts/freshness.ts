/** How old a forecast is against the slots that should have come since. */

import { duration } from "../format/durations";

export interface Missed {
  as_of: string;
  reason: string | null;
}

export interface Freshness {
  tone: "success" | "info" | "warning" | "error";
  label: string;
  /** The same in a sentence, for hover and focus. */
  means: string;
}

export const HOUR_MS = 3_600_000;
/** In which a slot's forecast usually arrives; it says so, and decides nothing. */
const ARRIVES_WITHIN_MS = 10 * 60_000;

export function slotAt(now: number): number {
  return Math.floor(now / HOUR_MS) * HOUR_MS;
}

/** How long until the next slot, in seconds. */
export function untilNextSlot(now: number): number {
  return Math.ceil((slotAt(now) + HOUR_MS - now) / 1000);
}

/**
 * @param asOf the forecast's slot
 * @param missed the signal's last slot that came to nothing, as far as this page heard
 */
export function freshness(asOf: string, missed: Missed | undefined, now: number): Freshness {
  const slot = slotAt(now);
  const behindMs = slot - Date.parse(asOf);
  if (missed !== undefined && Date.parse(missed.as_of) > Date.parse(asOf)) {
    const why = missed.reason === null ? "" : ` Its record says: ${missed.reason}`;
    return { tone: "error", label: "missed", means: `The slot after this one was missed.${why}` };
  }
  if (behindMs <= 0) {
    return { tone: "success", label: "this hour", means: "It is of the newest slot there is." };
  }
  if (behindMs === HOUR_MS && now - slot < ARRIVES_WITHIN_MS) {
    return {
      tone: "info",
      label: "next one due",
      means: `The next slot began ${duration((now - slot) / 1000)} ago; its forecast is awaited.`,
    };
  }
  return {
    tone: "warning",
    label: `${duration(behindMs / 1000)} behind`,
    means: "Newer slots have no forecast here: its market rests, or the signal is offline.",
  };
}
