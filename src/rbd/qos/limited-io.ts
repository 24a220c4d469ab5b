/**
 * The data of an open image, no faster than it may be read and written. Requests wait before anything is done for them.
 * ceph: src/librbd/io/QosImageDispatch.cc
 */

import type { Clock } from "../../base/index.ts";
import type { CallOptions } from "../../rados/index.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import type { ImageData } from "../io/image-data.ts";
import type { Run } from "../snapshot-read.ts";
import { type RateLimit, TokenBucket } from "./token-bucket.ts";

/** Requests and bytes, of all kinds or of one. What is not said has no limit. */
export interface RateLimits {
  readonly iops?: RateLimit;
  readonly bps?: RateLimit;
  readonly readIops?: RateLimit;
  readonly readBps?: RateLimit;
  readonly writeIops?: RateLimit;
  readonly writeBps?: RateLimit;
  /** Milliseconds between looks at who waits, at least. @default 50 */
  readonly tickMs?: number;
}

interface Bucket {
  readonly bucket: TokenBucket;
  readonly countsBytes: boolean;
}

export class LimitedIo implements ImageData {
  readonly #data: ImageData;
  readonly #reads: readonly Bucket[];
  readonly #writes: readonly Bucket[];
  /** Changes that have been begun here, and may wait still: a flush is for them, too. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(data: ImageData, clock: Clock, limits: RateLimits) {
    this.#data = data;
    const { tickMs } = limits;
    const bucketOf = (limit: RateLimit | undefined, countsBytes: boolean): Bucket[] =>
      limit === undefined || limit.limit <= 0
        ? []
        : [{ bucket: new TokenBucket(clock, limit, tickMs), countsBytes }];
    const both = [...bucketOf(limits.iops, false), ...bucketOf(limits.bps, true)];
    const { readIops, readBps, writeIops, writeBps } = limits;
    this.#reads = [...both, ...bucketOf(readIops, false), ...bucketOf(readBps, true)];
    this.#writes = [...both, ...bucketOf(writeIops, false), ...bucketOf(writeBps, true)];
  }

  async read(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Buffer> {
    await admitted(this.#reads, length, limits.signal);
    return await this.#data.read(offset, length, snap, limits);
  }

  async readInto(
    offset: number,
    into: Buffer,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<number> {
    await admitted(this.#reads, into.length, limits.signal);
    return await this.#data.readInto(offset, into, snap, limits);
  }

  async readSparse(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Run[]> {
    await admitted(this.#reads, length, limits.signal);
    return await this.#data.readSparse(offset, length, snap, limits);
  }

  async write(offset: number, data: Uint8Array, signal?: AbortSignal): Promise<number> {
    return await this.#change(data.length, signal, () => this.#data.write(offset, data, signal));
  }

  async discard(offset: number, length: number, signal?: AbortSignal): Promise<number> {
    return await this.#change(length, signal, () => this.#data.discard(offset, length, signal));
  }

  async writeZeroes(
    offset: number,
    length: number,
    options: { readonly thick?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    return await this.#change(length, options.signal, () =>
      this.#data.writeZeroes(offset, length, options),
    );
  }

  async compareAndWrite(
    offset: number,
    expected: Uint8Array,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<number> {
    return await this.#change(data.length, signal, () =>
      this.#data.compareAndWrite(offset, expected, data, signal),
    );
  }

  async flush(signal?: AbortSignal): Promise<void> {
    // Their own callers hear of their failures.
    await Promise.allSettled(this.#pending);
    await this.#data.flush(signal);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#data.close();
  }

  async #change(
    length: number,
    signal: AbortSignal | undefined,
    work: () => Promise<number>,
  ): Promise<number> {
    const change = admitted(this.#writes, length, signal).then(work);
    this.#pending.add(change);
    try {
      return await change;
    } finally {
      this.#pending.delete(change);
    }
  }
}

/** Resolves once every limit lets a request through. */
async function admitted(
  buckets: readonly Bucket[],
  length: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (length === 0) return;
  await Promise.all(
    buckets.map(({ bucket, countsBytes }) => bucket.take(countsBytes ? length : 1, signal)),
  );
}
