/**
 * The gate that every change of an image's data goes through: shut while the image must hold still (its lock
 * changes hands, a snapshot is taken, it is resized), and opened only once what a change needs is there: a
 * header that is not stale, the exclusive lock.
 *
 * Those that wait are let in together, once it opens: so whoever has just got the lock gets something done
 * before it gives it away again.
 * ceph: src/librbd/io/ImageDispatcher.cc, src/librbd/exclusive_lock/ImageDispatch.cc, io/WriteBlockImageDispatch.cc
 */

import { assert } from "../../base/index.ts";

interface Waiter {
  readonly enter: () => void;
  readonly fail: (error: unknown) => void;
}

/** What has let changes pass before they are in their objects: a cache. */
export interface Holder {
  /** Makes all of them. @throws why one of them can not be made: it is held still */
  writeBack(): Promise<void>;
  /** What is known of the data may be changed by others from now on, or by other ways. */
  invalidate(): void;
}

export class WriteGate {
  /** Whether a change may start as things are. */
  readonly #isReady: () => boolean;
  /** Brings about that it may. */
  readonly #prepare: () => Promise<void>;
  #waiters: Waiter[] = [];
  #idlers: (() => void)[] = [];
  /** In flight, or waiting. */
  readonly #begun = new Set<Promise<unknown>>();
  #inFlight = 0;
  #shut = 0;
  #preparing: Promise<void> | undefined;
  #holder: Holder | undefined;

  constructor(isReady: () => boolean, prepare: () => Promise<void>) {
    this.#isReady = isReady;
    this.#prepare = prepare;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isShut(): boolean {
    return this.#shut > 0;
  }

  /** Who is to make the changes that it holds before anything counts as done. There is one at most. */
  setHolder(holder: Holder): void {
    assert(this.#holder === undefined, "the data of an image has one cache");
    this.#holder = holder;
  }

  /**
   * Runs a change. It starts in the same turn as it is let in.
   * @throws what keeps the gate from opening, and what the change throws
   */
  pass<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#pass(change);
    this.#begun.add(done);
    const ended = () => this.#begun.delete(done);
    done.then(ended, ended);
    return done;
  }

  async #pass<T>(change: () => Promise<T>): Promise<T> {
    if (this.#shut > 0 || this.#preparing !== undefined || !this.#isReady()) {
      await new Promise<void>((enter, fail) => {
        this.#waiters.push({ enter, fail });
        this.#open();
      });
    } else {
      this.#inFlight++;
    }
    try {
      return await change();
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) for (const wake of this.#idlers.splice(0)) wake();
    }
  }

  /**
   * Shuts the gate; resolves once nothing is in flight or held. Each call needs one of `unblock`, if it is
   * rejected, too.
   * @throws why something is held still
   */
  async block(): Promise<void> {
    this.#shut++;
    await this.drained();
    await this.#holder?.writeBack();
    this.#holder?.invalidate();
  }

  unblock(): void {
    assert(this.#shut > 0, "the gate is not shut");
    this.#shut--;
    this.#open();
  }

  /**
   * Resolves when all that was begun before is done, be it well or not, and nothing of it is held; what comes
   * later is not waited for.
   * @throws why something is held still
   */
  async flushed(): Promise<void> {
    await Promise.allSettled(this.#begun);
    await this.#holder?.writeBack();
  }

  /** Resolves when nothing is in flight. */
  async drained(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((wake) => this.#idlers.push(wake));
  }

  /** Resolves when nobody is about to be let in any more: those are in. */
  async settled(): Promise<void> {
    await this.#preparing;
  }

  #open(): void {
    if (this.#shut > 0 || this.#waiters.length === 0) return;
    this.#preparing ??= this.#letIn().finally(() => {
      this.#preparing = undefined;
      this.#open();
    });
  }

  async #letIn(): Promise<void> {
    try {
      while (!this.#isReady()) await this.#prepare();
    } catch (error) {
      for (const { fail } of this.#waiters.splice(0)) fail(error);
      return;
    }
    if (this.#shut > 0) return;
    const waiters = this.#waiters.splice(0);
    this.#inFlight += waiters.length;
    for (const { enter } of waiters) enter();
  }
}
