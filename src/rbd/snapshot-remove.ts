/**
 * Removing a snapshot of an open image, locked where the image has a lock.
 *
 *   to the snapshot trash -> children? -> (yes) stays there
 *                                      -> (no) parent -> object map -> snapshot id -> header
 *
 * Format 1 has no trash that tells a snapshot whose data is going: there the header comes first, and a removal that is
 * cut short may leave data that nobody sees. compat: librbd has one order for both formats.
 *
 * ceph: src/librbd/operation/SnapshotRemoveRequest.cc, src/librbd/object_map/SnapshotRemoveRequest.cc
 */

import { CephError } from "../base/index.ts";
import { RBD_PROTECTION_STATUS } from "../cls/rbd/types/features.ts";
import type { ParentImageSpec } from "../cls/rbd/types.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { DIRECTORY, HEADER, OBJECT_MAP } from "./calls.ts";
import { detachChild, isCloneOf, removeChildEntry } from "./detach-child.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { assertMapLocked } from "./exclusive-lock.ts";
import { type Image, type ImageSnapshot, poolOf } from "./image.ts";
import { removeImageState } from "./mirror/image-state.ts";
import { objectMapName, RBD_CHILDREN } from "./names.ts";
import { FLAG } from "./object-map.ts";

/**
 * @throws CephError ENOENT: no such snapshot; EBUSY: it is in the snapshot trash and has clones; ERESTART: the lock is
 *   lost
 */
export async function removeSnapshot(image: Image, snapId: SnapId): Promise<void> {
  const { io, headerOid } = image;
  const target = image.name || image.id;
  const snapshot = image.snapshots.find((snap) => snap.id === snapId);
  if (snapshot === undefined) throw imageError("ENOENT", "remove a snapshot of", target);
  image.checkObjectMap();
  if (image.format.hasClones) {
    const wasInTrash = snapshot.namespace.type === "trash";
    if (!wasInTrash) {
      await unless(io.execute(headerOid, HEADER.trashSnapshot, { snapId }), "EEXIST");
    }
    const { childCount } = await io.query(headerOid, HEADER.getSnapshot, { snapId });
    if (childCount > 0 && !(await dropStaleChildren(image, snapId))) {
      if (wasInTrash) throw imageError("EBUSY", "remove a snapshot of", target, "it has clones");
      return;
    }
  }
  await detachLastReference(image, snapshot);
  await removeMap(image, snapshot);
  if (snapshot.namespace.type === "mirror") await removeImageState(image, snapId);
  const letGo = async () => {
    if (image.dataIo !== undefined) await unless(image.dataIo.removeSnapId(snapId), "ENOENT");
  };
  // In the trash by now.
  const tellsSo = image.format.hasClones;
  if (tellsSo) await letGo();
  await image.format.removeSnapshot(io, headerOid, snapshot);
  image.snapshots = image.snapshots.filter((snap) => snap.id !== snapId);
  image.snapContext = {
    seq: image.snapContext.seq,
    snaps: image.snapContext.snaps.filter((id) => id !== snapId),
  };
  if (!tellsSo) await letGo();
}

/**
 * Removes a snapshot that a user took, even if it is protected.
 * @throws CephError EBUSY: it has clones of the old kind; besides those of removeSnapshot
 * ceph: src/librbd/api/Snapshot.cc remove with RBD_SNAP_REMOVE_UNPROTECT, operation/SnapshotUnprotectRequest.cc
 */
export async function removeUserSnapshot(image: Image, snapId: SnapId): Promise<void> {
  const { UNPROTECTED } = RBD_PROTECTION_STATUS;
  const snapshot = image.snapshots.find(({ id }) => id === snapId);
  if (snapshot !== undefined && snapshot.protection !== UNPROTECTED) await unprotect(image, snapId);
  await removeSnapshot(image, snapId);
}

/**
 * UNPROTECTING meanwhile: who clones it now notices.
 * @throws CephError EBUSY: it has clones of the old kind
 */
export async function unprotect(image: Image, snapId: SnapId): Promise<void> {
  const { io, id, headerOid, rados } = image;
  const { UNPROTECTING, UNPROTECTED, PROTECTED } = RBD_PROTECTION_STATUS;
  const set = (status: number) => io.execute(headerOid, HEADER.setProtection, { snapId, status });
  await set(UNPROTECTING);
  const parent = { poolId: io.pool, imageId: id, snapId };
  const spec = { ...parent, poolNamespace: io.nspace };
  for (const pool of (await rados.latestMap()).pools.keys()) {
    const poolIo = poolOf(io, pool);
    const asked = poolIo?.query(RBD_CHILDREN, DIRECTORY.listChildren, parent);
    const children = asked === undefined ? undefined : await unless(asked, "ENOENT");
    if (poolIo === undefined || children === undefined) continue;
    if (!(await hasClones(poolIo, children, spec))) continue;
    await set(PROTECTED);
    throw imageError("EBUSY", "unprotect a snapshot of", image.name || id, "it has clones");
  }
  await set(UNPROTECTED);
}

/** Of the old kind; forgets those that are none, which something cut short has left in the list. */
async function hasClones(
  io: IoCtx,
  ids: Iterable<string>,
  parent: ParentImageSpec,
): Promise<boolean> {
  for (const id of ids) {
    if (await isCloneOf(io, id, parent)) return true;
    await removeChildEntry({ io, id, parent, isNewKind: false });
  }
  return false;
}

/**
 * Forgets clones whose pools are gone, and what something cut short has left in the list. The snapshot is in the trash:
 * who makes a clone of it, and has not come to name it as its parent, gives up.
 * @returns whether none is left
 */
async function dropStaleChildren(image: Image, snapId: SnapId): Promise<boolean> {
  const { io, id, headerOid } = image;
  const parent = { poolId: io.pool, poolNamespace: io.nspace, imageId: id, snapId };
  const children = await unless(io.query(headerOid, HEADER.listChildren, { snapId }), "ENOENT");
  let left = 0;
  for (const child of children ?? []) {
    const childIo = poolOf(io, child.poolId, child.poolNamespace);
    if (childIo !== undefined && (await isCloneOf(childIo, child.imageId, parent))) left++;
    else await unless(io.execute(headerOid, HEADER.detachChild, { snapId, child }), "ENOENT");
  }
  return left === 0;
}

/** The image's parent loses its child with the last snapshot that shows it. */
async function detachLastReference(image: Image, snapshot: ImageSnapshot): Promise<void> {
  const { parent } = image;
  if (parent === undefined || snapshot.parentOverlap === undefined) return;
  if (parent.overlap !== undefined) return;
  const others = image.snapshots.some(
    (snap) => snap.id !== snapshot.id && snap.parentOverlap !== undefined,
  );
  if (!others) await detachChild(image);
}

/** Merges the snapshot's map into the next newer one, so that fast-diff still tells the truth. */
async function removeMap(image: Image, snapshot: ImageSnapshot): Promise<void> {
  image.checkObjectMap();
  const { io, id, objectMap } = image;
  if (objectMap === undefined) return;
  const oid = objectMapName(id, snapshot.id);
  const next = image.snapshots.find((snap) => snap.id > snapshot.id)?.id ?? NOSNAP;
  try {
    const map = await io.query(oid, OBJECT_MAP.load, undefined);
    if ((snapshot.flags & FLAG.OBJECT_MAP_INVALID) !== 0n) {
      await objectMap.invalidate(next);
    } else {
      const merge = callOp(OBJECT_MAP.removeSnapshot, map);
      const ops = next === NOSNAP ? [assertMapLocked(), merge] : [merge];
      await unless(io.write(objectMapName(id, next), ops), "ENOENT");
      if (next === NOSNAP) await objectMap.reload();
    }
  } catch (error) {
    // Gone: an earlier removal has come so far.
    if (isErrno(error, "ENOENT")) return;
    if (!(error instanceof CephError)) throw error;
    await objectMap.invalidate(next);
  }
  await unless(io.remove(oid), "ENOENT");
}
