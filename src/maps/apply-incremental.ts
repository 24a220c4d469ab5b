/**
 * OSD map N-1 and what changed in N make OSD map N.
 *
 * The order of steps is upstream's, because some steps read what earlier ones wrote (a weight above 0
 * clears AUTOOUT before states are flipped; class flags are dropped by the new crush map at the end).
 * The result shares with the base whatever the change did not touch.
 * ceph: src/osd/OSDMap.cc OSDMap::apply_incremental
 */

import { assert } from "../base/index.ts";
import { CrushMapCodec } from "../crush/index.ts";
import { DecodeError, decodeFromBytes } from "../encoding/index.ts";
import { IntervalSet, UTIME_ZERO, UUID_ZERO } from "../types/index.ts";
import { addrMapKey } from "./addr-map.ts";
import {
  CEPH_RELEASE,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  OSD_OUT,
  OSD_STATE,
  OSDMAP_FLAG,
  OsdMap,
  PRIMARY_AFFINITY_DEFAULT,
} from "./osd-map.ts";
import type { OsdMapIncremental } from "./osd-map-incremental.ts";

/** A map under construction: every field may be replaced, none changed in place. */
type Draft = { -readonly [K in keyof OsdMap]: OsdMap[K] };

/** The base with some keys set and others gone; the base itself if there is nothing to do. */
function merged<K, V>(base: Map<K, V>, set: Iterable<[K, V]>, gone: Iterable<K> = []): Map<K, V> {
  const added = [...set];
  const removed = [...gone];
  if (added.length === 0 && removed.length === 0) return base;
  const out = new Map(base);
  for (const [k, v] of added) out.set(k, v);
  for (const k of removed) out.delete(k);
  return out;
}

/** An array cut or filled up to `n`. */
function resized<T>(array: T[], n: number, blank: T): T[] {
  const out = array.slice(0, n);
  while (out.length < n) out.push(blank);
  return out;
}

function resizeOsds(m: Draft, n: number): void {
  m.maxOsd = n;
  m.osdState = resized(m.osdState, n, 0);
  m.osdWeight = resized(m.osdWeight, n, OSD_OUT);
  m.osdInfo = resized(m.osdInfo, n, NEW_OSD_INFO);
  m.osdXinfo = resized(m.osdXinfo, n, NEW_OSD_XINFO);
  m.osdUuid = resized(m.osdUuid, n, UUID_ZERO);
  m.clientAddrs = resized(m.clientAddrs, n, []);
  m.clusterAddrs = resized(m.clusterAddrs, n, []);
  m.hbBackAddrs = resized(m.hbBackAddrs, n, []);
  m.hbFrontAddrs = resized(m.hbFrontAddrs, n, []);
  if (m.osdPrimaryAffinity.length > 0) {
    m.osdPrimaryAffinity = resized(m.osdPrimaryAffinity, n, PRIMARY_AFFINITY_DEFAULT);
  }
}

function applyPools(m: Draft, inc: OsdMapIncremental): void {
  if (inc.newPoolMax !== -1) m.poolMax = inc.newPoolMax;
  const stamped = [...inc.newPools].map(
    ([id, pool]) => [id, { ...pool, lastChange: inc.epoch }] as [number, typeof pool],
  );
  m.pools = merged(m.pools, stamped, inc.oldPools);
  m.poolNames = merged(m.poolNames, inc.newPoolNames, inc.oldPools);
}

function applySnaps(m: Draft, inc: OsdMapIncremental): void {
  m.newRemovedSnaps = inc.newRemovedSnaps;
  m.newPurgedSnaps = inc.newPurgedSnaps;
  if (inc.newRemovedSnaps.size === 0 && inc.newPurgedSnaps.size === 0) return;
  const queue = new Map(m.removedSnapsQueue);
  for (const [pool, snaps] of inc.newRemovedSnaps) {
    const all = queue.get(pool)?.clone() ?? new IntervalSet();
    all.union(snaps);
    queue.set(pool, all);
  }
  for (const [pool, snaps] of inc.newPurgedSnaps) {
    const left = queue.get(pool)?.clone();
    if (left === undefined) {
      throw new DecodeError("OSDMap::Incremental", 0, `pool ${pool} has no snaps to purge`);
    }
    left.subtract(snaps);
    if (left.isEmpty) queue.delete(pool);
    else queue.set(pool, left);
  }
  m.removedSnapsQueue = queue;
}

function setAffinity(m: Draft, osd: number, affinity: number): void {
  if (m.osdPrimaryAffinity.length === 0) {
    m.osdPrimaryAffinity = resized([], m.maxOsd, PRIMARY_AFFINITY_DEFAULT);
  }
  m.osdPrimaryAffinity = m.osdPrimaryAffinity.with(osd, affinity);
}

function applyWeights(m: Draft, inc: OsdMapIncremental): void {
  for (const [osd, weight] of inc.newWeight) {
    m.osdWeight = m.osdWeight.with(osd, weight);
    // An OSD that is in again is neither new nor out by itself, and remembers no older weight.
    if (weight !== OSD_OUT) {
      const state = m.osdState[osd]! & ~(OSD_STATE.AUTOOUT | OSD_STATE.NEW);
      m.osdState = m.osdState.with(osd, state | OSD_STATE.EXISTS);
      m.osdXinfo = m.osdXinfo.with(osd, { ...m.osdXinfo[osd]!, oldWeight: 0 });
    }
  }
  for (const [osd, affinity] of inc.newPrimaryAffinity) setAffinity(m, osd, affinity);
}

/** Forgets a destroyed OSD's history and addresses. */
function clearOsd(m: Draft, osd: number): void {
  m.osdUuid = m.osdUuid.with(osd, UUID_ZERO);
  m.osdInfo = m.osdInfo.with(osd, NEW_OSD_INFO);
  m.osdXinfo = m.osdXinfo.with(osd, NEW_OSD_XINFO);
  setAffinity(m, osd, PRIMARY_AFFINITY_DEFAULT);
  m.clientAddrs = m.clientAddrs.with(osd, []);
  m.clusterAddrs = m.clusterAddrs.with(osd, []);
  m.hbFrontAddrs = m.hbFrontAddrs.with(osd, []);
  m.hbBackAddrs = m.hbBackAddrs.with(osd, []);
  m.osdState = m.osdState.with(osd, 0);
}

function applyStates(m: Draft, inc: OsdMapIncremental): void {
  for (const [osd, bits] of inc.newState) {
    const flip = bits === 0 ? OSD_STATE.UP : bits;
    const both = m.osdState[osd]! & flip;
    if ((both & OSD_STATE.UP) !== 0) {
      m.osdInfo = m.osdInfo.with(osd, { ...m.osdInfo[osd]!, downAt: inc.epoch });
      m.osdXinfo = m.osdXinfo.with(osd, { ...m.osdXinfo[osd]!, downStamp: inc.modified });
    }
    if ((both & OSD_STATE.EXISTS) !== 0) clearOsd(m, osd);
    else m.osdState = m.osdState.with(osd, (m.osdState[osd]! ^ flip) >>> 0);
  }
  for (const [osd, addrs] of inc.newUpClient) {
    const state = m.osdState[osd]! | OSD_STATE.EXISTS | OSD_STATE.UP;
    m.osdState = m.osdState.with(osd, state & ~OSD_STATE.STOP);
    m.clientAddrs = m.clientAddrs.with(osd, addrs);
    m.hbBackAddrs = m.hbBackAddrs.with(osd, inc.newHbBackUp.get(osd) ?? []);
    m.hbFrontAddrs = m.hbFrontAddrs.with(osd, inc.newHbFrontUp.get(osd) ?? []);
    m.osdInfo = m.osdInfo.with(osd, { ...m.osdInfo[osd]!, upFrom: inc.epoch });
  }
  for (const [osd, addrs] of inc.newUpCluster) m.clusterAddrs = m.clusterAddrs.with(osd, addrs);
}

function applyOsdHistory(m: Draft, inc: OsdMapIncremental): void {
  const info = (osd: number, change: Partial<(typeof m.osdInfo)[number]>): void => {
    m.osdInfo = m.osdInfo.with(osd, { ...m.osdInfo[osd]!, ...change });
  };
  for (const [osd, upThru] of inc.newUpThru) info(osd, { upThru });
  for (const [osd, { begin, end }] of inc.newLastCleanInterval) {
    info(osd, { lastCleanBegin: begin, lastCleanEnd: end });
  }
  for (const [osd, lostAt] of inc.newLost) info(osd, { lostAt });
  for (const [osd, xinfo] of inc.newXinfo) m.osdXinfo = m.osdXinfo.with(osd, xinfo);
  for (const [osd, uuid] of inc.newUuid) m.osdUuid = m.osdUuid.with(osd, uuid);
}

function applyPgs(m: Draft, inc: OsdMapIncremental): void {
  const cleared = [...inc.newPgTemp].flatMap(([pg, osds]) => (osds.length === 0 ? [pg] : []));
  m.pgTemp = merged(m.pgTemp, inc.newPgTemp, cleared);
  const unset = [...inc.newPrimaryTemp].flatMap(([pg, osd]) => (osd === -1 ? [pg] : []));
  m.primaryTemp = merged(m.primaryTemp, inc.newPrimaryTemp, unset);
  m.pgUpmap = merged(m.pgUpmap, inc.newPgUpmap, inc.oldPgUpmap);
  m.pgUpmapItems = merged(m.pgUpmapItems, inc.newPgUpmapItems, inc.oldPgUpmapItems);
  m.pgUpmapPrimaries = merged(m.pgUpmapPrimaries, inc.newPgUpmapPrimaries, inc.oldPgUpmapPrimaries);
}

/** Flags with value 0 are gone. */
function mergedFlags(base: Map<number, number>, set: Map<number, number>): Map<number, number> {
  return merged(
    base,
    set,
    [...set].flatMap(([id, flags]) => (flags === 0 ? [id] : [])),
  );
}

function applySettings(m: Draft, inc: OsdMapIncremental): void {
  m.clusterSnapshot = inc.clusterSnapshot;
  m.clusterSnapshotEpoch = inc.clusterSnapshot === "" ? 0 : inc.epoch;
  if (inc.newNearfullRatio >= 0) m.nearfullRatio = inc.newNearfullRatio;
  if (inc.newBackfillfullRatio >= 0) m.backfillfullRatio = inc.newBackfillfullRatio;
  if (inc.newFullRatio >= 0) m.fullRatio = inc.newFullRatio;
  // Releases are compared as signed bytes upstream: 255 is below "unknown".
  const client = (inc.newRequireMinCompatClient << 24) >> 24;
  if (client > 0) m.requireMinCompatClient = client;
  const release = (inc.newRequireOsdRelease << 24) >> 24;
  if (release < 0) return;
  m.requireOsdRelease = release;
  const { REQUIRE_JEWEL, REQUIRE_KRAKEN, REQUIRE_LUMINOUS } = OSDMAP_FLAG;
  if (release >= CEPH_RELEASE.LUMINOUS) {
    m.flags &= ~(REQUIRE_JEWEL | REQUIRE_KRAKEN | REQUIRE_LUMINOUS);
    m.flags |= OSDMAP_FLAG.RECOVERY_DELETES;
  }
  if (release >= CEPH_RELEASE.NAUTILUS) m.flags |= OSDMAP_FLAG.PGLOG_HARDLIMIT;
}

function applyCrush(m: Draft, inc: OsdMapIncremental): void {
  if (inc.crush.length === 0) return;
  m.crush = decodeFromBytes(CrushMapCodec, inc.crush);
  m.crushVersion++;
  const { classNames } = m.crush;
  const dropped = [...m.deviceClassFlags.keys()].filter((cls) => !classNames.has(cls));
  m.deviceClassFlags = merged(m.deviceClassFlags, [], dropped);
}

/** Every OSD the change names must have a place in the map. */
function checkOsdIds(m: Draft, inc: OsdMapIncremental): void {
  const named = [
    inc.newWeight,
    inc.newPrimaryAffinity,
    inc.newState,
    inc.newUpClient,
    inc.newUpCluster,
    inc.newUpThru,
    inc.newLastCleanInterval,
    inc.newLost,
    inc.newXinfo,
    inc.newUuid,
  ];
  for (const change of named) {
    for (const osd of change.keys()) {
      if (osd >= 0 && osd < m.maxOsd) continue;
      throw new DecodeError("OSDMap::Incremental", 0, `osd.${osd} of ${m.maxOsd}`);
    }
  }
}

/**
 * The map of `inc.epoch`. The incremental must be the one right after `base` and of the same cluster:
 * the caller checks, we assert.
 * @throws DecodeError if a map inside does not decode, or an OSD or queued snap is not in the base
 */
export function applyIncremental(base: OsdMap, inc: OsdMapIncremental): OsdMap {
  assert(inc.epoch === base.epoch + 1, `epoch ${inc.epoch} does not follow ${base.epoch}`);
  assert(inc.epoch === 1 || inc.fsid === base.fsid, "a change from another cluster");
  if (inc.fullmap.length > 0) return decodeFromBytes(OsdMap, inc.fullmap);
  const m: Draft = { ...base, fsid: inc.fsid, epoch: inc.epoch, modified: inc.modified };
  if (inc.newFlags >= 0) m.flags = inc.newFlags;
  if (inc.newMaxOsd >= 0) resizeOsds(m, inc.newMaxOsd);
  checkOsdIds(m, inc);
  applyPools(m, inc);
  applySnaps(m, inc);
  const changed = (t: typeof UTIME_ZERO) => t.sec !== 0 || t.nsec !== 0;
  if (changed(inc.newLastUpChange)) m.lastUpChange = inc.newLastUpChange;
  if (changed(inc.newLastInChange)) m.lastInChange = inc.newLastInChange;
  applyWeights(m, inc);
  m.erasureCodeProfiles = merged(
    merged(m.erasureCodeProfiles, [], inc.oldErasureCodeProfiles),
    inc.newErasureCodeProfiles,
  );
  applyStates(m, inc);
  applyOsdHistory(m, inc);
  applyPgs(m, inc);
  m.blocklist = merged(m.blocklist, inc.newBlocklist, inc.oldBlocklist.map(addrMapKey));
  m.rangeBlocklist = merged(
    m.rangeBlocklist,
    inc.newRangeBlocklist,
    inc.oldRangeBlocklist.map(addrMapKey),
  );
  m.crushNodeFlags = mergedFlags(m.crushNodeFlags, inc.newCrushNodeFlags);
  m.deviceClassFlags = mergedFlags(m.deviceClassFlags, inc.newDeviceClassFlags);
  applySettings(m, inc);
  applyCrush(m, inc);
  m.allowCrimson = inc.newAllowCrimson ?? m.allowCrimson;
  if (inc.stretchChange.change) {
    const { enabled, bucketCount, degraded, recovering, bucket } = inc.stretchChange;
    m.stretchMode = { enabled, bucketCount, degraded, recovering, bucket };
  }
  return m;
}
