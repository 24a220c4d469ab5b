/**
 * The monitor map: who the monitors are and where they listen. A client's first fact about a cluster.
 * ceph: src/mon/MonMap.h, src/mon/MonMap.cc
 */

import {
  bool,
  type Codec,
  type Infer,
  list,
  map,
  set,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../encoding/index.ts";
import { AddrVec, UTIME_ZERO, Utime, Uuid } from "../types/index.ts";

/** mon_feature_t: bits that all monitors agree on. */
const MonFeature = struct("mon_feature_t", { v: 1 }, { features: u64 });
const feature: Codec<bigint> = {
  name: MonFeature.name,
  minSize: MonFeature.minSize,
  encode: (w, x) => MonFeature.encode(w, { features: x }),
  decode: (r) => MonFeature.decode(r).features,
};

/** MON_FEATURE bits as `mon dump` names them. */
export const MON_FEATURES: readonly (readonly [bit: bigint, name: string])[] = [
  [1n << 0n, "kraken"],
  [1n << 1n, "luminous"],
  [1n << 2n, "mimic"],
  [1n << 3n, "osdmap-prune"],
  [1n << 4n, "nautilus"],
  [1n << 5n, "octopus"],
  [1n << 6n, "pacific"],
  [1n << 7n, "elector-pinging"],
];
/** What a monitor of 16.2 has by default. */
export const MON_FEATURES_PERSISTENT = 0xffn;

export const ELECTION_STRATEGY = { CLASSIC: 1, DISALLOW: 2, CONNECTIVITY: 3 } as const;

const crushLoc = map(str, str);
export const MonInfo = struct(
  "mon_info_t",
  {
    v: 5,
    oldest: 5,
    compat: (x: { crushLoc: Map<string, string> }) => (x.crushLoc.size > 0 ? 4 : 1),
  },
  {
    name: str,
    publicAddrs: AddrVec,
    priority: u16,
    weight: u16,
    crushLoc,
  },
);
export type MonInfo = Infer<typeof MonInfo>;

export const MonMap = struct(
  "MonMap",
  { v: 9, oldest: 9, compat: 6 },
  {
    fsid: Uuid,
    epoch: u32,
    lastChanged: Utime,
    created: Utime,
    persistentFeatures: feature,
    optionalFeatures: feature,
    /** By monitor id: "a" for mon.a. */
    monInfo: map(str, MonInfo),
    /** Monitor ids in order of rank. */
    ranks: list(str),
    /** CEPH_RELEASE */
    minMonRelease: u8,
    removedRanks: set(u32),
    electionStrategy: u8,
    disallowedLeaders: set(str),
    stretchModeEnabled: bool,
    tiebreakerMon: str,
    stretchMarkedDownMons: set(str),
  },
);
export type MonMap = Infer<typeof MonMap>;

/** The map of a cluster with one monitor. */
export function newMonMap(options: {
  fsid: string;
  name: string;
  addrs: AddrVec;
  created?: Utime;
}): MonMap {
  const { fsid, name, addrs, created = UTIME_ZERO } = options;
  const info: MonInfo = { name, publicAddrs: addrs, priority: 0, weight: 0, crushLoc: new Map() };
  return {
    fsid,
    epoch: 1,
    lastChanged: created,
    created,
    persistentFeatures: MON_FEATURES_PERSISTENT,
    optionalFeatures: 0n,
    monInfo: new Map([[name, info]]),
    ranks: [name],
    minMonRelease: 16,
    removedRanks: new Set(),
    electionStrategy: ELECTION_STRATEGY.CLASSIC,
    disallowedLeaders: new Set(),
    stretchModeEnabled: false,
    tiebreakerMon: "",
    stretchMarkedDownMons: new Set(),
  };
}
