/**
 * Ops that change an object's data and existence.
 * ceph: src/osd/PrimaryLogPG.cc do_osd_ops
 */

import { ERRNO } from "../../base/index.ts";
import type { BufferList } from "../../encoding/index.ts";
import { OSD_OP_FLAG, type OsdOp, snapOf, writeSameOf } from "../../messages/index.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { rollback } from "../snapshots.ts";
import { extentArgument } from "./extent.ts";
import { AS_BEFORE, writeOp } from "./op.ts";

/** Range within what an object may be? ceph: check_offset_and_length */
export function checkRange(ctx: OpContext, offset: number, length: number): number {
  const max = ctx.environment.objectSizeMax;
  return offset >= max || length > max || offset + length > max ? -ERRNO.EFBIG : 0;
}

/** Stages a write of an op's input with the truncation bookkeeping of file layers. */
function writeAt(
  ctx: OpContext,
  offset: number,
  { indata: data, sums }: OsdOp,
  truncateSize: number,
  truncateSeq: number,
): number {
  let length = data.length;
  const seq = ctx.info.truncateSeq;
  if (seq !== 0 && seq > truncateSeq && offset + length > ctx.info.size) {
    length = Math.max(0, ctx.info.size - offset); // an old write that arrives after a truncation
  }
  const bad = checkRange(ctx, offset, length);
  if (bad !== 0) return bad;
  if (truncateSeq > seq) {
    // compat: upstream's OSD ends on a size that its store does not take.
    const badSize = ctx.isVisible ? checkRange(ctx, truncateSize, 0) : 0;
    if (badSize !== 0) return badSize;
    if (ctx.isVisible && truncateSize !== ctx.info.size) ctx.truncate(truncateSize);
    ctx.create();
    ctx.info.truncateSeq = truncateSeq;
    ctx.info.truncateSize = truncateSize;
  } else {
    ctx.create();
  }
  ctx.write(offset, length, [length === data.length ? data : data.subarray(0, length)], sums);
  return 0;
}

export const write = writeOp((ctx, slot) => {
  const { offset, length, truncateSize, truncateSeq } = extentArgument(slot.op);
  if (length !== slot.op.indata.length) return -ERRNO.EINVAL;
  return writeAt(ctx, offset, slot.op, truncateSize, truncateSeq);
});

export const writeFull = writeOp((ctx, slot) => {
  const { length } = extentArgument(slot.op);
  if (length !== slot.op.indata.length) return -ERRNO.EINVAL;
  const bad = checkRange(ctx, 0, length);
  if (bad !== 0) return bad;
  ctx.create();
  ctx.writeFull(length, [slot.op.indata], slot.op.sums);
  return 0;
});

export const append = writeOp((ctx, slot) => {
  const { length } = extentArgument(slot.op);
  if (length !== slot.op.indata.length) return -ERRNO.EINVAL;
  return writeAt(ctx, ctx.info.size, slot.op, 0, ctx.info.truncateSeq);
});

/** Bytes that a shorter pattern of write-same is repeated to: a list of single bytes would be millions long. */
const REPEATED_BYTES = 64 << 10;

/** The pattern again and again, to a multiple of its length. */
function repeated(pattern: Uint8Array, length: number): BufferList {
  const times = Math.max(1, Math.floor(REPEATED_BYTES / pattern.length));
  const bytes = Math.min(length, times * pattern.length);
  const piece = bytes === pattern.length ? pattern : Buffer.alloc(bytes, pattern);
  const data = Array.from({ length: Math.floor(length / bytes) }, () => piece);
  if (length % bytes > 0) data.push(piece.subarray(0, length % bytes));
  return data;
}

/** One pattern, again and again. */
export const writeSame = writeOp((ctx, slot) => {
  const { offset, length, dataLength } = writeSameOf(slot.op);
  if (length === 0) return 0;
  if (dataLength === 0 || length % dataLength !== 0) return -ERRNO.EINVAL;
  if (slot.op.indata.length !== dataLength) return -ERRNO.EINVAL;
  const bad = checkRange(ctx, offset, length);
  if (bad !== 0) return bad;
  ctx.create();
  ctx.write(offset, length, repeated(slot.op.indata, length));
  return 0;
});

export const truncate = writeOp((ctx, slot) =>
  truncateTo(ctx, slot, extentArgument(slot.op).offset),
);

/** A truncation that carries its target in the truncation fields. */
export const trimTruncate = writeOp((ctx, slot) =>
  truncateTo(ctx, slot, extentArgument(slot.op).truncateSize),
);

/** On a missing object: succeeds and creates nothing. */
function truncateTo(ctx: OpContext, slot: OpSlot, size: number): number {
  if (!ctx.isVisible) return 0;
  const { truncateSize, truncateSeq } = extentArgument(slot.op);
  const bad = checkRange(ctx, size, 0);
  if (bad !== 0) return bad;
  if (truncateSeq !== 0) {
    if (truncateSize !== size) return -ERRNO.EINVAL;
    if (truncateSeq <= ctx.info.truncateSeq) return 0; // an old one, overtaken
    ctx.info.truncateSeq = truncateSeq;
    ctx.info.truncateSize = truncateSize;
  }
  ctx.truncate(size);
  return 0;
}

/** Reaching the end it becomes a truncation; wholly past the end it does nothing. */
export const zero = writeOp((ctx, slot) => {
  const { offset, length } = extentArgument(slot.op);
  const bad = checkRange(ctx, offset, length);
  if (bad !== 0) return bad;
  if (length === 0 || !ctx.exists) return 0;
  if (offset >= ctx.info.size) return AS_BEFORE;
  if (offset + length >= ctx.info.size) ctx.truncate(offset);
  else ctx.zero(offset, length);
  return 0;
});

export const create = writeOp((ctx, slot) => {
  if (ctx.isVisible && (slot.op.flags & OSD_OP_FLAG.EXCL) !== 0) return -ERRNO.EEXIST;
  ctx.create();
  ctx.modify = true;
  return 0;
});

export const remove = writeOp((ctx) => (ctx.remove() ? 0 : -ERRNO.ENOENT));

/** A hint we have no use for; it creates the object, as upstream's does. */
export const setAllocHint = writeOp((ctx) => {
  ctx.create();
  ctx.modify = true;
  return 0;
});

export const rollbackOp = writeOp((ctx, slot) => rollback(ctx, snapOf(slot.op))?.errno ?? 0);

/** Upstream's marker for ordering: changes nothing, is logged. */
export const startSync = writeOp((ctx) => {
  ctx.modify = true;
  return 0;
});
