/**
 * Removing all data objects of an image. The object map, where there is one, says PENDING of those that are
 * going and NONEXISTENT once they are gone, so that a removal cut short can be taken up again.
 * ceph: src/librbd/operation/TrimRequest.cc
 */

import { OBJECT_STATE } from "../cls/rbd/types/features.ts";
import { unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { forEachObject, type Progress } from "./progress.ts";

export async function trimAll(image: Image, progress: Progress): Promise<void> {
  const { dataIo, objectMap, snapContext } = image;
  if (dataIo === undefined) return;
  const end = image.objectCount;
  if (end === 0) return;
  const { EXISTS, NONEXISTENT, PENDING } = OBJECT_STATE;
  await objectMap?.update(0, end, PENDING, EXISTS);
  await forEachObject({ start: 0, end }, progress, async (objectNo) => {
    image.checkOwner();
    if (objectMap?.mayExist(objectNo) === false) return;
    await unless(dataIo.remove(image.objectName(objectNo), { snapContext }), "ENOENT");
  });
  await objectMap?.update(0, end, NONEXISTENT, PENDING);
}
