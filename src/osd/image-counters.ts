/**
 * What each image is read and written, while the manager wants to know: an image is told by the names of
 * the objects that hold its data, or its journal's.
 * ceph: src/osd/DynamicPerfStats.h, src/pybind/mgr/rbd_support/perf.py prepare_osd_perf_query
 */

import type { Clock } from "../base/index.ts";
import type { ImageIo } from "../maps/index.ts";
import type { Arrival } from "./arrival.ts";
import type { OpInfo } from "./request.ts";

const DATA_OBJECT = /^(?:rbd|journal)_data\.(?:([0-9]+)\.)?([^.]+)\./;
/** Images counted between two reports; a report of more would hold up everything else. */
const IMAGES_MAX = 16_384;

/** A request that is over. */
export interface CountedRequest {
  readonly pool: number;
  readonly nspace: string;
  readonly oid: string;
  readonly isRead: boolean;
  readonly isWrite: boolean;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly latencyMs: number;
}

type Counts = { -readonly [key in keyof ImageIo]: ImageIo[key] };

export class ImageCounters {
  readonly #clock: Clock;
  #isOn = false;
  #byImage = new Map<string, Counts>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time, if a request that comes now is to be counted. */
  now(): number | undefined {
    return this.#isOn ? this.#clock.monotonic() : undefined;
  }

  /** Begins to count, or ends and forgets. */
  count(isOn: boolean): void {
    this.#isOn = isOn;
    if (!isOn) this.#byImage.clear();
  }

  /** A request is over; one that failed does not count. */
  over(
    { since, message, data }: Arrival,
    reply: { pool: number; info: OpInfo | undefined; outBytes: number; result: number | undefined },
  ): void {
    const { pool, info, outBytes, result } = reply;
    if (since === undefined || info === undefined || result === undefined || result < 0) return;
    this.add({
      pool,
      nspace: message.locator.nspace,
      oid: message.oid,
      isRead: info.needsRead || info.calls.some(({ read }) => read),
      isWrite: info.write,
      inBytes: data.length,
      outBytes,
      latencyMs: this.#clock.monotonic() - since,
    });
  }

  add(request: CountedRequest): void {
    const match = DATA_OBJECT.exec(request.oid);
    if (match === null || !this.#isOn) return;
    const [prefix, imagePool, imageId = ""] = match;
    const key = `${request.pool} ${request.nspace}/${prefix}`;
    let counts = this.#byImage.get(key);
    if (counts === undefined) {
      if (this.#byImage.size >= IMAGES_MAX) return;
      counts = {
        pool: request.pool,
        nspace: request.nspace,
        imagePool: imagePool === undefined ? undefined : Number(imagePool),
        imageId,
        writeOps: 0,
        readOps: 0,
        writeBytes: 0,
        readBytes: 0,
        writeLatencyNs: 0,
        readLatencyNs: 0,
      };
      this.#byImage.set(key, counts);
    }
    const latencyNs = Math.round(request.latencyMs * 1e6);
    if (request.isWrite) {
      counts.writeOps++;
      counts.writeBytes += request.inBytes;
      counts.writeLatencyNs += latencyNs;
    }
    if (request.isRead) {
      counts.readOps++;
      counts.readBytes += request.outBytes;
      counts.readLatencyNs += latencyNs;
    }
  }

  /** What has been counted since the last call; undefined while nothing is to be. */
  take(): ImageIo[] | undefined {
    if (!this.#isOn) return undefined;
    const taken = [...this.#byImage.values()];
    this.#byImage = new Map();
    return taken;
  }
}
