/** Numbers in a growing typed array. */
export class Column {
  values: Float64Array;
  length = 0;

  constructor(capacity = 1024) {
    this.values = new Float64Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  /** NaN where there is none. */
  at(index: number): number {
    return index >= 0 && index < this.length ? (this.values[index] as number) : NaN;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  last(): number {
    return this.at(this.length - 1);
  }

  insert(index: number, value: number): void {
    this.push(value);
    this.values.copyWithin(index + 1, index, this.length - 1);
    this.values[index] = value;
  }

  /** How many of its rising values are at or below `limit`. */
  countUntil(limit: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.values[middle] as number) <= limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
