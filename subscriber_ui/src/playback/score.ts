/**
 * The running score: of all that was resolved by an instant, with the bars as they were known then.
 *
 * Each thing that changes it (a forecast, a bar that resolves some, a correction of such a bar) adds
 * a line of running totals, dated. The score at an instant is then the last line until it.
 */

import type { Bars } from "./bars";
import { Column } from "./columns";
import { isHypothetical, type Made, outranks } from "./made";

export interface Score {
  /** Resolved ones and open ones. */
  made: number;
  resolved: number;
  hits: number;
  /** Of the resolved, those in which forecast and market had a direction. */
  directions: number;
  /** Means over the resolved, in the target's unit; null: none is. */
  meanError: number | null;
  /** Of the forecast that nothing changes. */
  meanNaiveError: number | null;
  /** Which beat that forecast by most, and which fell behind it by most. */
  best: Made | null;
  worst: Made | null;
}

export interface Outcome {
  base: number;
  close: number;
  error: number;
  naiveError: number;
  /** Whether the direction was right; null: there was none. */
  hit: boolean | null;
}

const EMPTY: Score = {
  made: 0, resolved: 0, hits: 0, directions: 0, meanError: null, meanNaiveError: null,
  best: null, worst: null,
}; // prettier-ignore

/** What became of a forecast, by the bars known at an instant; null: it is open. */
export function outcomeOf(made: Made, bars: Bars, at: number): Outcome | null {
  const base = bars.closeAt(made.slot, at);
  const close = bars.closeAt(made.targetAt, at);
  if (Number.isNaN(base) || Number.isNaN(close)) return null;
  const moved = made.isPrice ? close - base : Math.log(close / base);
  const forecast = made.isPrice ? made.point - base : made.point;
  return {
    base,
    close,
    error: Math.abs(forecast - moved),
    naiveError: Math.abs(moved),
    hit: forecast === 0 || moved === 0 ? null : forecast > 0 === moved > 0,
  };
}

class Totals {
  private readonly at = new Column();
  private readonly made = new Column();
  private readonly resolved = new Column();
  private readonly hits = new Column();
  private readonly directions = new Column();
  private readonly errors = new Column();
  private readonly naiveErrors = new Column();
  private readonly bests: (Made | null)[] = [];
  private readonly worsts: (Made | null)[] = [];
  private readonly outcomes = new Map<Made, Outcome>();
  private best: Made | null = null;
  private worst: Made | null = null;

  count(made: Made, at: number, outcome: Outcome | null): void {
    this.write(at, 1, this.replace(made, outcome));
  }

  resolve(made: Made, at: number, outcome: Outcome): void {
    this.write(at, 0, this.replace(made, outcome));
  }

  withdraw(made: Made, at: number): void {
    this.write(at, -1, this.replace(made, null));
  }

  until(at: number): Score {
    const line = this.at.countUntil(at) - 1;
    if (line < 0) return EMPTY;
    const resolved = this.resolved.at(line);
    return {
      made: this.made.at(line),
      resolved,
      hits: this.hits.at(line),
      directions: this.directions.at(line),
      meanError: resolved === 0 ? null : this.errors.at(line) / resolved,
      meanNaiveError: resolved === 0 ? null : this.naiveErrors.at(line) / resolved,
      best: this.bests[line] ?? null,
      worst: this.worsts[line] ?? null,
    };
  }

  /** The outcomes that it had and has. */
  private replace(made: Made, outcome: Outcome | null): [Outcome | null, Outcome | null] {
    const before = this.outcomes.get(made) ?? null;
    if (outcome === null) this.outcomes.delete(made);
    else this.outcomes.set(made, outcome);
    if (before !== null && (made === this.best || made === this.worst)) this.searchExtremes();
    else if (outcome !== null) this.compare(made, outcome);
    return [before, outcome];
  }

  private compare(made: Made, outcome: Outcome): void {
    if (this.best === null || gain(outcome) > this.gainOf(this.best)) this.best = made;
    if (this.worst === null || gain(outcome) < this.gainOf(this.worst)) this.worst = made;
  }

  private searchExtremes(): void {
    this.best = null;
    this.worst = null;
    for (const [made, outcome] of this.outcomes) this.compare(made, outcome);
  }

  private gainOf(made: Made): number {
    const outcome = this.outcomes.get(made);
    return outcome === undefined ? 0 : gain(outcome);
  }

  private write(at: number, made: number, [less, more]: [Outcome | null, Outcome | null]): void {
    const difference = (of: (outcome: Outcome) => number): number =>
      (more === null ? 0 : of(more)) - (less === null ? 0 : of(less));
    add(this.made, made);
    add(
      this.resolved,
      difference(() => 1),
    );
    add(
      this.hits,
      difference((one) => Number(one.hit === true)),
    );
    add(
      this.directions,
      difference((one) => Number(one.hit !== null)),
    );
    add(
      this.errors,
      difference((one) => one.error),
    );
    add(
      this.naiveErrors,
      difference((one) => one.naiveError),
    );
    this.bests.push(this.best);
    this.worsts.push(this.worst);
    this.at.push(at);
  }
}

function add(total: Column, change: number): void {
  total.push((total.length === 0 ? 0 : total.last()) + change);
}

function gain(outcome: Outcome): number {
  return outcome.naiveError - outcome.error;
}

export class Scores {
  /** Of what was published: live and late. */
  readonly published = new Totals();
  /** Of what nobody could have read then. */
  readonly hypothetical = new Totals();
  private readonly bars: Bars;
  private readonly waiting = new Map<number, Made[]>();
  private readonly counted = new Map<number, Made>();

  constructor(bars: Bars) {
    this.bars = bars;
  }

  addForecast(made: Made): void {
    if (made.isUnopened) return; // nothing proves its numbers
    const before = this.counted.get(made.slot);
    if (before !== undefined && !outranks(made, before)) return;
    if (before !== undefined) this.totals(before).withdraw(before, made.knownAt);
    this.counted.set(made.slot, made);
    for (const closesAt of [made.slot, made.targetAt]) {
      const others = this.waiting.get(closesAt);
      if (others === undefined) this.waiting.set(closesAt, [made]);
      else others.push(made);
    }
    this.totals(made).count(made, made.knownAt, outcomeOf(made, this.bars, made.knownAt));
  }

  /** After a bar was added, at the instant at which it became known. */
  addBar(closesAt: number, at: number): void {
    for (const made of this.waiting.get(closesAt) ?? []) {
      if (this.counted.get(made.slot) !== made) continue;
      const outcome = outcomeOf(made, this.bars, at);
      if (outcome !== null) this.totals(made).resolve(made, at, outcome);
    }
  }

  private totals(made: Made): Totals {
    return isHypothetical(made) ? this.hypothetical : this.published;
  }
}
