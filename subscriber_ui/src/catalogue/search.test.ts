import { expect, test } from "vitest";

import { filtersSet, names, queryOf, readSearch, toggled } from "./search";

test("what makes no sense in an address is left out, and the rest is kept", () => {
  expect(
    readSearch({ q: "  ", symbol: "btcusdt", horizon: 999, days: 30, sort: "worst", trial: "yes" }),
  ).toEqual({ symbol: "BTCUSDT", days: 30 });
  expect(readSearch({ q: 2026 })).toEqual({ q: "2026" });
});

test("euros become cents, percents become shares, and the usual sort is asked for", () => {
  expect(queryOf({ price: 49, skill: 5, drawdown: 20 })).toEqual({
    max_price_minor: 4900,
    min_skill: 0.05,
    max_drawdown: 0.2,
    sort: "live_age-desc",
  });
});

test("words are no filter", () => {
  expect(filtersSet({ q: "tide", sort: "name", days: 7, trial: true })).toBe(2);
});

test("five can be chosen, and a sixth is not taken", () => {
  const five = ["a/a", "a/b", "a/c", "a/d", "a/e"];
  expect(toggled(five, "a/f")).toEqual(five);
  expect(toggled(five, "a/c")).toEqual(["a/a", "a/b", "a/d", "a/e"]);
  expect(toggled([], "a/a")).toEqual(["a/a"]);
});

test("names are read from an address as text or list, each once, and only names", () => {
  expect(names("ada/tide,bob/surf,ada/tide")).toEqual(["ada/tide", "bob/surf"]);
  expect(names(["ada/tide", 5, "../etc", "A/B"])).toEqual(["ada/tide"]);
  expect(names(undefined)).toEqual([]);
});
