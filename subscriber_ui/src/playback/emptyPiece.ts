/** An answer without rows, for tests. */

import type { Piece } from "./record";
import { written } from "./search";

export function emptyPiece(at: number, next: number | null = null): Piece {
  return {
    signal: "ada/tide", from: written(at), since: null, at: written(at),
    next: next === null ? null : written(next),
    live_deadline_minutes: 10, symbols: [], versions: [], quantile_levels: [],
    bars: { available_at: [], symbol: [], ts_open: [], ts_close: [], open: [], high: [], low: [],
      close: [], volume: [], is_history: [] },
    forecasts: { available_at: [], version: [], as_of: [], symbol: [], horizon_hours: [],
      provenance: [], point: [], levels: [], quantiles: [], probability_up: [], is_unopened: [] },
    missed: { available_at: [], version: [], as_of: [], reason: [] },
    turned_late: { available_at: [], version: [], as_of: [] },
  }; // prettier-ignore
}
