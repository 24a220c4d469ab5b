/**
 * Whether an image may be removed, and what has to go before it can.
 * ceph: src/librbd/image/PreRemoveRequest.cc, ListWatchersRequest.cc
 */

import { MIRROR_IMAGE_MODE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import type { Watcher } from "../rados/index.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { mirrorEntry } from "./mirror/primary-snapshot.ts";
import { RBD_MIRRORING } from "./names.ts";
import { removeSnapshot } from "./snapshot-remove.ts";

/**
 * Takes the lock, makes the checks and removes the snapshots that nobody but clones can see.
 * @param force go on without the lock
 * @throws CephError EBUSY: locked, watched or migrating; ENOTEMPTY: snapshots; ECHILD: clones of snapshots
 *   that were deleted; EMLINK: in a group; EROFS: made by a newer release; EOPNOTSUPP: mirrored by its journal
 */
export async function preRemove(image: Image, force: boolean): Promise<void> {
  const target = image.name || image.id;
  const refuse = (code: Parameters<typeof imageError>[0], why: string) =>
    imageError(code, "remove", target, why);
  if (image.operationsDisabled) throw refuse("EROFS", "operations of a newer release");
  try {
    await image.acquireLock("refuse");
  } catch (error) {
    if (!isErrno(error, "EBUSY")) throw error;
    if (!force) throw refuse("EBUSY", "cannot obtain the exclusive lock");
    image.forgoLock();
  }
  if (image.hasFeature(RBD_FEATURE.MIGRATING) && !image.isMigrationStep)
    throw refuse("EBUSY", "in migration");
  const entry = await mirrorEntry(image.io, image.id);
  // Mirror snapshots go with the mirroring, which is ended later.
  const mayStay = entry === undefined ? ["trash"] : ["trash", "mirror"];
  if (image.snapshots.some(({ namespace }) => !mayStay.includes(namespace.type))) {
    throw refuse("ENOTEMPTY", "it has snapshots");
  }
  if ((await otherWatchers(image)).length > 0) throw refuse("EBUSY", "it has watchers");
  if (image.group !== undefined) throw refuse("EMLINK", "it is in a group");
  if (entry?.mode === MIRROR_IMAGE_MODE.JOURNAL) {
    throw refuse("EOPNOTSUPP", "it is mirrored by its journal");
  }
  let hasClones = false;
  for (const { id, namespace } of image.snapshots) {
    if (namespace.type !== "trash") continue;
    try {
      await removeSnapshot(image, id);
    } catch (error) {
      if (isErrno(error, "EBUSY")) hasClones = true;
      else if (!isErrno(error, "ENOENT")) throw error;
    }
  }
  if (hasClones) throw refuse("ECHILD", "it has clones");
}

/** Who watches the header besides us; a mirror daemon, which watches all images, does not count. */
export async function otherWatchers(image: Image): Promise<Watcher[]> {
  const watchers = (await image.io.listWatchers(image.headerOid)).filter(
    ({ cookie }) => cookie !== image.watchCookie,
  );
  if (watchers.length === 0) return watchers;
  const mirrors = (await unless(image.io.listWatchers(RBD_MIRRORING), "ENOENT")) ?? [];
  const keyOf = ({ addr }: Watcher) => `${addr.ip}:${addr.port}/${addr.nonce}`;
  const known = new Set(mirrors.map(keyOf));
  return watchers.filter((watcher) => !known.has(keyOf(watcher)));
}
