/**
 * Memory for data on its way: a fixed amount of it, page-aligned, taken and given back by hand.
 *
 * Fresh memory costs more than all that is done with the bytes (a page fault for each 4 KiB, and the
 * collector), and nothing bounds it. Here blocks of a power of two are cut from one arena and joined
 * again (a buddy allocator), what has been touched is used again before what has not, and whoever finds
 * nothing waits, which is what holds back a client that sends faster than the disk writes.
 *
 * Who forgets to give a block back costs room, who gives one back too early or twice corrupts data: so a
 * block has one owner at a time, named where it is handed over, and a second return is an assertion.
 */

import { alignedBuffer } from "./aligned-memory.ts";
import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";

/** The smallest block: a page. */
export const POOL_BLOCK_MIN = 4096;
/** The largest block, and pool: offsets and sizes are combined bit by bit, in 31 of them. */
const POOL_BYTES_MAX = 2 ** 30;
/**
 * How long a taker waits before it gets memory outside of the pool: the owners of all blocks may be waiting
 * for peers that do not go on sending.
 */
const PATIENCE_MS = 100;

interface Waiter {
  readonly length: number;
  readonly ready: () => void;
}

/** Of the smallest block that holds `length` bytes. */
function orderOf(length: number): number {
  return length <= POOL_BLOCK_MIN ? 0 : 32 - Math.clz32((length - 1) / POOL_BLOCK_MIN);
}

export class BufferPool {
  readonly #bytes: number;
  /** Made when first needed: many an owner never has bulk data. */
  #arena: Buffer | undefined;
  readonly #clock: Clock;
  /** Offsets of free blocks by order: POOL_BLOCK_MIN << order bytes. The last given back is at the end. */
  readonly #free: number[][] = [];
  /** Order of every block that is out, by offset. */
  readonly #taken = new Map<number, number>();
  #waiting: Waiter[] = [];
  #isImpatient = false;
  #isServeDue = false;

  /**
   * @param bytes a power of two times POOL_BLOCK_MIN, or a sum of such: the rest below that is not used, nor what is
   *   beyond a GiB
   */
  constructor(bytes: number, clock: Clock) {
    this.#bytes = Math.min(bytes, POOL_BYTES_MAX);
    this.#clock = clock;
    for (let size = POOL_BLOCK_MIN; size <= this.#bytes; size *= 2) this.#free.push([]);
    let at = 0;
    for (let order = this.#free.length - 1; order >= 0; order--) {
      const size = POOL_BLOCK_MIN << order;
      if (at + size > this.#bytes) continue;
      this.#free[order]!.push(at);
      at += size;
    }
  }

  /** Bytes of blocks that are out. */
  get takenBytes(): number {
    let sum = 0;
    for (const order of this.#taken.values()) sum += POOL_BLOCK_MIN << order;
    return sum;
  }

  /** A block of exactly `length` bytes, content undefined; undefined if none is free. */
  take(length: number): Buffer | undefined {
    // Who waits comes first.
    return this.#waiting.length > 0 ? undefined : this.#cut(length);
  }

  /** The same; memory of its own where the pool has none. */
  takeOrMake(length: number): Buffer {
    return this.#cut(length) ?? Buffer.allocUnsafeSlow(length);
  }

  #cut(length: number): Buffer | undefined {
    const order = orderOf(length);
    let from = order;
    while (from < this.#free.length && this.#free[from]!.length === 0) from++;
    if (from >= this.#free.length) return undefined;
    const at = this.#free[from]!.pop()!;
    while (from > order) {
      from--;
      this.#free[from]!.push(at + (POOL_BLOCK_MIN << from));
    }
    this.#taken.set(at, order);
    this.#arena ??= alignedBuffer(this.#bytes);
    return this.#arena.subarray(at, at + length);
  }

  /**
   * Calls `ready` when a block of `length` may be free: at once or later, in the order of asking. It is
   * to take with `takeOrMake`.
   */
  whenFree(length: number, ready: () => void): void {
    this.#waiting.push({ length, ready });
    this.#serve();
    if (this.#waiting.length > 0) this.#beImpatient();
  }

  #beImpatient(): void {
    if (this.#isImpatient) return;
    this.#isImpatient = true;
    this.#clock.after(PATIENCE_MS, () => {
      this.#isImpatient = false;
      this.#waiting.shift()?.ready();
      if (this.#waiting.length > 0) this.#beImpatient();
    });
  }

  /** Is any block as large as this, or larger, free? */
  #has(length: number): boolean {
    for (let order = this.#free.length - 1; order >= 0; order--) {
      if (POOL_BLOCK_MIN << order < length) return false;
      if (this.#free[order]!.length > 0) return true;
    }
    return false;
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#has(this.#waiting[0]!.length)) {
      this.#waiting.shift()!.ready();
    }
  }

  /** Not at once: whoever gives back may have more to do first, which those who wait are to come after. */
  #serveSoon(): void {
    if (this.#isServeDue || this.#waiting.length === 0) return;
    this.#isServeDue = true;
    this.#clock.defer(() => {
      this.#isServeDue = false;
      this.#serve();
    });
  }

  /** Gives back the block that `bytes` lies in; memory that is not the pool's is left to the collector. */
  give(bytes: Uint8Array): void {
    const at = this.#find(bytes);
    if (at < 0) return;
    this.#release(at);
    this.#serveSoon();
  }

  /** Gives back the blocks that these lie in, each once. */
  giveAll(list: readonly Uint8Array[]): void {
    if (list.length === 1) {
      this.give(list[0]!);
      return;
    }
    const blocks = new Set<number>();
    for (const bytes of list) blocks.add(this.#find(bytes));
    for (const at of blocks) if (at >= 0) this.#release(at);
    if (blocks.size > 0) this.#serveSoon();
  }

  /** Where the block of `bytes` begins; -1: it is not the pool's. */
  #find(bytes: Uint8Array): number {
    if (bytes.buffer !== this.#arena?.buffer) return -1;
    for (let order = 0; order < this.#free.length; order++) {
      const at = bytes.byteOffset - (bytes.byteOffset % (POOL_BLOCK_MIN << order));
      if (this.#taken.get(at) === order) return at;
    }
    assert(false, "memory given back that nobody has taken");
  }

  #release(at: number): void {
    const order = this.#taken.get(at)!;
    this.#taken.delete(at);
    this.#join(at, order);
  }

  /** Puts a block among the free ones, together with its other half if that is free. */
  #join(offset: number, order: number): void {
    let at = offset;
    let size = order;
    for (; size + 1 < this.#free.length; size++) {
      const other = at ^ (POOL_BLOCK_MIN << size);
      const free = this.#free[size]!;
      const i = free.indexOf(other);
      if (i < 0) break;
      free.splice(i, 1);
      at = Math.min(at, other);
    }
    this.#free[size]!.push(at);
  }
}
