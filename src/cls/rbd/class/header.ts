/**
 * The image header: its keys, its features and its snapshot records.
 * ceph: src/cls/rbd/cls_rbd.cc (namespace image)
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { u64, u64n } from "../../../encoding/index.ts";
import { NOSNAP, SNAPDIR } from "../../../types/index.ts";
import type { ClassContext } from "../../objclass.ts";
import { isMissing, listValues, readKey, readKeyOr, removeKey, writeKey } from "../../omap.ts";
import { RBD_FEATURE } from "../types/features.ts";
import { NO_PARENT, Parent, parentExists, Snapshot } from "../types.ts";

export const KEY = {
  SIZE: "size",
  ORDER: "order",
  FEATURES: "features",
  OBJECT_PREFIX: "object_prefix",
  SNAP_SEQ: "snap_seq",
  CREATE_TIMESTAMP: "create_timestamp",
  ACCESS_TIMESTAMP: "access_timestamp",
  MODIFY_TIMESTAMP: "modify_timestamp",
  FLAGS: "flags",
  OP_FEATURES: "op_features",
  DATA_POOL_ID: "data_pool_id",
  STRIPE_UNIT: "stripe_unit",
  STRIPE_COUNT: "stripe_count",
  PARENT: "parent",
  SNAP_LIMIT: "snap_limit",
  MIGRATION: "migration",
  GROUP_REF: "rbd_group_ref",
} as const;

export const SNAP_PREFIX = "snapshot_";
const SNAP_CHILDREN_PREFIX = "snap_children_";

/** compat: the sentinels are spelt, not numbered, by upstream's formatter. */
function hexOf(snapId: bigint): string {
  const text = snapId === NOSNAP ? "head" : snapId === SNAPDIR ? "snapdir" : snapId.toString(16);
  return text.padStart(16, "0");
}

/** Where a snapshot's record is kept; byte order of keys is order of ids. */
export function snapKey(snapId: bigint): string {
  return SNAP_PREFIX + hexOf(snapId);
}

/** Where the clones of a snapshot are kept. */
export function snapChildrenKey(snapId: bigint): string {
  return SNAP_CHILDREN_PREFIX + hexOf(snapId);
}

/** ENOEXEC if a feature is missing, also on a format 1 header, which has none at all. */
export function requireFeature(context: ClassContext, need: bigint): Result<void> {
  const features = readKey(context, KEY.FEATURES, u64);
  if (isMissing(features)) return fail("ENOEXEC");
  if (isFailure(features)) return features;
  if ((features & need) !== need) return fail("ENOEXEC");
}

/** Sets the masked operation features, and the OPERATIONS feature that says whether there are any. */
export function setOpFeatures(
  context: ClassContext,
  opFeatures: bigint,
  mask: bigint,
): Result<void> {
  const features = readKey(context, KEY.FEATURES, u64);
  if (isFailure(features)) return features;
  const before = readKeyOr(context, KEY.OP_FEATURES, u64, 0n);
  if (isFailure(before)) return before;
  const after = (before & ~mask) | (opFeatures & mask);
  if (after === before) return;
  const stored =
    after === 0n
      ? removeKey(context, KEY.OP_FEATURES)
      : writeKey(context, KEY.OP_FEATURES, u64, after);
  if (isFailure(stored)) return stored;
  const wanted =
    after === 0n ? features & ~RBD_FEATURE.OPERATIONS : features | RBD_FEATURE.OPERATIONS;
  if (wanted !== features) return writeKey(context, KEY.FEATURES, u64, wanted);
}

export function readSnapshot(context: ClassContext, snapId: bigint): Result<Snapshot> {
  return readKey(context, snapKey(snapId), Snapshot);
}

/** All snapshots, by id. */
export function readSnapshots(context: ClassContext): Result<Snapshot[]> {
  const all = listValues(context, Snapshot, { prefix: SNAP_PREFIX });
  return isFailure(all) ? all : all.map(([, snap]) => snap);
}

/**
 * Stores a snapshot's record. A record in the old form, with a parent of its own, is split: the parent
 * goes to the header unless one is there, the record keeps the overlap.
 */
export function writeSnapshot(context: ClassContext, snap: Snapshot): Result<void> {
  let record = snap;
  if (parentExists(snap.parent)) {
    const onDisk = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
    if (isFailure(onDisk)) return onDisk;
    if (!parentExists(onDisk)) {
      const headless = { ...snap.parent, headOverlap: undefined };
      const written = writeKey(context, KEY.PARENT, Parent, headless);
      if (isFailure(written)) return written;
    }
    record = { ...snap, parent: NO_PARENT, parentOverlap: snap.parent.headOverlap };
  }
  return writeKey(context, snapKey(snap.id), Snapshot, record);
}

/** Bytes of the head. */
export function readSize(context: ClassContext): Result<number> {
  return readKey(context, KEY.SIZE, u64n);
}

/** A snapshot of which some bytes show through to a parent? */
export function hasParent(snap: Snapshot): boolean {
  return snap.parent.poolId !== -1 || snap.parentOverlap !== undefined;
}
