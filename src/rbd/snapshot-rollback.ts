/**
 * Making an image what it was at a snapshot, size and all. Nothing is written to it meanwhile.
 * ceph: src/librbd/operation/SnapshotRollbackRequest.cc
 */

import { OBJECT_STATE } from "../cls/rbd/types/features.ts";
import type { SnapshotNamespace } from "../cls/rbd/types.ts";
import { opRollback } from "../messages/index.ts";
import { NOSNAP } from "../types/index.ts";
import { imageError, unless } from "./errors.ts";
import { mustFindSnapshot } from "./find-snapshot.ts";
import type { Image, ImageSnapshot } from "./image.ts";
import { statesAt } from "./map-states.ts";
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
    // Half of a rollback is of no use to anybody.
    const options = { allowShrink: true, progress: noProgress, givesWay: false };
    await resizeLocked(image, snapshot.imageSize, options);
    const { objectMap } = image;
    // As they were before the map is the snapshot's.
    const before = Array.from({ length: image.objectCount }, (_, objectNo) =>
      objectNo < headObjects ? objectMap?.mayExist(objectNo) !== false : true,
    );
    const at = await rollBackMap(image, snapshot, before);
    await forEachObject({ start: 0, end: image.objectCount }, progress, async (objectNo) => {
      image.checkOwner();
      if (at?.[objectNo] === OBJECT_STATE.NONEXISTENT && before[objectNo] === false) return;
      const rollback = dataIo.write(image.objectName(objectNo), [opRollback(snapshot.id)], {
        snapContext,
      });
      await unless(rollback, "ENOENT");
    });
    const { NONEXISTENT, PENDING } = OBJECT_STATE;
    if (at !== undefined) await objectMap?.update(0, image.objectCount, NONEXISTENT, PENDING);
  } finally {
    image.gate.unblock();
  }
  await image.notifyUpdate();
}

/**
 * Makes the head's object map what it is to be after the rollback, before any object is: what is there is as if just
 * written, for an object that is rolled back is, even one that nothing has changed. What the snapshot has not is on its
 * way out until it is gone: a rollback that was cut short finds it when it is made again.
 * compat: librbd takes the snapshot's as it is. Where that is not to be believed, no objects are found then; what was
 * clean at the snapshot stays so, which differences to a newer one, by the maps, miss; and what the head alone has is
 * left when it is cut short.
 * @param before which objects the head may have
 * ceph: src/librbd/object_map/SnapshotRollbackRequest.cc, src/osd/PrimaryLogPG.cc _rollback_to
 */
function rollBackMap(
  image: Image,
  snapshot: ImageSnapshot,
  before: readonly boolean[],
): Promise<Uint8Array | undefined> {
  const { NONEXISTENT, EXISTS, PENDING } = OBJECT_STATE;
  return takeMapOf(image, snapshot, (state, objectNo) => {
    if (state !== NONEXISTENT) return EXISTS;
    return before[objectNo] === false ? NONEXISTENT : PENDING;
  });
}

/**
 * Makes the head's object map of a snapshot's. Where that is not to be believed, the head's is not from now on.
 * @param stateOf the head's state of what the snapshot has in one
 * @returns the snapshot's states; undefined if there are none to go by
 */
export async function takeMapOf(
  image: Image,
  snapshot: ImageSnapshot,
  stateOf: (state: number, objectNo: number) => number = (state) => state,
): Promise<Uint8Array | undefined> {
  const { objectMap } = image;
  if (objectMap === undefined) return undefined;
  const states = await statesAt(image, snapshot.id, FLAG.OBJECT_MAP_INVALID);
  if (states === undefined || states === "gone") {
    await objectMap.invalidate(snapshot.id);
    await objectMap.invalidate(NOSNAP);
    return undefined;
  }
  await objectMap.save(states.map((state, objectNo) => stateOf(state, objectNo)));
  return states;
}
