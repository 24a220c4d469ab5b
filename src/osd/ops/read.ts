/**
 * Ops that read an object's data and state.
 * ceph: src/osd/PrimaryLogPG.cc do_read, do_sparse_read, do_extent_cmp, do_checksum
 */

import { ERRNO } from "../../base/index.ts";
import {
  type BufferList,
  crc32c,
  crc32cCombine,
  flatten,
  listLength,
  Writer,
} from "../../encoding/index.ts";
import { assertVerOf, CHECKSUM_TYPE, checksumOf } from "../../messages/index.ts";
import { Utime } from "../../types/index.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { extentArgument } from "./extent.ts";
import { readOp } from "./op.ts";

/** The largest errno: cmpext's mismatch offsets count on from here.  ceph: MAX_ERRNO */
const MAX_ERRNO = 4095;

/** Bytes of a range for a request that must go on at once. */
function readNow(ctx: OpContext, offset: number, length: number): BufferList {
  return ctx.store.readSync(ctx.collection, ctx.object, offset, length);
}

function readData(ctx: OpContext, slot: OpSlot): number {
  const { offset, length, truncateSize, truncateSeq } = extentArgument(slot.op);
  let size = ctx.info.size;
  const beyond = ctx.info.truncateSeq < truncateSeq && offset + length > truncateSize;
  if (beyond && size > truncateSize) size = truncateSize;
  const want = Math.max(0, Math.min(length === 0 ? size : length, size - offset));
  if (want > 0) {
    slot.out = ctx.mayWrite
      ? readNow(ctx, offset, want)
      : ctx.store.read(ctx.collection, ctx.object, offset, want);
    slot.crc = ctx.store.checksum(ctx.collection, ctx.object, offset, want);
  }
  ctx.countRead(want);
  return 0;
}
export const read = readOp(readData);

/*
 * Sparse reply: u32 n, n x {u64 offset, u64 length}; u32 length of all data, data.
 */
function sparseRead(ctx: OpContext, slot: OpSlot): number {
  const { offset, length, truncateSeq } = extentArgument(slot.op);
  if (truncateSeq !== 0) return -ERRNO.EINVAL;
  const extents = ctx.store.extents(ctx.collection, ctx.object, offset, length);
  let total = 0;
  const w = new Writer(8 + extents.length * 16);
  w.u32(extents.length);
  for (const [start, bytes] of extents) {
    w.u64n(start);
    w.u64n(bytes);
    total += bytes;
  }
  w.u32(total);
  const parts: (BufferList | Promise<BufferList>)[] = extents.map(([start, bytes]) =>
    ctx.mayWrite
      ? readNow(ctx, start, bytes)
      : ctx.store.read(ctx.collection, ctx.object, start, bytes),
  );
  const head = w.finish();
  const [only] = extents;
  if (extents.length === 1 && only !== undefined) {
    const crc = ctx.store.checksum(ctx.collection, ctx.object, only[0], only[1]);
    if (crc !== undefined) slot.crc = crc32cCombine(crc32c(0, head), crc, only[1]);
  }
  slot.out = parts.some((part) => part instanceof Promise)
    ? Promise.all(parts.map((part) => Promise.resolve(part))).then((lists) => [
        head,
        ...lists.flat(),
      ])
    : [head, ...(parts as BufferList[]).flat()];
  ctx.countRead(total);
  return 0;
}
export const sparseReadOp = readOp(sparseRead);

export const mapExtents = readOp((ctx, slot) => {
  const { offset, length } = extentArgument(slot.op);
  const extents = ctx.store.extents(ctx.collection, ctx.object, offset, length);
  const w = new Writer(4 + extents.length * 16);
  w.u32(extents.length);
  for (const [start, bytes] of extents) {
    w.u64n(start);
    w.u64n(bytes);
  }
  slot.out = [w.finish()];
  ctx.countRead(0);
  return 0;
});

export const stat = readOp((ctx, slot) => {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  const w = new Writer(16);
  w.u64n(ctx.info.size);
  Utime.encode(w, ctx.info.mtime);
  slot.out = [w.finish()];
  ctx.countRead(0);
  return 0;
});

/** Bytes past the object's end compare as zeros. */
export const compareExtent = readOp((ctx, slot) => {
  const { offset } = extentArgument(slot.op);
  const wanted = slot.op.indata;
  const have = flatten(readNow(ctx, offset, wanted.length));
  ctx.countRead(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] !== (have[i] ?? 0)) return -(MAX_ERRNO + i);
  }
  return 0;
});

export const assertVersion = readOp((ctx, slot) => {
  const version = assertVerOf(slot.op);
  if (version === 0) return -ERRNO.EINVAL;
  if (version < ctx.info.userVersion) return -ERRNO.ERANGE;
  if (version > ctx.info.userVersion) return -ERRNO.EOVERFLOW;
  return 0;
});

/** crc32c only; the xxhash kinds answer EOPNOTSUPP. */
export const checksum = readOp((ctx, slot) => {
  const { offset, length, chunkSize, type } = checksumOf(slot.op);
  if (type !== CHECKSUM_TYPE.CRC32C) return -ERRNO.EOPNOTSUPP;
  if (slot.op.indata.length < 4) return -ERRNO.EINVAL;
  const seed = Buffer.from(slot.op.indata).readUInt32LE(0);
  const size = ctx.info.size;
  const end = length === 0 ? size : Math.min(size, offset + length);
  const total = Math.max(0, end - offset);
  const chunk = chunkSize === 0 ? total : chunkSize;
  if (total > 0 && total % chunk !== 0) return -ERRNO.EINVAL;
  const data = flatten(readNow(ctx, offset, total));
  if (listLength([data]) !== total) return -ERRNO.EIO;
  const w = new Writer();
  w.u32(total === 0 ? 0 : total / chunk);
  for (let at = 0; at < total; at += chunk) w.u32(crc32c(seed, data, at, at + chunk));
  slot.out = [w.finish()];
  ctx.countRead(total);
  return 0;
});
