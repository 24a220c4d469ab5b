/** Snapshots by name: a name is unique only among snapshots of one kind. ceph: ImageCtx::get_snap_id */

import { type SnapshotNamespace, sameNamespace, USER_NAMESPACE } from "../cls/rbd/types.ts";
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
