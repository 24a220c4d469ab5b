/**
 * The OSD map: pools, OSDs, where data goes and who is locked out, as of one epoch.
 *
 * A plain object that is never changed: `applyIncremental` returns the next epoch's. Arrays `osd…` and
 * `…Addrs` are indexed by OSD id and are all `maxOsd` long (`osdPrimaryAffinity` may be empty instead).
 * The encoding is canonical: every holder of an epoch computes the same bytes and the same crc, and the
 * incrementals carry that crc. So nothing may be lost or reordered on the way through.
 *
 *   hdr(8,7) { hdr(9,1) client part; hdr(9,1) osd part; u32 crc }
 *   client part: 10, since Reef, with the balancer's primaries behind
 *   osd part: 10 in stretch mode; 11, with the stretch fields, if ranges are locked out; 12, since Reef, with
 *   both, for crimson
 *   crc: crc32c seeded with -1 over all that precedes it, the outer header included
 * ceph: src/osd/OSDMap.h, src/osd/OSDMap.cc OSDMap::encode
 */

import { buildDefaultMap, type CrushMap, CrushMapCodec } from "../crush/index.ts";
import {
  bool,
  boxed,
  type Codec,
  crc32c,
  f32,
  type Infer,
  list,
  map,
  pairs,
  type Reader,
  record,
  s32,
  s64n,
  str,
  struct,
  u8,
  u32,
  u64,
  versionByte,
  Writer,
} from "../encoding/index.ts";
import {
  ADDR_TYPE,
  AddrVec,
  type EntityAddr,
  IntervalSetCodec,
  UTIME_ZERO,
  Utime,
  Uuid,
} from "../types/index.ts";
import { addrMap, addrMapKey, ipBytes } from "./addr-map.ts";
import { type PgKey, pgMap } from "./pg-key.ts";
import { PgPool } from "./pg-pool.ts";

/** CEPH_OSD_*: bits of an OSD's state. */
export const OSD_STATE = {
  EXISTS: 1 << 0,
  UP: 1 << 1,
  AUTOOUT: 1 << 2,
  NEW: 1 << 3,
  FULL: 1 << 4,
  NEARFULL: 1 << 5,
  BACKFILLFULL: 1 << 6,
  DESTROYED: 1 << 7,
  NOUP: 1 << 8,
  NODOWN: 1 << 9,
  NOIN: 1 << 10,
  NOOUT: 1 << 11,
  STOP: 1 << 12,
} as const;

/** Weight of an OSD that is all in, and of one that is out. */
export const OSD_IN = 0x1_0000;
export const OSD_OUT = 0;
/** Primary affinity 1.0. */
export const PRIMARY_AFFINITY_DEFAULT = 0x1_0000;

/** CEPH_OSDMAP_*: flags of the whole map. */
export const OSDMAP_FLAG = {
  NEARFULL: 1 << 0,
  FULL: 1 << 1,
  PAUSERD: 1 << 2,
  PAUSEWR: 1 << 3,
  PAUSEREC: 1 << 4,
  NOUP: 1 << 5,
  NODOWN: 1 << 6,
  NOOUT: 1 << 7,
  NOIN: 1 << 8,
  NOBACKFILL: 1 << 9,
  NORECOVER: 1 << 10,
  NOSCRUB: 1 << 11,
  NODEEP_SCRUB: 1 << 12,
  NOTIERAGENT: 1 << 13,
  NOREBALANCE: 1 << 14,
  SORTBITWISE: 1 << 15,
  REQUIRE_JEWEL: 1 << 16,
  REQUIRE_KRAKEN: 1 << 17,
  REQUIRE_LUMINOUS: 1 << 18,
  RECOVERY_DELETES: 1 << 19,
  PURGED_SNAPDIRS: 1 << 20,
  NOSNAPTRIM: 1 << 21,
  PGLOG_HARDLIMIT: 1 << 22,
} as const;

/** ceph_release_t */
export const CEPH_RELEASE = {
  UNKNOWN: 0,
  JEWEL: 10,
  LUMINOUS: 12,
  NAUTILUS: 14,
  PACIFIC: 16,
  QUINCY: 17,
} as const;

/** History of an OSD's ups and downs, as epochs. */
export const OsdInfo = versionByte("osd_info_t", 1, {
  lastCleanBegin: u32,
  lastCleanEnd: u32,
  upFrom: u32,
  upThru: u32,
  downAt: u32,
  lostAt: u32,
});
export type OsdInfo = Infer<typeof OsdInfo>;

export const OsdXinfo = struct(
  "osd_xinfo_t",
  { v: 4, oldest: 4 },
  {
    downStamp: Utime,
    /** Parts of 2^32. */
    laggyProbability: u32,
    /** Seconds. */
    laggyInterval: u32,
    features: u64,
    oldWeight: u32,
    lastPurgedSnapsScrub: Utime,
    deadEpoch: u32,
  },
);
export type OsdXinfo = Infer<typeof OsdXinfo>;

export const NEW_OSD_INFO: OsdInfo = Object.freeze({
  lastCleanBegin: 0,
  lastCleanEnd: 0,
  upFrom: 0,
  upThru: 0,
  downAt: 0,
  lostAt: 0,
});
export const NEW_OSD_XINFO: OsdXinfo = Object.freeze({
  downStamp: Object.freeze({ sec: 0, nsec: 0 }),
  laggyProbability: 0,
  laggyInterval: 0,
  features: 0n,
  oldWeight: 0,
  lastPurgedSnapsScrub: Object.freeze({ sec: 0, nsec: 0 }),
  deadEpoch: 0,
});

/** Snap ids by pool. */
const SnapsByPool = map(s64n, IntervalSetCodec);
/** `profile name → its settings`. */
export const EcProfiles = map(str, map(str, str));
/** Replacement OSDs: from, to. */
export const UpmapItems = pairs(s32, s32);

const crush: Codec<CrushMap> = boxed(CrushMapCodec);

const CLIENT_V = 9;
const CLIENT_PRIMARIES_V = 10;
const ClientPart = record("OSDMap", {
  fsid: Uuid,
  epoch: u32,
  created: Utime,
  modified: Utime,
  pools: map(s64n, PgPool),
  /** Byte strings. */
  poolNames: map(s64n, str),
  /** Highest pool id ever given out; 0 before the first. */
  poolMax: s32,
  /** OSDMAP_FLAG bits. */
  flags: u32,
  maxOsd: s32,
  /** OSD_STATE bits. */
  osdState: list(u32),
  /** 16.16: OSD_IN to OSD_OUT. */
  osdWeight: list(u32),
  clientAddrs: list(AddrVec),
  /** PG → acting set in place of the computed one. */
  pgTemp: pgMap(list(s32)),
  primaryTemp: pgMap(s32),
  /** 16.16; empty when all are the default. */
  osdPrimaryAffinity: list(u32),
  crush,
  erasureCodeProfiles: EcProfiles,
  pgUpmap: pgMap(list(s32)),
  pgUpmapItems: pgMap(UpmapItems),
  crushVersion: s32,
  /** Removed (purged) in this very epoch. */
  newRemovedSnaps: SnapsByPool,
  newPurgedSnaps: SnapsByPool,
  lastUpChange: Utime,
  lastInChange: Utime,
});
/** PG → OSD that a balancer wants as its primary. */
const PgUpmapPrimaries = pgMap(s32);

const OSD_V = 9;
const OSD_STRETCH_V = 10;
const OSD_RANGE_V = 11;
const OSD_CRIMSON_V = 12;
const OsdPart = record("OSDMap", {
  hbBackAddrs: list(AddrVec),
  osdInfo: list(OsdInfo),
  /** Address → when its lock-out ends; keyed by the address's text. */
  blocklist: addrMap(Utime, "until"),
  clusterAddrs: list(AddrVec),
  clusterSnapshotEpoch: u32,
  clusterSnapshot: str,
  osdUuid: list(Uuid),
  osdXinfo: list(OsdXinfo),
  hbFrontAddrs: list(AddrVec),
  nearfullRatio: f32,
  fullRatio: f32,
  backfillfullRatio: f32,
  /** CEPH_RELEASE */
  requireMinCompatClient: u8,
  requireOsdRelease: u8,
  /** Snaps removed and not yet purged everywhere. */
  removedSnapsQueue: SnapsByPool,
  crushNodeFlags: map(s32, u32),
  deviceClassFlags: map(s32, u32),
});

/** Two sites and a tiebreaker. */
export const StretchMode = record("OSDMap", {
  enabled: bool,
  bucketCount: u32,
  degraded: u32,
  recovering: u32,
  bucket: s32,
});
export type StretchMode = Infer<typeof StretchMode>;

export const NO_STRETCH_MODE: StretchMode = Object.freeze({
  enabled: false,
  bucketCount: 0,
  degraded: 0,
  recovering: 0,
  bucket: 0,
});

/** Locked-out networks: entries whose address is of type CIDR, with the prefix length as its nonce. */
export const RangeBlocklist = addrMap(Utime, "until");

export type OsdMap = Readonly<Infer<typeof ClientPart> & Infer<typeof OsdPart>> & {
  readonly stretchMode: StretchMode;
  readonly rangeBlocklist: Infer<typeof RangeBlocklist>;
  readonly pgUpmapPrimaries: Infer<typeof PgUpmapPrimaries>;
  /** May OSDs of the next generation join? Theirs are no OSDs of ours: only kept. */
  readonly allowCrimson: boolean;
};

/** Seed of map checksums. */
const CRC_SEED = 0xffff_ffff;

function encodeMap(w: Writer, x: OsdMap): void {
  const start = w.length;
  const outer = w.begin(8, 7);
  const hasPrimaries = x.pgUpmapPrimaries.size > 0;
  const client = w.begin(hasPrimaries ? CLIENT_PRIMARIES_V : CLIENT_V, 1);
  ClientPart.encode(w, x);
  if (hasPrimaries) PgUpmapPrimaries.encode(w, x.pgUpmapPrimaries);
  w.end(client);
  const plainV = x.stretchMode.enabled ? OSD_STRETCH_V : OSD_V;
  const rangeV = x.rangeBlocklist.size > 0 ? OSD_RANGE_V : plainV;
  const osdV = x.allowCrimson ? OSD_CRIMSON_V : rangeV;
  const osd = w.begin(osdV, 1);
  OsdPart.encode(w, x);
  if (osdV >= OSD_STRETCH_V) StretchMode.encode(w, x.stretchMode);
  if (osdV >= OSD_RANGE_V) RangeBlocklist.encode(w, x.rangeBlocklist);
  if (osdV >= OSD_CRIMSON_V) w.u8(x.allowCrimson ? 1 : 0);
  w.end(osd);
  const crcAt = w.reserve(4);
  // The checksum covers the outer length, so that goes in first.
  w.end(outer);
  w.buffer.writeUInt32LE(crc32c(CRC_SEED, w.buffer, start, crcAt), crcAt);
}

/** Every per-OSD array as long as the map says? */
function checkLengths(r: Reader, x: OsdMap): void {
  const n = x.maxOsd;
  const arrays = {
    state: x.osdState,
    weight: x.osdWeight,
    clientAddrs: x.clientAddrs,
    hbBackAddrs: x.hbBackAddrs,
    info: x.osdInfo,
    clusterAddrs: x.clusterAddrs,
    uuid: x.osdUuid,
    xinfo: x.osdXinfo,
    hbFrontAddrs: x.hbFrontAddrs,
  };
  for (const [name, array] of Object.entries(arrays)) {
    if (array.length !== n) throw r.fail(`${name} of ${array.length} osds, max_osd is ${n}`);
  }
  const affinities = x.osdPrimaryAffinity.length;
  if (affinities !== 0 && affinities !== n) throw r.fail(`${affinities} primary affinities`);
}

export const OsdMap: Codec<OsdMap> = {
  name: "OSDMap",
  minSize: 6,
  encode: encodeMap,
  decode(r) {
    const start = r.offset;
    const v = r.begin("OSDMap", 8);
    if (v < 8) throw r.fail(`version ${v} is older than 8`);
    const clientV = r.begin("OSDMap client part", CLIENT_PRIMARIES_V);
    if (clientV < CLIENT_V) throw r.fail(`version ${clientV} is older than ${CLIENT_V}`);
    const client = ClientPart.decode(r);
    const pgUpmapPrimaries =
      clientV >= CLIENT_PRIMARIES_V ? PgUpmapPrimaries.decode(r) : new Map<PgKey, number>();
    r.finish();
    const osdV = r.begin("OSDMap osd part", OSD_CRIMSON_V);
    if (osdV < OSD_V) throw r.fail(`version ${osdV} is older than ${OSD_V}`);
    const osd = OsdPart.decode(r);
    const stretchMode = osdV >= OSD_STRETCH_V ? StretchMode.decode(r) : NO_STRETCH_MODE;
    const rangeBlocklist = osdV >= OSD_RANGE_V ? RangeBlocklist.decode(r) : new Map();
    const allowCrimson = osdV >= OSD_CRIMSON_V && r.bool();
    r.finish();
    const crc = crc32c(CRC_SEED, r.buffer, start, r.offset);
    const expected = r.u32();
    if (r.remaining === 0 && crc !== expected) throw r.fail(`bad crc ${crc}, not ${expected}`);
    const x: OsdMap = {
      ...client,
      ...osd,
      stretchMode,
      rangeBlocklist,
      pgUpmapPrimaries,
      allowCrimson,
    };
    checkLengths(r, x);
    r.finish();
    return x;
  },
};

/** The map's bytes, and the crc in them that the incremental to this epoch must carry. */
export function encodeOsdMap(x: OsdMap): { bytes: Buffer; crc: number } {
  const w = new Writer();
  encodeMap(w, x);
  const bytes = w.finish();
  return { bytes, crc: bytes.readUInt32LE(bytes.length - 4) };
}

/** The map before the first change: epoch 0, no OSDs, no pools. */
export function emptyOsdMap(fsid: Uuid, created: Utime = UTIME_ZERO): OsdMap {
  return {
    fsid,
    epoch: 0,
    created,
    modified: created,
    pools: new Map(),
    poolNames: new Map(),
    poolMax: 0,
    flags:
      OSDMAP_FLAG.SORTBITWISE |
      OSDMAP_FLAG.RECOVERY_DELETES |
      OSDMAP_FLAG.PURGED_SNAPDIRS |
      OSDMAP_FLAG.PGLOG_HARDLIMIT,
    maxOsd: 0,
    osdState: [],
    osdWeight: [],
    clientAddrs: [],
    pgTemp: new Map(),
    primaryTemp: new Map(),
    osdPrimaryAffinity: [],
    crush: buildDefaultMap({ host: "localhost", devices: [] }),
    erasureCodeProfiles: new Map(),
    pgUpmap: new Map(),
    pgUpmapItems: new Map(),
    crushVersion: 1,
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    lastUpChange: UTIME_ZERO,
    lastInChange: UTIME_ZERO,
    hbBackAddrs: [],
    osdInfo: [],
    blocklist: new Map(),
    clusterAddrs: [],
    clusterSnapshotEpoch: 0,
    clusterSnapshot: "",
    osdUuid: [],
    osdXinfo: [],
    hbFrontAddrs: [],
    // What a monitor sets from mon_osd_nearfull_ratio and friends.
    nearfullRatio: Math.fround(0.85),
    fullRatio: Math.fround(0.95),
    backfillfullRatio: Math.fround(0.9),
    requireMinCompatClient: CEPH_RELEASE.LUMINOUS,
    requireOsdRelease: CEPH_RELEASE.PACIFIC,
    removedSnapsQueue: new Map(),
    crushNodeFlags: new Map(),
    deviceClassFlags: new Map(),
    stretchMode: NO_STRETCH_MODE,
    rangeBlocklist: new Map(),
    pgUpmapPrimaries: new Map(),
    allowCrimson: false,
  };
}

/** Is there such an OSD? */
export function osdExists(map: OsdMap, osd: number): boolean {
  return ((map.osdState[osd] ?? 0) & OSD_STATE.EXISTS) !== 0;
}

export function isUp(map: OsdMap, osd: number): boolean {
  return osdExists(map, osd) && (map.osdState[osd]! & OSD_STATE.UP) !== 0;
}

export function isIn(map: OsdMap, osd: number): boolean {
  return osdExists(map, osd) && map.osdWeight[osd] !== OSD_OUT;
}

/** Ids of the OSDs that exist, ascending. */
export function osdIds(map: OsdMap): number[] {
  return map.osdState.flatMap((_, osd) => (osdExists(map, osd) ? [osd] : []));
}

/** The id of the pool with that name (a byte string). */
export function poolByName(map: OsdMap, name: string): number | undefined {
  for (const [id, text] of map.poolNames) if (text === name) return id;
  return undefined;
}

/** Is the first `bits` bits of both the same? */
function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const mask = 0xff00 >> (bits & 7);
  return (bits & 7) === 0 || ((a[whole]! ^ b[whole]!) & mask & 0xff) === 0;
}

/**
 * Is a client locked out? Entries are for one instance (address and nonce), or with port and nonce 0
 * for everything at an IP address, or for a network.
 */
export function isBlocklisted(map: OsdMap, addr: EntityAddr): boolean {
  if (map.blocklist.size > 0) {
    // Since Nautilus all entries are of type "any": the same client may come by v1 and v2.
    const any = { ...addr, type: ADDR_TYPE.ANY };
    if (map.blocklist.has(addrMapKey(any))) return true;
    if (map.blocklist.has(addrMapKey({ ...any, port: 0, nonce: 0 }))) return true;
  }
  if (map.rangeBlocklist.size === 0) return false;
  const ip = ipBytes(addr);
  for (const { addr: range } of map.rangeBlocklist.values()) {
    const network = ipBytes(range);
    if (ip.length === network.length && samePrefix(ip, network, range.nonce)) return true;
  }
  return false;
}
