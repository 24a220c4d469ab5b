/**
 * Copying what is left in a migration's source to its destination, while others may read and write there.
 *
 *   EXECUTING -> lock -> for each object: one that is there and newer than its snapshots stays;
 *                        any other is copied with all its snapshots -> EXECUTED
 *
 * Whoever has the lock does it. Somebody who wants the lock meanwhile gets it between two objects, and is
 * asked to go on. What was copied before stays: it can be begun again at any time.
 * ceph: src/librbd/api/Migration.cc execute, src/librbd/operation/MigrateRequest.cc
 */

import { MIGRATION_STATE } from "../../cls/rbd/types/features.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOSNAP } from "../../types/index.ts";
import { imageError, isErrno } from "../errors.ts";
import { Image, type RbdContext } from "../image.ts";
import { ObjectWriter } from "../io/object-write.ts";
import { byLockOwner } from "../lock-owner.ts";
import { forEachObject, type Progress } from "../progress.ts";
import { shownAt } from "../shown.ts";
import { ParentSource } from "../snapshot-read.ts";
import { findMigration, isExecutable, setMigrationState } from "./ends.ts";
import { StateDescription } from "./state-description.ts";

/**
 * @throws CephError ENOENT: no such image; EINVAL: not migrating, or not in a state to be executed; EBUSY: a
 *   user holds the lock; EROFS: made by a newer release; EOPNOTSUPP: the source is no image of this
 *   cluster
 */
export async function executeMigration(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  const migration = await findMigration(io, name);
  const { source, destination, spec } = migration;
  const refuse = (code: "EINVAL" | "EOPNOTSUPP", why: string) =>
    imageError(code, "execute the migration of", name, why);
  if (spec === undefined || !isExecutable(migration)) throw refuse("EINVAL", "not prepared");
  if (source === undefined) throw refuse("EOPNOTSUPP", "the source is outside of this cluster");
  const to = await Image.open(context, destination.io, { id: destination.id });
  try {
    await setMigrationState(migration, MIGRATION_STATE.EXECUTING);
    const description = new StateDescription(migration);
    const told: Progress = Object.assign(
      (done: number, total: number) => {
        progress(done, total);
        description.tell(done, total);
      },
      progress.signal === undefined ? {} : { signal: progress.signal },
    );
    try {
      await byLockOwner(to, {
        request: { op: "migrate" },
        policy: "yield",
        progress: told,
        here: async () => {
          try {
            await migrateLocked(to, told);
            return true;
          } catch (error) {
            // The lock had to be given up before the end.
            if (isErrno(error, "ERESTART") && to.lost === undefined) return false;
            throw error;
          }
        },
      });
    } finally {
      await description.settled();
    }
    await setMigrationState(migration, MIGRATION_STATE.EXECUTED);
    await to.notifyUpdate();
  } finally {
    await to.close();
  }
}

/**
 * Copies all that is left, with the lock held, where there is one.
 * @throws CephError EINVAL: the image is no migration's destination, or executed; EROFS: made by a newer release;
 *   ERESTART: somebody wants the lock
 */
export async function migrateLocked(image: Image, progress: Progress): Promise<void> {
  await image.refresh();
  const refuse = (code: "EINVAL" | "EROFS", why: string) =>
    imageError(code, "migrate to", image.target, why);
  if (image.operationsDisabled) throw refuse("EROFS", "operations of a newer release");
  const { migration } = image;
  if (migration === undefined) throw refuse("EINVAL", "it is not migrating");
  const writer = new ObjectWriter(image, new ParentSource(image.context, image));
  // Past this only snapshots have what the source had: no write of today's size would bring it over.
  const headEnd = image.objectsIn(shownAt(image, NOSNAP)?.overlap ?? 0);
  const range = { start: 0, end: image.objectsIn(migration.overlap) };
  await forEachObject(range, progress, async (objectNo) => {
    image.checkUndisturbed();
    if (objectNo < headEnd) await writer.copyup(objectNo);
    else await writer.copySnapshots(objectNo);
  });
}
