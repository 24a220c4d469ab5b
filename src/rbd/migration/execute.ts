/**
 * Copying what is left in a migration's source to its destination, while others may read and write there.
 *
 *   EXECUTING -> lock -> for each object: one that is there and newer than its snapshots stays;
 *                        any other is copied with all its snapshots -> EXECUTED
 *
 * Whoever has the lock does it. Somebody who wants the lock meanwhile gets it between two objects, and is
 * asked to go on.
 * ceph: src/librbd/api/Migration.cc execute, src/librbd/operation/MigrateRequest.cc
 */

import {
  ASSERT_SNAPC_SEQ,
  MIGRATION_STATE,
  OBJECT_STATE,
  RBD_FEATURE,
} from "../../cls/rbd/types/features.ts";
import type { MigrationSpec } from "../../cls/rbd/types.ts";
import { opSetAllocHint, opWrite } from "../../messages/index.ts";
import { callOp, type IoCtx } from "../../rados/index.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { DATA } from "../calls.ts";
import { DeepCopy } from "../deep-copy/object-copy.ts";
import { computeSnapMap, type SnapMap } from "../deep-copy/snap-map.ts";
import { compareSnapIds } from "../deep-copy/snap-order.ts";
import { imageError, isErrno } from "../errors.ts";
import { Image, type RbdContext } from "../image.ts";
import { byLockOwner } from "../lock-owner.ts";
import { forEachObject, type Progress } from "../progress.ts";
import { findMigration, isExecutable, setMigrationState } from "./ends.ts";
import { StateDescription } from "./state-description.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * @throws CephError ENOENT: no such image; EINVAL: not migrating, or not in a state to be executed; EBUSY: a
 *   user holds the lock; EROFS: made by a newer release; EOPNOTSUPP: the source is no format 2 image of this
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
    const from = await Image.open(context, source.io, { id: source.id }, { readOnly: true });
    await setMigrationState(migration, MIGRATION_STATE.EXECUTING);
    const description = new StateDescription(migration);
    const told: Progress = (done, total) => {
      progress(done, total);
      description.tell(done, total);
    };
    try {
      await byLockOwner(to, {
        request: { op: "migrate" },
        policy: "yield",
        progress: told,
        here: () => migrateWhileLocked({ context, from, to, spec }, told),
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

interface Ends {
  readonly context: RbdContext;
  readonly from: Image;
  readonly to: Image;
  readonly spec: MigrationSpec;
}

/** @returns false if the lock had to be given up before the end */
async function migrateWhileLocked(
  { context, from, to, spec }: Ends,
  progress: Progress,
): Promise<boolean> {
  await to.refresh();
  if (to.operationsDisabled) {
    throw imageError("EROFS", "migrate to", to.name, "operations of a newer release");
  }
  const { snapMap, overlap } = snapshotsOf(to, spec);
  const options = { from: 0n, snapMap, flatten: spec.flatten, isMigration: true };
  const copy = new DeepCopy(context, from, to, options);
  // Past this only snapshots have what the source had: no write of today's size would bring it over.
  const headEnd = to.objectsIn(Math.min(to.size, overlap));
  try {
    await forEachObject({ start: 0, end: to.objectsIn(overlap) }, progress, async (objectNo) => {
      to.checkOwner();
      if (to.lock?.isWanted === true) {
        throw imageError("ERESTART", "migrate to", to.name, "somebody wants the lock");
      }
      if (objectNo >= headEnd) await copy.copy(objectNo);
      else await migrateObject(to, objectNo, { copy, snapMap });
    });
  } catch (error) {
    if (isErrno(error, "ERESTART") && to.lost === undefined) return false;
    throw error;
  }
  return true;
}

/**
 * The snapshots that stand for the source's, and how many bytes of the destination may come from there. What
 * the source is now belongs to the oldest snapshot that was made since the migration began.
 * ceph: src/librbd/image/RefreshRequest.cc get_migration_info
 */
function snapshotsOf(to: Image, spec: MigrationSpec): { snapMap: SnapMap; overlap: number } {
  const pairs = new Map<SnapId, SnapId>(spec.snapSeqs);
  const copied = [...pairs.keys()].sort(compareSnapIds).at(-1);
  const lastCopied = copied === undefined ? 0n : (pairs.get(copied) ?? 0n);
  const newer = to.snapshots.find(({ id }) => id > lastCopied)?.id;
  pairs.set(NOSNAP, newer ?? NOSNAP);
  const targets = new Set(pairs.values());
  let overlap = targets.has(NOSNAP) ? Math.min(to.size, spec.overlap) : 0;
  for (const { id, imageSize } of to.snapshots) {
    if (targets.has(id)) overlap = Math.max(overlap, imageSize);
  }
  return { snapMap: computeSnapMap([], pairs, 0n), overlap };
}

/**
 * As a write of nothing would: it comes to an object that has been copied, and fails at one that has not.
 * ceph: src/librbd/io/ObjectRequest.cc AbstractObjectWriteRequest, CopyupRequest.cc handle_deep_copy
 */
async function migrateObject(
  to: Image,
  objectNo: number,
  { copy, snapMap }: { copy: DeepCopy; snapMap: SnapMap },
): Promise<void> {
  const { objectMap } = to;
  const { EXISTS } = OBJECT_STATE;
  if (objectMap?.mayExist(objectNo) !== false) {
    await objectMap?.update(objectNo, objectNo + 1, EXISTS);
    if (await touch(to, objectNo)) return;
  }
  const copied = await copy.copy(objectNo);
  if (!copied || objectMap === undefined || snapMap.get(NOSNAP)?.[0] === NOSNAP) return;
  // The snapshots that are newer than the copy, and the head, show it too.
  const own = new Set([...snapMap].filter(([snap]) => snap !== NOSNAP).map(([, [id]]) => id));
  const later = to.hasFeature(RBD_FEATURE.FAST_DIFF) ? OBJECT_STATE.EXISTS_CLEAN : EXISTS;
  let first = own.size === 0;
  const start = objectNo * to.objectSize;
  for (const { id, parentOverlap } of to.snapshots) {
    if (own.has(id) || (parentOverlap ?? 0) <= start) continue;
    await objectMap.updateSnapshot(id, objectNo, first ? EXISTS : later);
    first = false;
  }
  await objectMap.update(objectNo, objectNo + 1, EXISTS);
}

/** @returns false if there is no object, or one that lacks what older snapshots have */
async function touch(to: Image, objectNo: number): Promise<boolean> {
  const { dataIo, objectMap, objectSize, snapContext } = to;
  if (dataIo === undefined) throw imageError("ENOENT", "open the data pool of", to.name);
  const { LE_SNAPSET_SEQ } = ASSERT_SNAPC_SEQ;
  const guard = callOp(DATA.assertSnapcSeq, { snapcSeq: snapContext.seq, state: LE_SNAPSET_SEQ });
  const hint = objectMap === undefined ? [opSetAllocHint(objectSize, objectSize)] : [];
  try {
    const ops = [guard, ...hint, opWrite(0, NO_BYTES)];
    await dataIo.write(to.objectName(objectNo), ops, { snapContext });
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ERANGE")) return false;
    throw error;
  }
}
