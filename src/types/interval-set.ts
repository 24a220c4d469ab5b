/**
 * A set of integers as disjoint, ascending, non-touching intervals: byte ranges that two clones share,
 * snap ids that are gone.
 * ceph: src/include/interval_set.h
 */

import type { Codec, Reader, Writer } from "../encoding/index.ts";

/** Intervals of byte offsets. */
export class IntervalSet {
  /** start0, end0, start1, end1, … ascending. */
  #edges: number[] = [];

  static of(start: number, length: number): IntervalSet {
    const set = new IntervalSet();
    if (length > 0) set.#edges = [start, start + length];
    return set;
  }

  static from(intervals: Iterable<readonly [start: number, length: number]>): IntervalSet {
    const set = new IntervalSet();
    for (const [start, length] of intervals) set.insert(start, length);
    return set;
  }

  get count(): number {
    return this.#edges.length / 2;
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0;
  }

  /** Members in all. */
  get size(): number {
    let n = 0;
    for (let i = 0; i < this.#edges.length; i += 2) n += this.#edges[i + 1]! - this.#edges[i]!;
    return n;
  }

  *[Symbol.iterator](): IterableIterator<[start: number, length: number]> {
    for (let i = 0; i < this.#edges.length; i += 2) {
      yield [this.#edges[i]!, this.#edges[i + 1]! - this.#edges[i]!];
    }
  }

  clone(): IntervalSet {
    const copy = new IntervalSet();
    copy.#edges = this.#edges.slice();
    return copy;
  }

  /** Index of the first edge > x. */
  #upper(x: number): number {
    let lo = 0;
    let hi = this.#edges.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.#edges[mid]! > x) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }

  has(x: number): boolean {
    return this.#upper(x) % 2 === 1;
  }

  insert(start: number, length: number): void {
    if (length > 0) this.#splice(start, start + length, true);
  }

  remove(start: number, length: number): void {
    if (length > 0) this.#splice(start, start + length, false);
  }

  #splice(start: number, end: number, present: boolean): void {
    const e = this.#edges;
    // Edges strictly inside (start, end) go; touching intervals merge on insert.
    const from = this.#upper(start - 1); // first edge >= start
    const to = this.#upper(end); // first edge > end
    const replacement: number[] = [];
    if ((from % 2 === 1) !== present) replacement.push(start);
    if ((to % 2 === 1) !== present) replacement.push(end);
    e.splice(from, to - from, ...replacement);
    if (!present) this.#dropEmpty();
  }

  #dropEmpty(): void {
    const e = this.#edges;
    for (let i = e.length - 2; i >= 0; i -= 2) if (e[i] === e[i + 1]) e.splice(i, 2);
  }

  union(other: IntervalSet): void {
    for (const [start, length] of other) this.insert(start, length);
  }

  subtract(other: IntervalSet): void {
    if (other === this) {
      this.#edges = [];
      return;
    }
    for (const [start, length] of other) this.remove(start, length);
  }

  /** Keeps what both have. */
  intersect(other: IntervalSet): void {
    const out: number[] = [];
    const a = this.#edges;
    const b = other.#edges;
    for (let i = 0, j = 0; i < a.length && j < b.length; ) {
      const start = Math.max(a[i]!, b[j]!);
      const end = Math.min(a[i + 1]!, b[j + 1]!);
      if (start < end) out.push(start, end);
      if (a[i + 1]! < b[j + 1]!) i += 2;
      else j += 2;
    }
    this.#edges = out;
  }

  /** interval_set<uint64_t>: u32 n, n times {u64 start, u64 length}. */
  static readonly codecName = "interval_set<uint64_t>";
  static encode(w: Writer, x: IntervalSet): void {
    w.u32(x.count);
    for (const [start, length] of x) {
      w.u64n(start);
      w.u64n(length);
    }
  }
  static decode(r: Reader): IntervalSet {
    const set = new IntervalSet();
    let last = 0;
    for (let n = r.count(16); n > 0; n--) {
      const start = r.u64n();
      const length = r.u64n();
      if (start < last) throw r.fail("intervals out of order");
      last = start + length;
      if (!Number.isSafeInteger(last)) throw r.fail("interval beyond 2^53-1");
      set.insert(start, length);
    }
    return set;
  }
}

export const IntervalSetCodec: Codec<IntervalSet> = {
  name: IntervalSet.codecName,
  minSize: 4,
  encode: (w, x) => IntervalSet.encode(w, x),
  decode: (r) => IntervalSet.decode(r),
};
