/**
 * Methods on an image's data objects: filling a clone's object from its parent, making zeros into holes.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import type { Infer } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import {
  AssertSnapcSeqArgs,
  CopyupArgs,
  SparseCopyupArgs,
  SparsifyArgs,
} from "../ops/data-path.ts";
import { ASSERT_SNAPC_SEQ } from "../types/features.ts";

export const dataPathMethods = {
  /** Writes the parent's data unless the object is there: then a writer was faster. */
  copyup: method("rw", CopyupArgs, none, (context, data) => {
    if (!context.exists()) return context.write(0, data);
  }),
  sparse_copyup: method("rw", SparseCopyupArgs, none, sparseCopyup),
  assert_snapc_seq: method("rw", AssertSnapcSeqArgs, none, assertSnapcSeq),
  sparsify: method("rw", SparsifyArgs, none, sparsify),
} satisfies Record<string, ClassMethod>;

/** The same with holes; no extents make an empty object. EINVAL: less data than the extents say. */
function sparseCopyup(
  context: ClassContext,
  { extents, data }: Infer<typeof SparseCopyupArgs>,
): Result<void> {
  if (context.exists()) return;
  if (extents.size === 0) return context.create(true);
  let at = 0;
  for (const [offset, length] of [...extents].sort((a, b) => a[0] - b[0])) {
    if (at + length > data.length) return fail("EINVAL");
    const written = context.write(offset, data.subarray(at, at + length));
    if (isFailure(written)) return written;
    at += length;
  }
}

/**
 * Stops a writer whose snapshot context is older (or newer) than what the object has seen.
 * ERANGE: it is; EOPNOTSUPP: an assertion we do not know.
 */
function assertSnapcSeq(
  context: ClassContext,
  { snapcSeq, state }: Infer<typeof AssertSnapcSeqArgs>,
): Result<void> {
  const newer = context.snapSeq === undefined || snapcSeq > context.snapSeq;
  switch (state) {
    case ASSERT_SNAPC_SEQ.GT_SNAPSET_SEQ:
      return newer ? undefined : fail("ERANGE");
    case ASSERT_SNAPC_SEQ.LE_SNAPSET_SEQ:
      return newer ? fail("ERANGE") : undefined;
    default:
      return fail("EOPNOTSUPP");
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += ZEROS.length) {
    const part = data.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

/** What is not zero, in blocks of `size`, neighbours joined. */
function nonZeroExtents(data: Uint8Array, size: number): [start: number, end: number][] {
  const out: [number, number][] = [];
  for (let at = 0; at < data.length; at += size) {
    const end = Math.min(at + size, data.length);
    if (isZero(data.subarray(at, end))) continue;
    const last = out.at(-1);
    if (last !== undefined && last[1] === at) last[1] = end;
    else out.push([at, end]);
  }
  return out;
}

/**
 * Rewrites an object without its zero blocks; trailing ones shorten it. ENOENT: no object.
 * EINVAL: a block size of 0, on which upstream never returns.
 */
function sparsify(context: ClassContext, args: Infer<typeof SparsifyArgs>): Result<void> {
  if (!context.exists()) return fail("ENOENT");
  const read = context.read(0, 0);
  if (isFailure(read)) return read;
  if (isZero(read)) {
    if (args.removeEmpty) return context.remove();
    return read.length > 0 ? context.truncate(0) : undefined;
  }
  if (args.sparseSize === 0) return fail("EINVAL");
  const extents = nonZeroExtents(read, args.sparseSize);
  const first = extents[0];
  if (first !== undefined && first[0] === 0 && first[1] === read.length) return;
  // What was read may be a view of what is about to be cut away.
  const data = Uint8Array.from(read);
  const emptied = context.truncate(0);
  if (isFailure(emptied)) return emptied;
  for (const [start, end] of extents) {
    const written = context.write(start, data.subarray(start, end));
    if (isFailure(written)) return written;
  }
}
