import { expect, test } from "vitest";

import { days, linear } from "./scale";

test("ticks are round, hold every value, and nought is one of them", () => {
  for (const [low, high] of [
    [-0.7146, 0],
    [-0.003, 0.0121],
    [0, 0.37],
    [0, 0],
  ] as const) {
    const { at, ticks } = linear(low, high, 100, 0);
    expect(Math.min(...ticks)).toBeLessThanOrEqual(low + 1e-12);
    expect(Math.max(...ticks)).toBeGreaterThanOrEqual(high - 1e-12);
    expect(ticks.some((tick) => Math.abs(tick) < 1e-12)).toBe(true);
    expect(ticks.length).toBeLessThan(9);
    expect(at(low)).toBeGreaterThanOrEqual(at(high));
  }
});

test("a single day has one place, and many days as many labels as fit", () => {
  const one = days("2026-11-22", "2026-11-22", 0, 300);
  expect(one.at(Date.parse("2026-11-22"))).toBe(0);
  const many = days("2026-01-01", "2026-12-31", 0, 300);
  expect(many.ticks).toHaveLength(3);
  expect(many.at(Date.parse("2026-12-31"))).toBe(300);
  expect(days("2026-11-19", "2026-11-22", 0, 2000).ticks).toHaveLength(4);
});
