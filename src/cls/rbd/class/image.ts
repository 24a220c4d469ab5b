/**
 * Methods on the image header itself: create, size, features, flags, striping, timestamps; and the id
 * kept in the rbd_id object of a name.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { encodeToBytes, type Infer, s64n, str, u8, u64, u64n } from "../../../encoding/index.ts";
import { NOSNAP, UTIME_ZERO, Utime } from "../../../types/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { decodeStored, isMissing, listKeys, readKey, readKeyOr, writeKey } from "../../omap.ts";
import {
  CreateArgs,
  GetFeaturesArgs,
  GetFeaturesReply,
  GetSizeReply,
  MaskedArgs,
  SetFlagsArgs,
  SetSizeArgs,
  SnapContextReply,
  SnapIdArgs,
  StripeArgs,
} from "../ops/image.ts";
import {
  RBD_FEATURE,
  RBD_FEATURES_ALL,
  RBD_FEATURES_DISABLE_ONLY,
  RBD_FEATURES_INCOMPATIBLE,
  RBD_FEATURES_INTERNAL,
  RBD_FEATURES_MUTABLE,
  RBD_FEATURES_RW_INCOMPATIBLE,
  RBD_OPERATION_FEATURES_ALL,
} from "../types/features.ts";
import { NO_PARENT, Parent, parentExists } from "../types.ts";
import { checkExists, isValidId } from "./checks.ts";
import {
  KEY,
  readSize,
  readSnapshot,
  requireFeature,
  SNAP_PREFIX,
  setOpFeatures,
  writeSnapshot,
} from "./header.ts";

export const imageMethods = {
  create: method("rw", CreateArgs, none, create),
  get_features: method("r", GetFeaturesArgs, GetFeaturesReply, getFeatures),
  set_features: method("rw", MaskedArgs, none, setFeatures),
  get_size: method("r", SnapIdArgs, GetSizeReply, getSize),
  set_size: method("rw", SetSizeArgs, none, setSize),
  get_snapcontext: method("r", none, SnapContextReply, getSnapContext),
  get_object_prefix: method("r", none, str, (c) => readKey(c, KEY.OBJECT_PREFIX, str)),
  get_data_pool: method("r", none, s64n, (c) => readKeyOr(c, KEY.DATA_POOL_ID, s64n, -1)),
  get_all_features: method("r", none, u64, () => RBD_FEATURES_ALL),
  get_stripe_unit_count: method("r", none, StripeArgs, getStripeUnitCount),
  set_stripe_unit_count: method("rw", StripeArgs, none, setStripeUnitCount),
  get_create_timestamp: timestampGetter(KEY.CREATE_TIMESTAMP),
  get_access_timestamp: timestampGetter(KEY.ACCESS_TIMESTAMP),
  get_modify_timestamp: timestampGetter(KEY.MODIFY_TIMESTAMP),
  set_access_timestamp: timestampSetter(KEY.ACCESS_TIMESTAMP),
  set_modify_timestamp: timestampSetter(KEY.MODIFY_TIMESTAMP),
  get_flags: method("r", SnapIdArgs, u64, getFlags),
  set_flags: method("rw", SetFlagsArgs, none, setFlags),
  op_features_get: method("r", none, u64, (c) => readKeyOr(c, KEY.OP_FEATURES, u64, 0n)),
  op_features_set: method("rw", MaskedArgs, none, (context, { value, mask }) =>
    (mask & ~RBD_OPERATION_FEATURES_ALL) !== 0n
      ? fail("EINVAL")
      : setOpFeatures(context, value, mask),
  ),
  get_id: method("r", none, str, getId),
  set_id: method("rw", str, none, setId, checkExists),
} satisfies Record<string, ClassMethod>;

/** A header may have any order, which is taken as processors shift by it: modulo 64. */
function objectSizeOf(order: number): bigint {
  return 1n << BigInt(order % 64);
}

/**
 * Fills a new header. ENOSYS: features we have never heard of; EINVAL: no prefix, an internal feature, or
 * a data pool that does not go with the features; EEXIST: a header already.
 */
function create(context: ClassContext, args: Infer<typeof CreateArgs>): Result<void> {
  const { size, order, features, objectPrefix, dataPoolId } = args;
  if ((features & ~RBD_FEATURES_ALL) !== 0n) return fail("ENOSYS");
  if (objectPrefix === "") return fail("EINVAL");
  if (!isMissing(context.omapGet(KEY.OBJECT_PREFIX))) return fail("EEXIST");
  if ((features & RBD_FEATURE.OPERATIONS) !== 0n) return fail("EINVAL");
  const wantsDataPool = (features & RBD_FEATURE.DATA_POOL) !== 0n;
  if (wantsDataPool !== (dataPoolId !== -1)) return fail("EINVAL");
  const now = encodeToBytes(Utime, context.now);
  const entries: [string, Uint8Array][] = [
    [KEY.SIZE, encodeToBytes(u64n, size)],
    [KEY.ORDER, encodeToBytes(u8, order)],
    [KEY.FEATURES, encodeToBytes(u64, features)],
    [KEY.OBJECT_PREFIX, encodeToBytes(str, objectPrefix)],
    [KEY.SNAP_SEQ, encodeToBytes(u64, 0n)],
    [KEY.CREATE_TIMESTAMP, now],
    [KEY.ACCESS_TIMESTAMP, now],
    [KEY.MODIFY_TIMESTAMP, now],
  ];
  if (wantsDataPool) entries.push([KEY.DATA_POOL_ID, encodeToBytes(s64n, dataPoolId)]);
  return context.omapSet(entries);
}

/** ENOENT: no header here. */
function getFeatures(
  context: ClassContext,
  args: Infer<typeof GetFeaturesArgs>,
): Result<Infer<typeof GetFeaturesReply>> {
  const features = readKey(context, KEY.FEATURES, u64);
  if (isFailure(features)) return features;
  const mask = args.readOnly ? RBD_FEATURES_INCOMPATIBLE : RBD_FEATURES_RW_INCOMPATIBLE;
  return { features, incompatible: features & mask };
}

/** EINVAL: a feature in the mask that may not be changed that way. Bits we do not know are ignored. */
function setFeatures(context: ClassContext, args: Infer<typeof MaskedArgs>): Result<void> {
  // compat: a header without features is taken to have none, and gets the key.
  const before = readKeyOr(context, KEY.FEATURES, u64, 0n);
  if (isFailure(before)) return before;
  if ((args.mask & RBD_FEATURES_INTERNAL) !== 0n) return fail("EINVAL");
  const mask = args.mask & RBD_FEATURES_ALL;
  const enabled = args.value & mask;
  if ((enabled & RBD_FEATURES_MUTABLE) !== enabled) return fail("EINVAL");
  const disabled = ~args.value & mask;
  const mayDisable = RBD_FEATURES_MUTABLE | RBD_FEATURES_DISABLE_ONLY;
  if ((disabled & mayDisable) !== disabled) return fail("EINVAL");
  return writeKey(context, KEY.FEATURES, u64, (before & ~mask) | enabled);
}

/** ENOENT: no header, or no such snapshot. */
function getSize(
  context: ClassContext,
  { snapId }: Infer<typeof SnapIdArgs>,
): Result<Infer<typeof GetSizeReply>> {
  const order = readKey(context, KEY.ORDER, u8);
  if (isFailure(order)) return order;
  if (snapId !== NOSNAP) {
    const snap = readSnapshot(context, snapId);
    return isFailure(snap) ? snap : { order, size: snap.imageSize };
  }
  const size = readSize(context);
  return isFailure(size) ? size : { order, size };
}

/** Resizes the head; shrinking takes the overlap with the parent down with it. ENOENT: no header. */
function setSize(context: ClassContext, { size }: Infer<typeof SetSizeArgs>): Result<void> {
  const before = readSize(context);
  if (isFailure(before)) return before;
  const written = writeKey(context, KEY.SIZE, u64n, size);
  if (isFailure(written) || size >= before) return written;
  const parent = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
  if (isFailure(parent)) return parent;
  if (parentExists(parent) && (parent.headOverlap ?? 0) > size) {
    return writeKey(context, KEY.PARENT, Parent, { ...parent, headOverlap: size });
  }
}

/** The ids of all snapshots, for I/O to data objects. ENOENT: no header. */
function getSnapContext(context: ClassContext): Result<Infer<typeof SnapContextReply>> {
  const entries = listKeys(context, SNAP_PREFIX, SNAP_PREFIX, Number.POSITIVE_INFINITY);
  if (isFailure(entries)) return entries;
  const snapSeq = readKey(context, KEY.SNAP_SEQ, u64);
  if (isFailure(snapSeq)) return snapSeq;
  const snaps = entries.map(([key]) => {
    const hex = /^[0-9a-f]+/i.exec(key.slice(SNAP_PREFIX.length));
    return BigInt(`0x${hex?.[0] ?? "0"}`);
  });
  return { snapSeq, snaps: snaps.reverse() };
}

/** ENOENT: no object; ENOEXEC: not striped; EIO: no order to default to. */
function getStripeUnitCount(context: ClassContext): Result<Infer<typeof StripeArgs>> {
  const checked = checkStriping(context);
  if (isFailure(checked)) return checked;
  let stripeUnit = readKeyOr(context, KEY.STRIPE_UNIT, u64, undefined);
  if (isFailure(stripeUnit)) return stripeUnit;
  if (stripeUnit === undefined) {
    const order = readKey(context, KEY.ORDER, u8);
    if (isFailure(order)) return fail("EIO");
    stripeUnit = objectSizeOf(order);
  }
  const stripeCount = readKeyOr(context, KEY.STRIPE_COUNT, u64, 1n);
  if (isFailure(stripeCount)) return stripeCount;
  return { stripeUnit, stripeCount };
}

function checkStriping(context: ClassContext): Result<void> {
  const exists = checkExists(context);
  return isFailure(exists) ? exists : requireFeature(context, RBD_FEATURE.STRIPINGV2);
}

/** EINVAL: zero, or a unit that does not divide the object size; ENOENT, ENOEXEC as above. */
function setStripeUnitCount(
  context: ClassContext,
  { stripeUnit, stripeCount }: Infer<typeof StripeArgs>,
): Result<void> {
  if (stripeUnit === 0n || stripeCount === 0n) return fail("EINVAL");
  const checked = checkStriping(context);
  if (isFailure(checked)) return checked;
  const order = readKey(context, KEY.ORDER, u8);
  if (isFailure(order)) return order;
  const objectSize = objectSizeOf(order);
  if (objectSize % stripeUnit !== 0n || stripeUnit > objectSize) return fail("EINVAL");
  return context.omapSet([
    [KEY.STRIPE_UNIT, encodeToBytes(u64, stripeUnit)],
    [KEY.STRIPE_COUNT, encodeToBytes(u64, stripeCount)],
  ]);
}

/** Zero where images older than the key have none. */
function timestampGetter(key: string): ClassMethod {
  return method("r", none, Utime, (context) => readKeyOr(context, key, Utime, UTIME_ZERO));
}

/** ENOENT: no object. */
function timestampSetter(key: string): ClassMethod {
  return method("rw", none, none, (context) => {
    const exists = checkExists(context);
    return isFailure(exists) ? exists : writeKey(context, key, Utime, context.now);
  });
}

/** ENOENT: no such snapshot. The head without the key has none set. */
function getFlags(context: ClassContext, { snapId }: Infer<typeof SnapIdArgs>): Result<bigint> {
  if (snapId === NOSNAP) return readKeyOr(context, KEY.FLAGS, u64, 0n);
  const snap = readSnapshot(context, snapId);
  return isFailure(snap) ? snap : snap.flags;
}

function setFlags(context: ClassContext, args: Infer<typeof SetFlagsArgs>): Result<void> {
  const merge = (before: bigint) => (before & ~args.mask) | (args.flags & args.mask);
  if (args.snapId !== NOSNAP) {
    const snap = readSnapshot(context, args.snapId);
    if (isFailure(snap)) return snap;
    return writeSnapshot(context, { ...snap, flags: merge(snap.flags) });
  }
  const before = readKeyOr(context, KEY.FLAGS, u64, 0n);
  return isFailure(before) ? before : writeKey(context, KEY.FLAGS, u64, merge(before));
}

/** ENOENT: no object, or nothing in it; EIO: no id in it. */
function getId(context: ClassContext): Result<string> {
  const stat = context.stat();
  if (isFailure(stat)) return stat;
  if (stat.size === 0) return fail("ENOENT");
  const bytes = context.read(0, stat.size);
  return isFailure(bytes) ? bytes : decodeStored(str, bytes);
}

/** The object must exist and be empty. ENOENT, EEXIST otherwise; EINVAL: not letters and digits. */
function setId(context: ClassContext, id: string): Result<void> {
  const stat = context.stat();
  if (isFailure(stat)) return stat;
  if (!isValidId(id)) return fail("EINVAL");
  if (stat.size !== 0) return fail("EEXIST");
  return context.write(0, encodeToBytes(str, id));
}
