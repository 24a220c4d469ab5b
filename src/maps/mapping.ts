/**
 * From object to PG, and from PG to OSDs.
 *
 * A PG's up set is what CRUSH and upmap give, without OSDs that are down; its acting set is pg_temp's if
 * there is one, else the up set. Answers are kept for as long as the map object lives.
 * ceph: src/osd/OSDMap.cc OSDMap::_pg_to_up_acting_osds
 */

import { CRUSH_ITEM_NONE, crushHash32x2, doRule, findRule } from "../crush/index.ts";
import { objectHash, PgId, stableMod, stableModMask } from "../types/index.ts";
import { isUp, type OsdMap, PRIMARY_AFFINITY_DEFAULT } from "./osd-map.ts";
import { type PgKey, pgKey } from "./pg-key.ts";
import { canShiftOsds, type PgPool, POOL_FLAG } from "./pg-pool.ts";

/** Where a PG is. Holes of an erasure-coded PG are CRUSH_ITEM_NONE; no primary is -1. */
export interface PgMapping {
  readonly up: readonly number[];
  readonly upPrimary: number;
  readonly acting: readonly number[];
  readonly actingPrimary: number;
}

export interface Locator {
  readonly pool: number;
  readonly nspace: string;
  /** Hashed in place of the name unless "". */
  readonly key: string;
}

const NOWHERE: PgMapping = Object.freeze({ up: [], upPrimary: -1, acting: [], actingPrimary: -1 });

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
  const hash = objectHash(name, locator.nspace, locator.key);
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

/** An upmap may not send data to an OSD that is out. */
function isTargetOut(map: OsdMap, osd: number): boolean {
  return osd >= 0 && osd < map.maxOsd && map.osdWeight[osd] === 0;
}

function applyUpmap(map: OsdMap, key: PgKey, raw: number[]): number[] {
  let osds = raw;
  const whole = map.pgUpmap.get(key);
  if (whole !== undefined) {
    // Ignored entirely, items too, if any of its targets is out.
    if (whole.some((osd) => isTargetOut(map, osd))) return raw;
    osds = [...whole];
  }
  for (const [from, to] of map.pgUpmapItems.get(key) ?? []) {
    if (osds.includes(to) || isTargetOut(map, to)) continue;
    const at = osds.indexOf(from);
    if (at >= 0) osds[at] = to;
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

function computeMapping(map: OsdMap, pool: PgPool, pg: PgId): PgMapping {
  const key = pgKey(pg);
  const seed = placementSeed(pool, pg);
  const rule = findRule(map.crush, pool.crushRule, pool.type, pool.size);
  const raw =
    rule < 0
      ? []
      : doRule(map.crush, rule, {
          x: seed,
          resultMax: pool.size,
          weights: map.osdWeight,
          chooseArgsPool: pg.pool,
        });
  const exists = (osd: number) => ((map.osdState[osd] ?? 0) & 1) !== 0;
  const upOsd = (osd: number) => isUp(map, osd);
  const mapped = applyUpmap(map, key, filtered(pool, raw, exists));
  const up = filtered(pool, mapped, upOsd);
  const upPrimary = pickPrimary(map, pool, seed, up);
  const temp = filtered(pool, map.pgTemp.get(key) ?? [], upOsd);
  const tempPrimary = map.primaryTemp.get(key) ?? firstOf(temp);
  return temp.length > 0
    ? { up, upPrimary, acting: temp, actingPrimary: tempPrimary }
    : { up, upPrimary, acting: up, actingPrimary: tempPrimary === -1 ? upPrimary : tempPrimary };
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
