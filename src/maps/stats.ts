/**
 * Statistics: what is stored in a PG, a pool, on an OSD. Sums are plain objects of numbers, added and
 * subtracted field by field; deltas may be negative.
 * ceph: src/osd/osd_types.h object_stat_sum_t, pg_stat_t, pool_stat_t, store_statfs_t, osd_stat_t
 */

import {
  bool,
  type Codec,
  fixed,
  type Infer,
  list,
  map,
  pairs,
  record,
  s8,
  s32,
  s64n,
  str,
  struct,
  u32,
  u64n,
} from "../encoding/index.ts";
import {
  EVERSION_ZERO,
  EVersion,
  IntervalSet,
  IntervalSetCodec,
  PgId,
  UTIME_ZERO,
  Utime,
} from "../types/index.ts";

/** Counts and bytes of objects. `numRd` and friends are operations since the PG was made. */
export const ObjectStatSum = struct(
  "object_stat_sum_t",
  { v: 20, oldest: 20, compat: 14 },
  {
    numBytes: s64n,
    numObjects: s64n,
    numObjectClones: s64n,
    /** numObjects times the pool's size. */
    numObjectCopies: s64n,
    numObjectsMissingOnPrimary: s64n,
    numObjectsDegraded: s64n,
    numObjectsUnfound: s64n,
    numRd: s64n,
    numRdKb: s64n,
    numWr: s64n,
    numWrKb: s64n,
    numScrubErrors: s64n,
    numObjectsRecovered: s64n,
    numBytesRecovered: s64n,
    numKeysRecovered: s64n,
    numShallowScrubErrors: s64n,
    numDeepScrubErrors: s64n,
    numObjectsDirty: s64n,
    numWhiteouts: s64n,
    numObjectsOmap: s64n,
    numObjectsHitSetArchive: s64n,
    numObjectsMisplaced: s64n,
    numBytesHitSetArchive: s64n,
    numFlush: s64n,
    numFlushKb: s64n,
    numEvict: s64n,
    numEvictKb: s64n,
    numPromote: s64n,
    numFlushModeHigh: s32,
    numFlushModeLow: s32,
    numEvictModeSome: s32,
    numEvictModeFull: s32,
    numObjectsPinned: s64n,
    numObjectsMissing: s64n,
    numLegacySnapsets: s64n,
    numLargeOmapObjects: s64n,
    numObjectsManifest: s64n,
    numOmapBytes: s64n,
    numOmapKeys: s64n,
    numObjectsRepaired: s64n,
  },
);
export type ObjectStatSum = Infer<typeof ObjectStatSum>;

export const ObjectStatCollection = struct(
  "object_stat_collection_t",
  { v: 2, oldest: 2, compat: 2 },
  { sum: ObjectStatSum, categories: fixed(u32, 0) },
);
export type ObjectStatCollection = Infer<typeof ObjectStatCollection>;

/** Space of a store, in bytes. */
export const StoreStatfs = struct(
  "store_statfs_t",
  { v: 1 },
  {
    total: u64n,
    available: u64n,
    internallyReserved: u64n,
    allocated: s64n,
    dataStored: s64n,
    dataCompressed: s64n,
    dataCompressedAllocated: s64n,
    dataCompressedOriginal: s64n,
    omapAllocated: s64n,
    internalMetadata: s64n,
  },
);
export type StoreStatfs = Infer<typeof StoreStatfs>;

/** A pool's PGs summed up, and what the stores report for the pool. */
export const PoolStat = struct(
  "pool_stat_t",
  { v: 7, oldest: 7, compat: 5 },
  {
    stats: ObjectStatCollection,
    logSize: s64n,
    ondiskLogSize: s64n,
    /** Up (acting) OSDs summed over the PGs. */
    up: s32,
    acting: s32,
    storeStats: StoreStatfs,
    /** Stores that `storeStats` adds up. */
    numStoreStats: s32,
  },
);
export type PoolStat = Infer<typeof PoolStat>;

/** PG_STATE_*: bits of PgStat.state; bit 32 and above do not fit 32-bit operators. */
export const PG_STATE = {
  CREATING: 1,
  ACTIVE: 2,
  CLEAN: 4,
  DOWN: 2 ** 4,
  RECOVERY_UNFOUND: 2 ** 5,
  BACKFILL_UNFOUND: 2 ** 6,
  PREMERGE: 2 ** 7,
  SCRUBBING: 2 ** 8,
  DEGRADED: 2 ** 10,
  INCONSISTENT: 2 ** 11,
  PEERING: 2 ** 12,
  REPAIR: 2 ** 13,
  RECOVERING: 2 ** 14,
  BACKFILL_WAIT: 2 ** 15,
  INCOMPLETE: 2 ** 16,
  STALE: 2 ** 17,
  REMAPPED: 2 ** 18,
  DEEP_SCRUB: 2 ** 19,
  BACKFILLING: 2 ** 20,
  BACKFILL_TOOFULL: 2 ** 21,
  RECOVERY_WAIT: 2 ** 22,
  UNDERSIZED: 2 ** 23,
  ACTIVATING: 2 ** 24,
  PEERED: 2 ** 25,
  SNAPTRIM: 2 ** 26,
  SNAPTRIM_WAIT: 2 ** 27,
  RECOVERY_TOOFULL: 2 ** 28,
  SNAPTRIM_ERROR: 2 ** 29,
  FORCED_RECOVERY: 2 ** 30,
  FORCED_BACKFILL: 2 ** 31,
  FAILED_REPAIR: 2 ** 32,
  LAGGY: 2 ** 33,
  WAIT: 2 ** 34,
} as const;

const TWO_32 = 2 ** 32;
const osds = list(s32);
/** pg_shard_t */
const PgShard = struct("pg_shard_t", { v: 1 }, { osd: s32, shard: s8 });

/* The state is split: its low half sits where older releases look for all of it. */
const PgStatWire = struct(
  "pg_stat_t",
  { v: 26, oldest: 26, compat: 22 },
  {
    version: EVersion,
    reportedSeq: u64n,
    reportedEpoch: u32,
    stateLow: u32,
    logStart: EVersion,
    ondiskLogStart: EVersion,
    created: u32,
    lastEpochClean: u32,
    parent: PgId,
    parentSplitBits: u32,
    lastScrub: EVersion,
    lastScrubStamp: Utime,
    stats: ObjectStatCollection,
    logSize: s64n,
    ondiskLogSize: s64n,
    up: osds,
    acting: osds,
    lastFresh: Utime,
    lastChange: Utime,
    lastActive: Utime,
    lastClean: Utime,
    lastUnstale: Utime,
    mappingEpoch: u32,
    lastDeepScrub: EVersion,
    lastDeepScrubStamp: Utime,
    statsInvalid: bool,
    lastCleanScrubStamp: Utime,
    lastBecameActive: Utime,
    dirtyStatsInvalid: bool,
    upPrimary: s32,
    actingPrimary: s32,
    omapStatsInvalid: bool,
    hitsetStatsInvalid: bool,
    blockedBy: osds,
    lastUndegraded: Utime,
    lastFullsized: Utime,
    hitsetBytesStatsInvalid: bool,
    lastPeered: Utime,
    lastBecamePeered: Utime,
    pinStatsInvalid: bool,
    snaptrimqLen: u32,
    stateHigh: u32,
    purgedSnaps: IntervalSetCodec,
    manifestStatsInvalid: bool,
    availNoMissing: list(PgShard),
    objectLocationCounts: pairs(list(PgShard), s32),
  },
);
type PgStatWire = Infer<typeof PgStatWire>;

/** One PG as its primary reports it. */
export type PgStat = Omit<PgStatWire, "stateLow" | "stateHigh"> & {
  /** PG_STATE bits. */
  state: number;
};

export const PgStat: Codec<PgStat> = {
  name: PgStatWire.name,
  minSize: PgStatWire.minSize,
  encode(w, x) {
    const { state, ...rest } = x;
    const stateHigh = Math.floor(state / TWO_32);
    PgStatWire.encode(w, { ...rest, stateLow: state - stateHigh * TWO_32, stateHigh });
  },
  decode(r) {
    const { stateLow, stateHigh, ...rest } = PgStatWire.decode(r);
    return { ...rest, state: stateHigh * TWO_32 + stateLow };
  },
};

/** Latencies of the store, in nanoseconds. */
export interface ObjectstorePerfStat {
  commitLatencyNs: number;
  applyLatencyNs: number;
}
const NS_PER_MS = 1_000_000;
/* hdr(2,2): u64 commit, u64 apply, ns; hdr(1,1), as the monitors still store it: u32 each, ms */
const PerfStat: Codec<ObjectstorePerfStat> = {
  name: "objectstore_perf_stat_t",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(2, 2);
    w.u64n(x.commitLatencyNs);
    w.u64n(x.applyLatencyNs);
    w.end(mark);
  },
  decode(r) {
    const read =
      r.begin("objectstore_perf_stat_t", 2) >= 2 ? () => r.u64n() : () => r.u32() * NS_PER_MS;
    const commitLatencyNs = read();
    const applyLatencyNs = read();
    r.finish();
    return { commitLatencyNs, applyLatencyNs };
  },
};
const Histogram = struct("pow2_hist_t", { v: 1 }, { h: list(s32) });

const three = record("uint32_t[3]", { min1: u32, min5: u32, min15: u32 });
/** Heartbeat round trips to one peer, in microseconds. */
const PingTimes = record("osd_stat_t::Interfaces", {
  lastUpdate: u32,
  backPingtime: three,
  backMin: three,
  backMax: three,
  backLast: u32,
  frontPingtime: three,
  frontMin: three,
  frontMax: three,
  frontLast: u32,
});

/** One OSD's space and load. The sizes in KiB repeat `statfs` for old readers. */
export const OsdStat = struct(
  "osd_stat_t",
  { v: 14, oldest: 14, compat: 2 },
  {
    kb: s64n,
    kbUsed: s64n,
    kbAvail: s64n,
    snapTrimQueueLen: s32,
    numSnapTrimming: s32,
    hbPeers: osds,
    hbOut: fixed(u32, 0),
    opQueueAgeHist: Histogram,
    perfStat: PerfStat,
    upFrom: u32,
    seq: u64n,
    numPgs: u32,
    kbUsedData: s64n,
    kbUsedOmap: s64n,
    kbUsedMeta: s64n,
    statfs: StoreStatfs,
    /** OSD → alert → text. */
    osAlerts: map(s32, map(str, str)),
    numShardsRepaired: u64n,
    numOsds: u32,
    numPerPoolOsds: u32,
    numPerPoolOmapOsds: u32,
    hbPingtime: map(s32, PingTimes),
  },
);
export type OsdStat = Infer<typeof OsdStat>;

const SUM_KEYS = [
  "numBytes",
  "numObjects",
  "numObjectClones",
  "numObjectCopies",
  "numObjectsMissingOnPrimary",
  "numObjectsDegraded",
  "numObjectsUnfound",
  "numRd",
  "numRdKb",
  "numWr",
  "numWrKb",
  "numScrubErrors",
  "numObjectsRecovered",
  "numBytesRecovered",
  "numKeysRecovered",
  "numShallowScrubErrors",
  "numDeepScrubErrors",
  "numObjectsDirty",
  "numWhiteouts",
  "numObjectsOmap",
  "numObjectsHitSetArchive",
  "numObjectsMisplaced",
  "numBytesHitSetArchive",
  "numFlush",
  "numFlushKb",
  "numEvict",
  "numEvictKb",
  "numPromote",
  "numFlushModeHigh",
  "numFlushModeLow",
  "numEvictModeSome",
  "numEvictModeFull",
  "numObjectsPinned",
  "numObjectsMissing",
  "numLegacySnapsets",
  "numLargeOmapObjects",
  "numObjectsManifest",
  "numOmapBytes",
  "numOmapKeys",
  "numObjectsRepaired",
] as const satisfies readonly (keyof ObjectStatSum)[];

const STATFS_KEYS = [
  "total",
  "available",
  "internallyReserved",
  "allocated",
  "dataStored",
  "dataCompressed",
  "dataCompressedAllocated",
  "dataCompressedOriginal",
  "omapAllocated",
  "internalMetadata",
] as const satisfies readonly (keyof StoreStatfs)[];

type Numbers<K extends string> = Record<K, number>;

function zeros<K extends string>(keys: readonly K[]): Numbers<K> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Numbers<K>;
}

export function newObjectStatSum(): ObjectStatSum {
  return zeros(SUM_KEYS);
}

export function newStoreStatfs(): StoreStatfs {
  return zeros(STATFS_KEYS);
}

export function newPoolStat(): PoolStat {
  return {
    stats: { sum: newObjectStatSum() },
    logSize: 0,
    ondiskLogSize: 0,
    up: 0,
    acting: 0,
    storeStats: newStoreStatfs(),
    numStoreStats: 0,
  };
}

/** Adds `delta` to `to`, in place. */
export function addObjectStatSum(to: ObjectStatSum, delta: ObjectStatSum): void {
  for (const key of SUM_KEYS) to[key] += delta[key];
}

/** Takes `delta` from `from`, in place. */
export function subtractObjectStatSum(from: ObjectStatSum, delta: ObjectStatSum): void {
  for (const key of SUM_KEYS) from[key] -= delta[key];
}

export function addStoreStatfs(to: StoreStatfs, delta: StoreStatfs): void {
  for (const key of STATFS_KEYS) to[key] += delta[key];
}

export function subtractStoreStatfs(from: StoreStatfs, delta: StoreStatfs): void {
  for (const key of STATFS_KEYS) from[key] -= delta[key];
}

/** Counts one PG into its pool, in place. */
export function addPgToPool(to: PoolStat, pg: PgStat): void {
  addObjectStatSum(to.stats.sum, pg.stats.sum);
  to.logSize += pg.logSize;
  to.ondiskLogSize += pg.ondiskLogSize;
  to.up += pg.up.length;
  to.acting += pg.acting.length;
}

/** A PG nothing has been written to, of which nothing is known. */
export function newPgStat(): PgStat {
  return {
    version: EVERSION_ZERO,
    reportedSeq: 0,
    reportedEpoch: 0,
    state: 0,
    logStart: EVERSION_ZERO,
    ondiskLogStart: EVERSION_ZERO,
    created: 0,
    lastEpochClean: 0,
    parent: { pool: 0, seed: 0 },
    parentSplitBits: 0,
    lastScrub: EVERSION_ZERO,
    lastScrubStamp: UTIME_ZERO,
    stats: { sum: newObjectStatSum() },
    logSize: 0,
    ondiskLogSize: 0,
    up: [],
    acting: [],
    lastFresh: UTIME_ZERO,
    lastChange: UTIME_ZERO,
    lastActive: UTIME_ZERO,
    lastClean: UTIME_ZERO,
    lastUnstale: UTIME_ZERO,
    mappingEpoch: 0,
    lastDeepScrub: EVERSION_ZERO,
    lastDeepScrubStamp: UTIME_ZERO,
    statsInvalid: false,
    lastCleanScrubStamp: UTIME_ZERO,
    lastBecameActive: UTIME_ZERO,
    dirtyStatsInvalid: false,
    upPrimary: -1,
    actingPrimary: -1,
    omapStatsInvalid: false,
    hitsetStatsInvalid: false,
    blockedBy: [],
    lastUndegraded: UTIME_ZERO,
    lastFullsized: UTIME_ZERO,
    hitsetBytesStatsInvalid: false,
    lastPeered: UTIME_ZERO,
    lastBecamePeered: UTIME_ZERO,
    pinStatsInvalid: false,
    snaptrimqLen: 0,
    purgedSnaps: new IntervalSet(),
    manifestStatsInvalid: false,
    availNoMissing: [],
    objectLocationCounts: [],
  };
}
