/** What is known so far of one symbol and horizon: pieces of the API's list, put together. */

import type { Schemas } from "../api/client";
import { Bars } from "./bars";
import { type Made, Slots } from "./made";
import { Scores } from "./score";

export type Piece = Schemas["Playback"];

export class KnownRecord {
  readonly bars = new Bars();
  readonly slots = new Slots();
  readonly scores = new Scores(this.bars);
  /** All that was known until then is here. */
  until = -Infinity;

  /** The piece that follows. Its lists are each in the order of `available_at`. */
  append(piece: Piece): void {
    let bar = 0;
    for (let row = 0; row < piece.forecasts.available_at.length; row += 1) {
      const made = madeOf(piece, row);
      bar = this.addBars(piece, bar, made.knownAt);
      this.slots.add(made);
      this.scores.addForecast(made);
    }
    this.addBars(piece, bar, Infinity);
    this.addMisses(piece);
    piece.turned_late.as_of.forEach((slot, row) => {
      const version = piece.versions[piece.turned_late.version[row] ?? -1]?.version ?? "";
      this.slots.turnLate(slot, version, piece.turned_late.available_at[row] ?? Infinity);
    });
    this.until = Date.parse(piece.next ?? piece.at) / 1000;
  }

  private addBars(piece: Piece, from: number, until: number): number {
    const { bars } = piece;
    let row = from;
    for (; row < bars.available_at.length; row += 1) {
      const knownAt = at(bars.available_at, row);
      if (knownAt > until) break;
      const closesAt = at(bars.ts_close, row);
      this.bars.add({
        knownAt,
        closesAt,
        opensAt: at(bars.ts_open, row),
        open: at(bars.open, row),
        high: at(bars.high, row),
        low: at(bars.low, row),
        close: at(bars.close, row),
        isHistory: bars.is_history[row] ?? false,
      });
      this.scores.addBar(closesAt, knownAt);
    }
    return row;
  }

  private addMisses({ missed, versions }: Piece): void {
    missed.as_of.forEach((slot, row) => {
      this.slots.missed.push({
        slot,
        knownAt: at(missed.available_at, row),
        reason: missed.reason[row] ?? "",
        version: versions[missed.version[row] ?? -1]?.version ?? "",
      });
    });
  }
}

function madeOf(piece: Piece, row: number): Made {
  const { forecasts } = piece;
  const slot = at(forecasts.as_of, row);
  const version = piece.versions[at(forecasts.version, row)];
  const levels = forecasts.levels[row] ?? null;
  return {
    slot,
    targetAt: slot + at(forecasts.horizon_hours, row) * 3600,
    knownAt: at(forecasts.available_at, row),
    lateFrom: Infinity,
    provenance: forecasts.provenance[row] as Made["provenance"],
    version: version?.version ?? "",
    rank: version?.rank ?? 0,
    isPrice: version?.target === "price",
    point: at(forecasts.point, row),
    levels: levels === null ? null : (piece.quantile_levels[levels] ?? null),
    quantiles: forecasts.quantiles[row] ?? null,
    probabilityUp: forecasts.probability_up[row] ?? null,
    isUnopened: forecasts.is_unopened[row] ?? false,
  };
}

function at(column: number[], row: number): number {
  return column[row] ?? NaN;
}
