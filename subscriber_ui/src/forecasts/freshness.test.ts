import { expect, test } from "vitest";

import { scalesOf, signedPercent } from "./columns";
import { freshness, untilNextSlot } from "./freshness";
import { type Forecast, withNewer } from "./latest";

const at = (text: string) => Date.parse(`2026-11-22T${text}Z`);
const THREE = "2026-11-22T03:00:00Z";

test("a forecast of the newest slot is of this hour to the last second of it", () => {
  expect(freshness(THREE, undefined, at("03:00:00")).label).toBe("this hour");
  expect(freshness(THREE, undefined, at("03:59:59")).tone).toBe("success");
});

test("the hour after it the next one is due, and then it is behind", () => {
  expect(freshness(THREE, undefined, at("04:02:00"))).toMatchObject({
    tone: "info",
    label: "next one due",
  });
  expect(freshness(THREE, undefined, at("04:10:00"))).toMatchObject({
    tone: "warning",
    label: "1 h behind",
  });
  expect(freshness(THREE, undefined, at("07:00:00")).label).toBe("4 h behind");
});

test("a slot that was missed is called so, with why, until a newer forecast is there", () => {
  const missed = { as_of: "2026-11-22T04:00:00Z", reason: "timeout: ran into 20 s" };
  const told = freshness(THREE, missed, at("04:05:00"));
  expect(told.tone).toBe("error");
  expect(told.means).toContain("timeout: ran into 20 s");
  expect(freshness("2026-11-22T05:00:00Z", missed, at("05:01:00")).tone).toBe("success");
});

test("the countdown ends with the hour", () => {
  expect(untilNextSlot(at("03:59:59"))).toBe(1);
  expect(untilNextSlot(at("03:00:00"))).toBe(3600);
});

function row(changes: Partial<Forecast>): Forecast {
  return { signal: "ada/tide", symbol: "EURUSD", as_of: THREE, ...changes } as Forecast;
}

function event(forecasts: Forecast[]) {
  return { type: "forecast", id: "1", data: { signal: "ada/tide", forecasts } };
}

test("what the stream tells takes the place of its signal's older slot, and of no other", () => {
  const other = row({ signal: "eve/surge" });
  const known = [row({}), row({ symbol: "BTCUSDT" }), other];
  const newer = row({ as_of: "2026-11-22T04:00:00Z" });
  expect(withNewer(known, event([newer]))).toEqual([other, newer]);
});

test("an old event that comes again changes nothing", () => {
  const known = [row({})];
  expect(withNewer(known, event([row({ as_of: "2026-11-22T02:00:00Z" })]))).toBe(known);
  expect(withNewer(known, event([]))).toBe(known);
});

test("returns of one instrument share a scale with nought in its middle", () => {
  const quantiles: [number, number][] = [
    [0.1, -0.02],
    [0.9, 0.01],
  ];
  const narrow: [number, number][] = [[0.5, 0.001]];
  const rows = [row({ quantiles }), row({ quantiles: null }), row({ quantiles: narrow })];
  expect(scalesOf([...rows, row({ symbol: "BTCUSDT", quantiles: narrow })])).toEqual(
    new Map([
      ["EURUSD", [-0.02, 0.02]],
      ["BTCUSDT", [-0.001, 0.001]],
    ]),
  );
});

test("a small return is not rounded to nought, and a rise has its sign", () => {
  expect(signedPercent(0.0000042)).toBe("+0.00042 %");
  expect(signedPercent(-0.0242856)).toBe("-2.43 %");
});
