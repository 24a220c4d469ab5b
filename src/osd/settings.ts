/**
 * The options that an OSD goes by, as numbers it can use: never more than what it is made for, whatever is set.
 * ceph: src/common/options.cc
 */

import { Settings } from "../config/index.ts";
import { BENCH_BLOCK_MAX, OBJECT_SIZE_MAX, WRITE_SIZE_MAX } from "./limits.ts";

/** osd_max_write_size counts these. */
const MIB = 1 << 20;

/** Options that upstream's OSD acts upon while it runs.  ceph: OSD::get_tracked_conf_keys */
const OBSERVED = new Set(
  "osd_max_backfills osd_min_recovery_priority osd_max_trimming_pgs osd_op_complaint_time osd_op_log_threshold osd_op_history_size osd_op_history_duration osd_op_history_slow_op_size osd_op_history_slow_op_threshold osd_enable_op_tracker osd_map_cache_size osd_pg_epoch_max_lag_factor osd_pg_epoch_persisted_max_stale osd_recovery_sleep osd_recovery_sleep_hdd osd_recovery_sleep_ssd osd_recovery_sleep_hybrid osd_recovery_max_active osd_recovery_max_active_hdd osd_recovery_max_active_ssd clog_to_monitors clog_to_syslog clog_to_syslog_facility clog_to_syslog_level osd_objectstore_fuse clog_to_graylog clog_to_graylog_host clog_to_graylog_port osd_recovery_delay_start osd_client_message_size_cap osd_client_message_cap osd_heartbeat_min_size osd_heartbeat_interval osd_object_clean_region_max_num_intervals osd_scrub_min_interval osd_scrub_max_interval".split(
    " ",
  ),
);

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
    super({ observed: OBSERVED });
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
