/**
 * Writing entries: at the end of a data object, unless it is full. Full is a soft limit: the append that
 * reaches it still goes through, the next one is sent elsewhere.
 * ceph: src/cls/journal/cls_journal.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import type { Infer } from "../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../objclass.ts";
import { isMissing } from "../omap.ts";
import { AppendArgs, GuardAppendArgs } from "./ops.ts";

export const appendMethods = {
  /** EOVERFLOW: full. For a write in the same operation. */
  guard_append: method("rw", GuardAppendArgs, none, (context, softMaxSize) => {
    const size = sizeOf(context);
    if (isFailure(size)) return size;
    if (size !== undefined && size >= softMaxSize) return fail("EOVERFLOW");
  }),
  append: method("rw", AppendArgs, none, append),
} satisfies Record<string, ClassMethod>;

/** Bytes; undefined if there is no such object. */
function sizeOf(context: ClassContext): Result<number | undefined> {
  const stat = context.stat();
  if (isFailure(stat)) return isMissing(stat) ? undefined : stat;
  return stat.size;
}

/** Clients of this release step over zeros between entries. */
const PADDING_SINCE_RELEASE = 15;

/** EOVERFLOW: full. Where every client can read it, the object's end is padded to the allocation unit. */
function append(context: ClassContext, args: Infer<typeof AppendArgs>): Result<void> {
  const size = sizeOf(context);
  if (isFailure(size)) return size;
  const offset = size ?? 0;
  if (offset >= args.softMaxSize) return fail("EOVERFLOW");
  const written = context.write(offset, args.data);
  if (isFailure(written)) return written;
  if (context.requireMinCompatClient < PADDING_SINCE_RELEASE) return;
  const end = offset + args.data.length;
  const unit = context.minAllocSize;
  const padded = Math.ceil(end / unit) * unit;
  if (padded !== end) return context.truncate(padded);
}
