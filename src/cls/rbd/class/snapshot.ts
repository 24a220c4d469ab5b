/**
 * Methods on the snapshots in an image's header.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { type Infer, str, u8, u64 } from "../../../encoding/index.ts";
import { NOSNAP, Utime, uuidFromBytes } from "../../../types/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { listKeys, readKey, readKeyOr, removeKey, writeKey } from "../../omap.ts";
import { SnapIdArgs } from "../ops/image.ts";
import {
  NO_SNAPSHOT_LIMIT,
  ProtectionArgs,
  SnapshotAddArgs,
  SnapshotLimit,
  SnapshotRenameArgs,
} from "../ops/snapshot.ts";
import { RBD_FEATURE, RBD_OPERATION_FEATURE, RBD_PROTECTION_STATUS } from "../types/features.ts";
import {
  NO_PARENT,
  namespaceType,
  Parent,
  parentExists,
  type Snapshot,
  SnapshotInfo,
  sameNamespace,
} from "../types.ts";
import { checkExists } from "./checks.ts";
import { readHeader } from "./format1-header.ts";
import {
  hasParent,
  KEY,
  readSize,
  readSnapshot,
  readSnapshots,
  requireFeature,
  SNAP_PREFIX,
  setOpFeatures,
  snapKey,
  writeSnapshot,
} from "./header.ts";

export const snapshotMethods = {
  get_snapshot_name: snapshotGetter(str, (snap) => snap.name),
  get_snapshot_timestamp: snapshotGetter(Utime, (snap) => snap.timestamp),
  snapshot_get: snapshotGetter(SnapshotInfo, (snap) => snap),
  get_protection_status: method("r", SnapIdArgs, u8, getProtectionStatus),
  set_protection_status: method("rw", ProtectionArgs, none, setProtectionStatus),
  snapshot_add: method("rw", SnapshotAddArgs, none, add),
  snapshot_remove: method("rw", SnapIdArgs, none, remove),
  snapshot_rename: method("rw", SnapshotRenameArgs, none, rename),
  snapshot_trash_add: method("rw", SnapIdArgs, none, trashAdd),
  snapshot_get_limit: method("r", none, SnapshotLimit, readLimit),
  snapshot_set_limit: method("rw", SnapshotLimit, none, setLimit),
} satisfies Record<string, ClassMethod>;

/** Largest id a snapshot may have. ceph: src/include/rados.h CEPH_MAXSNAP */
const MAXSNAP = NOSNAP - 1n;

/** Something out of one snapshot's record. EINVAL: asked of the head; ENOENT: no such snapshot. */
function snapshotGetter<R>(
  reply: Parameters<typeof method<unknown, R>>[2],
  pick: (snap: Snapshot) => R,
): ClassMethod {
  return method("r", SnapIdArgs, reply, (context, { snapId }) => {
    if (snapId === NOSNAP) return fail("EINVAL");
    const snap = readSnapshot(context, snapId);
    return isFailure(snap) ? snap : pick(snap);
  });
}

/** As above; EIO: a status that does not exist. */
function getProtectionStatus(
  context: ClassContext,
  { snapId }: Infer<typeof SnapIdArgs>,
): Result<number> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  if (snapId === NOSNAP) return fail("EINVAL");
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  return snap.protectionStatus > RBD_PROTECTION_STATUS.PROTECTED
    ? fail("EIO")
    : snap.protectionStatus;
}

/** ENOEXEC: the image cannot have clones; EINVAL: the head, or a bad status; ENOENT: no such snapshot. */
function setProtectionStatus(
  context: ClassContext,
  { snapId, status }: Infer<typeof ProtectionArgs>,
): Result<void> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  const layered = requireFeature(context, RBD_FEATURE.LAYERING);
  if (isFailure(layered)) return layered;
  if (snapId === NOSNAP || status > RBD_PROTECTION_STATUS.PROTECTED) return fail("EINVAL");
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  return writeSnapshot(context, { ...snap, protectionStatus: status });
}

/** How many snapshots there may be; all ones if nobody said. */
function readLimit(context: ClassContext): Result<bigint> {
  return readKeyOr(context, KEY.SNAP_LIMIT, u64, NO_SNAPSHOT_LIMIT);
}

/**
 * Records a snapshot of the head as it is now. ENOENT: no header; EINVAL: an id out of range or a
 * namespace we do not know; ESTALE: an id below the newest ever; EDQUOT: enough snapshots; EEXIST: the
 * id, or the name within its namespace, is taken.
 */
function add(context: ClassContext, args: Infer<typeof SnapshotAddArgs>): Result<void> {
  const { name, snapId: id, namespace } = args;
  if (namespace.type === "unknown" || id > MAXSNAP) return fail("EINVAL");
  const newest = readKey(context, KEY.SNAP_SEQ, u64);
  if (isFailure(newest)) return newest;
  if (id < newest) return fail("ESTALE");
  const imageSize = readSize(context);
  if (isFailure(imageSize)) return imageSize;
  const flags = readKeyOr(context, KEY.FLAGS, u64, 0n);
  if (isFailure(flags)) return flags;
  const limit = readLimit(context);
  if (isFailure(limit)) return limit;
  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  for (const [i, old] of snapshots.entries()) {
    if (BigInt(i + 1) >= limit) return fail("EDQUOT");
    const clash = old.name === name && sameNamespace(old.namespace, namespace);
    if (clash || old.id === id) return fail("EEXIST");
  }
  const parent = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
  if (isFailure(parent)) return parent;

  if (namespace.type === "trash") {
    const { SNAP_TRASH } = RBD_OPERATION_FEATURE;
    const set = setOpFeatures(context, SNAP_TRASH, SNAP_TRASH);
    if (isFailure(set)) return set;
  }
  const moved = writeKey(context, KEY.SNAP_SEQ, u64, id);
  if (isFailure(moved)) return moved;
  return writeSnapshot(context, {
    id,
    name,
    imageSize,
    protectionStatus: RBD_PROTECTION_STATUS.UNPROTECTED,
    flags,
    namespace,
    timestamp: context.now,
    childCount: 0,
    parentOverlap: undefined,
    parent,
  });
}

/** ENOENT: no such snapshot; EINVAL: not a user's; EEXIST: a user's snapshot has the name. */
function rename(
  context: ClassContext,
  { snapId, name }: Infer<typeof SnapshotRenameArgs>,
): Result<void> {
  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  if (snapshots.some((s) => s.namespace.type === "user" && s.name === name)) return fail("EEXIST");
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  if (snap.namespace.type !== "user") return fail("EINVAL");
  return writeSnapshot(context, { ...snap, name });
}

/**
 * Forgets a snapshot, and with the last one what only snapshots needed. ENOENT: no such snapshot;
 * EBUSY: protected, or cloned.
 */
function remove(context: ClassContext, { snapId }: Infer<typeof SnapIdArgs>): Result<void> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  if (snap.protectionStatus !== RBD_PROTECTION_STATUS.UNPROTECTED || snap.childCount > 0) {
    return fail("EBUSY");
  }
  const removed = removeKey(context, snapKey(snapId));
  if (isFailure(removed)) return removed;

  // The listing still has the snapshot itself: reads see the object before this operation.
  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  const others = snapshots.filter((s) => s.id !== snapId);
  const parent = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
  if (isFailure(parent)) return parent;
  const hasChildSnaps = others.some(hasParent);
  const isHeadChild = parentExists(parent) && parent.headOverlap !== undefined;
  if (parentExists(parent) && !isHeadChild && !hasChildSnaps) {
    const orphaned = removeKey(context, KEY.PARENT);
    if (isFailure(orphaned)) return orphaned;
  }
  let unused = 0n;
  if (!hasChildSnaps && !isHeadChild) unused |= RBD_OPERATION_FEATURE.CLONE_CHILD;
  if (!others.some((s) => s.namespace.type === "trash")) unused |= RBD_OPERATION_FEATURE.SNAP_TRASH;
  if (unused !== 0n) return setOpFeatures(context, 0n, unused);
}

/**
 * Hides a snapshot that clones still need, under a random name. ENOENT: no such snapshot; EBUSY:
 * protected; EEXIST: hidden already.
 */
function trashAdd(context: ClassContext, { snapId }: Infer<typeof SnapIdArgs>): Result<void> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  if (snap.protectionStatus !== RBD_PROTECTION_STATUS.UNPROTECTED) return fail("EBUSY");
  if (snap.namespace.type === "trash") return fail("EEXIST");
  const { SNAP_TRASH } = RBD_OPERATION_FEATURE;
  const set = setOpFeatures(context, SNAP_TRASH, SNAP_TRASH);
  if (isFailure(set)) return set;
  return writeSnapshot(context, {
    ...snap,
    name: uuidFromBytes(context.random(16)),
    namespace: {
      type: "trash",
      originalName: snap.name,
      originalNamespaceType: namespaceType(snap.namespace),
    },
  });
}

/** ERANGE: there are more already. All ones takes the limit away. */
function setLimit(context: ClassContext, limit: bigint): Result<void> {
  if (limit === NO_SNAPSHOT_LIMIT) return context.omapRemove([KEY.SNAP_LIMIT]);
  const count = countSnapshots(context);
  if (isFailure(count)) return count;
  if (limit < BigInt(count)) return fail("ERANGE");
  return writeKey(context, KEY.SNAP_LIMIT, u64, limit);
}

/** Snapshots of an image of either format: a format 1 header is data, a format 2 one is keys. */
function countSnapshots(context: ClassContext): Result<number> {
  const old = readHeader(context);
  if (!isFailure(old)) return old.snaps.length;
  if (old.errno !== fail("EINVAL").errno) return old;
  const keys = listKeys(context, SNAP_PREFIX, SNAP_PREFIX, Number.POSITIVE_INFINITY);
  return isFailure(keys) ? keys : keys.length;
}
