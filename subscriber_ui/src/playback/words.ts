/** An instant of a playback in words and numbers. */

import { instant, type Zone } from "../format/instants";
import { change, fixed, number, percent } from "../format/numbers";
import type { Candle } from "./bars";
import { type Made, provenanceAt } from "./made";
import { priceOf } from "./marks";
import type { KnownRecord } from "./record";
import { type Outcome, outcomeOf } from "./score";

export interface Moment {
  at: number;
  bar: Candle | null;
  newest: Made | null;
  /** The last forecast whose target had come, and what became of it. */
  resolved: { made: Made; outcome: Outcome } | null;
}

export function momentOf(record: KnownRecord, at: number): Moment {
  const newest = record.slots.newest(at);
  return {
    at,
    bar: record.bars.lastKnown(1, at)[0] ?? null,
    newest,
    resolved: newest === null ? null : lastResolved(record, newest, at),
  };
}

function lastResolved(record: KnownRecord, newest: Made, at: number): Moment["resolved"] {
  const horizon = newest.targetAt - newest.slot;
  const made = record.slots.between(at - horizon - 48 * 3600, at).reverse();
  for (const one of made) {
    const outcome = one.isUnopened ? null : outcomeOf(one, record.bars, at);
    if (outcome !== null) return { made: one, outcome };
  }
  return null;
}

/** What it forecasts: the change and the price it means. */
export function forecastWords(made: Made, base: number): string {
  if (Number.isNaN(base)) return made.isPrice ? price(made.point) : change(made.point, 3);
  const meant = priceOf(made, made.point, base);
  return `${change(Math.log(meant / base), 3)} to ${price(meant)}`;
}

/** 90 % between 63,100 and 65,400; null without quantiles. */
export function intervalWords(made: Made, base: number): string | null {
  const { levels, quantiles } = made;
  if (levels === null || quantiles === null || quantiles.length < 2 || Number.isNaN(base))
    return null;
  const low = priceOf(made, quantiles[0] ?? NaN, base);
  const high = priceOf(made, quantiles.at(-1) ?? NaN, base);
  const share = (levels.at(-1) ?? NaN) - (levels[0] ?? NaN);
  return `${percent(share, 0)} between ${price(low)} and ${price(high)}`;
}

export function price(value: number): string {
  return number(value, 6);
}

/** A mean error in the target's unit. */
export function errorWords(value: number, isPrice: boolean): string {
  return isPrice ? number(value, 4) : `${fixed(value * 100, 3)} %`;
}

/** The picture, for those who do not see it. */
export function summaryOf(moment: Moment, symbol: string, record: KnownRecord, zone: Zone): string {
  const parts = [`${symbol} at ${instant(moment.at * 1000, zone)}.`];
  if (moment.bar === null) parts.push("No bar was known.");
  else parts.push(`Last close ${price(moment.bar.close)}.`);
  const { newest, resolved } = moment;
  if (newest === null) parts.push("No forecast could be read.");
  else {
    const base = record.bars.closeAt(newest.slot, moment.at);
    const interval = intervalWords(newest, base);
    parts.push(
      `Newest forecast, ${provenanceAt(newest, moment.at)}: ${forecastWords(newest, base)}` +
        ` by ${instant(newest.targetAt * 1000, zone)}${interval === null ? "" : `, ${interval}`}.`,
    );
  }
  if (resolved !== null) parts.push(`Last resolved: ${outcomeWords(resolved.outcome)}.`);
  return parts.join(" ");
}

export function outcomeWords({ hit, base, close }: Outcome): string {
  const came = `${change(Math.log(close / base), 3)} came`;
  if (hit === null) return `no direction, ${came}`;
  return `${hit ? "right" : "wrong"} direction, ${came}`;
}
