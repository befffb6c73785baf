/** Forecasts of one symbol and horizon, and slots without one, as they became known. */

import type { Provenance } from "../elements/ProvenanceBadge";
import { Column } from "./columns";

export interface Made {
  slot: number;
  targetAt: number;
  knownAt: number;
  /** From then on it is late; Infinity: it is not. */
  lateFrom: number;
  provenance: Exclude<Provenance, "missed">;
  version: string;
  rank: number;
  /** Of the version: whether `point` and quantiles are log returns or prices. */
  isPrice: boolean;
  point: number;
  levels: readonly number[] | null;
  quantiles: readonly number[] | null;
  probabilityUp: number | null;
  isUnopened: boolean;
}

export interface Missed {
  slot: number;
  knownAt: number;
  reason: string;
  version: string;
}

/** Nobody could have read it then. */
export function isHypothetical(made: Made): boolean {
  return made.provenance === "replayed" || made.provenance === "backfilled";
}

export function provenanceAt(made: Made, at: number): Exclude<Provenance, "missed"> {
  return at >= made.lateFrom ? "late" : made.provenance;
}

export class Slots {
  /** Slots of which something is known, rising. */
  readonly slots = new Column(16_384);
  private readonly rows: Made[][] = [];
  readonly missed: Missed[] = [];
  private firstPublished: Made | null = null;

  add(made: Made): void {
    if (!isHypothetical(made) && made.slot < (this.firstPublished?.slot ?? Infinity)) {
      this.firstPublished = made;
    }
    const index = this.slots.countUntil(made.slot);
    if (this.slots.at(index - 1) === made.slot) {
      this.rows[index - 1]?.push(made);
      return;
    }
    this.slots.insert(index, made.slot);
    this.rows.splice(index, 0, [made]);
  }

  turnLate(slot: number, version: string, from: number): void {
    const row = this.at(slot).find(
      (made) => made.version === version && made.provenance === "live",
    );
    if (row !== undefined) row.lateFrom = from;
  }

  at(slot: number): Made[] {
    const index = this.slots.countUntil(slot) - 1;
    return this.slots.at(index) === slot ? (this.rows[index] ?? []) : [];
  }

  /** What was served of the slot at a position, as known at an instant. */
  served(index: number, at: number): Made | null {
    let best: Made | null = null;
    for (const made of this.rows[index] ?? []) {
      if (made.knownAt <= at && (best === null || outranks(made, best))) best = made;
    }
    return best;
  }

  /** The newest forecast at an instant. */
  newest(at: number): Made | null {
    for (let index = this.slots.countUntil(at) - 1; index >= 0; index -= 1) {
      const made = this.served(index, at);
      if (made !== null) return made;
    }
    return null;
  }

  /** Served forecasts of slots in [from, at], oldest first. */
  between(from: number, at: number): Made[] {
    const found: Made[] = [];
    for (let index = this.slots.countUntil(from - 1); index < this.slots.length; index += 1) {
      if (this.slots.at(index) > at) break;
      const made = this.served(index, at);
      if (made !== null) found.push(made);
    }
    return found;
  }

  missedBetween(from: number, at: number): Missed[] {
    return this.missed.filter((miss) => miss.slot >= from && miss.knownAt <= at);
  }

  /** The first slot that was published, as known at an instant; NaN: none yet. */
  liveFrom(at: number): number {
    return this.firstPublished !== null && this.firstPublished.knownAt <= at
      ? this.firstPublished.slot
      : NaN;
  }
}

/** What was really published stands before what was computed later, then the newer version. */
export function outranks(one: Made, other: Made): boolean {
  if (isHypothetical(one) !== isHypothetical(other)) return isHypothetical(other);
  return one.rank > other.rank;
}
