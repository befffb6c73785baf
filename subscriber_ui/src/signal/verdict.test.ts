import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import { isItGood, isItHonest } from "./verdict";

const RECORD: Schemas["TrackRecord"] = {
  signal: "ada/tide",
  since: "2026-10-03T00:00:00Z",
  due: 100,
  live: 100,
  late: 0,
  missed: 0,
  pending: 0,
  unopened: 0,
  revealed_until: null,
  reproduction: { reproduced: 0, total: 0, rate: null, reason: "none yet", last_at: null },
  trials: 4,
  measures: null,
  versions: [],
};

type Live = Schemas["Measured"]["live"];

function judged(live: Live, reason: string | null = null) {
  const record = {
    days: 50.2,
    live_slots: 1194,
    days_at_least: 30,
    live_slots_at_least: 200,
    reason,
  };
  return isItGood({ live, record, trials: 4, drift: {} } as unknown as Schemas["Measured"]);
}

const told = (live: Live) => judged(live).map(({ tone, text }) => [tone, text]);

test("a skill is good or bad only where its interval leaves out nought", () => {
  const skill = (low: number | null, high: number | null) =>
    told({ skill_with_misses: { count: 9, value: 0.02, low, high } })[0];
  expect(skill(0.01, 0.03)).toEqual(["good", "It forecasts better than the naive baseline"]);
  expect(skill(-0.03, -0.01)).toEqual(["bad", "It forecasts worse than the naive baseline"]);
  expect(skill(-0.01, 0.03)?.[0]).toBe("open");
  expect(skill(null, null)?.[0]).toBe("open");
});

test("what is not computed is open, with the reason, and never good", () => {
  const found = judged(
    { total_return: { count: 0, reason: "no hour in this period" } },
    "too short",
  );
  expect(found.map(({ tone }) => tone)).toEqual(["open", "open", "open", "open"]);
  expect(found[1]?.detail).toBe("no hour in this period");
  expect(found[3]?.detail).toBe("too short");
});

test("a gain stands beside its worst fall, and tries are counted against luck", () => {
  const found = judged({
    total_return: { count: 1200, value: 0.1, low: 0.05, high: 0.2 },
    max_drawdown: { count: 1200, value: 0.3 },
    deflated_sharpe: { count: 1200, value: 0.6 },
  });
  expect(found[1]).toEqual({
    tone: "good",
    text: "The trading rule earned after costs",
    detail: "+10.0 % over 1,200 hours, worst fall 30.0 %",
  });
  expect(found[2]?.text).toBe("Could be luck of 4 tries");
});

function honest(
  change: Partial<Schemas["TrackRecord"]>,
  leak: Schemas["LeakReport"] | null = null,
) {
  return isItHonest({ ...RECORD, ...change }, leak, null).map(({ tone }) => tone);
}

test("missed, late and unopened slots speak against a record", () => {
  expect(honest({})[0]).toBe("good");
  expect(honest({ live: 95, missed: 5 })[0]).toBe("open");
  expect(honest({ live: 80, late: 20 })[0]).toBe("bad");
  expect(honest({ live: 99, missed: 1, unopened: 1 })[0]).toBe("bad");
  expect(honest({ due: 1, live: 0, pending: 1 })[0]).toBe("open");
  expect(honest({ due: 1, live: 1 })[0]).toBe("open");
});

test("one forecast that ran otherwise, or one look ahead, speaks against it", () => {
  const reproduction = { reproduced: 9, total: 10, rate: 0.9, reason: null, last_at: null };
  expect(honest({ reproduction })[1]).toBe("bad");
  expect(honest({ reproduction: { ...reproduction, reproduced: 10, rate: 1 } })[1]).toBe("good");
  const leak = { verdict: "differs", hours_compared: 9 } as Schemas["LeakReport"];
  expect(honest({}, leak)[2]).toBe("bad");
  expect(honest({}, { ...leak, verdict: "same" })[2]).toBe("good");
});
