/**
 * The end of a migration that was executed: the destination forgets its source, which is removed.
 * ceph: src/librbd/api/Migration.cc commit, remove_src_image
 */

import type { IoCtx } from "../../rados/index.ts";
import { HEADER, TRASH } from "../calls.ts";
import { imageError, unless } from "../errors.ts";
import { Image, type RbdContext } from "../image.ts";
import { RBD_TRASH } from "../names.ts";
import type { Progress } from "../progress.ts";
import { removeUserSnapshot } from "../snapshot-remove.ts";
import { removeMigrationEnd } from "../trash-remove.ts";
import { findMigration, isExecuted, refOfEnd } from "./ends.ts";
import { checkMirroring, checkSnapshots } from "./restrictions.ts";

/**
 * @throws CephError ENOENT: no such image; EINVAL: not migrating, or not executed; EBUSY: snapshots with
 *   clones; EOPNOTSUPP: the image was mirrored
 */
export async function commitMigration(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  const migration = await findMigration(io, name);
  const { source, destination, spec } = migration;
  if (spec === undefined || !isExecuted(migration)) {
    throw imageError("EINVAL", "commit the migration of", name, "not executed");
  }
  await checkMirroring(destination, spec);
  const to = await Image.open(context, destination.io, { id: destination.id });
  try {
    await unless(to.io.execute(to.headerOid, HEADER.removeMigration, undefined), "ENOENT");
    await to.notifyUpdate();
    if (source === undefined) return;
    const options = { isMigrationStep: true };
    const from = await Image.open(context, source.io, refOfEnd(source), options);
    let isOpen = true;
    try {
      checkSnapshots(from);
      await from.acquireLock("refuse");
      for (const { id } of [...from.snapshots].reverse()) await removeUserSnapshot(from, id);
      isOpen = false;
      await removeMigrationEnd(from, progress);
    } finally {
      if (isOpen) await from.close();
    }
    if (source.id !== "") {
      await unless(source.io.execute(RBD_TRASH, TRASH.remove, source.id), "ENOENT");
    }
  } finally {
    await to.close();
  }
}
