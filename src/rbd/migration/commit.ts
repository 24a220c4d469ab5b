/**
 * The end of a migration that was executed: the destination forgets its source, which is removed.
 * ceph: src/librbd/api/Migration.cc commit, remove_src_image
 */

import type { MigrationSpec } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { HEADER, TRASH } from "../calls.ts";
import { imageError, isErrno, unless } from "../errors.ts";
import { Image, type RbdContext } from "../image.ts";
import { RBD_TRASH } from "../names.ts";
import type { Progress } from "../progress.ts";
import { removeUserSnapshot } from "../snapshot-remove.ts";
import { removeMigrationEnd, removeRemains } from "../trash-remove.ts";
import {
  findHidden,
  findMigration,
  isCommitted,
  isExecuted,
  type Migration,
  type MigrationEnd,
  refOfEnd,
} from "./ends.ts";
import { checkMirroring, checkSnapshots } from "./restrictions.ts";

/**
 * @throws CephError ENOENT: no such image; EINVAL: not migrating, or not executed; EBUSY: snapshots with
 *   clones, or that no user took; EOPNOTSUPP: the image was mirrored
 */
export async function commitMigration(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  let migration: Migration;
  try {
    migration = await findMigration(io, name);
  } catch (error) {
    // A commit that was cut short may have removed all but the entry in the trash.
    const hidden = isErrno(error, "EINVAL", "ENOENT") ? await findHidden(io, name) : undefined;
    if (hidden?.hasHeader !== false) throw error;
    return await forget(hidden.end);
  }
  const isGoingOn = isCommitted(migration);
  const { source, destination, spec } = migration;
  if (!isGoingOn && (spec === undefined || !isExecuted(migration))) {
    throw imageError("EINVAL", "commit the migration of", name, "not executed");
  }
  const begin = async () => {
    if (spec !== undefined) await letGo(context, destination, spec);
  };
  if (source === undefined) await begin();
  else await removeSource(context, { source, isGoingOn, begin }, progress);
}

/** From here on the destination is an image as any other. */
async function letGo(
  context: RbdContext,
  destination: MigrationEnd,
  spec: MigrationSpec,
): Promise<void> {
  await checkMirroring(destination, spec);
  const to = await Image.open(context, destination.io, { id: destination.id });
  try {
    await unless(to.io.execute(to.headerOid, HEADER.removeMigration, undefined), "ENOENT");
    await to.notifyUpdate();
  } finally {
    await to.close();
  }
}

interface Removal {
  readonly source: MigrationEnd;
  /** A commit that was cut short may have left snapshots on their way out. */
  readonly isGoingOn: boolean;
  /** What is to be done before anything of the source goes. */
  readonly begin: () => Promise<void>;
}

async function removeSource(
  context: RbdContext,
  { source, isGoingOn, begin }: Removal,
  progress: Progress,
): Promise<void> {
  const options = { isMigrationStep: true };
  const from = await Image.open(context, source.io, refOfEnd(source), options);
  let isOpen = true;
  try {
    if (!isGoingOn) checkSnapshots(from);
    await from.acquireLock("refuse");
    await begin();
    for (const { id } of [...from.snapshots].reverse()) await removeUserSnapshot(from, id);
    isOpen = false;
    await removeMigrationEnd(from, progress);
  } finally {
    if (isOpen) await from.close();
  }
  await forget(source);
}

/** Its header is gone. */
async function forget({ io, id }: MigrationEnd): Promise<void> {
  if (id === "") return;
  await removeRemains(io, id);
  await unless(io.execute(RBD_TRASH, TRASH.remove, id), "ENOENT");
}
