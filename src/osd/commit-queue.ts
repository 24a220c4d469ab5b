/**
 * What waits for the disk: replies, and side effects of operations, in the order they were made.
 *
 * A write's reply waits for its own transaction; a read's for the last transaction that changed what it
 * read, so that no answer ever shows a state that a power cut could take back.
 */

import type { TransactionSeq } from "../store/index.ts";

export class CommitQueue {
  readonly #waiting = new Map<TransactionSeq, (() => void)[]>();
  #durable: TransactionSeq;

  constructor(durable: TransactionSeq) {
    this.#durable = durable;
  }

  get durable(): TransactionSeq {
    return this.#durable;
  }

  /** Transactions with something waiting on them. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Runs `fn` once `seq` is durable: now, if it is. */
  after(seq: TransactionSeq, fn: () => void): void {
    if (seq <= this.#durable) {
      fn();
      return;
    }
    const waiting = this.#waiting.get(seq);
    if (waiting === undefined) this.#waiting.set(seq, [fn]);
    else waiting.push(fn);
  }

  /** The store says everything up to `seq` is on stable storage. */
  advance(seq: TransactionSeq): void {
    for (let s = this.#durable + 1; s <= seq; s++) {
      this.#durable = s;
      const waiting = this.#waiting.get(s);
      if (waiting === undefined) continue;
      this.#waiting.delete(s);
      for (const fn of waiting) fn();
    }
  }
}
