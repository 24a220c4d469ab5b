/**
 * OSDs coming and going, and what time does to the map: lock-outs that run out, quotas that fill.
 * ceph: src/mon/OSDMonitor.cc prepare_boot, tick; src/osd/OSDMap.cc
 */

import { textOf } from "../../encoding/index.ts";
import {
  isIn,
  isUp,
  NEW_OSD_XINFO,
  OSD_IN,
  OSD_STATE,
  type OsdFullness,
  type OsdMap,
  type OsdMapIncremental,
  osdIds,
  type PgPool,
  POOL_FLAG,
} from "../../maps/index.ts";
import { CLOG } from "../../messages/index.ts";
import {
  type AddrVec,
  compareUtime,
  FEATURES_SUPPORTED,
  formatAddrVec,
  type Uuid,
  utimeFromMs,
} from "../../types/index.ts";
import { formatBytes } from "../commands/units.ts";
import type { OsdMapService, PendingMap } from "./osd-map.ts";
import { updatePool } from "./osd-pools.ts";
import type { PoolSums, StatsService } from "./stats.ts";

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
      if (pending.base.blocklist.has(key)) inc.oldBlocklist.push(addr);
    });
  }
  for (const [key, { addr, until }] of pending.map.rangeBlocklist) {
    if (compareUtime(until, time) > 0) continue;
    pending.edit((inc) => {
      inc.newRangeBlocklist.delete(key);
      if (pending.base.rangeBlocklist.has(key)) inc.oldRangeBlocklist.push(addr);
    });
  }
}

/** Bits of an OSD's state that say how full it is. */
const FULLNESS_STATE: Readonly<Record<OsdFullness, number>> = {
  none: 0,
  nearfull: OSD_STATE.NEARFULL,
  backfillfull: OSD_STATE.BACKFILLFULL,
  full: OSD_STATE.FULL,
};
const FULLNESS_STATES = OSD_STATE.NEARFULL | OSD_STATE.BACKFILLFULL | OSD_STATE.FULL;
/** Fullest first. */
const FULLNESS_FLAGS: readonly (readonly [state: number, flag: number])[] = [
  [OSD_STATE.FULL, POOL_FLAG.FULL],
  [OSD_STATE.BACKFILLFULL, POOL_FLAG.BACKFILLFULL],
  [OSD_STATE.NEARFULL, POOL_FLAG.NEARFULL],
];
const SPACE_FLAGS = POOL_FLAG.FULL | POOL_FLAG.BACKFILLFULL | POOL_FLAG.NEARFULL;

/** Bits of an OSD's state that its last report says differently. */
function staleFullness(map: OsdMap, stats: StatsService, id: number): number {
  const report = stats.osd(id);
  const state = map.osdState[id] ?? 0;
  if (report === undefined || (state & OSD_STATE.EXISTS) === 0) return 0;
  return (state & FULLNESS_STATES) ^ FULLNESS_STATE[report.fullness];
}

/**
 * The flag that pools should have by the space of the OSDs: that of the fullest, for every rule of ours
 * takes in all of them. One that is not up after a start counts by what it said before it.
 */
function spaceFlag(map: OsdMap, stats: StatsService): number {
  let states = 0;
  for (const id of osdIds(map)) {
    const counts = isIn(map, id) && (isUp(map, id) || stats.osd(id) === undefined);
    if (counts) states |= map.osdState[id] ?? 0;
  }
  return FULLNESS_FLAGS.find(([state]) => (states & state) !== 0)?.[1] ?? 0;
}

/**
 * The flags a pool should have by its quota and by the space of the OSDs. One that was over its quota stays so as
 * long as not all of its groups have been heard of, as after a start.
 */
function wantedFlags(id: number, pool: PgPool, stats: StatsService, space: number): number {
  const rest = pool.flags & ~(SPACE_FLAGS | POOL_FLAG.FULL_QUOTA);
  if (pool.quotaMaxBytes > 0 || pool.quotaMaxObjects > 0) {
    const sums = stats.poolSums(id);
    const { numBytes, numObjects } = sums.stats;
    const isOver =
      (pool.quotaMaxBytes > 0 && numBytes >= pool.quotaMaxBytes) ||
      (pool.quotaMaxObjects > 0 && numObjects >= pool.quotaMaxObjects);
    const wasOver = (pool.flags & POOL_FLAG.FULL_QUOTA) !== 0;
    if (isOver || (wasOver && sums.pgs < pool.pgNum))
      return rest | POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA;
  }
  return rest | space;
}

function flipState(inc: OsdMapIncremental, id: number, bits: number): void {
  const flip = (inc.newState.get(id) ?? 0) ^ bits;
  // Nothing to flip must not be written down: in an incremental, zero stands for UP.
  if (flip === 0) inc.newState.delete(id);
  else inc.newState.set(id, flip);
}

/** A line for the cluster log. */
export interface Said {
  readonly prio: number;
  readonly line: string;
}

/** What there is to tell of a pool whose quota has been reached, or is not any more. */
function quotaNews(name: string, pool: PgPool, flags: number, { stats }: PoolSums): Said[] {
  const isFull = (flags & POOL_FLAG.FULL_QUOTA) !== 0;
  if (isFull === ((pool.flags & POOL_FLAG.FULL_QUOTA) !== 0)) return [];
  if (!isFull) {
    const line = `pool '${name}' no longer out of quota; removing NO_QUOTA flag`;
    return [{ prio: CLOG.INFO, line }];
  }
  const { quotaMaxBytes: bytes, quotaMaxObjects: objects } = pool;
  const reached: string[] = [];
  if (bytes > 0 && stats.numBytes >= bytes) reached.push(`max_bytes: ${formatBytes(bytes)}`);
  if (objects > 0 && stats.numObjects >= objects) reached.push(`max_objects: ${objects}`);
  const head = `pool '${name}' is full (reached quota's`;
  return reached.map((what) => ({ prio: CLOG.WARN, line: `${head} ${what})` }));
}

/** Makes what is due to change by itself; edits nothing when nothing is. Returns what there is to tell of it. */
export function tick(pending: PendingMap, stats: StatsService, now: number): Said[] {
  expireBlocklist(pending, now);
  for (const id of osdIds(pending.map)) {
    const flip = staleFullness(pending.map, stats, id);
    if (flip !== 0) pending.edit((inc) => flipState(inc, id, flip));
  }
  const said: Said[] = [];
  const space = spaceFlag(pending.map, stats);
  for (const [id, pool] of pending.map.pools) {
    const flags = wantedFlags(id, pool, stats, space);
    if (flags === pool.flags) continue;
    const name = textOf(pending.map.poolNames.get(id) ?? "");
    said.push(...quotaNews(name, pool, flags, stats.poolSums(id)));
    updatePool(pending, id, { flags });
  }
  return said;
}

/** Cheap look whether `tick` would edit anything. */
export function isTickDue(maps: OsdMapService, stats: StatsService, now: number): boolean {
  const { map } = maps;
  const time = utimeFromMs(now);
  for (const list of [map.blocklist, map.rangeBlocklist]) {
    for (const { until } of list.values()) if (compareUtime(until, time) <= 0) return true;
  }
  if (isFullnessDue(maps, stats)) return true;
  const space = spaceFlag(map, stats);
  for (const [id, pool] of map.pools) {
    if (wantedFlags(id, pool, stats, space) !== pool.flags) return true;
  }
  return false;
}

/** Has an OSD become fuller, or less full, than the map says? Clients should hear of it at once. */
export function isFullnessDue({ map }: OsdMapService, stats: StatsService): boolean {
  return osdIds(map).some((id) => staleFullness(map, stats, id) !== 0);
}
