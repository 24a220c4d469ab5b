/**
 * What one epoch changed in the OSD map, and how to apply it.
 *
 *   hdr(8,7) { hdr(8,1) client part; hdr(9,1) osd part; u32 inc_crc; u32 full_crc }
 *   client part: 9, since Reef, with changes of the balancer's primaries behind
 *   osd part: 10 if stretch mode changes; 11, with those fields, if locked-out ranges do; 12, since Reef, with
 *   both, if crimson is let in or no more
 *   inc_crc: crc32c seeded with -1 over all but itself; full_crc: the crc inside the resulting full map
 *
 * "No change" has a value of its own in each scalar: -1, 255 for releases, zero for times, empty for
 * blobs. `newIncremental` fills them in. Lists that clear (`newPgTemp` of nothing, `newPrimaryTemp` -1)
 * are part of the format.
 * ceph: src/osd/OSDMap.cc OSDMap::Incremental, OSDMap::apply_incremental
 */

import {
  blob,
  bool,
  type Codec,
  crc32c,
  EMPTY,
  f32,
  type Infer,
  list,
  map,
  type Reader,
  record,
  s32,
  s64n,
  set,
  str,
  u8,
  u32,
  u64,
} from "../encoding/index.ts";
import {
  AddrVec,
  EntityAddr,
  FEATURES_SUPPORTED,
  IntervalSetCodec,
  UTIME_ZERO,
  Utime,
  Uuid,
} from "../types/index.ts";
import { addrMap } from "./addr-map.ts";
import { EcProfiles, type OsdMap, OsdXinfo, RangeBlocklist, UpmapItems } from "./osd-map.ts";
import { comparePgKeys, PgKeyCodec, pgMap } from "./pg-key.ts";
import { PgPool } from "./pg-pool.ts";

const SnapsByPool = map(s64n, IntervalSetCodec);
const pgSet = set(PgKeyCodec, comparePgKeys);
const addrsByOsd = map(s32, AddrVec);
const EpochInterval = record("pair<epoch_t,epoch_t>", { begin: u32, end: u32 });

const CLIENT_V = 8;
const CLIENT_PRIMARIES_V = 9;
const ClientPart = record("OSDMap::Incremental", {
  fsid: Uuid,
  epoch: u32,
  modified: Utime,
  newPoolMax: s64n,
  /** All flags of the new map, or -1. */
  newFlags: s32,
  /** An encoded OsdMap that replaces everything; usually empty. */
  fullmap: blob,
  /** An encoded CrushMap; empty if unchanged. */
  crush: blob,
  newMaxOsd: s32,
  newPools: map(s64n, PgPool),
  newPoolNames: map(s64n, str),
  oldPools: set(s64n),
  /** These OSDs come up, at these addresses. */
  newUpClient: addrsByOsd,
  /** OSD_STATE bits to flip; 0 means UP. */
  newState: map(s32, u32),
  newWeight: map(s32, u32),
  newPgTemp: pgMap(list(s32)),
  newPrimaryTemp: pgMap(s32),
  newPrimaryAffinity: map(s32, u32),
  newErasureCodeProfiles: EcProfiles,
  oldErasureCodeProfiles: list(str),
  newPgUpmap: pgMap(list(s32)),
  oldPgUpmap: pgSet,
  newPgUpmapItems: pgMap(UpmapItems),
  oldPgUpmapItems: pgSet,
  newRemovedSnaps: SnapsByPool,
  newPurgedSnaps: SnapsByPool,
  newLastUpChange: Utime,
  newLastInChange: Utime,
});

const PrimariesChange = record("OSDMap::Incremental", {
  newPgUpmapPrimaries: pgMap(s32),
  oldPgUpmapPrimaries: pgSet,
});
const noPrimariesChange = (): Infer<typeof PrimariesChange> => ({
  newPgUpmapPrimaries: new Map(),
  oldPgUpmapPrimaries: new Set(),
});

const OSD_V = 9;
const OSD_STRETCH_V = 10;
const OSD_RANGE_V = 11;
const OSD_CRIMSON_V = 12;
/** What becomes of the map's allowCrimson. */
const CRIMSON_CHANGE = { NONE: 0, SET: 1, CLEAR: 2 } as const;
const OsdPart = record("OSDMap::Incremental", {
  newHbBackUp: addrsByOsd,
  newUpThru: map(s32, u32),
  newLastCleanInterval: map(s32, EpochInterval),
  newLost: map(s32, u32),
  newBlocklist: addrMap(Utime, "until"),
  oldBlocklist: list(EntityAddr),
  newUpCluster: addrsByOsd,
  clusterSnapshot: str,
  newUuid: map(s32, Uuid),
  newXinfo: map(s32, OsdXinfo),
  newHbFrontUp: addrsByOsd,
  /** Features the full map of this epoch was encoded with. */
  encodeFeatures: u64,
  newNearfullRatio: f32,
  newFullRatio: f32,
  newBackfillfullRatio: f32,
  newRequireMinCompatClient: u8,
  newRequireOsdRelease: u8,
  newCrushNodeFlags: map(s32, u32),
  newDeviceClassFlags: map(s32, u32),
});

const StretchChange = record("OSDMap::Incremental", {
  change: bool,
  bucketCount: u32,
  degraded: u32,
  recovering: u32,
  bucket: s32,
  enabled: bool,
});

type StretchChange = Infer<typeof StretchChange>;
const NO_STRETCH_CHANGE: StretchChange = Object.freeze({
  change: false,
  bucketCount: 0,
  degraded: 0,
  recovering: 0,
  bucket: 0,
  enabled: false,
});

const RangeChange = record("OSDMap::Incremental", {
  newRangeBlocklist: RangeBlocklist,
  oldRangeBlocklist: list(EntityAddr),
});

const noRangeChange = (): Infer<typeof RangeChange> => ({
  newRangeBlocklist: new Map(),
  oldRangeBlocklist: [],
});

export type OsdMapIncremental = Infer<typeof ClientPart> &
  Infer<typeof OsdPart> &
  Infer<typeof RangeChange> &
  Infer<typeof PrimariesChange> & {
    /** Undefined: as before. */
    newAllowCrimson?: boolean | undefined;
    stretchChange: StretchChange;
    /** crc of the resulting full map. */
    fullCrc: number;
  };

const CRC_SEED = 0xffff_ffff;
/** A release that is not one: keep the old. */
export const RELEASE_UNCHANGED = 255;

function checkCrc(r: Reader, start: number, crcAt: number, expected: number): void {
  const front = crc32c(CRC_SEED, r.buffer, start, crcAt);
  const crc = crc32c(front, r.buffer, crcAt + 4, r.offset);
  if (crc !== expected) throw r.fail(`bad crc ${crc}, not ${expected}`);
}

export const OsdMapIncremental: Codec<OsdMapIncremental> = {
  name: "OSDMap::Incremental",
  minSize: 6,
  encode(w, x) {
    const start = w.length;
    const outer = w.begin(8, 7);
    const primaries = x.newPgUpmapPrimaries.size > 0 || x.oldPgUpmapPrimaries.size > 0;
    const client = w.begin(primaries ? CLIENT_PRIMARIES_V : CLIENT_V, 1);
    ClientPart.encode(w, x);
    if (primaries) PrimariesChange.encode(w, x);
    w.end(client);
    const ranges = x.newRangeBlocklist.size > 0 || x.oldRangeBlocklist.length > 0;
    const rangeV = ranges ? OSD_RANGE_V : x.stretchChange.change ? OSD_STRETCH_V : OSD_V;
    const osdV = x.newAllowCrimson === undefined ? rangeV : OSD_CRIMSON_V;
    const osd = w.begin(osdV, 1);
    OsdPart.encode(w, x);
    if (osdV >= OSD_STRETCH_V) StretchChange.encode(w, x.stretchChange);
    if (osdV >= OSD_RANGE_V) RangeChange.encode(w, x);
    if (osdV >= OSD_CRIMSON_V) {
      w.u8(x.newAllowCrimson === true ? CRIMSON_CHANGE.SET : CRIMSON_CHANGE.CLEAR);
    }
    w.end(osd);
    const crcAt = w.reserve(4);
    w.u32(x.fullCrc);
    w.end(outer);
    const front = crc32c(CRC_SEED, w.buffer, start, crcAt);
    w.buffer.writeUInt32LE(crc32c(front, w.buffer, crcAt + 4, w.length), crcAt);
  },
  decode(r) {
    const start = r.offset;
    const v = r.begin("OSDMap::Incremental", 8);
    if (v < 8) throw r.fail(`version ${v} is older than 8`);
    const clientV = r.begin("OSDMap::Incremental client part", CLIENT_PRIMARIES_V);
    if (clientV < CLIENT_V) throw r.fail(`version ${clientV} is older than ${CLIENT_V}`);
    const client = ClientPart.decode(r);
    const primaries =
      clientV >= CLIENT_PRIMARIES_V ? PrimariesChange.decode(r) : noPrimariesChange();
    r.finish();
    const osdV = r.begin("OSDMap::Incremental osd part", OSD_CRIMSON_V);
    if (osdV < OSD_V) throw r.fail(`version ${osdV} is older than ${OSD_V}`);
    const osd = OsdPart.decode(r);
    const stretchChange = osdV >= OSD_STRETCH_V ? StretchChange.decode(r) : NO_STRETCH_CHANGE;
    const ranges = osdV >= OSD_RANGE_V ? RangeChange.decode(r) : noRangeChange();
    const crimson = osdV >= OSD_CRIMSON_V ? r.u8() : CRIMSON_CHANGE.NONE;
    r.finish();
    const crcAt = r.offset;
    const expected = r.u32();
    const fullCrc = r.u32();
    // A newer writer's tail would be covered as well, and we do not know how it is laid out.
    if (r.remaining === 0) checkCrc(r, start, crcAt, expected);
    r.finish();
    const newAllowCrimson =
      crimson === CRIMSON_CHANGE.NONE ? undefined : crimson === CRIMSON_CHANGE.SET;
    return { ...client, ...osd, ...ranges, ...primaries, newAllowCrimson, stretchChange, fullCrc };
  },
};

/** The change to the epoch after `base`'s that changes nothing yet; `modified` is for the caller to set. */
export function newIncremental(base: Pick<OsdMap, "fsid" | "epoch">): OsdMapIncremental {
  return {
    fsid: base.fsid,
    epoch: base.epoch + 1,
    modified: UTIME_ZERO,
    newPoolMax: -1,
    newFlags: -1,
    fullmap: EMPTY,
    crush: EMPTY,
    newMaxOsd: -1,
    newPools: new Map(),
    newPoolNames: new Map(),
    oldPools: new Set(),
    newUpClient: new Map(),
    newState: new Map(),
    newWeight: new Map(),
    newPgTemp: new Map(),
    newPrimaryTemp: new Map(),
    newPrimaryAffinity: new Map(),
    newErasureCodeProfiles: new Map(),
    oldErasureCodeProfiles: [],
    newPgUpmap: new Map(),
    oldPgUpmap: new Set(),
    newPgUpmapItems: new Map(),
    oldPgUpmapItems: new Set(),
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    newLastUpChange: UTIME_ZERO,
    newLastInChange: UTIME_ZERO,
    newHbBackUp: new Map(),
    newUpThru: new Map(),
    newLastCleanInterval: new Map(),
    newLost: new Map(),
    newBlocklist: new Map(),
    oldBlocklist: [],
    newUpCluster: new Map(),
    clusterSnapshot: "",
    newUuid: new Map(),
    newXinfo: new Map(),
    newHbFrontUp: new Map(),
    encodeFeatures: FEATURES_SUPPORTED,
    newNearfullRatio: -1,
    newFullRatio: -1,
    newBackfillfullRatio: -1,
    newRequireMinCompatClient: RELEASE_UNCHANGED,
    newRequireOsdRelease: RELEASE_UNCHANGED,
    newCrushNodeFlags: new Map(),
    newDeviceClassFlags: new Map(),
    ...noRangeChange(),
    ...noPrimariesChange(),
    newAllowCrimson: undefined,
    stretchChange: NO_STRETCH_CHANGE,
    fullCrc: 0,
  };
}
