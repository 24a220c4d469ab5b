/**
 * Ops that read an object's data and state.
 * ceph: src/osd/PrimaryLogPG.cc do_read, do_sparse_read, do_extent_cmp, do_checksum
 */

import { ERRNO, fail, isFailure, type Result } from "../../base/index.ts";
import {
  type BufferList,
  crc32c,
  crc32cCombine,
  EMPTY,
  flatten,
  slice,
  Writer,
  writeXxhash64,
  xxhash32,
} from "../../encoding/index.ts";
import { assertVerOf, CHECKSUM_TYPE, checksumOf } from "../../messages/index.ts";
import { Utime } from "../../types/index.ts";
import { CHECKSUM_BYTES_MAX } from "../limits.ts";
import { isWhiteout } from "../object-info.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { extentArgument } from "./extent.ts";
import { quietReadOp, readOp } from "./op.ts";

/** The largest errno: cmpext's mismatch offsets count on from here.  ceph: MAX_ERRNO */
const MAX_ERRNO = 4095;

/** Bytes of a range for a request that must go on at once. */
export function readNow(ctx: OpContext, offset: number, length: number): BufferList {
  return ctx.store.readSync(ctx.collection, ctx.object, offset, length);
}

/**
 * Bytes as they were before the request, as far as the object reaches by now. Nothing of nothing is no failure;
 * ENOENT: the request has made the object, so the store has none.
 */
export function readWithin(ctx: OpContext, offset: number, length: number): Result<BufferList> {
  const { size } = ctx.info;
  const want = Math.max(0, Math.min(length === 0 ? size : length, size - offset));
  if (want > 0 && !ctx.before.exists) return fail("ENOENT");
  ctx.countRead(want);
  return want > 0 ? readNow(ctx, offset, want) : [];
}

function readData(ctx: OpContext, slot: OpSlot): number {
  const { offset, length, truncateSize, truncateSeq } = extentArgument(slot.op);
  let size = ctx.info.size;
  const beyond = ctx.info.truncateSeq < truncateSeq && offset + length > truncateSize;
  if (beyond && size > truncateSize) size = truncateSize;
  const want = Math.max(0, Math.min(length === 0 ? size : length, size - offset));
  if (want > 0) {
    if (!ctx.before.exists) return -ERRNO.ENOENT;
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
  if (!ctx.before.exists) return -ERRNO.ENOENT;
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
  const head = w.finish();
  slot.out = [head];
  const [first] = extents;
  if (first !== undefined) {
    const [start, bytes] = first;
    if (extents.length === 1) {
      const crc = ctx.store.checksum(ctx.collection, ctx.object, start, bytes);
      if (crc !== undefined) slot.crc = crc32cCombine(crc32c(0, head), crc, bytes);
    }
    // Read as a whole, holes and all, and so as a whole or not: the memory of a part would be nobody's to give back.
    const [lastStart, lastBytes] = extents.at(-1) ?? first;
    const length = lastStart + lastBytes - start;
    const data = ctx.mayWrite
      ? readNow(ctx, start, length)
      : ctx.store.read(ctx.collection, ctx.object, start, length);
    const pick = (list: BufferList) => [
      head,
      ...extents.flatMap(([at, count]) => slice(list, at - start, count)),
    ];
    slot.out = data instanceof Promise ? data.then(pick) : pick(data);
  }
  ctx.countRead(total);
  return 0;
}
export const sparseReadOp = readOp(sparseRead);

export const mapExtents = readOp((ctx, slot) => {
  const { offset, length } = extentArgument(slot.op);
  if (!ctx.before.exists) return -ERRNO.ENOENT;
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

export const stat = quietReadOp((ctx, slot) => {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  const w = new Writer(16);
  w.u64n(ctx.info.size);
  Utime.encode(w, ctx.info.mtime);
  slot.out = [w.finish()];
  ctx.countRead(0);
  return 0;
});

/** Bytes past the object's end compare as zeros, as do all of an object that is not there. */
export const compareExtent = readOp((ctx, slot) => {
  const { offset, length, truncateSize, truncateSeq } = extentArgument(slot.op);
  const cut = ctx.info.truncateSeq < truncateSeq && offset + length > truncateSize;
  const size = cut ? truncateSize : ctx.info.size;
  const want = Math.max(0, Math.min(length, size - offset));
  let have: Uint8Array = EMPTY;
  if (want > 0 && ctx.before.exists && !isWhiteout(ctx.before.info)) {
    const read = readWithin(ctx, offset, want);
    if (isFailure(read)) return read.errno;
    have = flatten(read);
  }
  const wanted = slot.op.indata;
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] !== (have[i] ?? 0)) return -(MAX_ERRNO + i);
  }
  return 0;
});

export const assertVersion = quietReadOp((ctx, slot) => {
  const version = assertVerOf(slot.op);
  if (version === 0) return -ERRNO.EINVAL;
  if (version < ctx.info.userVersion) return -ERRNO.ERANGE;
  if (version > ctx.info.userVersion) return -ERRNO.EOVERFLOW;
  return 0;
});

interface Checksum {
  /** Bytes of a start value, and of a sum. */
  readonly size: number;
  /** Writes the sums of all chunks. */
  write(w: Writer, start: Buffer, data: Uint8Array, chunk: number): void;
}

/** One of a sum of 32 bits. */
function checksum32(
  sum: (start: number, data: Uint8Array, from: number, to: number) => number,
): Checksum {
  return {
    size: 4,
    write: (w, start, data, chunk) => {
      const from = start.readUInt32LE(0);
      for (let at = 0; at < data.length; at += chunk) w.u32(sum(from, data, at, at + chunk));
    },
  };
}

const CHECKSUMS = new Map<number, Checksum>([
  [CHECKSUM_TYPE.XXHASH32, checksum32(xxhash32)],
  [
    CHECKSUM_TYPE.XXHASH64,
    {
      size: 8,
      write: (w, start, data, chunk) => {
        const [low, high] = [start.readInt32LE(0), start.readInt32LE(4)];
        for (let at = 0; at < data.length; at += chunk) {
          writeXxhash64(w, low, high, data, at, at + chunk);
        }
      },
    },
  ],
  [CHECKSUM_TYPE.CRC32C, checksum32(crc32c)],
]);

/** How many checksums, and they. Of a range past the end: nothing at all, whatever the rest says. */
export const checksum = readOp((ctx, slot) => {
  const argument = checksumOf(slot.op);
  const { offset, chunkSize } = argument;
  let { length } = argument;
  const isUneven = () => chunkSize > 0 && length % chunkSize !== 0;
  if (chunkSize > 0 && (length === 0 || isUneven())) return -ERRNO.EINVAL;
  const { size } = ctx.info;
  if (offset === 0 && length === 0) length = size;
  else if (offset >= size) return 0;
  else if (offset + length > size) {
    length = size - offset;
    if (isUneven()) return -ERRNO.EINVAL;
  }
  const kind = CHECKSUMS.get(argument.type);
  if (kind === undefined || slot.op.indata.length < kind.size) return -ERRNO.EINVAL;
  const chunk = chunkSize === 0 ? length : chunkSize;
  const sums = length === 0 ? 0 : length / chunk;
  if (sums * kind.size > CHECKSUM_BYTES_MAX) return -ERRNO.EOVERFLOW;
  const read = length > 0 ? readWithin(ctx, offset, length) : [];
  if (isFailure(read)) return read.errno;
  const data = flatten(read);
  if (data.length !== length) return -ERRNO.EINVAL;
  const w = new Writer(4 + sums * kind.size);
  w.u32(sums);
  kind.write(w, Buffer.from(slot.op.indata), data, chunk);
  slot.out = [w.finish()];
  return 0;
});
