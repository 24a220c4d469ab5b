/**
 * Removing an image that is in the trash: data, links to parent, header, journal, object map, trash entry,
 * in an order that leaves the entry to the last, so that a removal cut short can be started again.
 * ceph: src/librbd/trash/RemoveRequest.cc, src/librbd/image/RemoveRequest.cc
 */

import { CephError } from "../base/index.ts";
import { TRASH_IMAGE_SOURCE, TRASH_IMAGE_STATE } from "../cls/rbd/types/features.ts";
import { type ParentImageSpec, TrashImageSpec } from "../cls/rbd/types.ts";
import type { IoCtx } from "../rados/index.ts";
import { compareUtime, utimeFromMs } from "../types/index.ts";
import { DIRECTORY, HEADER, TRASH } from "./calls.ts";
import { detachChild } from "./detach-child.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { changeHeaderValue } from "./header-value.ts";
import { Image, poolOf, type RbdContext } from "./image.ts";
import { removeJournal } from "./journal-remove.ts";
import { endMirroring } from "./mirror/enable.ts";
import { headerName, objectMapName, RBD_MIRRORING, RBD_TRASH } from "./names.ts";
import { preRemove } from "./pre-remove.ts";
import { noProgress, type Progress } from "./progress.ts";
import { removeSnapshot } from "./snapshot-remove.ts";
import { trimAll } from "./trim.ts";

const { NORMAL, REMOVING } = TRASH_IMAGE_STATE;

/**
 * Removes by id; the image's trash entry must be there.
 * @param force go on without the exclusive lock
 */
export async function removeFromTrash(
  context: RbdContext,
  io: IoCtx,
  id: string,
  options: { force: boolean; progress: Progress },
): Promise<void> {
  let removed: Image | undefined;
  await withState(io, id, async (begin) => {
    // A header that is gone: an earlier removal has come so far.
    const image = await unless(Image.open(context, io, { id }), "ENOENT");
    if (image === undefined) begin();
    else await removeBody(image, { ...options, begin });
    await removeRemains(io, id);
    removed = image;
  });
  if (removed !== undefined) await cleanUpParents(removed);
}

/**
 * Removes the snapshots that an image, now gone or independent, was the last clone of, if they were deleted
 * before; and the parents, if they wait for that in the trash. Best effort, as upstream: the image's own
 * operation is done.
 * ceph: src/librbd/image/DetachChildRequest.cc clone_v2_get_snapshot and on
 */
export async function cleanUpParents(image: Image): Promise<void> {
  for (const parent of image.detachedFrom) {
    try {
      await cleanUpParent(image, parent);
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      image.log.warn("parent of a detached clone not cleaned up", {
        parent: parent.imageId,
        why: error.message,
      });
    }
  }
}

async function cleanUpParent(
  image: Image,
  { poolId, poolNamespace, imageId, snapId }: ParentImageSpec,
) {
  const io = poolOf(image.io, poolId, poolNamespace);
  if (io === undefined) return;
  const snapshot = await unless(
    io.query(headerName(imageId), HEADER.getSnapshot, { snapId }),
    "ENOENT",
  );
  if (snapshot?.namespace.type !== "trash" || snapshot.childCount > 0) return;
  const parent = await Image.open(image.context, io, { id: imageId });
  let isOpen = true;
  try {
    await parent.acquireLock("refuse");
    await unless(removeSnapshot(parent, snapId), "ENOENT");
    await parent.notifyUpdate();
    if (parent.snapshots.length > 0 || !(await waitsForClones(parent))) return;
    isOpen = false;
    await removeOpenFromTrash(parent);
  } finally {
    if (isOpen) await parent.close();
  }
  await cleanUpParents(parent);
}

/** Is an image in the trash only until its last clone is gone? */
async function waitsForClones({ io, id, clock }: Image): Promise<boolean> {
  const entry = await unless(io.query(RBD_TRASH, TRASH.get, id), "ENOENT");
  if (entry === undefined) return false;
  const { source, state, defermentEndTime } = entry;
  const isDue = compareUtime(defermentEndTime, utimeFromMs(clock.now())) <= 0;
  return source === TRASH_IMAGE_SOURCE.USER_PARENT && state === NORMAL && isDue;
}

/** Removes an image that is open, and closes it, whatever comes of it. */
async function removeOpenFromTrash(image: Image): Promise<void> {
  const { io, id } = image;
  let isOpen = true;
  try {
    await withState(io, id, async (begin) => {
      isOpen = false;
      await removeBody(image, { force: false, progress: noProgress, begin });
      await removeRemains(io, id);
    });
  } finally {
    if (isOpen) await image.close();
  }
}

/**
 * The entry says REMOVING meanwhile, and goes with the image. It says NORMAL again if the removal fails before it, or one
 * before it, has begun to let go of data: what has lost some may only be removed.
 * compat: in librbd it can be restored after any failure, with a part of its data.
 */
async function withState(
  io: IoCtx,
  id: string,
  work: (begin: () => void) => Promise<void>,
): Promise<void> {
  const set = (state: number, expected: number) =>
    io.execute(RBD_TRASH, TRASH.setState, { id, state, expected });
  let hasBegun = await markRemoving(io, id);
  // Marked already, or not to be.
  await set(REMOVING, NORMAL);
  const begin = () => {
    hasBegun = true;
  };
  try {
    await work(begin);
  } catch (error) {
    // What has snapshots has lost nothing.
    if (!hasBegun || isErrno(error, "ENOTEMPTY")) await set(NORMAL, REMOVING);
    throw error;
  }
  await unless(io.execute(RBD_TRASH, TRASH.remove, id), "ENOENT");
}

/** @returns whether it was marked by another removal, which may have begun, and be under way still */
async function markRemoving(io: IoCtx, id: string): Promise<boolean> {
  let wasRemoving = false;
  const entry = { key: `id_${id}`, codec: TrashImageSpec };
  await changeHeaderValue(io, RBD_TRASH, entry, (spec) => {
    wasRemoving = spec.state === REMOVING;
    return spec.state === NORMAL ? { ...spec, state: REMOVING } : undefined;
  });
  return wasRemoving;
}

interface BodyOptions {
  readonly force: boolean;
  readonly progress: Progress;
  /** Told when there is no way back. */
  readonly begin?: () => void;
}

async function removeBody(image: Image, { force, progress, begin }: BodyOptions): Promise<void> {
  const { io, headerOid } = image;
  try {
    try {
      await preRemove(image, force);
    } catch (error) {
      if (isErrno(error, "ECHILD")) throw imageError("ENOTEMPTY", "remove", image.name || image.id);
      throw error;
    }
    await endMirroring(image);
    begin?.();
    await trimAll(image, progress);
    await detachChild(image);
  } finally {
    await image.close();
  }
  await unless(io.remove(headerOid), "ENOENT");
}

/**
 * Removes an image that was opened as an end of a migration, and closes it, whatever comes of it. Names and
 * entries in the trash are the caller's to remove.
 */
export async function removeMigrationEnd(image: Image, progress: Progress): Promise<void> {
  await removeBody(image, { force: false, progress });
  if (image.format.version === 1) return;
  await removeRemains(image.io, image.id);
  await cleanUpParents(image);
}

/** What is left of an image once its header is gone. */
export async function removeRemains(io: IoCtx, id: string): Promise<void> {
  await unless(io.remove(headerName(id)), "ENOENT");
  await removeJournal(io, id);
  await unless(io.remove(objectMapName(id)), "ENOENT");
  await unless(io.execute(RBD_MIRRORING, DIRECTORY.removeMirror, id), "ENOENT", "EOPNOTSUPP");
}
