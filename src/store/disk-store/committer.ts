/**
 * Group commit: when records become durable, and what is known of it on the disk.
 *
 * All transactions of one event-loop turn share one durable write, made on the loop itself by default
 * (requests that arrive meanwhile are the next group) or by a thread. A transaction is durable when its batch
 * is on disk and every large write up to it has landed. The watermark on disk is the newest such point that
 * a batch on disk tells of: recovery trusts everything up to it without looking.
 */

import type { Clock } from "../../base/index.ts";
import type { BlockFile } from "./block-file.ts";
import type { Journal, SealedBatch } from "./journal.ts";

/** A batch without records is written this long after the last one, if there is something to tell. */
const WATERMARK_DELAY_MS = 250;
/** A disk whose writes take longer than this is left to a thread: the loop has reads to answer meanwhile. */
const SLOW_MS = 0.8;
/**
 * How fast the estimate of the disk's time follows a shorter write, and a longer one: what a thread wrote, or
 * what waited behind a checkpoint's flush, tells more of the loop and of the checkpoint than of the disk.
 */
const LATENCY_FALL = 1 / 4;
const LATENCY_RISE = 1 / 64;

/** Where the journal is written: on the event loop, in a thread, or whichever is better at the moment. */
export type CommitMode = "sync" | "async" | "auto";

export class Committer {
  readonly #journal: Journal;
  readonly #blocks: BlockFile;
  readonly #clock: Clock;
  readonly #mode: CommitMode;
  readonly #onProgress: (durable: number) => void;
  readonly #onFatal: (error: Error) => void;
  #sealed: SealedBatch[] = [];
  #scheduled = false;
  #writing = false;
  /** The last that a thread has written, or writes. */
  #inThread: Promise<void> = Promise.resolve();
  #force = false;
  #stopped = false;
  #watermarkTimer = false;
  /** Milliseconds that a write takes, as far as the disk is concerned. */
  #latencyMs = 0;
  #waiters: { done: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = [];
  #fatal: Error | undefined;
  /** All records up to this transaction are on disk. */
  #journaled: number;
  /** Told durable. */
  durable: number;
  /** See above. */
  watermark: number;

  constructor(options: {
    journal: Journal;
    blocks: BlockFile;
    clock: Clock;
    mode: CommitMode;
    lastSeq: number;
    onProgress: (durable: number) => void;
    onFatal: (error: Error) => void;
  }) {
    this.#journal = options.journal;
    this.#blocks = options.blocks;
    this.#clock = options.clock;
    this.#mode = options.mode;
    this.#onProgress = options.onProgress;
    this.#onFatal = options.onFatal;
    this.#journaled = options.lastSeq;
    this.durable = options.lastSeq;
    this.watermark = options.lastSeq;
  }

  /**
   * There are new records: they are written when this turn of the loop has handled its input. While a thread
   * writes they gather anyway.
   */
  schedule(): void {
    if (this.#scheduled || this.#writing || this.#stopped) return;
    this.#scheduled = true;
    this.#clock.defer(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#commit();
  };

  /** Fixes all records so far in the journal's present segment; they are written in their turn. */
  sealAll(): void {
    for (;;) {
      if (!this.#journal.hasRecords) return;
      this.#sealed.push(this.#journal.seal(this.#known, false)!);
    }
  }

  /** Everything up to here is durable as of now. */
  get #known(): number {
    return Math.min(this.#journaled, this.#blocks.direct.oldest - 1);
  }

  #next(): SealedBatch | undefined {
    const batch = this.#sealed.shift() ?? this.#journal.seal(this.#known, this.#force);
    if (batch !== undefined && this.#sealed.length === 0) this.#force = false;
    return batch;
  }

  /**
   * A small commit on the loop costs less than the hop to a thread and back. Behind a large write it waits
   * for that one's bytes to be flushed, and the loop must not wait with it: the next large write arrives
   * meanwhile. Nor must it wait for a slow disk.
   */
  get #isLater(): boolean {
    if (this.#mode !== "auto") return this.#mode === "async";
    const isBehindLarge = this.#blocks.direct.oldest !== Number.POSITIVE_INFINITY;
    return isBehindLarge || this.#latencyMs > SLOW_MS;
  }

  #commit(): void {
    if (this.#writing || this.#stopped) return;
    if (this.#isLater) {
      this.#inThread = this.#commitLater();
      return;
    }
    try {
      for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
        const start = this.#clock.monotonic();
        this.#journal.writeSync(batch);
        this.#written(batch, start);
      }
    } catch (error) {
      this.stop(error as Error);
      return;
    }
    this.progress();
  }

  async #commitLater(): Promise<void> {
    this.#writing = true;
    try {
      for (let batch = this.#next(); batch !== undefined; ) {
        const start = this.#clock.monotonic();
        await this.#journal.write(batch);
        this.#written(batch, start);
        this.progress();
        batch = this.#sealed.length > 0 && !this.#stopped ? this.#next() : undefined;
      }
    } catch (error) {
      this.stop(error as Error);
    } finally {
      this.#writing = false;
    }
    // What came meanwhile may wait for those who have just been answered.
    if (this.#journal.hasRecords || this.#force || this.#sealed.length > 0) this.schedule();
  }

  #written(batch: SealedBatch, start: number): void {
    const tookMs = this.#clock.monotonic() - start;
    const share = tookMs < this.#latencyMs ? LATENCY_FALL : LATENCY_RISE;
    this.#latencyMs += (tookMs - this.#latencyMs) * share;
    this.#journaled = batch.lastSeq;
    this.watermark = Math.max(this.watermark, batch.watermark);
    batch.recycle();
  }

  /** A batch or a large write has arrived: tells who waits. */
  progress(): void {
    if (this.#stopped) return;
    const known = this.#known;
    if (known > this.durable) {
      this.durable = known;
    }
    this.#onProgress(this.durable);
    if (this.#waiters.length > 0) {
      const ready = this.#waiters.filter((w) => w.done());
      this.#waiters = this.#waiters.filter((w) => !ready.includes(w));
      for (const waiter of ready) waiter.resolve();
    }
    if (this.watermark < this.durable) this.#tellWatermarkLater();
  }

  #tellWatermarkLater(): void {
    if (this.#watermarkTimer) return;
    this.#watermarkTimer = true;
    this.#clock.after(WATERMARK_DELAY_MS, () => {
      this.#watermarkTimer = false;
      if (this.watermark < this.durable) this.forceBatch();
    });
  }

  /** Writes a batch soon even if there are no records: it carries the watermark. */
  forceBatch(): void {
    this.#force = true;
    this.schedule();
  }

  #wait(done: () => boolean): Promise<void> {
    if (this.#fatal !== undefined) return Promise.reject(this.#fatal);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ done, resolve, reject });
    });
  }

  /** Resolves when transaction `seq` is durable; rejects if the disk fails first. */
  whenDurable(seq: number): Promise<void> {
    return this.#wait(() => this.durable >= seq);
  }

  /** Resolves when the disk itself says that `seq` is durable. */
  async whenWatermark(seq: number): Promise<void> {
    await this.whenDurable(seq);
    while (this.watermark < seq) {
      const before = this.watermark;
      this.forceBatch();
      await this.#wait(() => this.watermark > before);
    }
  }

  /** A write has failed: nothing more becomes durable. */
  stop(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#fatal = error;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
    this.#onFatal(error);
  }

  /** No more batches; everything is durable. Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#fatal ??= new Error("the store is closed");
    await this.#inThread;
  }
}
