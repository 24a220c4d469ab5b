/**
 * What mirroring keeps about pools, peers and images in the rbd_mirroring and rbd_mirror_leader objects.
 * ceph: src/cls/rbd/cls_rbd_types.h
 */

import {
  blob,
  bool,
  type Codec,
  fixed,
  type Infer,
  type Reader,
  record,
  s64n,
  since,
  str,
  struct,
  u8,
  type Writer,
} from "../../../encoding/index.ts";
import { ADDR_TYPE, EntityInst, UTIME_ZERO, Utime } from "../../../types/index.ts";
import { MIRROR_PEER_DIRECTION } from "./features.ts";

/** Another cluster that mirrors images from or to this pool. */
export const MirrorPeer = struct(
  "cls::rbd::MirrorPeer",
  { v: 2 },
  {
    uuid: str,
    siteName: str,
    clientName: str,
    /** compat: a pool id that nobody reads any more. */
    poolId: fixed(s64n, -1),
    direction: since(2, u8, MIRROR_PEER_DIRECTION.RX_TX),
    mirrorUuid: since(2, str, ""),
    lastSeen: since(2, Utime, UTIME_ZERO),
  },
);
export type MirrorPeer = Infer<typeof MirrorPeer>;

/** A peer we receive from needs a client name; every peer needs a uuid and a site. */
export function isValidPeer(peer: MirrorPeer): boolean {
  switch (peer.direction) {
    case MIRROR_PEER_DIRECTION.TX:
      break;
    case MIRROR_PEER_DIRECTION.RX:
    case MIRROR_PEER_DIRECTION.RX_TX:
      if (peer.clientName === "") return false;
      break;
    default:
      return false;
  }
  return peer.uuid !== "" && peer.siteName !== "";
}

/** An image that is mirrored, or about to stop. */
export const MirrorImage = struct(
  "cls::rbd::MirrorImage",
  { v: 2 },
  { globalImageId: str, state: u8, mode: since(2, u8, 0) },
);
export type MirrorImage = Infer<typeof MirrorImage>;

/** How mirroring of one image goes, seen from one site ("" is this one). */
const siteFields = {
  state: u8,
  description: str,
  lastUpdate: Utime,
  up: bool,
};
const LocalSiteStatus = record("MirrorImageSiteStatus v1", siteFields);
const RemoteSiteStatus = record("MirrorImageSiteStatus v2", { mirrorUuid: str, ...siteFields });
export type MirrorImageSiteStatus = Infer<typeof RemoteSiteStatus>;

/** The uuid of this site. */
export const LOCAL_MIRROR_UUID = "";

function decodeSite(r: Reader, v: number): MirrorImageSiteStatus {
  if (v >= 2) return RemoteSiteStatus.decode(r);
  return { mirrorUuid: LOCAL_MIRROR_UUID, ...LocalSiteStatus.decode(r) };
}

/** hdr(1,1) without the uuid for this site, hdr(2,2) with it for another. */
export const MirrorImageSiteStatus: Codec<MirrorImageSiteStatus> = {
  name: "cls::rbd::MirrorImageSiteStatus",
  minSize: 6,
  encode(w, x) {
    const v = x.mirrorUuid === LOCAL_MIRROR_UUID ? 1 : 2;
    const mark = w.begin(v, v);
    (v === 1 ? LocalSiteStatus : RemoteSiteStatus).encode(w, x);
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("cls::rbd::MirrorImageSiteStatus", 2);
    const x = decodeSite(r, v);
    r.finish();
    return x;
  },
};

/** A status as stored: who reported it, then the status, its uuid being in the key. */
export interface MirrorImageSiteStatusOnDisk {
  origin: EntityInst;
  status: MirrorImageSiteStatus;
}

/** The address type is not what identifies a client, so it is always stored as ANY. */
export function sanitizeEntityInst(x: EntityInst): EntityInst {
  return { name: x.name, addr: { ...x.addr, type: ADDR_TYPE.ANY } };
}

const OriginHeader = struct("MirrorImageSiteStatusOnDisk", { v: 1 }, { origin: EntityInst });

export const MirrorImageSiteStatusOnDisk: Codec<MirrorImageSiteStatusOnDisk> = {
  name: "cls::rbd::MirrorImageSiteStatusOnDisk",
  minSize: 12,
  encode(w, x) {
    OriginHeader.encode(w, { origin: sanitizeEntityInst(x.origin) });
    MirrorImageSiteStatus.encode(w, x.status);
  },
  decode(r) {
    const { origin } = OriginHeader.decode(r);
    return { origin: sanitizeEntityInst(origin), status: MirrorImageSiteStatus.decode(r) };
  },
};

const NO_SITE_STATUS: MirrorImageSiteStatus = Object.freeze({
  mirrorUuid: LOCAL_MIRROR_UUID,
  state: 0,
  description: "",
  lastUpdate: UTIME_ZERO,
  up: false,
});

/** The statuses of one image at all sites. */
export type MirrorImageStatus = MirrorImageSiteStatus[];

/*
 * MirrorImageStatus, hdr(2,1): local status (v1 fields, zeros if there is none); bool local is valid;
 * u32 n; n remote statuses (v2 fields)
 */
export const MirrorImageStatus: Codec<MirrorImageStatus> = {
  name: "cls::rbd::MirrorImageStatus",
  minSize: 6,
  encode(w: Writer, x) {
    const mark = w.begin(2, 1);
    const local = x.find((s) => s.mirrorUuid === LOCAL_MIRROR_UUID);
    const remote = x.filter((s) => s.mirrorUuid !== LOCAL_MIRROR_UUID);
    LocalSiteStatus.encode(w, local ?? NO_SITE_STATUS);
    w.bool(local !== undefined);
    w.u32(remote.length);
    for (const site of remote) RemoteSiteStatus.encode(w, site);
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("cls::rbd::MirrorImageStatus", 2);
    const local = decodeSite(r, 1);
    const sites: MirrorImageStatus = [];
    if (v < 2) {
      sites.push(local);
    } else {
      if (r.bool()) sites.push(local);
      for (let n = r.count(RemoteSiteStatus.minSize); n > 0; n--) {
        sites.push(RemoteSiteStatus.decode(r));
      }
    }
    r.finish();
    return sites;
  },
};

/** Which rbd-mirror instance handles an image. */
export const MirrorImageMap = struct(
  "cls::rbd::MirrorImageMap",
  { v: 1 },
  { instanceId: str, mappedTime: Utime, data: blob },
);
export type MirrorImageMap = Infer<typeof MirrorImageMap>;
