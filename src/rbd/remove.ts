/**
 * Removing an image by name, by way of the trash: once its name is gone nobody can open it any more, and a
 * removal cut short leaves an entry from which it can be finished.
 * ceph: src/librbd/api/Image.cc Image<I>::remove
 */

import { CephError, ERRNO } from "../base/index.ts";
import { TRASH_IMAGE_SOURCE, TRASH_IMAGE_STATE } from "../cls/rbd/types/features.ts";
import type { IoCtx } from "../rados/index.ts";
import { DIRECTORY } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { changeFormat1Directory } from "./format1-directory.ts";
import { Image, type RbdContext } from "./image.ts";
import { RBD_DIRECTORY } from "./names.ts";
import { preRemove } from "./pre-remove.ts";
import type { Progress } from "./progress.ts";
import { finishMove, listTrash, moveToTrash, removeTrash, restoreFromTrash } from "./trash.ts";
import { cleanUpParents } from "./trash-remove.ts";
import { trimAll } from "./trim.ts";

export interface RemoveOptions {
  /**
   * The image is not removed but put into the trash, as a user would, to be kept for so many milliseconds.
   * ceph: rbd_move_to_trash_on_remove, rbd_move_to_trash_on_remove_expire_seconds
   */
  readonly toTrashMs?: number;
  /**
   * An image of which deleted snapshots have clones waits in the trash for the last of them to go.
   * ceph: rbd_move_parent_to_trash_on_remove @default false: it is not removed
   */
  readonly parentToTrash?: boolean;
  /** The image that is meant, "" of format 1: the name may have become another's meanwhile. @default whichever has the name */
  readonly id?: string | undefined;
}

/**
 * @throws CephError ENOENT: no such image; ENOTEMPTY: it has snapshots; EBUSY: in use, migrating; EMLINK: in
 *   a group; EINVAL: another cluster's; EOPNOTSUPP: mirrored by its journal
 */
export async function removeImage(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
  options: RemoveOptions = {},
): Promise<void> {
  const { REMOVING, USER, USER_PARENT } = TRASH_IMAGE_SOURCE;
  const { toTrashMs, parentToTrash = false, id: meant } = options;
  const id = await unless(io.query(RBD_DIRECTORY, DIRECTORY.idOfName, name), "ENOENT");
  if (id === undefined || id !== (meant ?? id)) {
    for (const [trashId, spec] of await listTrash(io)) {
      if (spec.name !== name || spec.source !== REMOVING) continue;
      if (trashId !== (meant ?? trashId)) continue;
      if (spec.state === TRASH_IMAGE_STATE.MOVING) await finishMove(io, trashId);
      return await removeTrash(context, io, trashId, { force: true, progress });
    }
    if (id !== undefined || (meant ?? "") !== "") {
      throw imageError("ENOENT", "remove", name, "the name is another image's, or nobody's");
    }
    return await removeFormat1(context, io, name, progress);
  }
  if (toTrashMs !== undefined) {
    return await moveToTrash(context, io, { name, id, source: USER, keepMs: toTrashMs });
  }
  const hasClones = await checkRemovable(context, io, id);
  if (hasClones && !parentToTrash) throw imageError("ENOTEMPTY", "remove", name, "it has clones");
  if (hasClones) return await moveToTrash(context, io, { name, id, source: USER_PARENT });
  await moveToTrash(context, io, { name, id, source: REMOVING });
  try {
    await removeTrash(context, io, id, { force: true, progress });
  } catch (error) {
    if (isErrno(error, "ENOTEMPTY", "EBUSY", "EMLINK")) await restore(context, io, id, name);
    throw error;
  }
}

/**
 * Images of format 1 can not be in the trash. A header that is gone is no reason not to go on.
 * @throws CephError as removeImage
 * ceph: src/librbd/image/RemoveRequest.cc
 */
async function removeFormat1(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  const image = await unless(Image.open(context, io, { name }), "ENOENT");
  if (image !== undefined) {
    try {
      if (image.format.version !== 1) throw imageError("ENOENT", "remove", name, "it has no entry");
      await preRemove(image, false);
      await trimAll(image, progress);
    } finally {
      await image.close();
    }
    await unless(io.remove(image.headerOid), "ENOENT");
  }
  await changeFormat1Directory(io, { remove: name });
}

/**
 * Checks before anything is changed. A header that is gone is no reason not to go on.
 * @returns whether it has clones, of snapshots that were deleted
 */
async function checkRemovable(context: RbdContext, io: IoCtx, id: string): Promise<boolean> {
  const image = await unless(Image.open(context, io, { id }), "ENOENT");
  if (image === undefined) return false;
  try {
    await preRemove(image, false);
  } catch (error) {
    if (isErrno(error, "ECHILD")) return true;
    throw error;
  } finally {
    await image.close();
  }
  await cleanUpParents(image);
  return false;
}

/** Best effort: the removal's failure is what the caller has to hear. */
async function restore(context: RbdContext, io: IoCtx, id: string, name: string): Promise<void> {
  try {
    await restoreFromTrash(io, { id, name, source: TRASH_IMAGE_SOURCE.REMOVING });
  } catch (error) {
    const errno = error instanceof CephError ? error.errno : -ERRNO.EIO;
    context.log.warn("image not restored from the trash", { image: name, errno });
  }
}
