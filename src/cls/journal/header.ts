/**
 * Creating a journal, and the two ends of what it holds: sets of data objects from the minimum, before
 * which everything is pruned, to the active one, which is being written. Both only move forward.
 * ceph: src/cls/journal/cls_journal.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { encodeToBytes, type Infer, s64n, u8, u64 } from "../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../objclass.ts";
import { isMissing, writeKey } from "../omap.ts";
import { CreateArgs } from "./ops.ts";
import { KEY, readField } from "./stored.ts";

export const headerMethods = {
  create: method("rw", CreateArgs, none, create),
  get_order: method("r", none, u8, (context) => readField(context, KEY.ORDER, u8)),
  get_splay_width: method("r", none, u8, (context) => readField(context, KEY.SPLAY_WIDTH, u8)),
  get_pool_id: method("r", none, s64n, (context) => readField(context, KEY.POOL_ID, s64n)),
  get_minimum_set: method("r", none, u64, (context) => readField(context, KEY.MINIMUM_SET, u64)),
  set_minimum_set: method("rw", u64, none, setMinimumSet),
  get_active_set: method("r", none, u64, (context) => readField(context, KEY.ACTIVE_SET, u64)),
  set_active_set: method("rw", u64, none, setActiveSet),
} satisfies Record<string, ClassMethod>;

/** EEXIST: there is a journal already. */
function create(context: ClassContext, args: Infer<typeof CreateArgs>): Result<void> {
  const old = context.omapGet(KEY.ORDER);
  if (!isFailure(old)) return fail("EEXIST");
  if (!isMissing(old)) return old;
  const zero = encodeToBytes(u64, 0n);
  return context.omapSet([
    [KEY.ORDER, encodeToBytes(u8, args.order)],
    [KEY.SPLAY_WIDTH, encodeToBytes(u8, args.splayWidth)],
    [KEY.POOL_ID, encodeToBytes(s64n, args.poolId)],
    [KEY.ACTIVE_SET, zero],
    [KEY.MINIMUM_SET, zero],
    [KEY.NEXT_TAG_TID, zero],
    [KEY.NEXT_TAG_CLASS, zero],
  ]);
}

/** EINVAL: past the active set. */
function setMinimumSet(context: ClassContext, wanted: bigint): Result<void> {
  const active = readField(context, KEY.ACTIVE_SET, u64);
  if (isFailure(active)) return active;
  if (wanted > active) return fail("EINVAL");
  return moveForward(context, KEY.MINIMUM_SET, wanted);
}

/** EINVAL: before the minimum set. */
function setActiveSet(context: ClassContext, wanted: bigint): Result<void> {
  const minimum = readField(context, KEY.MINIMUM_SET, u64);
  if (isFailure(minimum)) return minimum;
  if (wanted < minimum) return fail("EINVAL");
  return moveForward(context, KEY.ACTIVE_SET, wanted);
}

/** ESTALE: backward. */
function moveForward(context: ClassContext, key: string, wanted: bigint): Result<void> {
  const current = readField(context, key, u64);
  if (isFailure(current)) return current;
  if (wanted < current) return fail("ESTALE");
  if (wanted > current) return writeKey(context, key, u64, wanted);
}
