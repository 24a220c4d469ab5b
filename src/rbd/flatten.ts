/**
 * Making a clone independent of its parent: what it shows of the parent is copied into its own objects, then
 * the two forget each other.
 *
 *   lock -> for each object under the overlap that is not there: read parent, object maps, copyup
 *        -> parent off the child -> child off the parent -> header update
 *
 * Whoever has the lock does it. Somebody who wants the lock meanwhile gets it between two objects, and is
 * asked to go on.
 * ceph: src/librbd/operation/FlattenRequest.cc, src/librbd/io/CopyupRequest.cc
 */

import { RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { opStat } from "../messages/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { HEADER } from "./calls.ts";
import { detachChild, parentLinkOf } from "./detach-child.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { Image, type RbdContext } from "./image.ts";
import { ObjectWriter } from "./io/object-write.ts";
import { byLockOwner } from "./lock-owner.ts";
import { forEachObject, type Progress } from "./progress.ts";
import { ParentSource } from "./snapshot-read.ts";
import { cleanUpParents } from "./trash-remove.ts";

/**
 * @param options.id of the image that is meant: the name may have become another's meanwhile
 * @throws CephError ENOENT: no such image; EINVAL: no parent; EROFS: made by a newer release; EBUSY: a user
 *   holds the lock; EOPNOTSUPP: with a journal, or migrating
 */
export async function flattenImage(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
  options: { readonly id?: string | undefined } = {},
): Promise<void> {
  const image = await Image.open(context, io, { name });
  try {
    if (image.id !== (options.id ?? image.id)) throw imageError("ENOENT", "flatten", name);
    await byLockOwner(image, {
      request: { op: "flatten" },
      policy: "yield",
      progress,
      here: async () => {
        try {
          await flattenLocked(image, progress);
          return true;
        } catch (error) {
          // The lock had to be given up before the end.
          if (isErrno(error, "ERESTART") && image.lost === undefined) return false;
          throw error;
        }
      },
    });
  } finally {
    await image.close();
  }
  await cleanUpParents(image);
}

/** @throws CephError as `flattenImage`, and ERESTART: somebody wants the lock */
export async function flattenLocked(image: Image, progress: Progress): Promise<void> {
  await image.refresh();
  const refuse = (code: "EINVAL" | "EROFS" | "EOPNOTSUPP", why: string) =>
    imageError(code, "flatten", image.name, why);
  if (image.operationsDisabled) throw refuse("EROFS", "operations of a newer release");
  if (image.hasFeature(RBD_FEATURE.JOURNALING)) throw refuse("EOPNOTSUPP", "it has a journal");
  if (image.hasFeature(RBD_FEATURE.MIGRATING)) throw refuse("EOPNOTSUPP", "it is migrating");
  if (image.parent?.overlap === undefined) throw refuse("EINVAL", "it has no parent");
  if (image.dataIo === undefined) throw imageError("ENOENT", "open the data pool of", image.name);
  await copyAll(image, image.parent.overlap, progress);
  const link = parentLinkOf(image);
  const isLast = image.snapshots.every(({ parentOverlap }) => parentOverlap === undefined);
  await unless(image.io.execute(image.headerOid, HEADER.detachParent, undefined), "ENOENT");
  // Snapshots that still show the parent keep the link until the last of them is gone.
  if (isLast || image.hasFeature(RBD_FEATURE.DEEP_FLATTEN)) await detachChild(image, link);
  await image.refresh();
  await image.notifyUpdate();
}

/** Every object under the overlap that may not be there gets what it shows, unless that is all zeros. */
async function copyAll(image: Image, overlap: number, progress: Progress): Promise<void> {
  const writer = new ObjectWriter(image, new ParentSource(image.context, image));
  const range = { start: 0, end: image.objectsIn(overlap) };
  await forEachObject(range, progress, async (objectNo) => {
    image.checkUndisturbed();
    if (!(await isThere(image, objectNo))) await writer.copyup(objectNo);
  });
}

/**
 * Is an object there for sure? The map knows of one before it is written, and the write may have failed, or its client
 * died.
 * compat: librbd goes by the map, and what such an object shows of the parent is lost.
 */
async function isThere(image: Image, objectNo: number): Promise<boolean> {
  const { dataIo, objectMap } = image;
  if (dataIo === undefined || objectMap?.mayNotExist(objectNo) !== false) return false;
  return (await dataIo.readIfThere(image.objectName(objectNo), [opStat()])) !== undefined;
}
