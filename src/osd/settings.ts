/**
 * The options that an OSD goes by, as numbers it can use: never more than what it is made for, whatever is set.
 * ceph: src/common/options.cc
 */

import { observedBy, Settings } from "../config/index.ts";
import { BENCH_BLOCK_MAX, OBJECT_SIZE_MAX, WRITE_SIZE_MAX } from "./limits.ts";

/** osd_max_write_size counts these. */
const MIB = 1 << 20;

/** What `bench` may be asked for. */
export interface BenchLimits {
  /** osd_bench_max_block_size, bytes of one write. */
  readonly blockBytes: number;
  /** osd_bench_duration */
  readonly seconds: number;
  /** osd_bench_small_size_max_iops: writes per second that set how much may be written. */
  readonly smallIops: number;
  /** osd_bench_large_size_max_throughput, bytes per second, the same for large writes. */
  readonly largeBytesPerS: number;
}

export class OsdSettings extends Settings {
  #objectSizeMax = OBJECT_SIZE_MAX;
  #writeSizeMax = WRITE_SIZE_MAX;

  constructor() {
    super({ observed: observedBy("osd") });
    // Both are asked of every request.
    this.onChange(() => {
      this.#objectSizeMax = Math.min(this.number("osd_max_object_size"), OBJECT_SIZE_MAX);
      this.#writeSizeMax = Math.min(this.number("osd_max_write_size") * MIB, WRITE_SIZE_MAX);
    });
  }

  /** osd_max_object_size, bytes; never more than what the store is made for. */
  get objectSizeMax(): number {
    return this.#objectSizeMax;
  }

  /** osd_max_write_size, in bytes; never more than what fits in memory. */
  get writeSizeMax(): number {
    return this.#writeSizeMax;
  }

  get bench(): BenchLimits {
    return {
      blockBytes: Math.min(this.number("osd_bench_max_block_size"), BENCH_BLOCK_MAX),
      seconds: this.number("osd_bench_duration"),
      smallIops: this.number("osd_bench_small_size_max_iops"),
      largeBytesPerS: this.number("osd_bench_large_size_max_throughput"),
    };
  }
}
