/**
 * An object on its way from one OSD to another: what copy-get answers, piece by piece.
 * ceph: src/osd/osd_types.h object_copy_cursor_t, object_copy_data_t
 */

import {
  blob,
  bool,
  type Infer,
  list,
  map,
  record,
  s32,
  str,
  struct,
  u32,
  u64,
  u64n,
} from "../encoding/index.ts";
import { OsdReqId, Utime } from "../types/index.ts";

/** How far a copy has come. */
export const ObjectCopyCursor = struct(
  "object_copy_cursor_t",
  { v: 1 },
  {
    attrComplete: bool,
    dataOffset: u64n,
    dataComplete: bool,
    /** The last omap key that is there. */
    omapOffset: str,
    omapComplete: bool,
  },
);
export type ObjectCopyCursor = Infer<typeof ObjectCopyCursor>;

export const COPY_START: Readonly<ObjectCopyCursor> = Object.freeze({
  attrComplete: false,
  dataOffset: 0,
  dataComplete: false,
  omapOffset: "",
  omapComplete: false,
});

export function isCopyComplete(cursor: ObjectCopyCursor): boolean {
  return cursor.attrComplete && cursor.dataComplete && cursor.omapComplete;
}

/** One piece: what lies between two cursors, and with every piece what the object is. */
export const ObjectCopyData = struct(
  "object_copy_data_t",
  { v: 8, compat: 5 },
  {
    size: u64n,
    mtime: Utime,
    attrs: map(str, blob),
    data: blob,
    /** An encoded map of keys and values; empty for none. */
    omapData: blob,
    cursor: ObjectCopyCursor,
    omapHeader: blob,
    /** Of a clone. */
    snaps: list(u64),
    /** Of a head. */
    snapSeq: u64,
    flags: u32,
    dataDigest: u32,
    omapDigest: u32,
    /** The last requests that changed the object, so that a resend to the copy's tier is known. */
    reqids: list(record("reqid", { id: OsdReqId, userVersion: u64n })),
    truncateSeq: u32,
    truncateSize: u64n,
    reqidReturnCodes: map(u32, s32),
  },
);
export type ObjectCopyData = Infer<typeof ObjectCopyData>;
