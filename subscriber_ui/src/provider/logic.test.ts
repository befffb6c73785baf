import { expect, test } from "vitest";

import { run, TIDE } from "./atDesk";
import { seen } from "./desk/steps";
import { causeInWords, leakInWords, type LeakReport } from "./leaks/words";
import { isName } from "./names";
import { minorOf, offerLines } from "./offer/manifest";
import { monthsUpTo } from "./revenue/months";
import { adviceOnMiss, inWords, median, strip, tally } from "./runs/outcomes";
import { hoursOf, readRunSearch } from "./runs/search";
import { movesFrom } from "./versions/moves";
import { adviceOn } from "./versions/rejections";

const NOW = Date.parse("2026-11-22T02:30:00Z");

test("the strip takes due hours only, and never invents one", () => {
  const runs = [
    run("2026-11-22T02:00:00Z", { proven: "pending" }),
    run("2026-11-22T01:00:00Z", { provenance: "live", proven: "late" }),
    run("2026-11-21T23:00:00Z", { provenance: "replayed", proven: "replayed" }),
    run("2026-11-21T22:00:00Z"),
  ];
  const days = strip(runs, 2, NOW);
  expect(days.map((day) => day.hours.length)).toEqual([24, 24]);
  expect(days[0]?.hours[1]?.run?.proven).toBe("late");
  expect(days[1]?.hours[23]?.run).toBeNull();
  expect(tally(days)).toEqual({ live: 1, late: 1, missed: 0, pending: 1 });
  expect(inWords(tally(days), 2)).toBe("The last 2 days: 3 due hours, 1 live, 1 late, 1 pending.");
  expect(inWords(tally([]), 14)).toBe("No hour of the last 14 days is on record.");
});

test("a median of none is none", () => {
  expect(median([])).toBeNull();
  expect(median([10, 9, 100])).toBe(10);
  expect(median([4, 2])).toBe(3);
});

test("a search that nobody wrote is left out", () => {
  expect(readRunSearch({ proven: "dreamt", day: "2026-13-40", slot: "x", version: 3 })).toEqual({});
  expect(readRunSearch({ proven: "missed", day: "2026-11-22" })).toEqual({
    proven: "missed",
    day: "2026-11-22",
  });
  expect(hoursOf("2026-12-31").to).toBe("2027-01-01T00:00:00Z");
});

test("names follow the manifest's rule", () => {
  expect(["abc", "a-1", "a".repeat(40)].every(isName)).toBe(true);
  expect(["ab", "1ab", "ab-", "Abc", "a b", "a".repeat(41)].some(isName)).toBe(false);
});

test("an offer is written as the manifest has it, or not at all", () => {
  expect(offerLines("29.00", "14")).toBe(
    '[offer]\nprice = "29.00"\ncurrency = "EUR"\ntrial_days = 14',
  );
  expect([offerLines("29.0", "14"), offerLines("29.00", "31"), offerLines("-1", "0")]).toEqual([
    null,
    null,
    null,
  ]);
  expect([minorOf("29.99"), minorOf("0"), minorOf("1e3")]).toEqual([2999, 0, null]);
});

test("months go back to the first, over the turn of a year", () => {
  const january = Date.parse("2027-01-31T12:00:00Z");
  expect(monthsUpTo(january, Date.parse("2026-11-20T00:00:00Z"), 12)).toEqual([
    "2027-01",
    "2026-12",
    "2026-11",
  ]);
  expect(monthsUpTo(january, 0, 2)).toHaveLength(2);
});

test("what may be done with a version depends on its state", () => {
  expect(movesFrom("live")).toEqual(["offline", "retire"]);
  expect(movesFrom("offline")).toEqual(["live", "retire"]);
  expect([...movesFrom("building"), ...movesFrom("retired"), ...movesFrom("rejected")]).toEqual([]);
});

test("steps are ticked by what the platform saw, a revoked key ticks none", () => {
  const key = { scopes: ["push"], revoked_at: null, expires_at: null };
  expect(seen([key], undefined, NOW)).toMatchObject({ key: "done", signal: "open", push: "open" });
  const over = { ...key, expires_at: "2026-11-22T02:00:00Z" };
  const revoked = { ...key, revoked_at: "2026-11-22T02:00:00Z" };
  expect(seen([over, revoked, { ...key, scopes: ["read"] }], undefined, NOW).key).toBe("open");
  const push = { version: "v0.1.0", reserved_at: TIDE.created_at, why: null };
  const first = { ...TIDE, live_versions: [], visibility: "private" as const };
  const building = { ...first, last_push: { ...push, state: "building" as const } };
  expect(seen([key], building, NOW)).toMatchObject({ push: "done", building: "now", live: "open" });
  const refused = { ...first, last_push: { ...push, state: "rejected" as const } };
  expect(seen([key], refused, NOW)).toMatchObject({ push: "done", building: "open" });
  expect(seen([key], TIDE, NOW)).toMatchObject({ building: "done", live: "done", listed: "done" });
});

test("refusals and misses say what to do", () => {
  expect(adviceOn("requirements.txt line 2: options are not taken")).toMatch(/Mend that line/);
  expect(adviceOn("platform failure: disk")).toMatch(/not your push/);
  expect(adviceOn("something new")).toMatch(/push again/);
  expect(adviceOnMiss("timeout: ran into 20 s")).toMatch(/compute less/);
  expect(adviceOnMiss(null)).toBeNull();
});

test("a leak report claims no more than was compared", () => {
  const report: LeakReport = {
    verdict: "differs",
    reason: null,
    hours_compared: 24,
    hours_differing: 23,
    rows_differing: 69,
    differences: [],
    cause: "looks_ahead",
    hours_ahead: 11,
    explanation: null,
    bars: "made-up bars",
    carries_state: false,
  };
  expect(leakInWords(report)).toBe("23 of 24 hours differ, 69 rows");
  expect(causeInWords(report)).toMatch(/looks 11 h ahead/);
  const unread = { ...report, verdict: "not_comparable" as const, reason: "no forecast_history" };
  expect(leakInWords(unread)).toBe("nothing could be compared: no forecast_history");
});
