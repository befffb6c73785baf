import { expect, test } from "vitest";

import { interval, inUnit, sideOf, valueOf } from "./measures";

test("a value is written by the unit of its definition", () => {
  expect(inUnit(0.5428, "share, 0 to 1")).toBe("54.3 %");
  expect(inUnit(0.02, "share of capital", "total_return")).toBe("+2.0 %");
  expect(inUnit(0.128, "share, -1 to 1")).toBe("0.13");
  expect(inUnit(-24.1216, "ratio, for a year")).toBe("-24.12");
  expect(inUnit(0.0056013, "the target's: log return, or price")).toBe("0.0056");
  expect(inUnit(1234, "forecasts")).toBe("1,234");
});

test("what is null is no number, and has no interval", () => {
  expect(valueOf({ count: 0, value: null, reason: "no hour" }, "ratio")).toBeNull();
  expect(valueOf(undefined, "ratio")).toBeNull();
  expect(interval({ count: 9, value: 1 }, "ratio")).toBeNull();
  expect(interval({ count: 9, value: 1, low: -1, high: 2 }, "ratio")).toBe("-1.00 to 2.00");
});

test("only an interval that leaves out nought takes a side", () => {
  expect(sideOf({ count: 9, value: 0.1, low: 0.01, high: 0.2 })).toBe("above");
  expect(sideOf({ count: 9, value: -0.1, low: -0.3, high: -0.01 })).toBe("below");
  expect(sideOf({ count: 9, value: 0.1, low: -0.01, high: 0.2 })).toBe("either");
  expect(sideOf({ count: 9, value: 0.1 })).toBe("unknown");
  expect(sideOf({ count: 0, value: null, low: 1, high: 2 })).toBe("unknown");
});
