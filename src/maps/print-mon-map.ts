/**
 * The monitor map as `ceph mon dump` shows it, in text and in JSON.
 * ceph: src/mon/MonMap.cc MonMap::print, MonMap::dump
 */

import { textOf } from "../encoding/index.ts";
import { formatUtime, type Utime } from "../types/index.ts";
import { MON_FEATURES, type MonInfo, type MonMap } from "./mon-map.ts";
import {
  addrVecText,
  type DumpObject,
  dumpAddrVec,
  legacyAddrText,
  releaseName,
  timeText,
} from "./print-values.ts";

function monOf(map: MonMap, name: string): MonInfo {
  return (
    map.monInfo.get(name) ?? { name, publicAddrs: [], priority: 0, weight: 0, crushLoc: new Map() }
  );
}

function crushLocText(info: MonInfo): string {
  return `{${[...info.crushLoc].map(([k, v]) => `${textOf(k)}=${textOf(v)}`).join(",")}}`;
}

/** `ceph mon dump` */
export function monMapText(map: MonMap): string {
  const disallowed = [...map.disallowedLeaders].map(textOf).join(",");
  return [
    `epoch ${map.epoch}`,
    `fsid ${map.fsid}`,
    `last_changed ${timeText(map.lastChanged)}`,
    `created ${timeText(map.created)}`,
    `min_mon_release ${map.minMonRelease} (${releaseName(map.minMonRelease)})`,
    `election_strategy: ${map.electionStrategy}`,
    ...(disallowed === "" ? [] : [`disallowed_leaders ${disallowed}`]),
    ...map.ranks.map((name, rank) => {
      const info = monOf(map, name);
      const where = info.crushLoc.size > 0 ? `; crush_location ${crushLocText(info)}` : "";
      return `${rank}: ${addrVecText(info.publicAddrs)} mon.${textOf(name)}${where}`;
    }),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Times here end in Z, and only here. */
function zulu(t: Utime): string {
  return formatUtime(t).replace("+0000", "Z");
}

function featureNames(features: bigint): string[] {
  return MON_FEATURES.filter(([bit]) => (features & bit) !== 0n).map(([, name]) => name);
}

/** `ceph mon dump -f json`, without the quorum that the monitor adds. */
export function dumpMonMap(map: MonMap): DumpObject {
  return {
    epoch: map.epoch,
    fsid: map.fsid,
    modified: zulu(map.lastChanged),
    created: zulu(map.created),
    min_mon_release: map.minMonRelease,
    min_mon_release_name: releaseName(map.minMonRelease),
    election_strategy: map.electionStrategy,
    "disallowed_leaders: ": [...map.disallowedLeaders].map(textOf).join(","),
    stretch_mode: map.stretchModeEnabled,
    tiebreaker_mon: textOf(map.tiebreakerMon),
    "removed_ranks: ": [...map.removedRanks].join(","),
    features: {
      persistent: featureNames(map.persistentFeatures),
      optional: featureNames(map.optionalFeatures),
    },
    mons: map.ranks.map((name, rank) => {
      const info = monOf(map, name);
      const legacy = legacyAddrText(info.publicAddrs);
      return {
        rank,
        name: textOf(name),
        public_addrs: dumpAddrVec(info.publicAddrs),
        addr: legacy,
        public_addr: legacy,
        priority: info.priority,
        weight: info.weight,
        crush_location: crushLocText(info),
      };
    }),
  };
}
