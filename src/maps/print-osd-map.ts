/**
 * The OSD map as `ceph osd dump` shows it, in text and in JSON.
 * ceph: src/osd/OSDMap.cc OSDMap::print, OSDMap::dump
 */

import { CRUSH_BUCKET, CRUSH_RULE_OP, DEFAULT_CHOOSE_ARGS } from "../crush/index.ts";
import { textOf } from "../encoding/index.ts";
import { formatAddr, type IntervalSet, UUID_ZERO } from "../types/index.ts";
import { compareAddrs } from "./addr-map.ts";
import {
  CEPH_RELEASE,
  isIn,
  isUp,
  OSD_STATE,
  OSDMAP_FLAG,
  type OsdMap,
  osdIds,
  PRIMARY_AFFINITY_DEFAULT,
} from "./osd-map.ts";
import { comparePgKeys } from "./pg-key.ts";
import { POOL_FLAG } from "./pg-pool.ts";
import { dumpPools, poolsText } from "./print-pool.ts";
import {
  addrVecText,
  type DumpObject,
  dumpAddrVec,
  dumpTextMap,
  fixedPoint,
  floatText,
  legacyAddrText,
  releaseName,
  timeText,
} from "./print-values.ts";

/** Flags in the order in which Ceph lists them; a few have names of their own. */
const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [OSDMAP_FLAG.PAUSERD, "pauserd"],
  [OSDMAP_FLAG.PAUSEWR, "pausewr"],
  [OSDMAP_FLAG.PAUSEREC, "pauserec"],
  [OSDMAP_FLAG.NOUP, "noup"],
  [OSDMAP_FLAG.NODOWN, "nodown"],
  [OSDMAP_FLAG.NOOUT, "noout"],
  [OSDMAP_FLAG.NOIN, "noin"],
  [OSDMAP_FLAG.NOBACKFILL, "nobackfill"],
  [OSDMAP_FLAG.NOREBALANCE, "norebalance"],
  [OSDMAP_FLAG.NORECOVER, "norecover"],
  [OSDMAP_FLAG.NOSCRUB, "noscrub"],
  [OSDMAP_FLAG.NODEEP_SCRUB, "nodeep-scrub"],
  [OSDMAP_FLAG.NOTIERAGENT, "notieragent"],
  [OSDMAP_FLAG.NOSNAPTRIM, "nosnaptrim"],
  [OSDMAP_FLAG.SORTBITWISE, "sortbitwise"],
  [OSDMAP_FLAG.REQUIRE_JEWEL, "require_jewel_osds"],
  [OSDMAP_FLAG.REQUIRE_KRAKEN, "require_kraken_osds"],
  [OSDMAP_FLAG.REQUIRE_LUMINOUS, "require_luminous_osds"],
  [OSDMAP_FLAG.RECOVERY_DELETES, "recovery_deletes"],
  [OSDMAP_FLAG.PURGED_SNAPDIRS, "purged_snapdirs"],
  [OSDMAP_FLAG.PGLOG_HARDLIMIT, "pglog_hardlimit"],
];

/** Names of the map flags that are set, in Ceph's order. */
export function osdMapFlagNames(flags: number): string[] {
  return FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}

/** Names of an OSD's state bits, sorted. */
export function osdStateNames(state: number): string[] {
  return Object.entries(OSD_STATE)
    .filter(([, bit]) => (state & bit) !== 0)
    .map(([name]) => name.toLowerCase())
    .sort();
}

function primaryAffinity(map: OsdMap, osd: number): number {
  return map.osdPrimaryAffinity[osd] ?? PRIMARY_AFFINITY_DEFAULT;
}

/** Needs a balancer's overrides that older clients cannot be given as plain weights? */
function hasIncompatibleChooseArgs(map: OsdMap): boolean {
  const { chooseArgs } = map.crush;
  const only = chooseArgs.get(DEFAULT_CHOOSE_ARGS);
  if (chooseArgs.size === 0) return false;
  if (chooseArgs.size > 1 || only === undefined) return true;
  return [...only.values()].some((arg) => arg.weightSet.length !== 1 || arg.ids.length > 0);
}

/** The oldest release whose clients can use this map.  ceph: OSDMap::get_min_compat_client */
export function minCompatClient(map: OsdMap): string {
  const { buckets, rules, tunables } = map.crush;
  const pools = [...map.pools.values()];
  const ruleHas = (op: number) => rules.some((rule) => rule?.steps.some((step) => step.op === op));
  if (map.pgUpmap.size > 0 || map.pgUpmapItems.size > 0 || hasIncompatibleChooseArgs(map)) {
    return "luminous";
  }
  if (tunables.chooseleafStable !== 0 || ruleHas(CRUSH_RULE_OP.SET_CHOOSELEAF_STABLE))
    return "jewel";
  if (buckets.some((b) => b?.alg === CRUSH_BUCKET.STRAW2)) return "hammer";
  if (
    map.osdPrimaryAffinity.some((a) => a !== PRIMARY_AFFINITY_DEFAULT) ||
    tunables.chooseleafVaryR !== 0 ||
    ruleHas(CRUSH_RULE_OP.SET_CHOOSELEAF_VARY_R) ||
    pools.some((p) => p.tiers.size > 0 || p.tierOf >= 0)
  ) {
    return "firefly";
  }
  const hashpspool = pools.some((p) => (p.flags & POOL_FLAG.HASHPSPOOL) !== 0);
  return tunables.chooseleafDescendOnce !== 0 || hashpspool ? "dumpling" : "argonaut";
}

function osdLine(map: OsdMap, osd: number): string {
  const info = map.osdInfo[osd]!;
  const affinity = primaryAffinity(map, osd);
  const uuid = map.osdUuid[osd]!;
  return [
    `osd.${osd}${isUp(map, osd) ? " up  " : " down"}${isIn(map, osd) ? " in " : " out"}`,
    ` weight ${floatText(fixedPoint(map.osdWeight[osd]!))}`,
    affinity === PRIMARY_AFFINITY_DEFAULT
      ? ""
      : ` primary_affinity ${floatText(fixedPoint(affinity))}`,
    ` up_from ${info.upFrom} up_thru ${info.upThru} down_at ${info.downAt}`,
    ` last_clean_interval [${info.lastCleanBegin},${info.lastCleanEnd})`,
    info.lostAt === 0 ? "" : ` lost_at ${info.lostAt}`,
    ` ${addrVecText(map.clientAddrs[osd]!)} ${addrVecText(map.clusterAddrs[osd]!)}`,
    ` ${osdStateNames(map.osdState[osd]!).join(",")}`,
    uuid === UUID_ZERO ? "" : ` ${uuid}`,
  ].join("");
}

function sortedByPg<V>(x: ReadonlyMap<string, V>): [string, V][] {
  return [...x].sort((a, b) => comparePgKeys(a[0], b[0]));
}

/** Blocklist entries in order of address (upstream's order is that of a hash table). */
function sortedByAddr(x: OsdMap["blocklist"]): { text: string; until: string }[] {
  return [...x.values()]
    .sort((a, b) => compareAddrs(a.addr, b.addr))
    .map(({ addr, until }) => ({ text: formatAddr(addr), until: timeText(until) }));
}

/** `ceph osd dump` */
export function osdMapText(map: OsdMap): string {
  const list = (osds: readonly number[]) => `[${osds.join(",")}]`;
  const stretch = map.stretchMode;
  const head = [
    `epoch ${map.epoch}`,
    `fsid ${map.fsid}`,
    `created ${timeText(map.created)}`,
    `modified ${timeText(map.modified)}`,
    `flags ${osdMapFlagNames(map.flags).join(",")}`,
    `crush_version ${map.crushVersion}`,
    `full_ratio ${floatText(map.fullRatio)}`,
    `backfillfull_ratio ${floatText(map.backfillfullRatio)}`,
    `nearfull_ratio ${floatText(map.nearfullRatio)}`,
    ...(map.requireMinCompatClient === CEPH_RELEASE.UNKNOWN
      ? []
      : [`require_min_compat_client ${releaseName(map.requireMinCompatClient)}`]),
    `min_compat_client ${minCompatClient(map)}`,
    ...(map.requireOsdRelease === CEPH_RELEASE.UNKNOWN
      ? []
      : [`require_osd_release ${releaseName(map.requireOsdRelease)}`]),
    `stretch_mode_enabled ${stretch.enabled}`,
    ...(stretch.enabled
      ? [
          `stretch_bucket_count ${stretch.bucketCount}`,
          `degraded_stretch_mode ${stretch.degraded}`,
          `recovering_stretch_mode ${stretch.recovering}`,
          `stretch_mode_bucket ${stretch.bucket}`,
        ]
      : []),
    ...(map.clusterSnapshot === "" ? [] : [`cluster_snapshot ${textOf(map.clusterSnapshot)}`]),
  ];
  const tail = [
    ...sortedByPg(map.pgUpmap).map(([pg, osds]) => `pg_upmap ${pg} ${list(osds)}`),
    ...sortedByPg(map.pgUpmapItems).map(
      ([pg, items]) => `pg_upmap_items ${pg} ${list(items.flat())}`,
    ),
    ...sortedByPg(map.pgTemp).map(([pg, osds]) => `pg_temp ${pg} ${list(osds)}`),
    ...sortedByPg(map.primaryTemp).map(([pg, osd]) => `primary_temp ${pg} ${osd}`),
    ...sortedByAddr(map.blocklist).map((b) => `blocklist ${b.text} expires ${b.until}`),
    ...sortedByAddr(map.rangeBlocklist).map(
      (b) => `range blocklist cidr:${b.text} expires ${b.until}`,
    ),
  ];
  const osds = [`max_osd ${map.maxOsd}`, ...osdIds(map).map((osd) => osdLine(map, osd))];
  const block = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
  return `${block(head)}\n${poolsText(map)}${block(osds)}\n${block(tail)}`;
}

function dumpOsd(map: OsdMap, osd: number): DumpObject {
  const info = map.osdInfo[osd]!;
  const addrs = {
    public: map.clientAddrs[osd]!,
    cluster: map.clusterAddrs[osd]!,
    heartbeat_back: map.hbBackAddrs[osd]!,
    heartbeat_front: map.hbFrontAddrs[osd]!,
  };
  const each = Object.entries(addrs);
  return {
    osd,
    uuid: map.osdUuid[osd]!,
    up: isUp(map, osd) ? 1 : 0,
    in: isIn(map, osd) ? 1 : 0,
    weight: fixedPoint(map.osdWeight[osd]!),
    primary_affinity: fixedPoint(primaryAffinity(map, osd)),
    last_clean_begin: info.lastCleanBegin,
    last_clean_end: info.lastCleanEnd,
    up_from: info.upFrom,
    up_thru: info.upThru,
    down_at: info.downAt,
    lost_at: info.lostAt,
    ...Object.fromEntries(each.map(([name, v]) => [`${name}_addrs`, dumpAddrVec(v)])),
    ...Object.fromEntries(each.map(([name, v]) => [`${name}_addr`, legacyAddrText(v)])),
    state: osdStateNames(map.osdState[osd]!),
  };
}

function dumpXinfo(map: OsdMap, osd: number): DumpObject {
  const x = map.osdXinfo[osd]!;
  return {
    osd,
    down_stamp: timeText(x.downStamp),
    laggy_probability: Math.fround(x.laggyProbability / 2 ** 32),
    laggy_interval: x.laggyInterval,
    features: x.features,
    old_weight: x.oldWeight,
    last_purged_snaps_scrub: timeText(x.lastPurgedSnapsScrub),
    dead_epoch: x.deadEpoch,
  };
}

function dumpSnaps(x: ReadonlyMap<number, IntervalSet>): DumpObject[] {
  return [...x].map(([pool, snaps]) => ({
    pool,
    snaps: [...snaps].map(([begin, length]) => ({ begin, length })),
  }));
}

/** Flags of crush nodes or device classes, by name. */
function dumpNodeFlags(
  x: ReadonlyMap<number, number>,
  names: ReadonlyMap<number, string>,
): DumpObject {
  return Object.fromEntries(
    [...x].map(([id, flags]) => [textOf(names.get(id) ?? String(id)), osdStateNames(flags)]),
  );
}

function dumpPgs(map: OsdMap): DumpObject {
  return {
    pg_upmap: sortedByPg(map.pgUpmap).map(([pgid, osds]) => ({ pgid, osds })),
    pg_upmap_items: sortedByPg(map.pgUpmapItems).map(([pgid, items]) => ({
      pgid,
      mappings: items.map(([from, to]) => ({ from, to })),
    })),
    pg_temp: sortedByPg(map.pgTemp).map(([pgid, osds]) => ({ pgid, osds })),
    // compat: upstream forgets the objects here, and lists PG and OSD in turn.
    primary_temp: sortedByPg(map.primaryTemp).flat(),
  };
}

/** `ceph osd dump -f json` */
export function dumpOsdMap(map: OsdMap): DumpObject {
  const osds = osdIds(map);
  const stretch = map.stretchMode;
  return {
    epoch: map.epoch,
    fsid: map.fsid,
    created: timeText(map.created),
    modified: timeText(map.modified),
    last_up_change: timeText(map.lastUpChange),
    last_in_change: timeText(map.lastInChange),
    flags: osdMapFlagNames(map.flags).join(","),
    flags_num: map.flags,
    flags_set: osdMapFlagNames(map.flags).sort(),
    crush_version: map.crushVersion,
    full_ratio: map.fullRatio,
    backfillfull_ratio: map.backfillfullRatio,
    nearfull_ratio: map.nearfullRatio,
    cluster_snapshot: textOf(map.clusterSnapshot),
    pool_max: map.poolMax,
    max_osd: map.maxOsd,
    require_min_compat_client: releaseName(map.requireMinCompatClient),
    min_compat_client: minCompatClient(map),
    require_osd_release: releaseName(map.requireOsdRelease),
    pools: dumpPools(map),
    osds: osds.map((osd) => dumpOsd(map, osd)),
    osd_xinfo: osds.map((osd) => dumpXinfo(map, osd)),
    ...dumpPgs(map),
    blocklist: Object.fromEntries(sortedByAddr(map.blocklist).map((b) => [b.text, b.until])),
    range_blocklist: Object.fromEntries(
      sortedByAddr(map.rangeBlocklist).map((b) => [`cidr:${b.text}`, b.until]),
    ),
    erasure_code_profiles: Object.fromEntries(
      [...map.erasureCodeProfiles].map(([name, profile]) => [textOf(name), dumpTextMap(profile)]),
    ),
    removed_snaps_queue: dumpSnaps(map.removedSnapsQueue),
    new_removed_snaps: dumpSnaps(map.newRemovedSnaps),
    new_purged_snaps: dumpSnaps(map.newPurgedSnaps),
    crush_node_flags: dumpNodeFlags(map.crushNodeFlags, map.crush.itemNames),
    device_class_flags: dumpNodeFlags(map.deviceClassFlags, map.crush.classNames),
    stretch_mode: {
      stretch_mode_enabled: stretch.enabled,
      stretch_bucket_count: stretch.bucketCount,
      degraded_stretch_mode: stretch.degraded,
      recovering_stretch_mode: stretch.recovering,
      stretch_mode_bucket: stretch.bucket,
    },
  };
}
