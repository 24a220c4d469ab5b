/**
 * Cache tiers, as far as they are in the map: which pool is a tier of which. Nothing here moves an object from
 * one pool to another, so what would send a client's request to another pool than the one it names is refused:
 * overlays, and every cache mode but `none` and `readonly`. A pool in mode `readonly` serves no objects.
 * ceph: src/mon/OSDMonitor.cc prepare_command_impl, _check_become_tier
 */

import { textOf } from "../../encoding/index.ts";
import { CACHE_MODE, type OsdMap, type PgPool, POOL_FLAG } from "../../maps/index.ts";
import type { PendingMap } from "./osd-map.ts";
import { Refusal, updatePool } from "./osd-pools.ts";

function nameOf(map: OsdMap, id: number): string {
  return textOf(map.poolNames.get(id) ?? "");
}

export function isTier(pool: PgPool): boolean {
  return pool.tierOf >= 0;
}

/**
 * Why a pool stays; undefined if it may go.
 * @param isAllowed mon_allow_pool_delete
 * ceph: src/mon/OSDMonitor.cc _check_remove_pool
 */
export function removalRefusal(map: OsdMap, id: number, isAllowed: boolean): Refusal | undefined {
  const tied = tierRefusal(map, id);
  if (tied !== undefined) return tied;
  if (!isAllowed) {
    return new Refusal(
      "EPERM",
      "pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool",
    );
  }
  if (((map.pools.get(id)?.flags ?? 0) & POOL_FLAG.NODELETE) === 0) return undefined;
  return new Refusal(
    "EPERM",
    "pool deletion is disabled; you must unset nodelete flag for the pool first",
  );
}

/** Pools that are tiers of others, or have them, stay until that is over. */
function tierRefusal(map: OsdMap, id: number): Refusal | undefined {
  const pool = map.pools.get(id);
  if (pool === undefined) return undefined;
  const name = nameOf(map, id);
  if (isTier(pool)) {
    return new Refusal("EBUSY", `pool '${name}' is a tier of '${nameOf(map, pool.tierOf)}'`);
  }
  if (pool.tiers.size === 0) return undefined;
  const tiers = [...pool.tiers].map((tier) => nameOf(map, tier));
  return new Refusal("EBUSY", `pool '${name}' has tiers ${tiers.join(" ")}`);
}

/** Two pools, by their numbers. */
export interface TierPair {
  readonly base: number;
  readonly tier: number;
}

/** Can one be a tier of the other? False: it is one already. */
export function checkBecomeTier(map: OsdMap, { base, tier }: TierPair): Refusal | boolean {
  const basePool = map.pools.get(base);
  const tierPool = map.pools.get(tier);
  if (basePool === undefined || tierPool === undefined) return new Refusal("ENOENT");
  if (basePool.tiers.has(tier)) return false;
  const [baseName, tierName] = [nameOf(map, base), nameOf(map, tier)];
  const many = "multiple tiers are not yet supported.";
  if (isTier(basePool)) {
    const other = nameOf(map, basePool.tierOf);
    return new Refusal("EINVAL", `pool '${baseName}' is already a tier of '${other}', ${many}`);
  }
  if (tierPool.tiers.size > 0) {
    const tiers = [...tierPool.tiers].map((id) => `'${nameOf(map, id)}',`).join("");
    return new Refusal(
      "EINVAL",
      `pool '${tierName}' has following tier(s) already:${tiers} ${many}`,
    );
  }
  if (isTier(tierPool)) {
    const other = nameOf(map, tierPool.tierOf);
    return new Refusal("EINVAL", `tier pool '${tierName}' is already a tier of '${other}'`);
  }
  // Ours: upstream would make a pool its own tier.
  if (base === tier) return new Refusal("EINVAL", `pool '${baseName}' cannot be a tier of itself`);
  return true;
}

/** They have been checked. */
export function addTier(pending: PendingMap, { base, tier }: TierPair): void {
  const tiers = new Set(pending.map.pools.get(base)?.tiers).add(tier);
  // The tier takes over the pool's snapshots.
  updatePool(pending, base, { tiers, snapEpoch: pending.epoch });
  updatePool(pending, tier, { tierOf: base });
}

/** One is a tier of the other. */
export function removeTier(pending: PendingMap, { base, tier }: TierPair): void {
  const tiers = new Set(pending.map.pools.get(base)?.tiers);
  tiers.delete(tier);
  const pool = pending.map.pools.get(tier);
  const wasCache = pool !== undefined && pool.cacheMode !== CACHE_MODE.NONE;
  updatePool(pending, base, { tiers });
  updatePool(pending, tier, {
    tierOf: -1,
    readTier: -1,
    writeTier: -1,
    flags: (pool?.flags ?? 0) | (wasCache ? POOL_FLAG.INCOMPLETE_CLONES : 0),
    cacheMode: CACHE_MODE.NONE,
    targetMaxBytes: 0,
    targetMaxObjects: 0,
    cacheTargetDirtyRatioMicro: 0,
    cacheTargetDirtyHighRatioMicro: 0,
    cacheTargetFullRatioMicro: 0,
  });
}
