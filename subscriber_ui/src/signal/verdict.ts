/** What a record comes to, in sentences: is it any good, is it honest? Nothing here is rounded up. */

import type { Schemas } from "../api/client";
import { interval, sideOf, valueOf } from "../format/measures";
import { change, count, percent } from "../format/numbers";

/** `open`: not known yet, or not told apart from chance. */
export type Tone = "good" | "bad" | "open";

export interface Finding {
  tone: Tone;
  text: string;
  /** Beneath it: the numbers. */
  detail?: string;
}

type Measured = Schemas["Measured"];
type Record_ = Schemas["TrackRecord"];
type Leak = Schemas["LeakReport"];

const SHARE = "share, up to 1";
const LIKELY = 0.95;
const A_DAY = 24;

/** Is it any good? Of the live record alone. */
export function isItGood({ live, record, trials }: Measured): Finding[] {
  return [
    skillFinding(live["skill_with_misses"]),
    returnFinding(live["total_return"], live["max_drawdown"]),
    luckFinding(live["deflated_sharpe"], trials),
    record.reason == null
      ? {
          tone: "good",
          text: "The record is long enough for a rank",
          detail: `${count(Math.floor(record.days))} days, ${count(record.live_slots)} live slots`,
        }
      : { tone: "open", text: "The record is too short to tell", detail: record.reason },
  ];
}

function skillFinding(skill: Schemas["Measure"] | undefined): Finding {
  const value = valueOf(skill, SHARE, "skill");
  if (skill === undefined || value === null) {
    return { tone: "open", text: "Its skill is not known yet", detail: skill?.reason ?? undefined };
  }
  const ends = interval(skill, SHARE, "skill");
  const detail = `skill ${value}${ends === null ? ", no interval yet" : `, 95 %: ${ends}`}`;
  switch (sideOf(skill)) {
    case "above":
      return { tone: "good", text: "It forecasts better than the naive baseline", detail };
    case "below":
      return { tone: "bad", text: "It forecasts worse than the naive baseline", detail };
    case "either":
      return { tone: "open", text: "It is not told apart from the naive baseline", detail };
    case "unknown":
      return { tone: "open", text: "Too few forecasts to tell it from the naive baseline", detail };
  }
}

function returnFinding(
  earned: Schemas["Measure"] | undefined,
  fell: Schemas["Measure"] | undefined,
): Finding {
  if (earned?.value == null) {
    const detail = earned?.reason ?? undefined;
    return { tone: "open", text: "Its trading rule has not traded live yet", detail };
  }
  const worst = fell?.value == null ? "" : `, worst fall ${percent(fell.value)}`;
  const detail = `${change(earned.value, 1)} over ${count(earned.count)} hours${worst}`;
  const side = sideOf(earned);
  if (side === "above")
    return { tone: "good", text: "The trading rule earned after costs", detail };
  if (side === "below") return { tone: "bad", text: "The trading rule lost after costs", detail };
  return {
    tone: "open",
    text: "What the trading rule earned after costs could be chance",
    detail,
  };
}

function luckFinding(deflated: Schemas["Measure"] | undefined, trials: number): Finding {
  const tries = trials === 1 ? "one try" : `${count(trials)} tries`;
  if (deflated?.value == null) {
    const text = `Whether it is more than luck of ${tries} is not known yet`;
    return { tone: "open", text, detail: deflated?.reason ?? undefined };
  }
  const detail = `deflated Sharpe ratio: probability ${percent(deflated.value)}`;
  if (deflated.value >= LIKELY) {
    return { tone: "good", text: `Better than luck of ${tries} would be`, detail };
  }
  return deflated.value < 0.5
    ? { tone: "bad", text: `No better than luck of ${tries} would be`, detail }
    : { tone: "open", text: `Could be luck of ${tries}`, detail };
}

/** Is it honest? What was owed, and what can be proved of it. */
export function isItHonest(
  record: Record_,
  leak: Leak | null,
  measured: Measured | null,
): Finding[] {
  return [
    servedFinding(record),
    reproductionFinding(record.reproduction),
    leakFinding(leak),
    driftFinding(measured?.drift["mean_absolute_error"]),
  ];
}

function servedFinding(record: Record_): Finding {
  if (record.due === 0) return { tone: "open", text: "No slot was due yet" };
  const detail =
    `${count(record.live)} of ${count(record.due)} due slots; ${count(record.late)} late,` +
    ` ${count(record.missed)} missed, ${count(record.unopened)} of them unopened`;
  const settled = record.due - record.pending;
  if (settled === 0) return { tone: "open", text: "No due slot is proven yet", detail };
  const share = record.live / settled;
  if (settled < A_DAY && share === 1) {
    return { tone: "open", text: "Too few slots were due to tell", detail };
  }
  if (record.unopened > 0)
    return { tone: "bad", text: "Answers are missing that were given", detail };
  return share >= 0.99
    ? { tone: "good", text: "Practically every due slot was proven live", detail }
    : {
        tone: share < 0.9 ? "bad" : "open",
        text: `${percent(share)} of due slots were proven live`,
        detail,
      };
}

function reproductionFinding(tried: Schemas["Reproduction"]): Finding {
  if (tried.rate === null) {
    const detail = tried.reason ?? undefined;
    return { tone: "open", text: "Its forecasts were not run again yet", detail };
  }
  const detail = `${count(tried.reproduced)} of ${count(tried.total)} drawn by chance`;
  return tried.reproduced === tried.total
    ? { tone: "good", text: "Logged forecasts gave the same bytes when run again", detail }
    : { tone: "bad", text: "Some logged forecasts gave something else when run again", detail };
}

function leakFinding(leak: Leak | null): Finding {
  if (leak === null) return { tone: "open", text: "Its newest version was not examined for leaks" };
  const detail = leak.explanation ?? leak.reason ?? undefined;
  switch (leak.verdict) {
    case "same":
      return {
        tone: "good",
        text: "Its answers for a whole history are those it gives hour by hour",
        detail: `${count(leak.hours_compared)} hours compared`,
      };
    case "differs":
      return { tone: "bad", text: "It answers otherwise when it sees what comes after", detail };
    case "not_comparable":
      return { tone: "open", text: "Nothing to compare for the leak report", detail };
  }
}

function driftFinding(drift: Schemas["Measure"] | undefined): Finding {
  if (drift?.value == null) {
    const detail = drift?.reason ?? undefined;
    return { tone: "open", text: "Live cannot be held against replayed yet", detail };
  }
  // Of the error: above nought, it is larger live.
  switch (sideOf(drift)) {
    case "above":
      return { tone: "bad", text: "Live it errs more than it did over the past" };
    case "unknown":
      return { tone: "open", text: "Too few hours to hold live against replayed" };
    default:
      return { tone: "good", text: "Live it does not err more than over the past, beyond chance" };
  }
}
