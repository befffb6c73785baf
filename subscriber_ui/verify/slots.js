// When leaves were there for certain, and which hours are owed: as signalbox.log.slots.
// Times are seconds since 1970, periods half-open.
// @ts-check

import { HOUR } from "./leaves.js";

/** @typedef {import("./rules.js").Version} Version */

export class Dates {
  /** @param {Map<number, number>} checkpoints time at which a quorum was reached, by size */
  constructor(checkpoints) {
    this.sizes = [...checkpoints.keys()].sort((left, right) => left - right);
    this.times = this.sizes.map((size) => Number(checkpoints.get(size)));
    for (let at = this.times.length - 2; at >= 0; at -= 1) {
      this.times[at] = Math.min(this.times[at], this.times[at + 1]);
    }
  }

  /** The earliest time of a checkpoint that covers a leaf. @param {number} index @returns {number | null} */
  of(index) {
    let [from, to] = [0, this.sizes.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.sizes[middle] <= index) from = middle + 1;
      else to = middle;
    }
    return this.times[from] ?? null;
  }
}

/**
 * The first hour that a version owed and has no leaf for.
 * @param {Version} version @param {Dates} dates @param {number | null} end
 * @param {number} from @param {number} to
 */
export function firstMissing(version, dates, end, from, to) {
  for (const [start, stop] of [...between(version), ...byDate(version, dates, end)]) {
    const missing = withoutLeaf(version.taken, Math.max(start, from), Math.min(stop, to));
    if (missing !== null) return missing;
  }
  return null;
}

/** @param {Version} version */
export function pausedHours(version) {
  return gaps(version).reduce((sum, [, end, following]) => sum + (following - end) / HOUR, 0);
}

/** @param {Version} version @returns {[number, number, number][]} start and end of slots, next start */
function gaps({ taken }) {
  return taken.slice(1).map(([following], at) => [taken[at][0], taken[at][1], following]);
}

/** @param {Version} version @returns {[number, number][]} */
function between(version) {
  return gaps(version)
    .filter(([start, end]) => !version.pauses.some(({ after, live }) =>
      after !== null && live !== null && start < after && after <= end))
    .map(([, end, following]) => [end, following]);
}

/** @param {Version} version @param {Dates} dates @param {number | null} end @returns {[number, number][]} */
function byDate(version, dates, end) {
  const begins = [version.leaf];
  for (const pause of version.pauses) if (pause.live !== null) begins.push(pause.live);
  const ends = version.pauses.map((pause) => pause.offline);
  if (version.ended !== null && ends.length < begins.length) ends.push(version.ended);
  /** @type {[number, number][]} */
  const periods = [];
  begins.forEach((begin, at) => {
    const began = dates.of(begin);
    const ended = at < ends.length ? dates.of(ends[at]) : end;
    if (began !== null && ended !== null) {
      periods.push([Math.ceil(began / HOUR) * HOUR, Math.floor(ended / HOUR) * HOUR]);
    }
  });
  return periods;
}

/** @param {[number, number][]} taken @param {number} start @param {number} end */
function withoutLeaf(taken, start, end) {
  for (const [from, to] of taken) {
    if (from > start) break;
    start = Math.max(start, to);
  }
  return start < end ? start : null;
}
