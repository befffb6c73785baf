/**
 * Bars of one symbol as they became known. An hour has its first version in columns; what
 * corrected it later is kept beside them, with the instant from which it holds.
 */

import { Column } from "./columns";

export interface Candle {
  opensAt: number;
  closesAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Imported afterwards: nobody saw it here then. */
  isHistory: boolean;
}

interface Version extends Candle {
  knownAt: number;
}

export class Bars {
  /** Rising. Seconds since 1970, as all instants here. */
  readonly closesAt = new Column(16_384);
  private readonly first: Version[] = [];
  private readonly corrections = new Map<number, Version[]>();

  /** Rows come in the order in which they became known. */
  add(bar: Version): void {
    const index = this.closesAt.countUntil(bar.closesAt);
    if (this.closesAt.at(index - 1) === bar.closesAt) {
      const later = this.corrections.get(bar.closesAt);
      if (later === undefined) this.corrections.set(bar.closesAt, [bar]);
      else later.push(bar);
      return;
    }
    this.closesAt.insert(index, bar.closesAt);
    this.first.splice(index, 0, bar);
  }

  /** The bar at a position as it was known at an instant; null: it was not. */
  known(index: number, at: number): Candle | null {
    const first = this.first[index];
    if (first === undefined || first.knownAt > at) return null;
    const later = this.corrections.get(first.closesAt);
    return later?.findLast((version) => version.knownAt <= at) ?? first;
  }

  /** What was known at an instant of the `count` bars that had closed last, oldest first. */
  lastKnown(count: number, at: number): Candle[] {
    const found: Candle[] = [];
    for (let index = this.closesAt.countUntil(at) - 1; index >= 0; index -= 1) {
      if (found.length === count) break;
      const candle = this.known(index, at);
      if (candle !== null) found.push(candle);
    }
    return found.reverse();
  }

  /** The close at an instant as it was known at another; NaN: no bar, or not known. */
  closeAt(closesAt: number, at: number): number {
    const index = this.closesAt.countUntil(closesAt) - 1;
    if (this.closesAt.at(index) !== closesAt) return NaN;
    return this.known(index, at)?.close ?? NaN;
  }
}
