/**
 * A pool: how its objects are hashed to placement groups, copied, limited and snapshotted.
 *
 * Part of an OSD map, so never changed in place: `{ ...pool, quotaMaxBytes: n }`. Names, profile and
 * application metadata are byte strings.
 * ceph: src/osd/osd_types.h pg_pool_t
 */

import {
  bool,
  type Codec,
  EMPTY,
  f64,
  fixed,
  type Infer,
  map,
  record,
  s32,
  s64n,
  set,
  str,
  struct,
  u8,
  u32,
  u64,
  u64n,
} from "../encoding/index.ts";
import {
  EVERSION_ZERO,
  EVersion,
  IntervalSet,
  IntervalSetCodec,
  OBJECT_HASH,
  PgId,
  UTIME_ZERO,
  Utime,
} from "../types/index.ts";
import { ShardSet } from "./shard-set.ts";

export const POOL_TYPE = { REPLICATED: 1, ERASURE: 3 } as const;
/** pg_pool_t FLAG_*; listed in the order of the bits. */
export const POOL_FLAG = {
  HASHPSPOOL: 1 << 0,
  FULL: 1 << 1,
  EC_OVERWRITES: 1 << 2,
  INCOMPLETE_CLONES: 1 << 3,
  NODELETE: 1 << 4,
  NOPGCHANGE: 1 << 5,
  NOSIZECHANGE: 1 << 6,
  WRITE_FADVISE_DONTNEED: 1 << 7,
  NOSCRUB: 1 << 8,
  NODEEP_SCRUB: 1 << 9,
  /** Over quota; FULL is set with it. */
  FULL_QUOTA: 1 << 10,
  NEARFULL: 1 << 11,
  BACKFILLFULL: 1 << 12,
  SELFMANAGED_SNAPS: 1 << 13,
  POOL_SNAPS: 1 << 14,
  CREATING: 1 << 15,
} as const;

/** Of erasure-coded pools of Tentacle and later; no flag that 16.2 has a name for. */
export const POOL_FLAG_EC_OPTIMIZATIONS = 1 << 19;

/** Text of each flag, as `osd dump` and `osd pool set` have it. */
export const POOL_FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = Object.entries(
  POOL_FLAG,
).map(([name, flag]) => [flag, name === "NODEEP_SCRUB" ? "nodeep-scrub" : name.toLowerCase()]);

export const PG_AUTOSCALE_MODE = { OFF: 0, WARN: 1, ON: 2, UNKNOWN: 255 } as const;
export const CACHE_MODE = {
  NONE: 0,
  WRITEBACK: 1,
  FORWARD: 2,
  READONLY: 3,
  READFORWARD: 4,
  READPROXY: 5,
  PROXY: 6,
} as const;

/** A snapshot of the whole pool ("pool snaps" mode). */
export const PoolSnapInfo = struct(
  "pool_snap_info_t",
  { v: 2, oldest: 2, compat: 2 },
  {
    snapid: u64,
    stamp: Utime,
    name: str,
  },
);
export type PoolSnapInfo = Infer<typeof PoolSnapInfo>;

/** A pool option's value. The type is fixed by the option (see POOL_OPTS). */
export type PoolOpt =
  | { readonly type: "str"; readonly value: string }
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "double"; readonly value: number };

/** Names, keys and types of pool options, in the order of their names.  ceph: pool_opts_t */
export const POOL_OPTS: Readonly<Record<string, { key: number; type: PoolOpt["type"] }>> = {
  compression_algorithm: { key: 7, type: "str" },
  compression_max_blob_size: { key: 9, type: "int" },
  compression_min_blob_size: { key: 10, type: "int" },
  compression_mode: { key: 6, type: "str" },
  compression_required_ratio: { key: 8, type: "double" },
  csum_max_block: { key: 12, type: "int" },
  csum_min_block: { key: 13, type: "int" },
  csum_type: { key: 11, type: "int" },
  dedup_cdc_chunk_size: { key: 22, type: "int" },
  dedup_chunk_algorithm: { key: 21, type: "str" },
  dedup_tier: { key: 20, type: "int" },
  deep_scrub_interval: { key: 2, type: "double" },
  fingerprint_algorithm: { key: 14, type: "str" },
  pg_autoscale_bias: { key: 18, type: "double" },
  pg_num_max: { key: 23, type: "int" },
  pg_num_min: { key: 15, type: "int" },
  read_lease_interval: { key: 19, type: "double" },
  recovery_op_priority: { key: 4, type: "int" },
  recovery_priority: { key: 3, type: "int" },
  scrub_max_interval: { key: 1, type: "double" },
  scrub_min_interval: { key: 0, type: "double" },
  scrub_priority: { key: 5, type: "int" },
  target_size_bytes: { key: 16, type: "int" },
  target_size_ratio: { key: 17, type: "double" },
};

const OPT_STR = 0;
const OPT_INT = 1;
const OPT_DOUBLE = 2;

/* One option: s32 key is read by the map; s32 type; then str, s64 or f64. */
const PoolOptValue: Codec<PoolOpt> = {
  name: "pool_opts_t::value_t",
  minSize: 8,
  encode(w, x) {
    switch (x.type) {
      case "str":
        w.s32(OPT_STR);
        w.str(x.value);
        break;
      case "int":
        w.s32(OPT_INT);
        w.s64n(x.value);
        break;
      case "double":
        w.s32(OPT_DOUBLE);
        w.f64(x.value);
        break;
    }
  },
  decode(r) {
    const type = r.s32();
    if (type === OPT_STR) return { type: "str", value: r.str() };
    if (type === OPT_INT) return { type: "int", value: r.s64n() };
    if (type === OPT_DOUBLE) return { type: "double", value: f64.decode(r) };
    throw r.fail(`pool option of type ${type}`);
  },
};

/** By option key. */
const PoolOpts = struct("pool_opts_t", { v: 2, oldest: 2 }, { opts: map(s32, PoolOptValue) });
type PoolOpts = Infer<typeof PoolOpts>;
const poolOpts: Codec<Map<number, PoolOpt>> = {
  name: PoolOpts.name,
  minSize: PoolOpts.minSize,
  encode: (w, x) => PoolOpts.encode(w, { opts: x }),
  decode: (r) => PoolOpts.decode(r).opts,
};

/** What the last merge of PGs was; all zero before the first. */
export const PgMergeMeta = struct(
  "pg_merge_meta_t",
  { v: 1 },
  {
    sourcePgid: PgId,
    readyEpoch: u32,
    lastEpochStarted: u32,
    lastEpochClean: u32,
    sourceVersion: EVersion,
    targetVersion: EVersion,
  },
);
export type PgMergeMeta = Infer<typeof PgMergeMeta>;

/** Cache-tier hit sets: which kind (0: none), and that kind's parameters as bytes. */
export interface HitSetParams {
  type: number;
  params: Uint8Array;
}
const HitSetParams: Codec<HitSetParams> = {
  name: "HitSet::Params",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(1, 1);
    w.u8(x.type);
    w.bytes(x.params);
    w.end(mark);
  },
  decode(r) {
    r.begin("HitSet::Params", 1);
    const type = r.u8();
    const params = r.remaining === 0 ? EMPTY : Uint8Array.from(r.view(r.remaining));
    r.finish();
    return { type, params };
  },
};

/** Fields of every pool. Zeros are localized pgs and crash replay, both gone. */
const PoolBody = record("pg_pool_t", {
  type: u8,
  size: u8,
  crushRule: u8,
  /** OBJECT_HASH */
  objectHash: u8,
  pgNum: u32,
  pgpNum: u32,
  lpgNum: fixed(u32, 0),
  lpgpNum: fixed(u32, 0),
  /** Epoch of the last change. */
  lastChange: u32,
  /** Newest snap id given out. */
  snapSeq: u64,
  snapEpoch: u32,
  snaps: map(u64, PoolSnapInfo),
  /** Only used by pools from before Mimic. */
  removedSnaps: IntervalSetCodec,
  auid: u64,
  flags: u64n,
  crashReplayInterval: fixed(u32, 0),
  minSize: u8,
  /** 0: no limit. */
  quotaMaxBytes: u64n,
  quotaMaxObjects: u64n,
  tiers: set(u64n),
  tierOf: s64n,
  cacheMode: u8,
  readTier: s64n,
  writeTier: s64n,
  properties: map(str, str),
  hitSetParams: HitSetParams,
  hitSetPeriod: u32,
  hitSetCount: u32,
  /** Bytes; 0 for replicated pools. */
  stripeWidth: u32,
  targetMaxBytes: u64n,
  targetMaxObjects: u64n,
  cacheTargetDirtyRatioMicro: u32,
  cacheTargetFullRatioMicro: u32,
  cacheMinFlushAge: u32,
  cacheMinEvictAge: u32,
  erasureCodeProfile: str,
  lastForceOpResendPreluminous: u32,
  minReadRecencyForPromote: s32,
  expectedNumObjects: u64n,
  cacheTargetDirtyHighRatioMicro: u32,
  minWriteRecencyForPromote: s32,
  useGmtHitset: bool,
  fastRead: bool,
  hitSetGradeDecayRate: s32,
  hitSetSearchLastN: u32,
  /** By key (see POOL_OPTS). */
  opts: poolOpts,
  lastForceOpResendPrenautilus: u32,
  applicationMetadata: map(str, map(str, str)),
  createTime: Utime,
  pgNumTarget: u32,
  pgpNumTarget: u32,
  pgNumPending: u32,
  pgNumDecLastEpochStarted: fixed(u32, 0),
  pgNumDecLastEpochClean: fixed(u32, 0),
  lastForceOpResend: u32,
  pgAutoscaleMode: u8,
  lastPgMergeMeta: PgMergeMeta,
});

/** Stretch mode; all zero without it, and then not on the wire. */
const PoolStretch = record("pg_pool_t", {
  peeringCrushBucketCount: u32,
  peeringCrushBucketTarget: u32,
  peeringCrushBucketBarrier: u32,
  peeringCrushMandatoryMember: s32,
});
/** CRUSH_ITEM_NONE: no member is mandatory. */
const NO_STRETCH: Infer<typeof PoolStretch> = Object.freeze({
  peeringCrushBucketCount: 0,
  peeringCrushBucketTarget: 0,
  peeringCrushBucketBarrier: 0,
  peeringCrushMandatoryMember: 0x7fff_ffff,
});

export type PgPool = Infer<typeof PoolBody> &
  Infer<typeof PoolStretch> & {
    /** Shards that cannot be a PG's primary: they miss what only the others are written. */
    readonly nonprimaryShards: ReadonlySet<number>;
  };

const POOL_V = 29;
const POOL_STRETCH_V = 30;
const POOL_OPTIONAL_STRETCH_V = 31;
const POOL_SHARDS_V = 32;
const NO_SHARDS: ReadonlySet<number> = new Set();

/*
 * hdr(29,5) as in PoolBody; hdr(30,5) with PoolStretch behind it for a stretch pool. Squid writes 31, with a
 * byte before PoolStretch that tells if it is there, Tentacle 32, with the set of nonprimary shards behind.
 * The lowest version that loses nothing is written.
 */
export const PgPool: Codec<PgPool> = {
  name: "pg_pool_t",
  minSize: 6,
  encode(w, x) {
    const stretch = x.peeringCrushBucketCount > 0;
    const plainV = stretch ? POOL_STRETCH_V : POOL_V;
    const v = x.nonprimaryShards.size > 0 ? POOL_SHARDS_V : plainV;
    const mark = w.begin(v, 5);
    PoolBody.encode(w, x);
    if (v >= POOL_OPTIONAL_STRETCH_V) w.u8(stretch ? 1 : 0);
    if (stretch) PoolStretch.encode(w, x);
    if (v >= POOL_SHARDS_V) ShardSet.encode(w, x.nonprimaryShards);
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("pg_pool_t", POOL_SHARDS_V);
    if (v < POOL_V) throw r.fail(`version ${v} is older than ${POOL_V}`);
    const body = PoolBody.decode(r);
    const isStretch = v >= POOL_OPTIONAL_STRETCH_V ? r.bool() : v === POOL_STRETCH_V;
    const stretch = isStretch ? PoolStretch.decode(r) : NO_STRETCH;
    const nonprimaryShards = v >= POOL_SHARDS_V ? ShardSet.decode(r) : NO_SHARDS;
    r.finish();
    return { ...body, ...stretch, nonprimaryShards };
  },
};

/** A replicated pool as `osd pool create` makes one; the caller sets what differs. */
export function newPool(fields: Partial<PgPool> & { pgNum: number; size: number }): PgPool {
  const { pgNum } = fields;
  return {
    type: POOL_TYPE.REPLICATED,
    crushRule: 0,
    objectHash: OBJECT_HASH.RJENKINS,
    pgpNum: pgNum,
    lastChange: 0,
    snapSeq: 0n,
    snapEpoch: 0,
    snaps: new Map(),
    removedSnaps: new IntervalSet(),
    auid: 0n,
    flags: POOL_FLAG.HASHPSPOOL,
    minSize: fields.size - Math.floor(fields.size / 2),
    quotaMaxBytes: 0,
    quotaMaxObjects: 0,
    tiers: new Set(),
    tierOf: -1,
    cacheMode: CACHE_MODE.NONE,
    readTier: -1,
    writeTier: -1,
    properties: new Map(),
    hitSetParams: { type: 0, params: EMPTY },
    hitSetPeriod: 0,
    hitSetCount: 0,
    stripeWidth: 0,
    targetMaxBytes: 0,
    targetMaxObjects: 0,
    // What the monitor fills in from its defaults even where there is no cache tier.
    cacheTargetDirtyRatioMicro: 400_000,
    cacheTargetFullRatioMicro: 800_000,
    cacheMinFlushAge: 0,
    cacheMinEvictAge: 0,
    erasureCodeProfile: "",
    lastForceOpResendPreluminous: 0,
    minReadRecencyForPromote: 0,
    expectedNumObjects: 0,
    cacheTargetDirtyHighRatioMicro: 600_000,
    minWriteRecencyForPromote: 0,
    useGmtHitset: true,
    fastRead: false,
    hitSetGradeDecayRate: 0,
    hitSetSearchLastN: 0,
    opts: new Map(),
    lastForceOpResendPrenautilus: 0,
    applicationMetadata: new Map(),
    createTime: UTIME_ZERO,
    pgNumTarget: pgNum,
    pgpNumTarget: pgNum,
    pgNumPending: pgNum,
    lastForceOpResend: 0,
    pgAutoscaleMode: PG_AUTOSCALE_MODE.ON,
    lastPgMergeMeta: {
      sourcePgid: { pool: 0, seed: 0 },
      readyEpoch: 0,
      lastEpochStarted: 0,
      lastEpochClean: 0,
      sourceVersion: EVERSION_ZERO,
      targetVersion: EVERSION_ZERO,
    },
    ...NO_STRETCH,
    nonprimaryShards: NO_SHARDS,
    ...fields,
  };
}

/** May a lost OSD's place be closed up, or does every position mean a shard? */
export function canShiftOsds(pool: PgPool): boolean {
  return pool.type === POOL_TYPE.REPLICATED;
}

/** `hashpspool,selfmanaged_snaps`; "" for none. */
export function poolFlagNames(flags: number): string {
  return POOL_FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0)
    .map(([, name]) => name)
    .join(",");
}
