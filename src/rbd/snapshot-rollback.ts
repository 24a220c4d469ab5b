/**
 * Making an image what it was at a snapshot, size and all. Nothing is written to it meanwhile.
 * ceph: src/librbd/operation/SnapshotRollbackRequest.cc
 */

import { statesOf } from "../cls/rbd/types/bit-vector.ts";
import { OBJECT_STATE } from "../cls/rbd/types/features.ts";
import type { SnapshotNamespace } from "../cls/rbd/types.ts";
import { opRollback } from "../messages/index.ts";
import { OBJECT_MAP } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import { mustFindSnapshot } from "./find-snapshot.ts";
import type { Image, ImageSnapshot } from "./image.ts";
import { objectMapName } from "./names.ts";
import { FLAG } from "./object-map.ts";
import { forEachObject, noProgress, type Progress } from "./progress.ts";
import { resizeLocked } from "./resize.ts";

/** @throws CephError ENOENT: no such snapshot; ERESTART: the lock is lost */
export async function rollbackLocked(
  image: Image,
  name: string,
  namespace: SnapshotNamespace,
  progress: Progress,
): Promise<void> {
  const { dataIo, snapContext } = image;
  if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", image.target);
  if (image.migration !== undefined) {
    // An object that the snapshot has not would show what the source's head has.
    throw imageError("EOPNOTSUPP", "roll back", image.target, "its migration is not executed yet");
  }
  const snapshot = mustFindSnapshot(image, name, namespace);
  const drained = image.gate.block();
  try {
    await drained;
    const headObjects = image.objectCount;
    const options = { allowShrink: true, progress: noProgress };
    await resizeLocked(image, snapshot.imageSize, options);
    const { objectMap } = image;
    // As they were before the map is the snapshot's.
    const before = Array.from({ length: image.objectCount }, (_, objectNo) =>
      objectNo < headObjects ? objectMap?.mayExist(objectNo) !== false : true,
    );
    const at = objectMap === undefined ? undefined : await statesAt(image, snapshot);
    await objectMap?.rollBack(snapshot);
    await forEachObject({ start: 0, end: image.objectCount }, progress, async (objectNo) => {
      image.checkOwner();
      if (at?.[objectNo] === OBJECT_STATE.NONEXISTENT && before[objectNo] === false) return;
      const rollback = dataIo.write(image.objectName(objectNo), [opRollback(snapshot.id)], {
        snapContext,
      });
      await unless(rollback, "ENOENT");
    });
  } finally {
    image.gate.unblock();
  }
  await image.notifyUpdate();
}

/** The object map of a snapshot; undefined if it is not to be believed. */
async function statesAt(image: Image, { id, flags, imageSize }: ImageSnapshot) {
  if ((flags & FLAG.OBJECT_MAP_INVALID) !== 0n) return undefined;
  const load = image.io.query(objectMapName(image.id, id), OBJECT_MAP.load, undefined);
  const map = await unless(load, "ENOENT", "EINVAL");
  const count = image.objectsIn(imageSize);
  return map === undefined || map.size < count ? undefined : statesOf(map, count);
}
