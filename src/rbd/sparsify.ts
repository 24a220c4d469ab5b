/** Letting go of the zeros in an image's objects. ceph: src/librbd/operation/SparsifyRequest.cc */

import { OBJECT_STATE } from "../cls/rbd/types/features.ts";
import { opStat } from "../messages/index.ts";
import { callOp } from "../rados/index.ts";
import { DATA } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { forEachObject, type Progress } from "./progress.ts";
import { copyupOverlap } from "./shown.ts";

/** @param sparseSize bytes of the smallest run of zeros that is let go of */
export async function sparsifyLocked(
  image: Image,
  sparseSize: number,
  progress: Progress,
): Promise<void> {
  const { dataIo } = image;
  if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", image.target);
  const { EXISTS, NONEXISTENT, PENDING } = OBJECT_STATE;
  await forEachObject({ start: 0, end: image.objectCount }, progress, async (objectNo) => {
    image.checkUndisturbed();
    const { objectMap, snapContext } = image;
    if (objectMap?.mayExist(objectNo) === false) return;
    // An empty object hides what would be shown without it.
    const removeEmpty = objectNo >= image.objectsIn(copyupOverlap(image));
    const oid = image.objectName(objectNo);
    const sparsify = callOp(DATA.sparsify, { sparseSize, removeEmpty });
    const found = await unless(dataIo.write(oid, [sparsify], { snapContext }), "ENOENT");
    if (found === undefined || objectMap === undefined) return;
    // It has a revision of its own now, if it was that of a snapshot.
    await objectMap.update(objectNo, objectNo + 1, EXISTS, EXISTS);
    if (!removeEmpty) return;
    // Nobody may write to it between the question and the map's change.
    const drained = image.gate.block();
    try {
      await drained;
      if ((await dataIo.readIfThere(oid, [opStat()])) !== undefined) return;
      await objectMap.update(objectNo, objectNo + 1, PENDING, EXISTS);
      await objectMap.update(objectNo, objectNo + 1, NONEXISTENT, PENDING);
    } finally {
      image.gate.unblock();
    }
  });
}
