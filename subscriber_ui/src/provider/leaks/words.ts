/** The leak report in plain words (docs/provider/testing.md). */

import type { Schemas } from "../../api/client";

export type LeakReport = Schemas["LeakReport"];

/** The verdict, in a word or two. */
export function verdictInWords(report: LeakReport): string {
  if (report.verdict === "same") return "same";
  if (report.verdict === "differs") return `${report.hours_differing} hours differ`;
  return "not comparable";
}

/** The verdict in a sentence, which claims no more than was compared. */
export function leakInWords(report: LeakReport): string {
  if (report.verdict === "same") {
    return `${report.hours_compared} hours compared, none differs`;
  }
  if (report.verdict === "differs") {
    return `${report.hours_differing} of ${report.hours_compared} hours differ, ${report.rows_differing} rows`;
  }
  return `nothing could be compared: ${report.reason ?? "no reason was recorded"}`;
}

/** What most likely makes the backtest and the model differ, and what to do. */
export function causeInWords(report: LeakReport): string | null {
  if (report.cause === null) return report.explanation;
  if (report.cause === "looks_ahead") {
    const ahead = report.hours_ahead === null ? "ahead" : `${report.hours_ahead} h ahead`;
    return `Your backtest looks ${ahead}, as a negative shift or a centred window would. Use what stands before each hour only. Live, the model cannot look, so the record will disappoint.`;
  }
  if (report.cause === "whole_history") {
    return "Your backtest depends on the whole frame: a mean, a scale or a fit over everything, or random numbers. Fit on what stands before each hour.";
  }
  if (report.cause === "longer_past") {
    return "Your backtest uses more past than lookback_hours hands over. It is no leak: raise lookback_hours, or use less.";
  }
  return "Your backtest computes something else than forecast does; it does not change with later bars. Share one function between the two.";
}
