/**
 * The header of a format 1 image: the bytes of the object <name>.rbd, changed only as a whole.
 *
 *   40 text; 24 block name; 4 signature; 8 version; u8 order, crypt, comp, unused; u64 image size;
 *   u64 snap_seq; u32 snap_count; u32 reserved; u64 snap_names_len;
 *   snap_count times {u64 id, u64 image size}; the names, each ended by a zero byte
 * ceph: src/include/rbd_types.h rbd_obj_header_ondisk
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { byteStringOf, Reader, Writer } from "../../../encoding/index.ts";
import type { ClassContext } from "../../objclass.ts";
import { HEADER_BYTES, SEQ_OFFSET, SIZE_OFFSET } from "../types/format1.ts";

/** A snapshot of a format 1 image. */
export interface Format1Snapshot {
  id: bigint;
  imageSize: bigint;
  name: string;
}

export interface Format1Header {
  /** The bytes before snap_seq, passed through unread but for the size. */
  readonly front: Uint8Array;
  /** Bytes. */
  readonly imageSize: bigint;
  snapSeq: bigint;
  readonly reserved: number;
  /** Newest first. */
  snaps: Format1Snapshot[];
}

const SNAP_BYTES = 16;
/** More than a client ever makes; bounds what a forged header can cost. */
const HEADER_BYTES_MAX = 16 * 1024 * 1024;

/** EINVAL: too short for what it claims; EIO: fewer names than snapshots. */
export function readHeader(context: ClassContext): Result<Format1Header> {
  const fixed = context.read(0, HEADER_BYTES);
  if (isFailure(fixed)) return fixed;
  if (fixed.length < HEADER_BYTES) return fail("EINVAL");
  const r = new Reader(fixed);
  const front = Uint8Array.from(r.view(SEQ_OFFSET));
  const snapSeq = r.u64();
  const snapCount = r.u32();
  const reserved = r.u32();
  const namesBytes = Number(r.u64());
  const total = HEADER_BYTES + snapCount * SNAP_BYTES + namesBytes;
  if (total > HEADER_BYTES_MAX) return fail("EINVAL");
  const whole = context.read(0, total);
  if (isFailure(whole)) return whole;
  if (whole.length < total) return fail("EINVAL");
  const body = new Reader(whole, HEADER_BYTES);
  const ids: { id: bigint; imageSize: bigint }[] = [];
  for (let i = 0; i < snapCount; i++) ids.push({ id: body.u64(), imageSize: body.u64() });
  const names = byteStringOf(whole.subarray(HEADER_BYTES + snapCount * SNAP_BYTES)).split("\0");
  if (names.length < snapCount + 1) return fail("EIO");
  return {
    front,
    imageSize: new Reader(front, SIZE_OFFSET).u64(),
    snapSeq,
    reserved,
    snaps: ids.map((x, i) => ({ ...x, name: names[i] ?? "" })),
  };
}

export function writeHeader(context: ClassContext, header: Format1Header): Result<void> {
  const w = new Writer();
  w.bytes(header.front);
  w.u64(header.snapSeq);
  w.u32(header.snaps.length);
  w.u32(header.reserved);
  w.u64n(header.snaps.reduce((n, s) => n + s.name.length + 1, 0));
  for (const snap of header.snaps) {
    w.u64(snap.id);
    w.u64(snap.imageSize);
  }
  for (const snap of header.snaps) {
    for (let i = 0; i < snap.name.length; i++) w.u8(snap.name.charCodeAt(i));
    w.u8(0);
  }
  return context.writeFull(w.finish());
}
