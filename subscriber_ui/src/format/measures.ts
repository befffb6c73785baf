/** Measures as people read them: by the unit of their definition, with interval and count. */

import type { Schemas } from "../api/client";
import { change, count, fixed, number, percent } from "./numbers";

export type Measure = Schemas["Measure"];
export type Measures = Record<string, Measure>;

/** Shares that can be gains or losses carry their sign. */
const SIGNED = new Set([
  "total_return",
  "annualised_return",
  "mean_hourly_return",
  "skill",
  "skill_with_misses",
]);

/** A value in the unit that GET /v1/metrics gives its measure. */
export function inUnit(value: number, unit: string, metric = ""): string {
  if (metric === "mean_hourly_return") return change(value, 3);
  if (metric.startsWith("brier")) return fixed(value, 4);
  if (unit.startsWith("share, -1 to 1")) return fixed(value, 2);
  if (unit.startsWith("share") || unit === "probability") {
    return SIGNED.has(metric) ? change(value, 1) : percent(value, 1);
  }
  if (/^(ratio|standard deviations|scales|nats)/.test(unit)) return fixed(value, 2);
  if (unit === "forecasts") return count(value);
  return number(value);
}

/** The ends of its interval; null: it has none. */
export function interval(measure: Measure, unit: string, metric = ""): string | null {
  if (measure.low == null || measure.high == null) return null;
  return `${inUnit(measure.low, unit, metric)} to ${inUnit(measure.high, unit, metric)}`;
}

export function valueOf(measure: Measure | undefined, unit: string, metric = ""): string | null {
  return measure?.value == null ? null : inUnit(measure.value, unit, metric);
}

export type Side = "above" | "below" | "either" | "unknown";

/** Where a measure stands beside nought, as far as its interval tells. */
export function sideOf(measure: Measure | undefined): Side {
  if (measure?.value == null) return "unknown";
  if (measure.low == null || measure.high == null) return "unknown";
  if (measure.low > 0) return "above";
  return measure.high < 0 ? "below" : "either";
}
