/**
 * What a pool's cache tiers take from it: its snapshots and what it is for, whenever the pool changes.
 * ceph: src/osd/OSDMap.cc OSDMap::Incremental::propagate_base_properties_to_tiers
 */

import type { OsdMap } from "./osd-map.ts";
import type { OsdMapIncremental } from "./osd-map-incremental.ts";
import { POOL_FLAG } from "./pg-pool.ts";

const SNAP_MODES = POOL_FLAG.POOL_SNAPS | POOL_FLAG.SELFMANAGED_SNAPS;

/** Edits the change to `base`, before it is applied. */
export function propagateToTiers(base: OsdMap, inc: OsdMapIncremental): void {
  for (const [id, pool] of inc.newPools) {
    const { snapSeq, snapEpoch, snaps, removedSnaps, applicationMetadata } = pool;
    for (const tier of pool.tiers) {
      const old = inc.newPools.get(tier) ?? base.pools.get(tier);
      if (old === undefined) continue;
      const flags = old.flags | (pool.flags & SNAP_MODES);
      const taken = { snapSeq, snapEpoch, snaps, removedSnaps, applicationMetadata, flags };
      inc.newPools.set(tier, { ...old, ...taken });
      const removed = inc.newRemovedSnaps.get(id);
      if (removed !== undefined) inc.newRemovedSnaps.set(tier, removed.clone());
    }
  }
}
