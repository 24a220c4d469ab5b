/**
 * Pools that get more PGs: which of our PGs have to be taken apart, who waits for them, and what is over.
 *
 * A pool goes from one number of PGs to the next in steps, one for each map that raised it, and a step is over
 * when every PG that was here has been taken apart; only then the next begins. What is asked of a PG that is not
 * apart yet waits, and runs in its order afterwards; other PGs are served. The PGs that somebody waits for come
 * first. The work of a step begins once all that its PGs have been asked is durable and answered.
 * ceph: src/osd/OSD.cc split_pgs, src/osd/OSD.h OSDShard::identify_splits_and_merges
 */

import { assert, type Clock, type Logger } from "../base/index.ts";
import type { OsdMap } from "../maps/index.ts";
import { CorruptionError, NoSpaceError, type ObjectStore } from "../store/index.ts";
import { formatPgId, type PgId } from "../types/index.ts";
import type { Pg } from "./pg.ts";
import { dropPgNum, type PgNumRecord, readPgNums, writePgNum } from "./pg-num-records.ts";
import { ancestorOf, childSeeds } from "./pg-parts.ts";
import { PgSplitter } from "./pg-splitter.ts";

/** Pause after running out of space, milliseconds. */
const RETRY_MS = 5000;

export interface SplitHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  pg(id: PgId): Pg;
  /** Runs `fn` when all that has been submitted is durable and answered. */
  whenAnswered(fn: () => void): void;
  /** The PG is about to be taken apart: it has nothing to do with its objects any more. */
  begun(parent: Pg): void;
  /** All of it is where it belongs. */
  ended(parent: Pg, children: readonly PgId[]): void;
  /** The pool has no more to be taken apart. */
  poolDone(pool: number): void;
  /** Something that had to be read does not read as it was written: the PG stays as it is. */
  damaged(parent: Pg, error: CorruptionError): void;
}

interface Pool {
  record: PgNumRecord;
  /** Maps that wait for their step: numbers of PGs with their epochs. */
  readonly next: [pgNum: number, epoch: number][];
  /** PGs of the step under way that are not apart yet, by their seeds. */
  readonly jobs: Map<number, Job>;
  /** All that they were asked before the step has been answered. */
  isQuiet: boolean;
}

/** A request that has to wait, and the PG it is for. */
interface Waiting {
  readonly pg: PgId;
  readonly run: () => void;
}

interface Job {
  readonly pool: number;
  readonly seed: number;
  splitter: PgSplitter | undefined;
  isBlocked: boolean;
  readonly waiting: Waiting[];
}

function newPool(record: PgNumRecord): Pool {
  return { record, next: [], jobs: new Map(), isQuiet: false };
}

export class Splits {
  readonly #host: SplitHost;
  readonly #pools = new Map<number, Pool>();
  /** Who waits for a step that has not begun. */
  #later: Waiting[] = [];
  #job: Job | undefined;
  #isScheduled = false;
  #stopped = false;

  constructor(host: SplitHost) {
    this.#host = host;
    for (const [pool, record] of readPgNums(host.store)) {
      this.#pools.set(pool, newPool(record));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  mapChanged(map: OsdMap): void {
    for (const [id, pool] of map.pools) {
      // A start may see the change only in a later map; those who go by the map between are not to be dropped.
      this.#see(id, pool.pgNum, pool.lastForceOpResendPreluminous || map.epoch);
    }
    for (const [id, pool] of this.#pools) {
      if (map.pools.has(id)) continue;
      this.#pools.delete(id);
      dropPgNum(this.#host.store, id, this.#pools.size === 0);
      // Whoever waits finds that the pool is gone.
      for (const job of pool.jobs.values()) for (const { run } of job.waiting) run();
    }
    this.#runLater();
    this.#schedule();
  }

  #see(id: number, pgNum: number, epoch: number): void {
    let pool = this.#pools.get(id);
    if (pool === undefined) {
      const record = { from: pgNum, to: pgNum, epoch: 0, isDone: true };
      pool = newPool(record);
      this.#pools.set(id, pool);
      writePgNum(this.#host.store, id, record);
    }
    if (!pool.record.isDone && pool.jobs.size === 0) this.#beginStep(id, pool);
    const known = pool.next.at(-1)?.[0] ?? pool.record.to;
    assert(pgNum >= known, `pool ${id} has ${pgNum} PGs after ${known}`);
    if (pgNum > known) pool.next.push([pgNum, epoch]);
    this.#advance(id, pool);
  }

  /** The next steps, until one has something to do here. */
  #advance(id: number, pool: Pool): void {
    while (pool.jobs.size === 0) {
      if (!pool.record.isDone) this.#record(id, pool, { ...pool.record, isDone: true });
      const next = pool.next.shift();
      if (next === undefined) return;
      const [to, epoch] = next;
      this.#record(id, pool, { from: pool.record.to, to, epoch, isDone: false });
      this.#beginStep(id, pool);
    }
  }

  #record(id: number, pool: Pool, record: PgNumRecord): void {
    pool.record = record;
    writePgNum(this.#host.store, id, record);
  }

  /** Every PG that is here, whether the map has it here or not. */
  #beginStep(id: number, pool: Pool): void {
    const { from, to } = pool.record;
    for (let seed = 0; seed < from; seed++) {
      if (!this.#host.store.hasCollection(formatPgId({ pool: id, seed }))) continue;
      if (childSeeds(seed, from, to).length === 0) continue;
      pool.jobs.set(seed, {
        pool: id,
        seed,
        splitter: undefined,
        isBlocked: false,
        waiting: [],
      });
    }
    for (const { seed } of pool.jobs.values()) {
      const parent = this.#host.pg({ pool: id, seed });
      parent.beginSplit();
      this.#host.begun(parent);
    }
    if (pool.jobs.size === 0) return;
    pool.isQuiet = false;
    this.#host.clock.defer(() =>
      this.#host.whenAnswered(() => {
        pool.isQuiet = true;
        this.#schedule();
      }),
    );
  }

  /** Has the PG something to wait for before it can be asked anything? */
  isPending(pg: PgId): boolean {
    const pool = this.#pools.get(pg.pool);
    if (pool === undefined || (pool.jobs.size === 0 && pool.next.length === 0)) return false;
    return pool.next.length > 0 || pool.jobs.has(ancestorOf(pg, pool.record.from).seed);
  }

  /** Runs `run` when the PG need not wait any more. */
  wait(pg: PgId, run: () => void): void {
    const pool = this.#pools.get(pg.pool);
    const job =
      pool === undefined || pool.next.length > 0
        ? undefined
        : pool.jobs.get(ancestorOf(pg, pool.record.from).seed);
    if (job === undefined) this.#later.push({ pg, run });
    else job.waiting.push({ pg, run });
  }

  /** Those that have to wait again do so in their order: nothing comes in while they are asked. */
  #runLater(): void {
    const later = this.#later;
    this.#later = [];
    for (const { pg, run } of later) {
      if (this.isPending(pg)) this.wait(pg, run);
      else run();
    }
  }

  /** Is something of the pool not where it belongs? */
  isBusy(pool: number): boolean {
    const found = this.#pools.get(pool);
    return found !== undefined && (found.jobs.size > 0 || found.next.length > 0);
  }

  /** PGs of the pool that are being taken apart, with what they become. */
  parents(pool: number): { parent: PgId; children: readonly PgId[] }[] {
    const found = this.#pools.get(pool);
    if (found === undefined) return [];
    const { from, to } = found.record;
    return [...found.jobs.keys()].map((seed) => ({
      parent: { pool, seed },
      children: childSeeds(seed, from, to).map((child) => ({ pool, seed: child })),
    }));
  }

  /** PGs of the pool after the last split. */
  pgNum(pool: number): number {
    return this.#pools.get(pool)?.record.to ?? 0;
  }

  /**
   * Has the PG split, or been split off, since the map of that epoch? What was sent by it is not for the PG then:
   * its client sends it again.  ceph: src/osd/PG.cc can_discard_op
   */
  hasSplitSince(pg: PgId, epoch: number): boolean {
    const record = this.#pools.get(pg.pool)?.record;
    if (record === undefined || epoch >= record.epoch) return false;
    return pg.seed >= record.from || childSeeds(pg.seed, record.from, record.to).length > 0;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#stopped || this.#nextJob() === undefined) return;
    this.#isScheduled = true;
    this.#host.clock.defer(() => this.#turn());
  }

  #nextJob(): Job | undefined {
    if (this.#job !== undefined) return this.#job;
    let first: Job | undefined;
    for (const { jobs, isQuiet } of this.#pools.values()) {
      if (!isQuiet) continue;
      for (const job of jobs.values()) {
        if (job.isBlocked) continue;
        if (job.waiting.length > 0) return job;
        first ??= job;
      }
    }
    return first;
  }

  #turn(): void {
    this.#isScheduled = false;
    if (this.#stopped) return;
    const job = this.#nextJob();
    const pool = job && this.#pools.get(job.pool);
    // The pool may be gone, or gone and there again.
    if (job === undefined || pool?.jobs.get(job.seed) !== job) {
      this.#job = undefined;
      return this.#schedule();
    }
    this.#job = job;
    try {
      job.splitter ??= this.#splitter(job, pool);
      if (!job.splitter.step()) this.#end(job, pool, job.splitter);
    } catch (error) {
      this.#job = undefined;
      if (error instanceof CorruptionError) {
        job.isBlocked = true;
        this.#host.damaged(this.#host.pg(job), error);
      } else if (error instanceof NoSpaceError) {
        this.#host.log.warn("no space to split a PG, trying again", { pg: formatPgId(job) });
        this.#host.clock.after(RETRY_MS, () => this.#schedule());
        return;
      } else {
        throw error;
      }
    }
    this.#schedule();
  }

  #splitter({ pool, seed }: Job, { record }: Pool): PgSplitter {
    const parent = this.#host.pg({ pool, seed });
    return new PgSplitter(this.#host.store, parent, record.from, record.to);
  }

  #end(job: Job, pool: Pool, { parent, children }: PgSplitter): void {
    this.#job = undefined;
    pool.jobs.delete(job.seed);
    this.#host.ended(parent, children);
    this.#host.log.info("PG split", { pg: parent.collection, children: children.length });
    this.#advance(job.pool, pool);
    // The next step may have begun: they ask again whether they have to wait. The job's came before those that a
    // later map has kept waiting, and both before whatever comes from now on.
    this.#later = job.waiting.concat(this.#later);
    this.#runLater();
    if (pool.jobs.size === 0) this.#host.poolDone(job.pool);
  }
}
