/**
 * Giving a migration up: what was written to the destination since goes back to the source, clones and group
 * too, and the destination is removed.
 *
 *   ABORTING -> data and clones back -> snapshots, group, destination gone -> source out of the trash
 *            -> group -> source not migrating any more
 *
 * ceph: src/librbd/api/Migration.cc abort, revert_data
 */

import { MIGRATION_STATE, RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import type { GroupSpec, MigrationSpec } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { imageError, isErrno, unless } from "../errors.ts";
import { Image, type RbdContext } from "../image.ts";
import { idObjectName, RBD_DIRECTORY } from "../names.ts";
import { otherWatchers } from "../pre-remove.ts";
import type { Progress } from "../progress.ts";
import { removeUserSnapshot } from "../snapshot-remove.ts";
import { finishMove } from "../trash.ts";
import { removeMigrationEnd, removeRemains } from "../trash-remove.ts";
import { returnChildren } from "./children.ts";
import {
  findHidden,
  findMigration,
  hasHeader,
  isOnItsOwn,
  type Migration,
  type MigrationEnd,
  refOfEnd,
  relinkSource,
  setMigrationState,
} from "./ends.ts";
import { addToGroup, removeFromGroup } from "./group.ts";
import { checkMirroring, checkSnapshots } from "./restrictions.ts";
import { revertData } from "./revert.ts";

/**
 * @throws CephError ENOENT: no such image; EINVAL: not migrating; EBUSY: the destination is in use;
 *   EOPNOTSUPP: the source is no image of this cluster or was mirrored, or the destination has a journal
 */
export async function abortMigration(
  context: RbdContext,
  io: IoCtx,
  name: string,
  progress: Progress,
): Promise<void> {
  let migration: Migration;
  try {
    migration = await findMigration(io, name);
  } catch (error) {
    // Upstream leaves such an image without a name: no command of its gives that back.
    const hidden = isErrno(error, "EINVAL") ? await findHidden(io, name) : undefined;
    if (hidden?.hasHeader !== true) throw error;
    return await showAgain(hidden.end);
  }
  if (isOnItsOwn(migration)) {
    const why =
      "its destination has been let go: a commit, begun again, removes the rest of its source";
    throw imageError("EINVAL", "abort the migration of", name, why);
  }
  await abortFound(context, migration, name, progress);
}

async function showAgain(source: MigrationEnd): Promise<void> {
  const { io, id } = source;
  // It may have been cut short on the way to the trash.
  if (id !== "") await unless(finishMove(io, id), "ESTALE");
  await relinkSource(source);
}

/** @param name of the image, for errors */
export async function abortFound(
  context: RbdContext,
  migration: Omit<Migration, "hasDestination">,
  name: string,
  progress: Progress,
): Promise<void> {
  const { source, destination, spec } = migration;
  const refuse = (why: string) => imageError("EOPNOTSUPP", "abort the migration of", name, why);
  if (source === undefined) throw refuse("the source is outside of this cluster");
  if (spec !== undefined) await checkMirroring(source, spec);
  const options = { isMigrationStep: true };
  const from = await Image.open(context, source.io, refOfEnd(source), options);
  try {
    await from.acquireLock("refuse");
    const to = await openDestination(context, migration);
    let group: GroupSpec | undefined;
    if (to !== undefined) {
      let isOpen = true;
      try {
        if (to.hasFeature(RBD_FEATURE.JOURNALING)) throw refuse("it has a journal");
        group = await giveBack(context, { migration, from, to, spec }, progress);
        isOpen = false;
        await removeMigrationEnd(to, (done, total) => progress(total + done, total * 2));
      } finally {
        if (isOpen) await to.close();
      }
    }
    // One that was cut short may have removed the header alone.
    if (to === undefined) await removeRemains(destination.io, destination.id);
    await removeName(destination);
    await relinkSource(source);
    await addToGroup(from, group);
    await unless(from.io.execute(from.headerOid, HEADER.removeMigration, undefined), "ENOENT");
    await from.notifyUpdate();
  } finally {
    await from.close();
  }
}

/** The source may have, or have again, the same name. */
async function removeName({ io, id, name }: MigrationEnd): Promise<void> {
  const oid = idObjectName(name);
  const owner = await unless(io.query(oid, DIRECTORY.getId, undefined), "ENOENT");
  if (owner === id) await unless(io.remove(oid), "ENOENT");
  // ESTALE: the name is another image's.
  await unless(io.execute(RBD_DIRECTORY, DIRECTORY.remove, { name, id }), "ENOENT", "ESTALE");
}

/** undefined: there is none, or not any more. */
async function openDestination(
  context: RbdContext,
  { destination, source }: Pick<Migration, "source" | "destination">,
): Promise<Image | undefined> {
  try {
    const { io, id } = destination;
    return await Image.open(context, io, { id }, { isMigrationStep: true });
  } catch (error) {
    // Something else of it may be missing: then it is not for us to say that there is none.
    if (!isErrno(error, "ENOENT") || (await hasHeader(destination))) throw error;
    context.log.info("migration without a destination", { source: source?.name });
    return undefined;
  }
}

interface Ends {
  readonly migration: Omit<Migration, "hasDestination">;
  readonly from: Image;
  readonly to: Image;
  readonly spec: MigrationSpec | undefined;
}

/** Takes everything from the destination that is not the source's already. @returns the group it was in */
async function giveBack(
  context: RbdContext,
  { migration, from, to, spec }: Ends,
  progress: Progress,
): Promise<GroupSpec | undefined> {
  if ((await otherWatchers(to)).length > 0) {
    throw imageError("EBUSY", "abort the migration of", to.name, "it has watchers");
  }
  // One that was never prepared knows of no migration, and nobody has written to it.
  if (spec !== undefined) await giveBackData({ migration, from, to, spec }, spec, progress);
  else await to.acquireLock("refuse");
  checkSnapshots(from);
  await returnChildren(context, to, from);
  for (const { id } of to.snapshots) await removeUserSnapshot(to, id);
  return await removeFromGroup(to);
}

/** Steps of ABORTING, in the state's description: from where it goes on after it was cut short. */
const STEP = { BEGUN: "begun", WAS_EXECUTED: "executed", REVERTED: "reverted" } as const;

/** Upstream goes on where this fails, and what was written is lost. */
async function giveBackData(
  { migration, from, to }: Ends,
  spec: MigrationSpec,
  progress: Progress,
): Promise<void> {
  const { ABORTING, EXECUTED } = MIGRATION_STATE;
  const isGoingOn = migration.state === ABORTING;
  const step = isGoingOn ? spec.stateDescription : "";
  const wasExecuted = migration.state === EXECUTED || step === STEP.WAS_EXECUTED;
  if (step === STEP.REVERTED) return await to.acquireLock("refuse");
  // Nobody may open it for writing from here on.
  await setMigrationState(migration, ABORTING, wasExecuted ? STEP.WAS_EXECUTED : STEP.BEGUN);
  await to.acquireLock("refuse");
  const half: Progress = (done, total) => progress(done, total * 2);
  // Begun by another, who does not say how far it is: what is missing may have been removed.
  const isWhole = !isGoingOn || step !== "";
  await revertData({ from: to, to: from, spec, wasExecuted, isWhole }, half);
  await setMigrationState(migration, ABORTING, STEP.REVERTED);
}
