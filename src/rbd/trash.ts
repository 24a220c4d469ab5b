/**
 * The trash of a pool: moving images there, back, out for good.
 * ceph: src/librbd/api/Trash.cc, src/librbd/trash/MoveRequest.cc
 */

import { TRASH_IMAGE_SOURCE, TRASH_IMAGE_STATE } from "../cls/rbd/types/features.ts";
import type { TrashImageSpec } from "../cls/rbd/types.ts";
import { opCreate } from "../messages/index.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { utimeFromMs } from "../types/index.ts";
import { DIRECTORY, HEADER, TRASH } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { idOfName } from "./find-image.ts";
import { Image, type RbdContext } from "./image.ts";
import { endMirroring } from "./mirror/enable.ts";
import { idObjectName, RBD_DIRECTORY, RBD_TRASH } from "./names.ts";
import { encodeTrashNotice } from "./notify.ts";
import type { Progress } from "./progress.ts";
import { removeFromTrash } from "./trash-remove.ts";

const PAGE = 1024;
/** ceph: src/librbd/TrashWatcher.cc NOTIFY_TIMEOUT_MS */
const NOTIFY_TIMEOUT_MS = 5_000;
const { NORMAL, MOVING, REMOVING, RESTORING } = TRASH_IMAGE_STATE;

/** All entries by image id. */
export async function listTrash(io: IoCtx): Promise<Map<string, TrashImageSpec>> {
  const all = new Map<string, TrashImageSpec>();
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await unless(io.query(RBD_TRASH, TRASH.list, args), "ENOENT");
    for (const [id, spec] of page ?? []) all.set(id, spec);
    if (page === undefined || page.size < PAGE) return all;
    startAfter = [...page.keys()].at(-1) ?? "";
  }
}

/** @throws CephError ENOENT: not in the trash */
export async function getTrash(io: IoCtx, id: string): Promise<TrashImageSpec> {
  return await io.query(RBD_TRASH, TRASH.get, id);
}

/**
 * Moves an image to the trash, as a user.
 * @param keepMs how long it must not be removed from there @default 0
 * @returns its id
 * @throws CephError ENOENT: no such image; EBUSY: locked or migrating; EINVAL: another cluster's; EOPNOTSUPP: mirrored by
 *   its journal, or format 1
 */
export async function trashImage(
  context: RbdContext,
  io: IoCtx,
  name: string,
  keepMs = 0,
): Promise<string> {
  const id = await idOfName(io, name);
  await moveToTrash(context, io, { name, id, source: TRASH_IMAGE_SOURCE.USER, keepMs });
  return id;
}

/**
 * Brings back what a user has put into the trash.
 * @param name @default the one it had
 * @throws CephError ENOENT: not in the trash; EINVAL: it is there for another reason; EEXIST: there is an
 *   image of the name; EBUSY: it is being removed
 */
export async function restoreImage(io: IoCtx, id: string, name?: string): Promise<void> {
  const { USER, MIRRORING, USER_PARENT } = TRASH_IMAGE_SOURCE;
  const { source, name: before } = await getTrash(io, id);
  if (source !== USER && source !== MIRRORING && source !== USER_PARENT) {
    throw imageError("EINVAL", "restore", id);
  }
  await restoreFromTrash(io, { id, name: name ?? before, source });
}

/**
 * Moves an image to the trash: an entry, then no name any more.
 * @throws CephError EBUSY: locked or migrating; EINVAL: another cluster's; EOPNOTSUPP: mirrored by its journal
 */
export async function moveToTrash(
  context: RbdContext,
  io: IoCtx,
  which: { name: string; id: string; source: number; keepMs?: number },
): Promise<void> {
  const { name, id, source, keepMs = 0 } = which;
  const image = await unless(Image.open(context, io, { id }), "ENOENT");
  if (image !== undefined) {
    try {
      await makeMovable(image);
    } finally {
      await image.close();
    }
  }
  const nowMs = context.clock.now();
  const defermentEndTime = utimeFromMs(nowMs + keepMs);
  const spec = { source, name, deletionTime: utimeFromMs(nowMs), defermentEndTime, state: MOVING };
  await unless(io.execute(RBD_TRASH, TRASH.add, { id, spec }), "EEXIST");
  try {
    await unless(io.remove(idObjectName(name)), "ENOENT");
    await unless(io.execute(RBD_DIRECTORY, DIRECTORY.remove, { name, id }), "ENOENT");
  } finally {
    await io.execute(RBD_TRASH, TRASH.setState, { id, state: NORMAL, expected: MOVING });
  }
  await tell(io, id, { ...spec, state: NORMAL });
}

/**
 * Ends a move whose client died before its last step: the name is gone already, and nobody else will take
 * the step. Upstream leaves such an image to whoever finds it (EUCLEAN), and a task would try for ever.
 */
export async function finishMove(io: IoCtx, id: string): Promise<void> {
  await io.execute(RBD_TRASH, TRASH.setState, { id, state: NORMAL, expected: MOVING });
}

async function makeMovable(image: Image): Promise<void> {
  const refuse = (code: "EBUSY", why: string) =>
    imageError(code, "move to the trash", image.name, why);
  // A mirror may have the lock, and lets go of what is not mirrored any more.
  await endMirroring(image);
  try {
    await image.acquireLock("refuse");
  } catch (error) {
    if (isErrno(error, "EBUSY")) throw refuse("EBUSY", "cannot obtain the exclusive lock");
    throw error;
  }
  const migration = await unless(
    image.io.query(image.headerOid, HEADER.getMigration, undefined),
    "EINVAL",
    "EOPNOTSUPP",
  );
  if (migration !== undefined) throw refuse("EBUSY", "it is migrating");
}

/**
 * Removes an image from the trash for good.
 * @param force even before the time it was to be kept for is over, and without the lock
 * @throws CephError ENOENT: not in the trash; EPERM: too early; EUCLEAN: its move is not done; EBUSY,
 *   ENOTEMPTY, EMLINK: see preRemove
 */
export async function removeTrash(
  context: RbdContext,
  io: IoCtx,
  id: string,
  options: { force: boolean; progress: Progress },
): Promise<void> {
  const spec = await getTrash(io, id);
  const refuse = (code: "EPERM" | "EUCLEAN" | "EBUSY", why: string) =>
    imageError(code, "remove", id, why);
  if (!options.force && !isDue(spec, context.clock.now())) throw refuse("EPERM", "deferred");
  if (spec.state === MOVING) throw refuse("EUCLEAN", "it is being moved to the trash");
  if (spec.state !== NORMAL && spec.state !== REMOVING)
    throw refuse("EBUSY", "it is being restored");
  await removeFromTrash(context, io, id, options);
  await tell(io, id);
}

/** Whether an entry may go at a time, in milliseconds since 1970. */
export function isDue({ defermentEndTime }: TrashImageSpec, nowMs: number): boolean {
  return defermentEndTime.sec <= Math.floor(nowMs / 1000);
}

/**
 * Brings back an image whose removal failed, or whose migration is given up.
 * @param source what it has to be in the trash for
 * ceph: Trash<I>::restore
 */
export async function restoreFromTrash(
  io: IoCtx,
  { id, name, source }: { id: string; name: string; source: number },
): Promise<void> {
  const spec = await getTrash(io, id);
  if (spec.source !== source) throw imageError("EINVAL", "restore", id);
  if (spec.state !== NORMAL && spec.state !== RESTORING) throw imageError("EBUSY", "restore", id);
  await io.execute(RBD_TRASH, TRASH.setState, { id, state: RESTORING, expected: NORMAL });
  const existing = await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
  if (existing !== undefined && existing !== id) {
    await io.execute(RBD_TRASH, TRASH.setState, { id, state: NORMAL, expected: RESTORING });
    throw imageError("EEXIST", "restore", name);
  }
  if (existing === undefined) {
    await io.write(idObjectName(name), [opCreate(true), callOp(DIRECTORY.setId, id)]);
  }
  await unless(io.execute(RBD_DIRECTORY, DIRECTORY.add, { name, id }), "EEXIST");
  await unless(io.execute(RBD_TRASH, TRASH.remove, id), "ENOENT");
  await tell(io, id);
}

/** Tells watchers of the trash of an entry that has come, or gone. */
async function tell(io: IoCtx, id: string, added?: TrashImageSpec): Promise<void> {
  await unless(io.notify(RBD_TRASH, encodeTrashNotice(id, added), NOTIFY_TIMEOUT_MS), "ENOENT");
}
