/**
 * One seed of the crash test: a store on a simulated disk under random transactions, the power cut at a
 * random disk call, again and again. After each cut the store must open, be sound (deep fsck), and equal
 * the model after some transaction at or past the last one that was told durable.
 */

import { BufferPool, type Clock, seededRandom } from "../../src/base/index.ts";
import { bytesEqual, flatten } from "../../src/encoding/index.ts";
import {
  createStore,
  type DiskStore,
  fsck,
  MemoryDisk,
  MemStore,
  NoSpaceError,
  openStore,
  PowerCutError,
  type StoreOp,
  TooLargeError,
  type Transaction,
} from "../../src/store/index.ts";
import { scrambled } from "../harness/dice.ts";
import { difference, objectDifference } from "./compare.ts";
import { COLLECTIONS, type Dice, Walk } from "./walk.ts";

const PG = "1.0";

/** Bytes of a store: in the smaller ones room is short, and small writes overwrite what is there. */
const CAPACITIES = [2 << 20, 3 << 20, 6 << 20];
/** Bytes of its memory: with the least of it something goes home or is saved ahead at every turn. */
const MEMORIES = [64 << 10, 128 << 10, 256 << 10, 1 << 20, 4 << 20];

/** A clock that stands still until told. */
export class ManualClock implements Clock {
  #now = 0;
  #deferred: (() => void)[] = [];
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(delayMs: number, fn: () => void) {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((t) => t !== timer);
      },
    };
  }
  every(): never {
    throw new Error("the store has no periodic timers");
  }
  defer(fn: () => void): void {
    this.#deferred.push(fn);
  }

  /** The end of a turn of the event loop, and some time passing. */
  turn(ms: number): void {
    for (const fn of this.#deferred.splice(0)) fn();
    this.#now += ms;
    const due = this.#timers.filter((t) => t.at <= this.#now);
    this.#timers = this.#timers.filter((t) => t.at > this.#now);
    for (const timer of due) timer.fn();
  }
}

export interface CrashOptions {
  seed: number;
  /** Power cuts in a row. */
  cuts: number;
  /** Makes the disk worse than the store can bear, to see that the test notices. */
  sabotage?: (disk: MemoryDisk) => void;
  /** Have objects go from one collection to the other, too. */
  moves?: boolean;
}

export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** Drives promises and clock until `promise` has settled. */
export async function settle<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const state = { pending: true };
  void (async () => {
    try {
      await promise;
    } catch {
      // whoever called settle is told below
    } finally {
      state.pending = false;
    }
  })();
  for (let turns = 0; state.pending; turns++) {
    if (turns === 100_000) throw new Error("a promise of the store never settled");
    clock.turn(1);
    await microtasks(5);
  }
  return await promise;
}

class CrashRun {
  readonly #dice: Dice;
  readonly #disk: MemoryDisk;
  readonly #walk: Walk;
  /** Every accepted transaction; its sequence number is its index plus one. */
  #history: Transaction[] = [];
  #model = new MemStore({ clock: new ManualClock() });
  #told = 0;
  /** Memory of data that transactions under way may be using, by their number. */
  #lent: [seq: number, memory: Uint8Array[]][] = [];
  readonly #arena = new BufferPool(4 << 20, new ManualClock());
  /** Reads under way, each with what went wrong. */
  readonly #reads: Promise<unknown>[] = [];

  constructor(seed: number, moves: boolean) {
    this.#dice = seededRandom(seed);
    this.#disk = new MemoryDisk(seed);
    this.#disk.latencyMax = [2, 8, 60, 600][this.#dice.below(4)]!;
    this.#walk = new Walk(this.#dice, moves ? seededRandom(seed + 2) : undefined);
    createStore("", {
      disk: this.#disk,
      capacityBytes: CAPACITIES[this.#dice.below(CAPACITIES.length)]!,
      segmentSize: (128 << 10) * (1 + this.#dice.below(8)),
      segments: 2,
      random: seededRandom(seed + 1),
    });
  }

  get disk(): MemoryDisk {
    return this.#disk;
  }

  async run(cuts: number): Promise<void> {
    for (let cut = 0; cut < cuts; cut++) {
      this.#disk.cutAt = this.#disk.calls + 1 + this.#dice.below(cut % 4 === 0 ? 40 : 400);
      const orderly = this.#dice.below(10) === 0;
      try {
        await this.#live(orderly);
      } catch (error) {
        if (!(error instanceof PowerCutError)) throw error;
      }
      if (this.#dice.below(4) === 0) this.#disk.processKill();
      this.#disk.powerCycle();
      await this.#check();
    }
  }

  #open(clock: ManualClock): Promise<DiskStore> {
    const commit = this.#dice.below(2) === 0 ? "sync" : "async";
    const memoryBytes = MEMORIES[this.#dice.below(MEMORIES.length)]!;
    return settle(clock, openStore("", { disk: this.#disk, clock, commit, memoryBytes }));
  }

  /** Opens the store and works on it until the power goes, or for a while and then closes it. */
  async #live(orderly: boolean): Promise<void> {
    const clock = new ManualClock();
    const store = await this.#open(clock);
    // A store that is gone uses nothing any more.
    this.#takeBack(Number.POSITIVE_INFINITY);
    this.#truncateHistory(store.lastSubmitted);
    const failure: { error?: Error } = {};
    store.onDurable = (seq) => {
      this.#told = seq;
      this.#takeBack(seq);
    };
    store.onFatal = (error) => {
      failure.error = error;
    };
    let thrown: unknown;
    try {
      await this.#work(store, clock, orderly ? 60 : Number.POSITIVE_INFINITY, failure);
    } catch (error) {
      thrown = error; // the power went during a call of ours, or the test has failed
    }
    // What was on its way ends or fails now; nothing may be left over for the next round.
    await settle(clock, store.close());
    await this.#finishReads();
    if (thrown !== undefined) throw thrown;
    if (failure.error !== undefined) throw failure.error;
  }

  async #work(
    store: DiskStore,
    clock: ManualClock,
    steps: number,
    failure: { error?: Error },
  ): Promise<void> {
    const dice = this.#dice;
    for (let step = 0; step < steps && failure.error === undefined; step++) {
      this.#submit(store);
      if (dice.below(3) === 0) clock.turn(dice.below(400));
      await microtasks(dice.below(12));
      if (dice.below(6) === 0) await this.#look(store);
      if (dice.below(6) === 0) this.#startRead(store);
      if (dice.below(30) === 0) this.#startCheckpoint(store);
      if (dice.below(10) === 0) await this.#finishReads();
      if (dice.below(40) === 0) await settle(clock, store.flush());
    }
  }

  #submit(store: DiskStore): void {
    const transaction = this.#walk.transaction(this.#model);
    const before = store.lastSubmitted;
    try {
      this.#model.submit(transaction);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      let refused = false;
      try {
        store.submit(transaction);
      } catch (same) {
        if (same instanceof PowerCutError) throw same;
        refused = same instanceof RangeError || store.lastSubmitted === before;
      }
      if (!refused) throw new Error("the store took what the model refuses", { cause: error });
      return;
    }
    const lent = this.#lend(transaction);
    try {
      this.#lent.push([store.submit(lent.transaction), lent.memory]);
      this.#history.push(transaction);
    } catch (error) {
      // The store is small, so is its journal: what does not fit is refused, and whole.
      const refused = error instanceof NoSpaceError || error instanceof TooLargeError;
      if (!refused) throw error;
      this.#truncateHistory(this.#history.length); // the model has to forget it
    }
  }

  /**
   * The same transaction with its data in memory that the store may use until the transaction is durable,
   * and not a moment longer: what comes of it afterwards is garbage.
   */
  #lend(transaction: Transaction): { transaction: Transaction; memory: Uint8Array[] } {
    const memory: Uint8Array[] = [];
    const ops = transaction.ops.map((op): StoreOp => {
      if (op.op !== "write") return op;
      const bytes = flatten(op.data);
      // Some of it aligned, as large writes take it without a copy; some of it not, or in pieces.
      const aligned = this.#dice.below(2) === 0;
      const own = aligned ? this.#arena.takeOrMake(bytes.length) : Buffer.alloc(bytes.length);
      own.set(bytes);
      memory.push(own);
      const cut = this.#dice.below(4) === 0 ? this.#dice.below(own.length + 1) : own.length;
      return { ...op, data: [own.subarray(0, cut), own.subarray(cut)].filter((x) => x.length > 0) };
    });
    return { transaction: { ...transaction, ops }, memory };
  }

  /** Everything up to `seq` is durable: its memory is used for something else. */
  #takeBack(seq: number): void {
    while (this.#lent.length > 0 && this.#lent[0]![0] <= seq) {
      for (const bytes of this.#lent.shift()![1]) {
        bytes.fill(0xee);
        this.#arena.give(bytes);
      }
    }
  }

  /** A read of something, compared with the model as of its call. */
  async #look(store: DiskStore): Promise<void> {
    const c = COLLECTIONS[this.#dice.below(2)]!;
    const found = await objectDifference(store, this.#model, c, this.#walk.object());
    if (found !== undefined) throw new Error(`live: ${found}`);
  }

  /** A read that others' changes overtake: it must give what was there when it began. */
  #startRead(store: DiskStore): void {
    const object = this.#walk.object();
    const size = this.#model.stat(PG, object)?.size ?? 0;
    const wanted = flatten(this.#model.readSync(PG, object, 0, size));
    const check = async () => {
      const got = flatten(await store.read(PG, object, 0, size));
      if (!bytesEqual(got, wanted)) throw new Error(`a read of ${object.oid} gave what came later`);
    };
    this.#reads.push(check().catch((error: unknown) => error));
  }

  async #finishReads(): Promise<void> {
    for (const error of await Promise.all(this.#reads.splice(0))) {
      if (error !== undefined && !(error instanceof PowerCutError)) throw error;
    }
  }

  /** At any moment, not only when one is due; a failure reaches us by onFatal or by close. */
  #startCheckpoint(store: DiskStore): void {
    // The calls of a checkpoint are few among all: aim at them now and then.
    if (this.#dice.below(4) === 0) {
      this.#disk.cutAt = Math.min(this.#disk.cutAt, this.#disk.calls + 1 + this.#dice.below(14));
    }
    const work = this.#disk.calls % 8 === 0 ? store.compact() : store.checkpoint();
    work.catch((error: unknown) => {
      if (!(error instanceof PowerCutError)) this.#reads.push(Promise.resolve(error));
    });
  }

  /** The model as of transaction `last`. */
  #truncateHistory(last: number): void {
    this.#history.length = last;
    this.#model = new MemStore({ clock: new ManualClock() });
    for (const transaction of this.#history) this.#model.submit(transaction);
  }

  /** The power is back: the store must be sound and as promised. */
  async #check(): Promise<void> {
    const report = fsck("", { deep: true, disk: this.#disk });
    if (report.faults.length > 0) throw new Error(`fsck: ${report.faults.slice(0, 3).join("; ")}`);
    // Power can go while the store recovers, too.
    if (this.#dice.below(3) === 0) {
      this.#disk.cutAt = this.#disk.calls + 1 + this.#dice.below(60);
      try {
        const clock = new ManualClock();
        const store = await this.#open(clock);
        await settle(clock, store.close());
      } catch (error) {
        if (!(error instanceof PowerCutError)) throw error;
      }
      this.#disk.powerCycle();
    }
    const clock = new ManualClock();
    const store = await this.#open(clock);
    const last = store.lastSubmitted;
    if (last < this.#told)
      throw new Error(`transaction ${this.#told} was told durable, ${last} left`);
    if (last > this.#history.length) throw new Error(`transaction ${last} was never submitted`);
    this.#truncateHistory(last);
    const found = await difference(store, this.#model);
    if (found !== undefined) throw new Error(`after transaction ${last}: ${found}`);
    await settle(clock, store.close());
  }
}

/** @throws what went wrong, with the seed that shows it again */
export async function crashSeed(options: CrashOptions): Promise<void> {
  const run = new CrashRun(scrambled(options.seed), options.moves === true);
  options.sabotage?.(run.disk);
  try {
    await run.run(options.cuts);
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${(error as Error).message}`, { cause: error });
  }
}
