/**
 * The snapshots of an image: by name, which is unique only among those of one kind; and whether they are there still.
 * ceph: ImageCtx::get_snap_id
 */

import { type SnapshotNamespace, sameNamespace, USER_NAMESPACE } from "../cls/rbd/types.ts";
import type { CallOptions } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { imageError } from "./errors.ts";
import type { Image, ImageSnapshot } from "./image.ts";

/** @param namespace @default a user's */
export function findSnapshot(
  image: Image,
  name: string,
  namespace: SnapshotNamespace = USER_NAMESPACE,
): ImageSnapshot | undefined {
  return image.snapshots.find(
    (snap) => snap.name === name && sameNamespace(snap.namespace, namespace),
  );
}

/** @throws CephError ENOENT */
export function mustFindSnapshot(
  image: Image,
  name: string,
  namespace: SnapshotNamespace = USER_NAMESPACE,
): ImageSnapshot {
  const found = findSnapshot(image, name, namespace);
  if (found === undefined) throw imageError("ENOENT", "find a snapshot of", image.target, name);
  return found;
}

/** Bytes of the image at a snapshot, or as it is now. @throws CephError ENOENT */
export function sizeAt(image: Image, snap: SnapId): number {
  const size =
    snap === NOSNAP ? image.size : image.snapshots.find(({ id }) => id === snap)?.imageSize;
  if (size === undefined) throw imageError("ENOENT", "find a snapshot of", image.target);
  return size;
}

/**
 * To be asked before what was read or listed at snapshots is taken for theirs: the objects of one that is removed go,
 * and what is gone looks as if it had never been.
 * compat: librbd does not ask: it reads zeros of a snapshot that is being removed.
 * @throws CephError ENOENT: one of them is gone, or on its way out
 */
export async function checkSnapshotsStay(
  image: Image,
  snaps: readonly SnapId[],
  limits: CallOptions = {},
): Promise<void> {
  const { io, headerOid, format, target } = image;
  for (const snap of snaps) {
    if (snap === NOSNAP || snap === 0n) continue;
    if (await format.hasSnapshot(io, headerOid, snap, limits)) continue;
    throw imageError("ENOENT", "read a snapshot of", target, "it was removed meanwhile");
  }
}
