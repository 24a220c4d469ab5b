/**
 * A pool as `ceph osd dump`, `osd pool ls detail` and `osd pool get` show it.
 * ceph: src/osd/osd_types.cc pg_pool_t::dump, operator<<
 */

import { textOf } from "../encoding/index.ts";
import { formatEVersion, formatPgId, type IntervalSet, OBJECT_HASH } from "../types/index.ts";
import type { OsdMap } from "./osd-map.ts";
import {
  PG_AUTOSCALE_MODE,
  type PgPool,
  POOL_FLAG,
  POOL_OPTS,
  POOL_TYPE,
  poolFlagNames,
} from "./pg-pool.ts";
import { type DumpObject, dumpTextMap, floatText, timeText } from "./print-values.ts";

const AUTOSCALE_NAMES: Readonly<Record<number, string>> = {
  [PG_AUTOSCALE_MODE.OFF]: "off",
  [PG_AUTOSCALE_MODE.WARN]: "warn",
  [PG_AUTOSCALE_MODE.ON]: "on",
};
const CACHE_MODE_NAMES = [
  "none",
  "writeback",
  "forward",
  "readonly",
  "readforward",
  "readproxy",
  "proxy",
] as const;

export function autoscaleModeName(mode: number): string {
  return AUTOSCALE_NAMES[mode] ?? "???";
}

export function poolTypeName(type: number): string {
  return type === POOL_TYPE.REPLICATED
    ? "replicated"
    : type === POOL_TYPE.ERASURE
      ? "erasure"
      : "???";
}

/** `[1~2,5~1]` with hex numbers, as interval sets of snaps print. */
export function intervalSetText(x: IntervalSet): string {
  return `[${[...x].map(([start, n]) => `${start.toString(16)}~${n.toString(16)}`).join(",")}]`;
}

/** Options that are set, in the order of their names. */
function optsOf(pool: PgPool): [name: string, value: string | number][] {
  return Object.entries(POOL_OPTS).flatMap(([name, { key }]): [string, string | number][] => {
    const opt = pool.opts.get(key);
    if (opt === undefined) return [];
    return [[name, opt.type === "str" ? textOf(opt.value) : opt.value]];
  });
}

/** Weights of the last hit sets, in millionths, falling by the decay rate. */
function gradeTable(pool: PgPool): number[] {
  const grades: number[] = [];
  let grade = 1_000_000;
  for (let i = 0; i < pool.hitSetCount; i++) {
    grades.push(grade);
    grade = Math.trunc((grade * (100 - pool.hitSetGradeDecayRate)) / 100);
  }
  return grades;
}

/** A pool's JSON, without its id and name. */
export function dumpPool(p: PgPool): DumpObject {
  const merge = p.lastPgMergeMeta;
  return {
    create_time: timeText(p.createTime),
    flags: p.flags,
    flags_names: poolFlagNames(p.flags),
    type: p.type,
    size: p.size,
    min_size: p.minSize,
    crush_rule: p.crushRule,
    peering_crush_bucket_count: p.peeringCrushBucketCount,
    peering_crush_bucket_target: p.peeringCrushBucketTarget,
    peering_crush_bucket_barrier: p.peeringCrushBucketBarrier,
    peering_crush_bucket_mandatory_member: p.peeringCrushMandatoryMember,
    object_hash: p.objectHash,
    pg_autoscale_mode: autoscaleModeName(p.pgAutoscaleMode),
    pg_num: p.pgNum,
    pg_placement_num: p.pgpNum,
    pg_placement_num_target: p.pgpNumTarget,
    pg_num_target: p.pgNumTarget,
    pg_num_pending: p.pgNumPending,
    last_pg_merge_meta: {
      source_pgid: formatPgId(merge.sourcePgid),
      ready_epoch: merge.readyEpoch,
      last_epoch_started: merge.lastEpochStarted,
      last_epoch_clean: merge.lastEpochClean,
      source_version: formatEVersion(merge.sourceVersion),
      target_version: formatEVersion(merge.targetVersion),
    },
    last_change: String(p.lastChange),
    last_force_op_resend: String(p.lastForceOpResend),
    last_force_op_resend_prenautilus: String(p.lastForceOpResendPrenautilus),
    last_force_op_resend_preluminous: String(p.lastForceOpResendPreluminous),
    auid: p.auid,
    snap_mode: (p.flags & POOL_FLAG.POOL_SNAPS) !== 0 ? "pool" : "selfmanaged",
    snap_seq: p.snapSeq,
    snap_epoch: p.snapEpoch,
    pool_snaps: [...p.snaps.values()].map((s) => ({
      snapid: s.snapid,
      stamp: timeText(s.stamp),
      name: textOf(s.name),
    })),
    removed_snaps: intervalSetText(p.removedSnaps),
    quota_max_bytes: p.quotaMaxBytes,
    quota_max_objects: p.quotaMaxObjects,
    ...dumpTiering(p),
    stripe_width: p.stripeWidth,
    expected_num_objects: p.expectedNumObjects,
    fast_read: p.fastRead,
    options: Object.fromEntries(optsOf(p)),
    application_metadata: Object.fromEntries(
      [...p.applicationMetadata].map(([app, pairs]) => [textOf(app), dumpTextMap(pairs)]),
    ),
  };
}

function dumpTiering(p: PgPool): DumpObject {
  return {
    tiers: [...p.tiers],
    tier_of: p.tierOf,
    read_tier: p.readTier,
    write_tier: p.writeTier,
    cache_mode: CACHE_MODE_NAMES[p.cacheMode] ?? "unknown",
    target_max_bytes: p.targetMaxBytes,
    target_max_objects: p.targetMaxObjects,
    cache_target_dirty_ratio_micro: p.cacheTargetDirtyRatioMicro,
    cache_target_dirty_high_ratio_micro: p.cacheTargetDirtyHighRatioMicro,
    cache_target_full_ratio_micro: p.cacheTargetFullRatioMicro,
    cache_min_flush_age: p.cacheMinFlushAge,
    cache_min_evict_age: p.cacheMinEvictAge,
    erasure_code_profile: textOf(p.erasureCodeProfile),
    hit_set_params: {
      type: ["none", "explicit_hash", "explicit_object", "bloom"][p.hitSetParams.type] ?? "",
    },
    hit_set_period: p.hitSetPeriod,
    hit_set_count: p.hitSetCount,
    use_gmt_hitset: p.useGmtHitset,
    min_read_recency_for_promote: p.minReadRecencyForPromote,
    min_write_recency_for_promote: p.minWriteRecencyForPromote,
    hit_set_grade_decay_rate: p.hitSetGradeDecayRate,
    hit_set_search_last_n: p.hitSetSearchLastN,
    grade_table: gradeTable(p),
  };
}

const HASH_NAMES: ReadonlyMap<number, string> = new Map([
  [OBJECT_HASH.LINUX, "linux"],
  [OBJECT_HASH.RJENKINS, "rjenkins"],
]);

/** The words of a pool after its name. Of cache tiers, which cache nothing here, the basics only. */
function poolWords(p: PgPool): string {
  const when = (shown: boolean, text: string) => (shown ? text : "");
  const lfor = [
    p.lastForceOpResend,
    p.lastForceOpResendPrenautilus,
    p.lastForceOpResendPreluminous,
  ];
  const apps = [...p.applicationMetadata.keys()].map(textOf).join(",");
  const hash = HASH_NAMES.get(p.objectHash) ?? "unknown";
  return [
    poolTypeName(p.type),
    when(p.type === POOL_TYPE.ERASURE, ` profile ${textOf(p.erasureCodeProfile)}`),
    ` size ${p.size} min_size ${p.minSize} crush_rule ${p.crushRule} object_hash ${hash}`,
    ` pg_num ${p.pgNum} pgp_num ${p.pgpNum}`,
    when(p.pgNumTarget !== p.pgNum, ` pg_num_target ${p.pgNumTarget}`),
    when(p.pgpNumTarget !== p.pgpNum, ` pgp_num_target ${p.pgpNumTarget}`),
    when(p.pgNumPending !== p.pgNum, ` pg_num_pending ${p.pgNumPending}`),
    when(
      p.pgAutoscaleMode !== PG_AUTOSCALE_MODE.UNKNOWN,
      ` autoscale_mode ${autoscaleModeName(p.pgAutoscaleMode)}`,
    ),
    ` last_change ${p.lastChange}`,
    when(
      lfor.some((epoch) => epoch !== 0),
      ` lfor ${lfor.join("/")}`,
    ),
    when(p.auid !== 0n, ` owner ${p.auid}`),
    when(p.flags !== 0, ` flags ${poolFlagNames(p.flags)}`),
    when(p.quotaMaxBytes !== 0, ` max_bytes ${p.quotaMaxBytes}`),
    when(p.quotaMaxObjects !== 0, ` max_objects ${p.quotaMaxObjects}`),
    when(p.tiers.size > 0, ` tiers ${[...p.tiers].join(",")}`),
    when(p.tierOf >= 0, ` tier_of ${p.tierOf}`),
    when(p.readTier >= 0, ` read_tier ${p.readTier}`),
    when(p.writeTier >= 0, ` write_tier ${p.writeTier}`),
    when(p.cacheMode !== 0, ` cache_mode ${CACHE_MODE_NAMES[p.cacheMode]}`),
    when(p.targetMaxBytes !== 0, ` target_bytes ${p.targetMaxBytes}`),
    when(p.targetMaxObjects !== 0, ` target_objects ${p.targetMaxObjects}`),
    when(
      p.minReadRecencyForPromote !== 0,
      ` min_read_recency_for_promote ${p.minReadRecencyForPromote}`,
    ),
    when(
      p.minWriteRecencyForPromote !== 0,
      ` min_write_recency_for_promote ${p.minWriteRecencyForPromote}`,
    ),
    ` stripe_width ${p.stripeWidth}`,
    when(p.expectedNumObjects !== 0, ` expected_num_objects ${p.expectedNumObjects}`),
    when(p.fastRead, " fast_read 1"),
    ...optsOf(p).map(
      ([k, v]) => ` ${k} ${typeof v === "number" && !Number.isInteger(v) ? floatText(v) : v}`,
    ),
    when(apps !== "", ` application ${apps}`),
  ].join("");
}

/** The lines of one pool: itself, its snapshots, its removed snaps. */
export function poolLines(map: OsdMap, id: number, pool: PgPool): string[] {
  const name = textOf(map.poolNames.get(id) ?? "<unknown>");
  const lines = [`pool ${id} '${name}' ${poolWords(pool)}`];
  for (const s of pool.snaps.values()) {
    lines.push(`\tsnap ${s.snapid} '${textOf(s.name)}' ${timeText(s.stamp)}`);
  }
  if (!pool.removedSnaps.isEmpty)
    lines.push(`\tremoved_snaps ${intervalSetText(pool.removedSnaps)}`);
  const queue = map.removedSnapsQueue.get(id);
  if (queue !== undefined) lines.push(`\tremoved_snaps_queue ${intervalSetText(queue)}`);
  return lines;
}

/** `ceph osd pool ls detail`: ends with an empty line, as Ceph's does. */
export function poolsText(map: OsdMap): string {
  const lines = [...map.pools]
    .sort((a, b) => a[0] - b[0])
    .flatMap(([id, p]) => poolLines(map, id, p));
  return `${lines.map((line) => `${line}\n`).join("")}\n`;
}

/** `ceph osd pool ls detail -f json`, and the pools of `osd dump`. */
export function dumpPools(map: OsdMap): DumpObject[] {
  return [...map.pools]
    .sort((a, b) => a[0] - b[0])
    .map(([id, pool]) => ({
      pool: id,
      pool_name: textOf(map.poolNames.get(id) ?? "<unknown>"),
      ...dumpPool(pool),
    }));
}
