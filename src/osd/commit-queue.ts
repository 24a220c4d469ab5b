/**
 * What waits for the disk: replies, and side effects of operations, in the order they were made.
 *
 * A write's reply waits for its own transaction; a read's for the last transaction that changed what it
 * read, so that no answer ever shows a state that a power cut could take back.
 */

import type { TransactionSeq } from "../store/index.ts";

/** What waits for one transaction. */
type Slot = (() => void) | (() => void)[] | undefined;

/** Slots at first: transactions that may wait at once before the ring grows. */
const SLOTS_MIN = 64;

/**
 * A ring by sequence number, not a `Map`: every time that a `Map` with comings and goings makes itself a new
 * table, the old one, dead but perhaps in the old generation already, keeps what it had and the new one alive
 * until the next full collection, and with that every request that has ever waited.
 */
export class CommitQueue {
  #slots: Slot[] = Array.from({ length: SLOTS_MIN });
  /** The highest transaction that somebody waits for. */
  #last: TransactionSeq;
  #durable: TransactionSeq;

  constructor(durable: TransactionSeq) {
    this.#durable = durable;
    this.#last = durable;
  }

  get durable(): TransactionSeq {
    return this.#durable;
  }

  /** Transactions that are waited for, or are older than one that is. */
  get depth(): number {
    return Math.max(0, this.#last - this.#durable);
  }

  /** Runs `fn` once `seq` is durable: now, if it is. */
  after(seq: TransactionSeq, fn: () => void): void {
    if (seq <= this.#durable) {
      fn();
      return;
    }
    if (seq - this.#durable > this.#slots.length) this.#grow(seq - this.#durable);
    this.#last = Math.max(this.#last, seq);
    const at = seq % this.#slots.length;
    const waiting = this.#slots[at];
    if (waiting === undefined) this.#slots[at] = fn;
    else if (typeof waiting === "function") this.#slots[at] = [waiting, fn];
    else waiting.push(fn);
  }

  #grow(depth: number): void {
    const old = this.#slots;
    const slots = Array.from<Slot>({ length: 2 ** Math.ceil(Math.log2(depth)) });
    for (let seq = this.#durable + 1; seq <= this.#last; seq++) {
      slots[seq % slots.length] = old[seq % old.length];
    }
    this.#slots = slots;
  }

  /** The store says everything up to `seq` is on stable storage. */
  advance(seq: TransactionSeq): void {
    for (let s = this.#durable + 1; s <= seq; s++) {
      this.#durable = s;
      const at = s % this.#slots.length;
      const waiting = this.#slots[at];
      if (waiting === undefined) continue;
      this.#slots[at] = undefined;
      if (typeof waiting === "function") waiting();
      else for (const fn of waiting) fn();
    }
  }
}
