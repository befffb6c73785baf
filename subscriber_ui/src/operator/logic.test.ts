import { expect, test } from "vitest";

import { minorUnits } from "./amounts";
import { partitionKey, slotAddress } from "./dagster";
import { hoursUpTo, inWords } from "./hours";
import { monthBefore } from "./months";
import { auditSearch, endOf, otherDay, slotsSearch } from "./search";

test("what is wrong in an address is left out, not passed on", () => {
  expect(
    slotsSearch({ outcome: "live", signal: "  ", from: "2026-13-45", to: "yesterday" }),
  ).toEqual({
    outcome: undefined,
    signal: undefined,
    version: undefined,
    from: undefined,
    to: undefined,
  });
  expect(auditSearch({ actor: 7, subject: { a: 1 } })).toMatchObject({
    actor: "7",
    subject: undefined,
  });
});

test("days go over months and years", () => {
  expect(otherDay("2026-12-31", 1)).toBe("2027-01-01");
  expect(otherDay("2024-03-01", -1)).toBe("2024-02-29");
  expect(endOf("2026-02-28")).toBe("2026-03-01T00:00:00Z");
  expect(monthBefore(Date.parse("2026-01-15T00:00:00Z"))).toBe("2025-12");
});

test("a slot's partition is its hour in UTC, whatever zone it is written in", () => {
  expect(partitionKey("2026-11-22T01:00:00+01:00")).toBe("2026-11-22-00:00");
  const of = { signal: "ada/t?de", version: "v1.0.0", as_of: "2026-11-22T01:00:00Z" };
  expect(slotAddress("http://d:1/", of)).toBe(
    "http://d:1/assets/signals/ada/t%3Fde/v1.0.0?view=partitions&partition=2026-11-22-01%3A00",
  );
});

test("amounts are counted in hundredths, and nothing else is an amount", () => {
  expect(["12.5", "12.50", "0.29", "7", " 3.1 "].map(minorUnits)).toEqual([
    1250, 1250, 29, 700, 310,
  ]);
  expect(["", "0", "-1", "1.234", "1,5", "1e3"].map(minorUnits)).toEqual(Array(6).fill(null));
});

test("hours without a tick are shown as such", () => {
  const tick = { as_of: "2026-11-22T01:00:00Z", live: 5, late: 0, missed: 1, seconds: 61.4 };
  const hours = hoursUpTo("2026-11-22T02:30:00Z", [tick]);
  expect(hours).toHaveLength(24);
  expect(hours.at(-1)).toEqual({ as_of: "2026-11-22T02:00:00.000Z", tick: null });
  expect(hours.at(-2)?.tick).toBe(tick);
  expect(inWords(hours)).toContain("1 recorded, the slowest took 61 s; 0 with late slots, 1 with");
});
