/**
 * Making a clone independent of its parent: what it shows of the parent is copied into its own objects, then
 * the two forget each other.
 *
 *   lock -> for each object under the overlap that may not exist: read parent, object maps, copyup
 *        -> child off the parent -> parent off the child -> header update
 *
 * Whoever has the lock does it. Somebody who wants the lock meanwhile gets it between two objects, and is
 * asked to go on.
 * ceph: src/librbd/operation/FlattenRequest.cc, src/librbd/io/CopyupRequest.cc
 */

import { OBJECT_STATE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { opSetAllocHint, opStat, opWrite } from "../messages/index.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { DATA, HEADER } from "./calls.ts";
import { detachChild } from "./detach-child.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { Image, type RbdContext } from "./image.ts";
import { byLockOwner } from "./lock-owner.ts";
import { forEachObject, type Progress } from "./progress.ts";
import { type Run, SnapshotReader } from "./snapshot-read.ts";
import { objectToImage } from "./striper.ts";
import { cleanUpParents } from "./trash-remove.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * @throws CephError ENOENT: no such image; EINVAL: no parent; EROFS: made by a newer release; EBUSY: a user
 *   holds the lock; EOPNOTSUPP: with a journal, or migrating
 */
export async function flattenImage(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  const image = await Image.open(context, io, { name });
  try {
    await byLockOwner(image, {
      request: { op: "flatten" },
      policy: "yield",
      progress,
      here: () => flattenWhileLocked(context, image, progress),
    });
  } finally {
    await image.close();
  }
  await cleanUpParents(image);
}

/** @returns false if the lock had to be given up before the end */
async function flattenWhileLocked(
  context: RbdContext,
  image: Image,
  progress: Progress,
): Promise<boolean> {
  await image.refresh();
  const refuse = (code: "EINVAL" | "EROFS" | "EOPNOTSUPP", why: string) =>
    imageError(code, "flatten", image.name, why);
  if (image.operationsDisabled) throw refuse("EROFS", "operations of a newer release");
  if (image.hasFeature(RBD_FEATURE.JOURNALING)) throw refuse("EOPNOTSUPP", "it has a journal");
  if (image.hasFeature(RBD_FEATURE.MIGRATING)) throw refuse("EOPNOTSUPP", "it is migrating");
  if (image.parent?.overlap === undefined) throw refuse("EINVAL", "it has no parent");
  try {
    await copyAll(context, image, image.parent.overlap, progress);
  } catch (error) {
    if (isErrno(error, "ERESTART") && image.lost === undefined) return false;
    throw error;
  }
  // Snapshots that still show the parent keep the link until the last of them is gone.
  if (image.hasFeature(RBD_FEATURE.DEEP_FLATTEN) || image.snapshots.length === 0) {
    await detachChild(image);
  }
  await unless(image.io.execute(image.headerOid, HEADER.detachParent, undefined), "ENOENT");
  await image.notifyUpdate();
  return true;
}

async function copyAll(
  context: RbdContext,
  image: Image,
  overlap: number,
  progress: Progress,
): Promise<void> {
  const { dataIo } = image;
  if (dataIo === undefined) throw imageError("ENOENT", "open the data pool of", image.name);
  const parent = await SnapshotReader.ofParent(context, image);
  const range = { start: 0, end: image.objectsIn(overlap) };
  await forEachObject(range, progress, async (objectNo) => {
    image.checkOwner();
    if (image.lock?.isWanted === true) {
      throw imageError("ERESTART", "flatten", image.name, "somebody wants the lock");
    }
    if (await exists(image, dataIo, objectNo)) return;
    await copyup(image, dataIo, objectNo, await readShared(parent, image, objectNo, overlap));
  });
}

/** Is there such an object already? Asks the object map, or else the object. */
async function exists(image: Image, dataIo: IoCtx, objectNo: number): Promise<boolean> {
  if (image.objectMap !== undefined) return !image.objectMap.mayNotExist(objectNo);
  const stat = dataIo.read(image.objectName(objectNo), [opStat()]);
  return (await unless(stat, "ENOENT")) !== undefined;
}

/** What an object shows of the parent, by offset in the object. */
async function readShared(
  parent: SnapshotReader,
  image: Image,
  objectNo: number,
  overlap: number,
): Promise<Run[]> {
  const shared: Run[] = [];
  for (const piece of objectToImage(image, objectNo)) {
    const length = Math.min(piece.length, overlap - piece.imageOffset);
    if (length <= 0) continue;
    for (const { offset, data } of await parent.read(piece.imageOffset, length)) {
      shared.push({ offset: piece.objectOffset + (offset - piece.imageOffset), data });
    }
  }
  return shared;
}

/** Creates the object with what it shows, unless it is there, or shows nothing but zeros. */
async function copyup(
  image: Image,
  dataIo: IoCtx,
  objectNo: number,
  shared: readonly Run[],
): Promise<void> {
  if (shared.every(({ data }) => isZero(data))) return;
  await updateMaps(image, objectNo);
  const oid = image.objectName(objectNo);
  const { objectSize, snapContext } = image;
  const copy = [
    callOp(DATA.sparseCopyup, {
      extents: new Map(shared.map(({ offset, data }) => [offset, data.length])),
      data: Buffer.concat(shared.map(({ data }) => data)),
    }),
    opSetAllocHint(objectSize, objectSize),
  ];
  // compat: upstream's write of nothing, which gives the head a revision of its own.
  const touch = [opWrite(0, NO_BYTES)];
  if (snapContext.snaps.length === 0) {
    await dataIo.write(oid, [...copy, ...touch], { snapContext });
    return;
  }
  // Without a snapshot context, so that every snapshot finds it there.
  await dataIo.write(oid, copy);
  await dataIo.write(oid, touch, { snapContext });
}

/** Snapshots see the object too: its data is new to the first, and the same in all later ones. */
async function updateMaps(image: Image, objectNo: number): Promise<void> {
  const { objectMap } = image;
  if (objectMap === undefined) return;
  const { EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
  const later = image.hasFeature(RBD_FEATURE.FAST_DIFF) ? EXISTS_CLEAN : EXISTS;
  for (const [index, { id }] of image.snapshots.entries()) {
    await objectMap.updateSnapshot(id, objectNo, index === 0 ? EXISTS : later);
  }
  await objectMap.update(objectNo, objectNo + 1, EXISTS);
}

function isZero(data: Uint8Array): boolean {
  return data.every((byte) => byte === 0);
}
