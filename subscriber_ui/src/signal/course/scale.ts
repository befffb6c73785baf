/** From values to pixels, and ticks that people can read. */

export interface Scale {
  /** Pixels of a value. */
  at: (value: number) => number;
  ticks: number[];
}

const DAY_MS = 86_400_000;
const STEPS = [1, 2, 2.5, 5, 10];

/** A linear scale from `low` to `high`, widened to round numbers; `from` and `to` in pixels. */
export function linear(low: number, high: number, from: number, to: number, about = 4): Scale {
  const span = high - low || 0.01;
  const step = roundStep(span / about);
  const first = Math.floor(low / step + 1e-9) * step;
  const last = Math.max(first + step, Math.ceil(high / step - 1e-9) * step);
  const at = (value: number) => from + ((value - first) / (last - first)) * (to - from);
  const amount = Math.round((last - first) / step);
  return { at, ticks: Array.from({ length: amount + 1 }, (_, n) => first + n * step) };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((each) => each * power >= rough - 1e-12) ?? 10) * power;
}

/** Days as a scale, with about as many labelled as fit. */
export function days(first: string, last: string, from: number, to: number): Scale {
  const low = Date.parse(first);
  const span = Math.max(Date.parse(last) - low, DAY_MS);
  const at = (value: number) => from + ((value - low) / span) * (to - from);
  const fit = Math.max(1, Math.min(6, Math.floor((to - from) / 110), span / DAY_MS));
  const ticks = Array.from({ length: Math.floor(fit) + 1 }, (_, n) => {
    const rough = low + (span * n) / Math.floor(fit);
    return Math.round(rough / DAY_MS) * DAY_MS;
  });
  return { at, ticks: [...new Set(ticks)] };
}
