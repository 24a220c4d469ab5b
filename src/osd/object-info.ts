/**
 * What the OSD keeps with every object, in the store's attributes: versions, size, times, watchers.
 *
 * The format is ours (it never leaves the machine); the meaning of the fields is upstream's.
 * Attribute names are upstream's too: "_" for the info, "snapset", and "_<name>" for a client's xattr.
 * ceph: src/osd/osd_types.h object_info_t, watch_info_t; src/include/types.h OI_ATTR, SS_ATTR
 */

import { type Infer, list, struct, u8, u32, u64, u64n } from "../encoding/index.ts";
import {
  EntityAddr,
  EntityName,
  EVERSION_ZERO,
  EVersion,
  UTIME_ZERO,
  Utime,
} from "../types/index.ts";

export const INFO_ATTR = "_";
export const SNAPSET_ATTR = "snapset";
/** Prefix that keeps clients' xattrs apart from ours. */
export const XATTR_PREFIX = "_";

/** Someone watching an object, as it survives a restart. */
export const WatchInfo = struct(
  "spirula_watch_info",
  { v: 1 },
  { entity: EntityName, cookie: u64, timeoutSeconds: u32, addr: EntityAddr },
);
export type WatchInfo = Infer<typeof WatchInfo>;

export const OBJECT_FLAG = { WHITEOUT: 1, OMAP: 2 } as const;

export const ObjectInfo = struct(
  "spirula_object_info",
  { v: 1 },
  {
    version: EVersion,
    priorVersion: EVersion,
    userVersion: u64n,
    size: u64n,
    mtime: Utime,
    flags: u8,
    truncateSeq: u32,
    truncateSize: u64n,
    watchers: list(WatchInfo),
  },
);
export type ObjectInfo = Infer<typeof ObjectInfo>;

/** The info of an object that does not exist. */
export const NO_OBJECT: Readonly<ObjectInfo> = Object.freeze({
  version: EVERSION_ZERO,
  priorVersion: EVERSION_ZERO,
  userVersion: 0,
  size: 0,
  mtime: UTIME_ZERO,
  flags: 0,
  truncateSeq: 0,
  truncateSize: 0,
  watchers: [],
});

/** A copy to be changed. Field by field: it is made for every write. */
export function copyInfo(info: ObjectInfo): ObjectInfo {
  return {
    version: info.version,
    priorVersion: info.priorVersion,
    userVersion: info.userVersion,
    size: info.size,
    mtime: info.mtime,
    flags: info.flags,
    truncateSeq: info.truncateSeq,
    truncateSize: info.truncateSize,
    watchers: info.watchers.slice(),
  };
}

export function isWhiteout(info: ObjectInfo): boolean {
  return (info.flags & OBJECT_FLAG.WHITEOUT) !== 0;
}

/** It has, or had once, an omap: an empty one counts as well. */
export function hasOmap(info: ObjectInfo): boolean {
  return (info.flags & OBJECT_FLAG.OMAP) !== 0;
}

/** Names a watch within its object. */
export function watchKey(entity: EntityName, cookie: bigint): string {
  return `${entity.type}.${entity.num}:${cookie}`;
}
