/**
 * From object to PG, and from PG to OSDs.
 *
 * A PG's up set is what CRUSH and upmap give, without OSDs that are down; its acting set is pg_temp's if
 * there is one, else the up set. Answers are kept for as long as the map object lives. Where releases place
 * differently it is by what the map requires of its OSDs, so that all who have the map agree.
 * ceph: src/osd/OSDMap.cc OSDMap::_pg_to_up_acting_osds
 */

import { CRUSH_ITEM_NONE, crushHash32x2, doRule, findRule } from "../crush/index.ts";
import { objectHash, PgId, stableMod, stableModMask } from "../types/index.ts";
import {
  CEPH_RELEASE,
  isUp,
  OSD_OUT,
  type OsdMap,
  osdExists,
  PRIMARY_AFFINITY_DEFAULT,
} from "./osd-map.ts";
import { type PgKey, pgKey } from "./pg-key.ts";
import { canShiftOsds, type PgPool, POOL_FLAG, POOL_FLAG_EC_OPTIMIZATIONS } from "./pg-pool.ts";

/** Where a PG is. Holes of an erasure-coded PG are CRUSH_ITEM_NONE; no primary is -1. */
export interface PgMapping {
  readonly up: readonly number[];
  readonly upPrimary: number;
  readonly acting: readonly number[];
  readonly actingPrimary: number;
  /** Place of the acting primary in `acting`; -1 in replicated pools, which have no shards. */
  readonly actingShard: number;
}

export interface Locator {
  readonly pool: number;
  readonly nspace: string;
  /** Hashed in place of the name unless "". */
  readonly key: string;
  /** Placement hash in place of the name's, below 2^31; negative for none. @default -1 */
  readonly hash?: number;
}

const NOWHERE: PgMapping = Object.freeze({
  up: [],
  upPrimary: -1,
  acting: [],
  actingPrimary: -1,
  actingShard: -1,
});

/** The PG that a 32-bit placement hash falls into; `pg.seed` is below pgNum. */
export function pgOfHash(pool: PgPool, poolId: number, hash: number): PgId {
  return { pool: poolId, seed: stableMod(hash, pool.pgNum, stableModMask(pool.pgNum)) };
}

/**
 * Hash and PG of an object; undefined if there is no such pool. Names are byte strings.
 */
export function locateObject(
  map: OsdMap,
  locator: Locator,
  name: string,
): { hash: number; pg: PgId } | undefined {
  const pool = map.pools.get(locator.pool);
  if (pool === undefined) return undefined;
  const { nspace, key } = locator;
  const given = locator.hash ?? -1;
  const hash = given >= 0 ? given : objectHash(name, nspace, key, pool.objectHash);
  return { hash, pg: pgOfHash(pool, locator.pool, hash) };
}

/** What CRUSH is asked: seeds of different pools must not fall together. */
function placementSeed(pool: PgPool, pg: PgId): number {
  const seed = stableMod(pg.seed, pool.pgpNum, stableModMask(pool.pgpNum));
  return (pool.flags & POOL_FLAG.HASHPSPOOL) !== 0
    ? crushHash32x2(seed, pg.pool)
    : (seed + pg.pool) >>> 0;
}

/** `osds` without those that fail `keep`: closed up, or with holes. */
function filtered(pool: PgPool, osds: readonly number[], keep: (osd: number) => boolean): number[] {
  return canShiftOsds(pool)
    ? osds.filter(keep)
    : osds.map((osd) => (keep(osd) ? osd : CRUSH_ITEM_NONE));
}

/**
 * What CRUSH gives. Up to Pacific a pool's rule was looked up by its type and size as well, and counted as
 * missing if they did not fit; MSR rules are of types that no pool has.
 */
function rawOsds(map: OsdMap, pool: PgPool, poolId: number, seed: number): number[] {
  const rule =
    map.requireOsdRelease >= CEPH_RELEASE.QUINCY
      ? pool.crushRule
      : findRule(map.crush, pool.crushRule, pool.type, pool.size);
  if (rule < 0) return [];
  const input = { x: seed, resultMax: pool.size, weights: map.osdWeight, chooseArgsPool: poolId };
  return doRule(map.crush, rule, input);
}

/** An upmap may not send data to an OSD that is out. */
function isTargetOut(map: OsdMap, osd: number): boolean {
  return osd >= 0 && osd < map.maxOsd && map.osdWeight[osd] === OSD_OUT;
}

function applyUpmap(map: OsdMap, key: PgKey, raw: number[]): number[] {
  let osds = raw;
  const whole = map.pgUpmap.get(key);
  if (whole !== undefined) {
    // Ignored entirely, items and primary too, if any of its targets is out.
    if (whole.some((osd) => isTargetOut(map, osd))) return raw;
    osds = [...whole];
  }
  for (const [from, to] of map.pgUpmapItems.get(key) ?? []) {
    if (osds.includes(to) || isTargetOut(map, to)) continue;
    const at = osds.indexOf(from);
    if (at >= 0) osds[at] = to;
  }
  const primary = map.pgUpmapPrimaries.get(key);
  if (primary !== undefined && (map.osdWeight[primary] ?? OSD_OUT) !== OSD_OUT) {
    const at = osds.indexOf(primary);
    if (at > 0) [osds[0], osds[at]] = [primary, osds[0]!];
  }
  return osds;
}

function firstOf(osds: readonly number[]): number {
  return osds.find((osd) => osd !== CRUSH_ITEM_NONE) ?? -1;
}

/** The primary by affinity; moves it to the front of `osds` where order carries no meaning. */
function pickPrimary(map: OsdMap, pool: PgPool, seed: number, osds: number[]): number {
  const affinity = (osd: number) => map.osdPrimaryAffinity[osd] ?? PRIMARY_AFFINITY_DEFAULT;
  const candidates = osds.filter((osd) => osd !== CRUSH_ITEM_NONE);
  if (candidates.every((osd) => affinity(osd) === PRIMARY_AFFINITY_DEFAULT)) return firstOf(osds);
  // Hash PG and OSD together, so that the right fraction of an OSD's PGs declines.
  const chosen = candidates.find(
    (osd) =>
      affinity(osd) >= PRIMARY_AFFINITY_DEFAULT || crushHash32x2(seed, osd) >>> 16 < affinity(osd),
  );
  const primary = chosen ?? candidates[0]!;
  const at = osds.indexOf(primary);
  if (canShiftOsds(pool) && at > 0) {
    osds.splice(at, 1);
    osds.unshift(primary);
  }
  return primary;
}

/** Are shards that cannot be primary put last in the pool's pg_temp?  ceph: OSDMap::pgtemp_primaryfirst */
function hasPrimariesFirst(pool: PgPool): boolean {
  return (pool.flags & POOL_FLAG_EC_OPTIMIZATIONS) !== 0;
}

/** The shard that each entry of a pg_temp is for. */
function shardsOfTemp(pool: PgPool, length: number): number[] {
  const shards = Array.from({ length }, (_, shard) => shard);
  if (!hasPrimariesFirst(pool)) return shards;
  const isLast = (shard: number) => pool.nonprimaryShards.has(shard);
  return [...shards.filter((shard) => !isLast(shard)), ...shards.filter(isLast)];
}

function placement(map: OsdMap, pool: PgPool, pg: PgId, seed: number): number[] {
  const raw = rawOsds(map, pool, pg.pool, seed);
  const existing = filtered(pool, raw, (osd) => osdExists(map, osd));
  return applyUpmap(map, pgKey(pg), existing);
}

/** Would any PG of `before` be kept by another OSD in `after`, whoever is down? */
export function movesPgs(before: OsdMap, after: OsdMap): boolean {
  for (const [id, pool] of before.pools) {
    for (let n = 0; n < pool.pgNum; n++) {
      const pg = { pool: id, seed: n };
      const seed = placementSeed(pool, pg);
      const osds = placement(before, pool, pg, seed);
      if (placement(after, pool, pg, seed).some((osd) => !osds.includes(osd))) return true;
    }
  }
  return false;
}

function computeMapping(map: OsdMap, pool: PgPool, pg: PgId): PgMapping {
  const key = pgKey(pg);
  const seed = placementSeed(pool, pg);
  const upOsd = (osd: number) => isUp(map, osd);
  const up = filtered(pool, placement(map, pool, pg, seed), upOsd);
  const upPrimary = pickPrimary(map, pool, seed, up);
  const temp = filtered(pool, map.pgTemp.get(key) ?? [], upOsd);
  const tempPrimary = map.primaryTemp.get(key) ?? firstOf(temp);
  if (temp.length === 0) {
    const actingPrimary = tempPrimary === -1 ? upPrimary : tempPrimary;
    const actingShard = canShiftOsds(pool) ? -1 : up.indexOf(actingPrimary);
    return { up, upPrimary, acting: up, actingPrimary, actingShard };
  }
  const shards = shardsOfTemp(pool, temp.length);
  const acting: number[] = [];
  temp.forEach((osd, i) => {
    acting[shards[i]!] = osd;
  });
  // An OSD that has two shards is meant as the one that comes first in pg_temp.
  const actingShard = canShiftOsds(pool) ? -1 : (shards[temp.indexOf(tempPrimary)] ?? -1);
  return { up, upPrimary, acting, actingPrimary: tempPrimary, actingShard };
}

/** Mappings by pool, then seed. A map's own, and gone with it. */
const cache = new WeakMap<OsdMap, Map<number, PgMapping[]>>();

/** Where a PG is in this epoch; empty sets if it does not exist. */
export function mapPg(map: OsdMap, pg: PgId): PgMapping {
  const pool = map.pools.get(pg.pool);
  if (pool === undefined || pg.seed >= pool.pgNum) return NOWHERE;
  let byPool = cache.get(map);
  if (byPool === undefined) cache.set(map, (byPool = new Map()));
  let bySeed = byPool.get(pg.pool);
  if (bySeed === undefined) byPool.set(pg.pool, (bySeed = []));
  return (bySeed[pg.seed] ??= computeMapping(map, pool, pg));
}
