/**
 * Where a request goes by one epoch of the map, whether it may go, and what makes it go again.
 *
 * ceph: src/osdc/Objecter.cc _calc_target, target_should_be_paused; src/osd/OSDMap.cc primary_changed_broken;
 * src/osd/osd_types.cc is_new_interval
 */

import {
  isUp,
  mapPg,
  OSDMAP_FLAG,
  type OsdMap,
  type PgMapping,
  type PgPool,
  POOL_FLAG,
  pgOfHash,
} from "../maps/index.ts";
import { OSD_FLAG } from "../messages/index.ts";
import { type PgId, type SpgId, stableModMask } from "../types/index.ts";

/** What of a request decides where it goes. */
export interface Aim {
  readonly pool: number;
  /** Placement hash: the object's, or where a listing is. */
  readonly hash: number;
  /** OSD_FLAG bits. */
  readonly flags: number;
}

export interface Target {
  /** After tiering: the pool that the OSD is asked for. */
  readonly pool: number;
  readonly pg: PgId;
  readonly spg: SpgId;
  /** The group's acting primary, which is up. */
  readonly osd: number;
  /** What a watch is forgotten with: changes with the group's interval. */
  readonly interval: string;
  /** What a plain request is forgotten with: another primary, a split or merge, or the monitors' word. */
  readonly tenure: string;
}

interface Terms {
  readonly interval: string;
  readonly tenure: string;
}

/** By mapping, which belongs to one group in one map. */
const termsOf = new WeakMap<PgMapping, Terms>();

/** How many hashes share the group, as a power of two: changes when the group splits or is merged. */
function shareOf(seed: number, pgNum: number): number {
  const mask = stableModMask(pgNum);
  const half = (mask + 1) / 2;
  return seed >= half || seed + half < pgNum ? mask : mask >>> 1;
}

function computeTerms(pg: PgId, pool: PgPool, mapping: PgMapping): Terms {
  const { up, upPrimary, acting, actingPrimary } = mapping;
  const { pgNum, pgNumPending, size, minSize, lastForceOpResend } = pool;
  const { peeringCrushBucketCount, peeringCrushBucketTarget, peeringCrushBucketBarrier } = pool;
  // The same OSD as another shard is another primary: what the old shard has is not the new one's.
  const rank = acting.indexOf(actingPrimary);
  const share = shareOf(pg.seed, pgNum);
  const tenure = [pg.seed, share, actingPrimary, rank, lastForceOpResend].join();
  const sets = [upPrimary, up, "", acting, size, minSize];
  // A merge begins when the number to come falls below the group's own.
  const merges = pg.seed >= pgNumPending;
  const stretch = [
    peeringCrushBucketCount,
    peeringCrushBucketTarget,
    peeringCrushBucketBarrier,
    pool.peeringCrushMandatoryMember,
  ];
  return { tenure, interval: [tenure, ...sets, merges, ...stretch].join() };
}

/** Tiers take the requests of the pool they are before, unless the client says that it means the pool. */
function tierOf(pool: PgPool, id: number, flags: number): number {
  if ((flags & OSD_FLAG.IGNORE_OVERLAY) !== 0) return id;
  if ((flags & OSD_FLAG.WRITE) !== 0 && pool.writeTier >= 0) return pool.writeTier;
  if ((flags & OSD_FLAG.READ) !== 0 && pool.readTier >= 0) return pool.readTier;
  return id;
}

/** Undefined while there is nobody to send to, or no such pool. */
export function targetOf(map: OsdMap, aim: Aim): Target | undefined {
  const base = map.pools.get(aim.pool);
  if (base === undefined) return undefined;
  const poolId = tierOf(base, aim.pool, aim.flags);
  const pool = map.pools.get(poolId);
  if (pool === undefined) return undefined;
  const pg = pgOfHash(pool, poolId, aim.hash);
  const mapping = mapPg(map, pg);
  const osd = mapping.actingPrimary;
  if (osd < 0 || !isUp(map, osd)) return undefined;
  let terms = termsOf.get(mapping);
  if (terms === undefined) termsOf.set(mapping, (terms = computeTerms(pg, pool, mapping)));
  const shard = mapping.actingShard;
  const { interval, tenure } = terms;
  return { pool: poolId, pg, spg: { pgid: pg, shard }, osd, interval, tenure };
}

/** Is a request held back while there is no space? Others take ENOSPC for an answer. */
export function respectsFull({ flags }: Pick<Aim, "flags">): boolean {
  return (
    (flags & OSD_FLAG.WRITE) !== 0 && (flags & (OSD_FLAG.FULL_TRY | OSD_FLAG.FULL_FORCE)) === 0
  );
}

/** Is there no space, in the cluster or in the pool? */
export function isFull(map: OsdMap, pool: number): boolean {
  const flags = map.pools.get(pool)?.flags ?? 0;
  return (map.flags & OSDMAP_FLAG.FULL) !== 0 || (flags & POOL_FLAG.FULL) !== 0;
}

/** Does the map tell clients to hold such requests? */
export function isPaused(map: OsdMap, aim: Aim): boolean {
  const { flags, pool } = aim;
  if ((flags & OSD_FLAG.READ) !== 0 && (map.flags & OSDMAP_FLAG.PAUSERD) !== 0) return true;
  if ((flags & OSD_FLAG.WRITE) !== 0 && (map.flags & OSDMAP_FLAG.PAUSEWR) !== 0) return true;
  return respectsFull(aim) && isFull(map, pool);
}
