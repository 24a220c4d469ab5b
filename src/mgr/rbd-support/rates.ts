/**
 * Counters of images, taken now and then: the last two takes make a rate, all of them a sum.
 * ceph: src/pybind/mgr/rbd_support/perf.py sum_osd_perf_counters, extract_stat
 */

import { PyFloat } from "../../base/index.ts";
import { textOf } from "../../encoding/index.ts";
import type { ImageIo } from "../../maps/index.ts";

export const COUNTERS = [
  "write_ops",
  "read_ops",
  "write_bytes",
  "read_bytes",
  "write_latency",
  "read_latency",
] as const;
export type CounterName = (typeof COUNTERS)[number];
type Counters = readonly number[];

/** Takes further apart than this make no rate.  ceph: STATS_RATE_INTERVAL */
const RATE_MS = 60_000;
const NOTHING: Counters = COUNTERS.map(() => 0);
/** What a latency is the sum over. */
const OPS_OF: Readonly<Record<number, number>> = {
  [COUNTERS.indexOf("write_latency")]: COUNTERS.indexOf("write_ops"),
  [COUNTERS.indexOf("read_latency")]: COUNTERS.indexOf("read_ops"),
};

/** Where an image is. */
export interface RatedImage {
  readonly key: string;
  readonly pool: number;
  readonly nspace: string;
  readonly id: string;
}

interface Take {
  /** Milliseconds on the clock. */
  readonly at: number;
  readonly counters: Counters;
}

interface Entry extends RatedImage {
  /** Since the last take. */
  fresh: Counters | undefined;
  current: Take | undefined;
  previous: Take | undefined;
  sum: Counters;
}

export class ImageRates {
  readonly #entries = new Map<string, Entry>();

  add(image: ImageIo): void {
    const pool = image.imagePool ?? image.pool;
    const key = `${pool}/${image.nspace}/${image.imageId}`;
    const entry = this.#entries.get(key) ?? {
      key,
      pool,
      nspace: textOf(image.nspace),
      id: textOf(image.imageId),
      fresh: undefined,
      current: undefined,
      previous: undefined,
      sum: NOTHING,
    };
    this.#entries.set(key, entry);
    entry.fresh = plus(entry.fresh ?? NOTHING, [
      image.writeOps,
      image.readOps,
      image.writeBytes,
      image.readBytes,
      image.writeLatencyNs,
      image.readLatencyNs,
    ]);
  }

  images(): readonly RatedImage[] {
    return [...this.#entries.values()];
  }

  /** What has come since the last take counts as of `at`. */
  take(at: number): void {
    for (const entry of this.#entries.values()) {
      // Two at one time make no rate: what there is waits for the next.
      if (entry.current !== undefined && entry.current.at >= at) continue;
      const counters = entry.fresh ?? NOTHING;
      entry.previous = entry.current;
      entry.current = { at, counters };
      entry.sum = plus(entry.sum, counters);
      entry.fresh = undefined;
    }
  }

  drop(isGone: (image: RatedImage) => boolean): void {
    for (const [key, entry] of this.#entries) if (isGone(entry)) this.#entries.delete(key);
  }

  /** All that was counted. */
  sum(key: string, index: number): number {
    return this.#entries.get(key)?.sum[index] ?? 0;
  }

  /** A second; of a latency, nanoseconds an operation. */
  rate(key: string, index: number): number | PyFloat {
    const { current, previous } = this.#entries.get(key) ?? {};
    if (current === undefined || previous === undefined) return 0;
    const elapsedMs = current.at - previous.at;
    if (elapsedMs <= 0 || elapsedMs > RATE_MS) return 0;
    const elapsed = elapsedMs / 1000;
    const rate = (current.counters[index] ?? 0) / elapsed;
    const opsIndex = OPS_OF[index];
    if (opsIndex === undefined) return new PyFloat(rate);
    return new PyFloat(rate / Math.max(1, (current.counters[opsIndex] ?? 0) / elapsed));
  }
}

function plus(a: Counters, b: Counters): Counters {
  return a.map((x, i) => x + (b[i] ?? 0));
}
