/** What the chart shows of an instant: bars of a window, and the forecasts over them. */

import type { ChartColors } from "../charts/colors";
import type { Cone, ForecastMarks, ForecastPoint } from "../charts/forecastLayer";
import type { Candle } from "./bars";
import { type Made, provenanceAt } from "./made";
import type { KnownRecord } from "./record";

export interface Picture {
  candles: Candle[];
  /** Places after the last bar that the cone needs. */
  ahead: number;
  marks: ForecastMarks;
}

const HOUR = 3600;

export function pictureOf(
  record: KnownRecord,
  at: number,
  hours: number,
  horizon: number,
  colors: ChartColors,
): Picture {
  const candles = record.bars.lastKnown(hours, at);
  const place = placesOf(candles);
  const first = candles[0]?.opensAt ?? at;
  const made = record.slots.between(first - horizon * HOUR, at);
  const newest = made.at(-1) ?? null;
  const points = made
    .filter((one) => one !== newest)
    .map((one) => pointOf(record, one, at, place, colors))
    .filter((one) => one !== null && one.at >= 0);
  const liveFrom = record.slots.liveFrom(at);
  const cone = newest === null ? null : coneOf(record, newest, at, place, colors);
  return {
    candles,
    ahead: Math.max(horizon, Math.ceil(hours / 24)) + 1,
    marks: {
      points: points as ForecastPoint[],
      cone,
      missed: record.slots.missedBetween(first, at).map((miss) => place(miss.slot)),
      liveFrom: liveFrom > first && record.slots.slots.at(0) < liveFrom ? place(liveFrom) : null,
    },
  };
}

/** The price that a number of a forecast means; NaN where its base is not known. */
export function priceOf(made: Made, value: number, base: number): number {
  return made.isPrice ? value : base * Math.exp(value);
}

/** Where an instant lies: the close of the bar at place n is n + 0.5, hours after the last one more. */
function placesOf(candles: Candle[]): (instant: number) => number {
  const last = candles.at(-1)?.closesAt ?? 0;
  return (instant) => {
    if (instant >= last) return candles.length - 0.5 + (instant - last) / HOUR;
    let low = 0;
    let high = candles.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((candles[middle]?.closesAt ?? Infinity) < instant) low = middle + 1;
      else high = middle;
    }
    return low + 0.5;
  };
}

function pointOf(
  record: KnownRecord,
  made: Made,
  at: number,
  place: (instant: number) => number,
  colors: ChartColors,
): ForecastPoint | null {
  const base = record.bars.closeAt(made.slot, at);
  if (Number.isNaN(base)) return null;
  const low = made.quantiles?.[0];
  const high = made.quantiles?.at(-1);
  return {
    at: place(made.targetAt),
    price: priceOf(made, made.point, base),
    low: low === undefined ? null : priceOf(made, low, base),
    high: high === undefined ? null : priceOf(made, high, base),
    color: colors.provenance[provenanceAt(made, at)],
  };
}

function coneOf(
  record: KnownRecord,
  made: Made,
  at: number,
  place: (instant: number) => number,
  colors: ChartColors,
): Cone | null {
  const base = record.bars.closeAt(made.slot, at);
  if (Number.isNaN(base)) return null;
  const prices = (made.quantiles ?? []).map((value) => priceOf(made, value, base));
  const bands: [number, number][] = [];
  for (let low = 0, high = prices.length - 1; low < high; low += 1, high -= 1) {
    bands.push([prices[low] ?? base, prices[high] ?? base]);
  }
  return {
    from: place(made.slot),
    to: place(made.targetAt),
    base,
    point: priceOf(made, made.point, base),
    bands,
    color: colors.provenance[provenanceAt(made, at)],
  };
}
