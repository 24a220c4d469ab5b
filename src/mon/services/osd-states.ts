/**
 * OSDs coming and going, and what time does to the map: lock-outs that run out, quotas that fill.
 * ceph: src/mon/OSDMonitor.cc prepare_boot, tick; src/osd/OSDMap.cc
 */

import {
  addrMapKey,
  isUp,
  NEW_OSD_XINFO,
  OSD_IN,
  OSD_STATE,
  type PgPool,
  POOL_FLAG,
} from "../../maps/index.ts";
import {
  type AddrVec,
  compareUtime,
  FEATURES_SUPPORTED,
  formatAddrVec,
  type Uuid,
  utimeFromMs,
} from "../../types/index.ts";
import type { OsdMapService, PendingMap } from "./osd-map.ts";
import { updatePool } from "./osd-pools.ts";
import type { StatsService } from "./stats.ts";

/** Marks an OSD down; nothing happens if it is. */
export function markDown(pending: PendingMap, id: number, now: number): void {
  if (!isUp(pending.map, id)) return;
  pending.edit((inc) => {
    inc.newState.set(id, OSD_STATE.UP);
    inc.newLastUpChange = utimeFromMs(now);
  });
}

/** A new instance of an OSD is there: up at its addresses, and in unless somebody put it out. */
export function markUp(
  pending: PendingMap,
  id: number,
  addrs: AddrVec,
  uuid: Uuid,
  now: number,
): void {
  const { map } = pending;
  const isNew = ((map.osdState[id] ?? 0) & OSD_STATE.NEW) !== 0;
  pending.edit((inc) => {
    if (id >= map.maxOsd) inc.newMaxOsd = id + 1;
    inc.newUpClient.set(id, addrs);
    inc.newUpCluster.set(id, addrs);
    inc.newHbBackUp.set(id, addrs);
    inc.newHbFrontUp.set(id, addrs);
    inc.newUuid.set(id, uuid);
    inc.newUpThru.set(id, inc.epoch);
    const xinfo = map.osdXinfo[id] ?? NEW_OSD_XINFO;
    inc.newXinfo.set(id, { ...xinfo, features: FEATURES_SUPPORTED });
    inc.newLastUpChange = utimeFromMs(now);
    if (isNew || id >= map.maxOsd) {
      inc.newWeight.set(id, OSD_IN);
      inc.newLastInChange = utimeFromMs(now);
    }
  });
}

/** Is this very instance up already? */
export function isUpAt(pending: PendingMap, id: number, addrs: AddrVec): boolean {
  const { map } = pending;
  return isUp(map, id) && formatAddrVec(map.clientAddrs[id] ?? []) === formatAddrVec(addrs);
}

/** Lets those in again whose lock-out is over. */
function expireBlocklist(pending: PendingMap, now: number): void {
  const time = utimeFromMs(now);
  for (const [key, { addr, until }] of pending.map.blocklist) {
    if (compareUtime(until, time) > 0) continue;
    pending.edit((inc) => {
      inc.newBlocklist.delete(key);
      if (pending.base.blocklist.has(addrMapKey(addr))) inc.oldBlocklist.push(addr);
    });
  }
}

/** The flags a pool should have by its quota. */
function quotaFlags(pool: PgPool, objects: number, bytes: number): number {
  const full =
    (pool.quotaMaxBytes > 0 && bytes >= pool.quotaMaxBytes) ||
    (pool.quotaMaxObjects > 0 && objects >= pool.quotaMaxObjects);
  if (full) return pool.flags | POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA;
  if ((pool.flags & POOL_FLAG.FULL_QUOTA) === 0) return pool.flags;
  return pool.flags & ~(POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA);
}

/** What is due to change by itself; edits nothing when nothing is. */
export function tick(pending: PendingMap, stats: StatsService, now: number): void {
  expireBlocklist(pending, now);
  for (const [id, pool] of pending.map.pools) {
    const sums = stats.poolSums(id).stats;
    const flags = quotaFlags(pool, sums.numObjects, sums.numBytes);
    if (flags !== pool.flags) updatePool(pending, id, { flags });
  }
}

/** Cheap look whether `tick` would edit anything. */
export function isTickDue(maps: OsdMapService, stats: StatsService, now: number): boolean {
  const { map } = maps;
  const time = utimeFromMs(now);
  for (const { until } of map.blocklist.values()) if (compareUtime(until, time) <= 0) return true;
  for (const [id, pool] of map.pools) {
    const limited = pool.quotaMaxBytes > 0 || pool.quotaMaxObjects > 0;
    if (!limited && (pool.flags & POOL_FLAG.FULL_QUOTA) === 0) continue;
    const sums = stats.poolSums(id).stats;
    if (quotaFlags(pool, sums.numObjects, sums.numBytes) !== pool.flags) return true;
  }
  return false;
}
