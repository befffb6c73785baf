import { expect, test } from "vitest";

import { coverageOf, grouped } from "./groups";

const ONE = { count: 9, value: 0.5 };

test("every measure is shown once, one that nobody placed too", () => {
  const measures = { sharpe: ONE, crps: ONE, "coverage_0.1": ONE, brand_new: ONE };
  const metrics = grouped(measures).flatMap((group) => group.metrics);
  expect([...metrics].sort()).toEqual(Object.keys(measures).sort());
  expect(grouped(measures).at(-1)).toEqual({
    title: "More",
    metrics: ["brand_new", "coverage_0.1"],
  });
});

test("coverage is read by level, and what is null is left out", () => {
  const measures = {
    "coverage_0.9": { count: 9, value: 0.88 },
    "coverage_0.1": { count: 9, value: 0.12 },
    "coverage_0.5": { count: 0, value: null },
    crps: ONE,
  };
  expect(coverageOf(measures)).toEqual([
    { level: 0.1, covered: 0.12 },
    { level: 0.9, covered: 0.88 },
  ]);
});
