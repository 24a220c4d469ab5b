/**
 * What is known of the bytes of one object: runs of data and holes, each clean (as the object has it), dirty (not
 * written yet) or claimed by a request that is writing it.
 *
 * Extents are disjoint, in ascending order and never changed in place: what a reader or a request has got of
 * them stays as it was. What is overwritten is replaced, whatever its state was; a claim's leftovers know it.
 *
 * Data that is being read goes in by a fill, which is told of what changes meanwhile: what was read before a
 * change never goes in after it.
 * ceph: src/osdc/ObjectCacher.h BufferHead, Object
 */

import { IntervalSet, type SnapId } from "../../types/index.ts";

/** Least that an extent counts for, however short: what bounds bytes bounds extents as well.  ceph: BUFFER_MEMORY_WEIGHT */
export const WEIGHT_MIN = 4096;

export type ExtentState = "clean" | "dirty" | Claim;

export interface Extent {
  readonly owner: ObjectExtents;
  readonly offset: number;
  readonly length: number;
  /** undefined: a hole, which reads as zeros. */
  readonly data: Uint8Array | undefined;
  readonly state: ExtentState;
}

/** Keeps account of what there is. */
export interface Tally {
  enter(extent: Extent): void;
  leave(extent: Extent): void;
  /** It has been read. */
  touch(extent: Extent): void;
}

/** A run of bytes of the object. */
export interface ObjectRun {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** A request has taken what was dirty in a range: to write it, or because it will not matter any more. */
export class Claim {
  readonly offset: number;
  readonly length: number;
  readonly #parts: Uint8Array[] = [];
  #weight = 0;

  constructor(offset: number, length: number) {
    this.offset = offset;
    this.length = length;
  }

  /** What the extents count for that it has taken. */
  get weight(): number {
    return this.#weight;
  }

  /** The bytes that it has taken, one after the other. */
  get data(): Uint8Array {
    const [only] = this.#parts;
    return this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
  }

  take(extent: Extent): void {
    this.#weight += weightOf(extent.data?.length ?? 0);
    if (extent.data !== undefined) this.#parts.push(extent.data);
  }
}

/** A read of the object that is under way, and what of it may still be kept. */
export class Fill {
  readonly wanted: IntervalSet;

  constructor(offset: number, length: number) {
    this.wanted = IntervalSet.of(offset, length);
  }
}

/** What bytes count for. */
export function weightOf(length: number): number {
  return Math.max(length, WEIGHT_MIN);
}

export class ObjectExtents {
  readonly objectNo: number;
  readonly snap: SnapId;
  readonly #tally: Tally;
  readonly #extents: Extent[] = [];
  readonly #fills = new Set<Fill>();

  constructor(objectNo: number, snap: SnapId, tally: Tally) {
    this.objectNo = objectNo;
    this.snap = snap;
    this.#tally = tally;
  }

  /** Nothing is known, and nothing is being read to be kept. */
  get isIdle(): boolean {
    return this.#extents.length === 0 && this.#fills.size === 0;
  }

  /** In ascending order. */
  get extents(): readonly Extent[] {
    return this.#extents;
  }

  /** What is known of a range, cut at its ends, and the gaps, both in ascending order. */
  lookup(offset: number, length: number): { known: Extent[]; gaps: [number, number][] } {
    const end = offset + length;
    const known: Extent[] = [];
    const gaps: [number, number][] = [];
    let at = offset;
    for (let i = this.#indexOf(offset); at < end; i++) {
      const extent = this.#extents[i];
      const start = Math.min(extent?.offset ?? end, end);
      if (start > at) gaps.push([at, start - at]);
      if (extent === undefined || start === end) break;
      this.#tally.touch(extent);
      const stop = Math.min(endOf(extent), end);
      known.push(pieceOf(extent, Math.max(start, offset), stop));
      at = stop;
    }
    return { known, gaps };
  }

  /** Takes what has been written; the bytes are the cache's from now on. */
  put(offset: number, data: Uint8Array): void {
    const { length } = data;
    this.#update(offset, length, () => undefined);
    this.#insert({ owner: this, offset, length, data, state: "dirty" });
    this.#cutFills(offset, length);
  }

  /** Runs of what is dirty in a range, each as long as it can be. */
  dirtyRuns(offset = 0, length = Number.POSITIVE_INFINITY): [offset: number, length: number][] {
    const end = offset + length;
    const runs = new IntervalSet();
    for (let i = this.#indexOf(offset); ; i++) {
      const extent = this.#extents[i];
      if (extent === undefined || extent.offset >= end) break;
      if (extent.state !== "dirty") continue;
      const start = Math.max(extent.offset, offset);
      runs.insert(start, Math.min(endOf(extent), end) - start);
    }
    return [...runs];
  }

  /** Takes what is dirty in a range, for a request. */
  claim(offset: number, length: number): Claim {
    const claim = new Claim(offset, length);
    this.#update(offset, length, (extent) => {
      if (extent.state !== "dirty") return extent;
      claim.take(extent);
      return { ...extent, state: claim };
    });
    return claim;
  }

  /**
   * What a request has taken, and nobody has overwritten since, another takes, as far as its range goes.
   * @returns whether there is any
   */
  handOver(from: Claim, to: Claim): boolean {
    let isAny = false;
    this.#update(to.offset, to.length, (extent) => {
      if (extent.state !== from) return extent;
      isAny = true;
      to.take(extent);
      return { ...extent, state: to };
    });
    return isAny;
  }

  /**
   * The request is done: what it took, and nobody has overwritten since, is so now.
   * @returns whether there is anything left of it
   */
  settle(claim: Claim, as: "clean" | "dirty" | "gone"): boolean {
    let isLeft = false;
    this.#update(claim.offset, claim.length, (extent) => {
      if (extent.state !== claim) return extent;
      isLeft = true;
      return as === "gone" ? undefined : { ...extent, state: as };
    });
    return isLeft;
  }

  /** The range has been changed by something else: what is clean is not to be believed any more. */
  forget(offset: number, length: number): void {
    this.#update(offset, length, (extent) => (extent.state === "clean" ? undefined : extent));
    this.#cutFills(offset, length);
  }

  /** What is clean goes, and what is being read is not kept. */
  dropClean(): void {
    this.#fills.clear();
    this.#update(0, Number.POSITIVE_INFINITY, (extent) =>
      extent.state === "clean" ? undefined : extent,
    );
  }

  /** Everything goes. @returns whether anything was dirty, and in no request's hands */
  drop(): boolean {
    const isLoss = this.#extents.some(({ state }) => state === "dirty");
    this.#fills.clear();
    this.#update(0, Number.POSITIVE_INFINITY, () => undefined);
    return isLoss;
  }

  /** Makes room. */
  evict(extent: Extent): void {
    this.#update(extent.offset, extent.length, (found) => (found === extent ? undefined : found));
  }

  /** A range is about to be read. Each needs an `endFill`. */
  beginFill(offset: number, length: number): Fill {
    const fill = new Fill(offset, length);
    this.#fills.add(fill);
    return fill;
  }

  /**
   * It has been read: keeps what has not been changed since, and is not known.
   * @param runs what there is, in order; the rest are holes. undefined: the read has failed
   */
  endFill(fill: Fill, runs?: readonly ObjectRun[]): void {
    if (!this.#fills.delete(fill) || runs === undefined) return;
    for (const [start, length] of fill.wanted) {
      for (const [offset, size] of this.lookup(start, length).gaps) {
        for (const { offset: at, length: bytes, data } of withHoles(runs, offset, offset + size)) {
          const known = { owner: this, state: "clean" } as const;
          this.#insert({ ...known, offset: at, length: bytes, data });
        }
      }
    }
  }

  #cutFills(offset: number, length: number): void {
    for (const { wanted } of this.#fills) wanted.remove(offset, length);
  }

  /** Of the first extent that ends after an offset. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.#extents[middle];
      if (extent !== undefined && endOf(extent) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(extent: Extent): void {
    this.#extents.splice(this.#indexOf(extent.offset), 0, extent);
    this.#tally.enter(extent);
  }

  /** Puts what `change` makes of each extent in a range in its place; at the range's ends they are cut. */
  #update(offset: number, length: number, change: (extent: Extent) => Extent | undefined): void {
    const end = offset + length;
    const first = this.#indexOf(offset);
    const after: Extent[] = [];
    let index = first;
    for (; index < this.#extents.length; index++) {
      const extent = this.#extents[index];
      if (extent === undefined || extent.offset >= end) break;
      const start = Math.max(extent.offset, offset);
      const stop = Math.min(endOf(extent), end);
      const inside = pieceOf(extent, start, stop);
      const changed = change(inside);
      if (changed === inside) {
        after.push(extent);
        continue;
      }
      this.#tally.leave(extent);
      const left = start > extent.offset ? pieceOf(extent, extent.offset, start) : undefined;
      const right = stop < endOf(extent) ? pieceOf(extent, stop, endOf(extent)) : undefined;
      for (const piece of [left, changed, right]) {
        if (piece === undefined) continue;
        const kept = { ...piece, data: piece.data && unpinned(piece.data) };
        after.push(kept);
        this.#tally.enter(kept);
      }
    }
    this.#extents.splice(first, index - first, ...after);
  }
}

function endOf({ offset, length }: Extent): number {
  return offset + length;
}

function pieceOf(extent: Extent, start: number, end: number): Extent {
  const { offset, length, data } = extent;
  if (start === offset && end === offset + length) return extent;
  const part = data?.subarray(start - offset, end - offset);
  return { ...extent, offset: start, length: end - start, data: part };
}

/** A small rest of a large buffer has memory of its own: bounds would be void else. */
function unpinned(data: Uint8Array): Uint8Array {
  return data.length * 2 < data.buffer.byteLength ? new Uint8Array(data) : data;
}

/** A range that has been read, whole: copies of its runs, which may be views of a message, and the holes. */
function* withHoles(
  runs: readonly ObjectRun[],
  start: number,
  end: number,
): Generator<Pick<Extent, "offset" | "length" | "data">> {
  let at = start;
  for (const { offset, data } of runs) {
    const from = Math.max(offset, at);
    const to = Math.min(offset + data.length, end);
    if (to <= from) continue;
    if (from > at) yield { offset: at, length: from - at, data: undefined };
    const copy = new Uint8Array(data.subarray(from - offset, to - offset));
    yield { offset: from, length: to - from, data: copy };
    at = to;
  }
  if (at < end) yield { offset: at, length: end - at, data: undefined };
}
