/** What is shown, as rows of a file: each bar with what was forecast for its close. */

import { csv } from "../elements/csv";
import { type Made, provenanceAt } from "./made";
import { priceOf } from "./marks";
import type { KnownRecord } from "./record";
import { written } from "./search";

const HEADER = [
  "bar_open", "bar_close", "open", "high", "low", "close", "imported_afterwards",
  "forecast_as_of", "forecast_price", "forecast_low", "forecast_high", "provenance", "version",
]; // prettier-ignore

export function tableOf(record: KnownRecord, at: number, hours: number, horizon: number): string {
  const candles = record.bars.lastKnown(hours, at);
  const first = candles[0]?.opensAt ?? at;
  const made = new Map<number, Made>();
  for (const one of record.slots.between(first - horizon * 3600, at)) made.set(one.targetAt, one);
  return csv(
    HEADER,
    candles.map((bar) => [
      written(bar.opensAt), written(bar.closesAt), bar.open, bar.high, bar.low, bar.close,
      String(bar.isHistory), ...forecastCells(record, made.get(bar.closesAt), at),
    ]), // prettier-ignore
  );
}

function forecastCells(
  record: KnownRecord,
  made: Made | undefined,
  at: number,
): (string | number | null)[] {
  if (made === undefined) return Array<null>(6).fill(null);
  const base = record.bars.closeAt(made.slot, at);
  const meant = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(base) ? null : priceOf(made, value, base);
  return [
    written(made.slot),
    meant(made.point),
    meant(made.quantiles?.[0]),
    meant(made.quantiles?.at(-1)),
    provenanceAt(made, at),
    made.version,
  ];
}
