/**
 * Placement groups and their sums as JSON, field by field as `pg dump` has them. What we do not track
 * (scrubs, recovery) is what it is on a cluster where it never happened.
 * ceph: src/osd/osd_types.cc pg_stat_t::dump, object_stat_sum_t::dump, src/mon/PGMap.cc
 */

import { type JsonObject } from "../../encoding/index.ts";
import {
  mapPg,
  type ObjectStatSum,
  type OsdMap,
  type OsdReport,
  type OsdSpace,
  osdIds,
} from "../../maps/index.ts";
import { formatEVersion, formatPgId, formatUtime, utimeFromMs } from "../../types/index.ts";
import { type PgEntry, type PoolSums, STATFS_ZERO, usedBytes } from "../services/stats.ts";
import { poolsOf } from "./common.ts";
import type { ClusterState } from "./context.ts";

/** Order and names of `stat_sum`; the few that are not just the field in snake case are spelled out. */
const STAT_FIELDS: readonly (readonly [name: string, field: keyof ObjectStatSum])[] = [
  ["num_bytes", "numBytes"],
  ["num_objects", "numObjects"],
  ["num_object_clones", "numObjectClones"],
  ["num_object_copies", "numObjectCopies"],
  ["num_objects_missing_on_primary", "numObjectsMissingOnPrimary"],
  ["num_objects_missing", "numObjectsMissing"],
  ["num_objects_degraded", "numObjectsDegraded"],
  ["num_objects_misplaced", "numObjectsMisplaced"],
  ["num_objects_unfound", "numObjectsUnfound"],
  ["num_objects_dirty", "numObjectsDirty"],
  ["num_whiteouts", "numWhiteouts"],
  ["num_read", "numRd"],
  ["num_read_kb", "numRdKb"],
  ["num_write", "numWr"],
  ["num_write_kb", "numWrKb"],
  ["num_scrub_errors", "numScrubErrors"],
  ["num_shallow_scrub_errors", "numShallowScrubErrors"],
  ["num_deep_scrub_errors", "numDeepScrubErrors"],
  ["num_objects_recovered", "numObjectsRecovered"],
  ["num_bytes_recovered", "numBytesRecovered"],
  ["num_keys_recovered", "numKeysRecovered"],
  ["num_objects_omap", "numObjectsOmap"],
  ["num_objects_hit_set_archive", "numObjectsHitSetArchive"],
  ["num_bytes_hit_set_archive", "numBytesHitSetArchive"],
  ["num_flush", "numFlush"],
  ["num_flush_kb", "numFlushKb"],
  ["num_evict", "numEvict"],
  ["num_evict_kb", "numEvictKb"],
  ["num_promote", "numPromote"],
  ["num_flush_mode_high", "numFlushModeHigh"],
  ["num_flush_mode_low", "numFlushModeLow"],
  ["num_evict_mode_some", "numEvictModeSome"],
  ["num_evict_mode_full", "numEvictModeFull"],
  ["num_objects_pinned", "numObjectsPinned"],
  ["num_legacy_snapsets", "numLegacySnapsets"],
  ["num_large_omap_objects", "numLargeOmapObjects"],
  ["num_objects_manifest", "numObjectsManifest"],
  ["num_omap_bytes", "numOmapBytes"],
  ["num_omap_keys", "numOmapKeys"],
  ["num_objects_repaired", "numObjectsRepaired"],
];

function statSum(sum: ObjectStatSum): JsonObject {
  return Object.fromEntries(STAT_FIELDS.map(([name, field]) => [name, sum[field]]));
}

function storeStats(allocated: number, stored: number): JsonObject {
  return {
    total: 0,
    available: 0,
    internally_reserved: 0,
    allocated,
    data_stored: stored,
    data_compressed: 0,
    data_compressed_allocated: 0,
    data_compressed_original: 0,
    omap_allocated: 0,
    internal_metadata: 0,
  };
}

/** Groups by pool and seed. */
export function sortedPgs(state: ClusterState): PgEntry[] {
  return [...state.stats.pgs()].sort(
    (a, b) => a.pgid.pool - b.pgid.pool || a.pgid.seed - b.pgid.seed,
  );
}

export function pgJson(map: OsdMap, pg: PgEntry): JsonObject {
  const { up, upPrimary, acting, actingPrimary } = mapPg(map, pg.pgid);
  const time = (ms: number) => formatUtime(utimeFromMs(ms));
  const [fresh, change, created] = [pg.reportedAt, pg.stateSince, pg.createdAt].map(time);
  return {
    pgid: formatPgId(pg.pgid),
    version: formatEVersion(pg.version),
    reported_seq: pg.reportedSeq,
    reported_epoch: pg.reportedEpoch,
    state: pg.state,
    last_fresh: fresh,
    last_change: change,
    last_active: fresh,
    last_peered: fresh,
    last_clean: fresh,
    last_became_active: change,
    last_became_peered: change,
    last_unstale: fresh,
    last_undegraded: fresh,
    last_fullsized: fresh,
    mapping_epoch: map.pools.get(pg.pgid.pool)?.lastChange ?? 0,
    log_start: "0'0",
    ondisk_log_start: "0'0",
    created: 1,
    last_epoch_clean: pg.reportedEpoch,
    parent: "0.0",
    parent_split_bits: 0,
    last_scrub: "0'0",
    last_scrub_stamp: created,
    last_deep_scrub: "0'0",
    last_deep_scrub_stamp: created,
    last_clean_scrub_stamp: created,
    log_size: pg.logSize,
    ondisk_log_size: pg.logSize,
    stats_invalid: false,
    dirty_stats_invalid: false,
    omap_stats_invalid: false,
    hitset_stats_invalid: false,
    hitset_bytes_stats_invalid: false,
    pin_stats_invalid: false,
    manifest_stats_invalid: false,
    snaptrimq_len: pg.snapTrimQueueLength,
    stat_sum: statSum(pg.stats),
    up,
    acting,
    avail_no_missing: [],
    object_location_counts: [],
    blocked_by: [],
    up_primary: upPrimary,
    acting_primary: actingPrimary,
    purged_snaps: [],
  };
}

function sumsJson(sums: PoolSums, stores: number): JsonObject {
  return {
    stat_sum: statSum(sums.stats),
    store_stats: storeStats(sums.allocated, sums.stored),
    log_size: sums.logSize,
    ondisk_log_size: sums.logSize,
    up: sums.pgs,
    acting: sums.pgs,
    num_store_stats: stores,
  };
}

/** Pools, newest first, as upstream's hash happens to have few of them. */
export function poolStatsJson(state: ClusterState): JsonObject[] {
  return poolsOf(state.maps.map)
    .reverse()
    .map(([id, pool]) => ({
      poolid: id,
      num_pg: pool.pgNum,
      ...sumsJson(state.stats.poolSums(id), 1),
    }));
}

/** Groups on an OSD. */
export function pgCount(state: ClusterState, osd: number): number {
  const { map } = state.maps;
  let n = 0;
  for (const pg of state.stats.pgs()) if (mapPg(map, pg.pgid).acting.includes(osd)) n++;
  return n;
}

const kib = (bytes: number): number => Math.floor(bytes / 1024);

/** Space in KiB, as everything about OSDs shows it. */
export function kbJson(statfs: OsdSpace): JsonObject {
  return {
    kb: kib(statfs.total),
    kb_used: kib(usedBytes(statfs)),
    kb_used_data: kib(statfs.data),
    kb_used_omap: 0,
    kb_used_meta: kib(statfs.internal),
    kb_avail: kib(statfs.available),
  };
}

function spaceJson(report: OsdReport | undefined, osds: number, pgs: number): JsonObject {
  const statfs = report?.statfs ?? STATFS_ZERO;
  const latency = report?.perf ?? { commitLatencyMs: 0, applyLatencyMs: 0 };
  return {
    num_pgs: pgs,
    num_osds: osds,
    num_per_pool_osds: osds,
    num_per_pool_omap_osds: osds,
    ...kbJson(statfs),
    statfs: {
      ...storeStats(statfs.data, statfs.data),
      total: statfs.total,
      available: statfs.available,
      internal_metadata: statfs.internal,
    },
    hb_peers: [],
    snap_trim_queue_len: 0,
    num_snap_trimming: 0,
    num_shards_repaired: 0,
    op_queue_age_hist: { histogram: [], upper_bound: 1 },
    perf_stat: perfJson(latency),
    alerts: [],
    network_ping_times: [],
  };
}

export function perfJson(perf: OsdReport["perf"]): JsonObject {
  return {
    commit_latency_ms: Math.round(perf.commitLatencyMs),
    apply_latency_ms: Math.round(perf.applyLatencyMs),
    commit_latency_ns: Math.round(perf.commitLatencyMs * 1e6),
    apply_latency_ns: Math.round(perf.applyLatencyMs * 1e6),
  };
}

export function osdStatsJson(state: ClusterState): JsonObject[] {
  return osdIds(state.maps.map)
    .reverse()
    .map((osd) => ({
      osd,
      up_from: state.maps.map.osdInfo[osd]?.upFrom ?? 0,
      seq: state.stats.version,
      ...spaceJson(state.stats.osd(osd), 1, pgCount(state, osd)),
    }));
}

/** All groups together. */
export function pgSumJson(state: ClusterState): JsonObject {
  return sumsJson(state.stats.totals(state.maps.map), 0);
}

/** OSDs together: all of them, or those of a class, with the space they have. */
export function osdSumJson(
  state: ClusterState,
  osds: readonly number[] = osdIds(state.maps.map),
  statfs: OsdSpace = state.stats.statfs(),
): JsonObject {
  const { epoch } = state.maps.map;
  const report: OsdReport = { seq: 0, epoch, statfs, fullness: "none", pgs: [], perf: NO_LATENCY };
  const pgs = osds.reduce((sum, osd) => sum + pgCount(state, osd), 0);
  return { up_from: 0, seq: 0, ...spaceJson(report, osds.length, pgs) };
}

/** The sums part of `pg dump`. */
export function mapSumJson(state: ClusterState): JsonObject {
  return {
    version: state.stats.version,
    stamp: formatUtime(utimeFromMs(state.clock.now())),
    last_osdmap_epoch: 0,
    last_pg_scan: 0,
    pg_stats_sum: pgSumJson(state),
    osd_stats_sum: osdSumJson(state),
  };
}

const NO_LATENCY: OsdReport["perf"] = { commitLatencyMs: 0, applyLatencyMs: 0 };
