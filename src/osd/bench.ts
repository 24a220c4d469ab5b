/**
 * `ceph tell osd.N bench`: how fast the OSD's own disk takes writes, without clients and network.
 *
 * The objects lie in a collection of their own and are removed at the end; what a crash leaves behind goes
 * with the first map after the next start, as all collections do that no pool owns. Some writes are on their
 * way at a time, so that memory stays bounded and clients are served in between; one run follows another.
 * ceph: src/osd/OSD.cc asok_command "bench"
 */

import { type Clock, ERRNO, formatBytes, seededRandom, sleep } from "../base/index.ts";
import { NoSpaceError, type ObjectStore, type StoreOp } from "../store/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP } from "../types/index.ts";
import type { BenchLimits } from "./settings.ts";

export const BENCH_COLLECTION = "bench";

/** Writes of less are small. */
const SMALL_SIZE = 1 << 20;
/** On their way to the disk at a time: whichever comes first. */
const BATCH_BYTES = 16 << 20;
const BATCH_WRITES = 64;
const CONGESTED_MS = 5;

export interface BenchOptions {
  /** Bytes to write in all. */
  readonly count: number;
  /** Bytes of one write. */
  readonly size: number;
  /** Write into this many objects of this size, at random places; 0: each write makes an object. */
  readonly objectSize: number;
  readonly objectNum: number;
}

/** What the command answers, by upstream's names. */
export interface BenchResult {
  readonly bytes_written: number;
  readonly blocksize: number;
  readonly elapsed_sec: number;
  readonly bytes_per_sec: number;
  readonly iops: number;
}

interface BenchHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Asked before every step: the store may be about to close. */
  isStopped(): boolean;
  /** Has what a run has left removed once there is room for that. */
  removeLater(): void;
}

/** Why these options are refused; undefined if they are fine. */
export function benchRefusal(
  { count, size, objectSize, objectNum }: BenchOptions,
  { blockBytes, seconds, smallIops, largeBytesPerS }: BenchLimits,
): string | undefined {
  if (size > blockBytes || objectSize > blockBytes) {
    return `block 'size' values are capped at ${formatBytes(blockBytes)}. If you wish to use a higher value, please adjust 'osd_bench_max_block_size'`;
  }
  if (Math.min(size - 1, count, objectSize, objectNum) < 0) return "sizes and counts are positive";
  const isSmall = size < SMALL_SIZE;
  const rate = isSmall ? `${smallIops} IOPS` : `${formatBytes(largeBytesPerS)}/s`;
  const option = `osd_bench_${isSmall ? "small_size_max_iops" : "large_size_max_throughput"}`;
  const most = seconds * (isSmall ? size * smallIops : largeBytesPerS);
  if (count > most) {
    return `'count' values greater than ${most} for a block size of ${formatBytes(size)}, assuming ${rate}, for ${seconds} seconds, can cause ill effects on osd.  Please adjust '${option}' with a higher value if you wish to use a higher 'count'.`;
  }
  // Ours: upstream fills the disk with them.
  if (objectSize * objectNum > seconds * largeBytesPerS) return "objects are too large";
  return undefined;
}

export class Bench {
  readonly #host: BenchHost;
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;

  constructor(host: BenchHost) {
    this.#host = host;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** The result, or a negative error number. */
  async run(options: BenchOptions): Promise<BenchResult | number> {
    this.#running++;
    const result = this.#last.then(() => this.#measure(options)).finally(() => this.#running--);
    this.#last = result.catch(() => undefined);
    return await result;
  }

  async #measure(options: BenchOptions): Promise<BenchResult | number> {
    const { clock, store } = this.#host;
    const { count, objectSize, objectNum } = options;
    const size = objectSize > 0 ? Math.min(options.size, objectSize) : options.size;
    const isShared = objectSize > 0 && objectNum > 0;
    try {
      // Also what a run left that was cut short.
      await this.#clean();
      store.submit({
        collection: BENCH_COLLECTION,
        ops: [{ op: "create-collection", collection: BENCH_COLLECTION }],
      });
      if (isShared) await this.#write(objectNum, objectSize, (i) => [i, 0]);
      await store.flush();
      const start = clock.monotonic();
      const place = isShared ? scatter(options, size) : eachItsOwn;
      await this.#write(Math.ceil(count / size), size, place);
      await store.flush();
      const seconds = Math.max(clock.monotonic() - start, 0.001) / 1000;
      await this.#clean();
      return {
        bytes_written: count,
        blocksize: size,
        elapsed_sec: seconds,
        bytes_per_sec: count / seconds,
        iops: count / seconds / size,
      };
    } catch (error) {
      if (error instanceof Stopped) return -ERRNO.ESHUTDOWN;
      if (!(error instanceof NoSpaceError)) throw error;
      await this.#cleanNowOrLater();
      return -ERRNO.ENOSPC;
    }
  }

  async #write(
    writes: number,
    size: number,
    place: (i: number) => readonly [object: number, offset: number],
  ): Promise<void> {
    const { store, clock } = this.#host;
    const data = [new Uint8Array(size)];
    const batch = Math.max(1, Math.min(BATCH_WRITES, Math.floor(BATCH_BYTES / size)));
    for (let i = 0; i < writes; i++) {
      while (store.isCongested && !this.#host.isStopped()) await sleep(clock, CONGESTED_MS);
      this.#goOn();
      const [number, offset] = place(i);
      const op: StoreOp = { op: "write", object: benchObject(number), offset, data };
      store.submit({ collection: BENCH_COLLECTION, ops: [op] });
      if ((i + 1) % batch === 0) await store.flush();
    }
  }

  async #clean(): Promise<void> {
    const { store } = this.#host;
    while (store.hasCollection(BENCH_COLLECTION)) {
      this.#goOn();
      const { objects, next } = store.list(BENCH_COLLECTION, HOBJECT_MIN, BATCH_WRITES);
      const ops: StoreOp[] = objects.map((object) => ({ op: "remove", object }));
      if (next === undefined) ops.push({ op: "remove-collection", collection: BENCH_COLLECTION });
      store.submit({ collection: BENCH_COLLECTION, ops });
      await store.flush();
    }
  }

  /** Removals, too, may find no room. */
  async #cleanNowOrLater(): Promise<void> {
    try {
      await this.#clean();
    } catch (error) {
      if (!(error instanceof NoSpaceError)) throw error;
      this.#host.removeLater();
    }
  }

  #goOn(): void {
    if (this.#host.isStopped()) throw new Stopped();
  }
}

/** The OSD stops while a run is under way. */
class Stopped extends Error {}

function benchObject(number: number): HObject {
  return { ...HOBJECT_MIN, oid: `disk_bw_test_${number}`, snap: NOSNAP, pool: -1n };
}

const eachItsOwn = (i: number): [number, number] => [i, 0];

function scatter({ objectSize, objectNum }: BenchOptions, size: number): () => [number, number] {
  const random = seededRandom(1);
  const slots = Math.floor(objectSize / size);
  return () => [random.below(objectNum), random.below(slots) * size];
}
