/**
 * Operations on an open image that belong to the lock's owner: whoever has the lock does them itself, or for
 * whom asks it to; anybody else takes the lock if it is free, or asks its owner.
 *
 * One at a time: an operation that another is in the middle of is waited for.
 * ceph: src/librbd/Operations.cc, src/librbd/ImageWatcher.cc
 */

import { CephError, ERRNO } from "../base/index.ts";
import { RBD_FEATURE, RBD_PROTECTION_STATUS } from "../cls/rbd/types/features.ts";
import { type SnapshotNamespace, USER_NAMESPACE } from "../cls/rbd/types.ts";
import { HEADER } from "./calls.ts";
import { checkFree } from "./create.ts";
import { imageError, orReadOnly } from "./errors.ts";
import { changeFeaturesLocked, checkFeatureChange } from "./features.ts";
import { findSnapshot, mustFindSnapshot } from "./find-snapshot.ts";
import { flattenLocked } from "./flatten.ts";
import type { Image } from "./image.ts";
import { byLockOwner, inTurn, unlessWanted } from "./lock-owner.ts";
import { changeMetadata, getMetadata } from "./metadata.ts";
import { migrateLocked } from "./migration/execute.ts";
import type { OwnerRequest } from "./notify.ts";
import { rebuildObjectMapLocked } from "./object-map-check.ts";
import { noProgress, type Progress } from "./progress.ts";
import { resizeLocked } from "./resize.ts";
import { createSnapshot } from "./snapshot-create.ts";
import { removeSnapshot, unprotect } from "./snapshot-remove.ts";
import { rollbackLocked } from "./snapshot-rollback.ts";
import { sparsifyLocked } from "./sparsify.ts";
import { cleanUpParents } from "./trash-remove.ts";

type Execute<Op extends OwnerRequest["op"]> = (
  image: Image,
  request: Extract<OwnerRequest, { op: Op }>,
  progress: Progress,
) => Promise<void>;

/** What is done by the lock's owner, by the request for it. */
const EXECUTE: { readonly [Op in OwnerRequest["op"]]: Execute<Op> } = {
  migrate: (image, _, progress) => migrateLocked(image, progress),
  flatten: (image, _, progress) => flattenLocked(image, progress),
  rebuildObjectMap: (image, _, progress) => rebuildObjectMapLocked(image, progress),
  async resize(image, { size, allowShrink }, progress) {
    await resizeLocked(image, size, { allowShrink, progress });
    await image.notifyUpdate();
  },
  snapCreate: (image, { name, namespace, flags }) => createSnapshot(image, name, namespace, flags),
  async snapRemove(image, { name, namespace }) {
    const { id, protection } = mustFindSnapshot(image, name, namespace);
    if (protection !== RBD_PROTECTION_STATUS.UNPROTECTED) {
      throw imageError("EBUSY", "remove a snapshot of", image.target, "it is protected");
    }
    await removeSnapshot(image, id);
    await image.notifyUpdate();
    await cleanUpParents(image);
  },
  async snapRename(image, { snapId, name }) {
    await image.format.renameSnapshot(image.io, image.headerOid, { snapId, name });
    await image.notifyUpdate();
  },
  async snapProtect(image, { name, namespace }) {
    const { id: snapId, protection } = mustFindSnapshot(image, name, namespace);
    const { PROTECTED: status } = RBD_PROTECTION_STATUS;
    if (!image.hasFeature(RBD_FEATURE.LAYERING)) {
      throw imageError("ENOSYS", "protect a snapshot of", image.target, "it has no layering");
    }
    if (protection === status) {
      throw imageError("EBUSY", "protect a snapshot of", image.target, "it is protected");
    }
    await image.io.execute(image.headerOid, HEADER.setProtection, { snapId, status });
    await image.notifyUpdate();
  },
  async snapUnprotect(image, { name, namespace }) {
    const { id, protection } = mustFindSnapshot(image, name, namespace);
    if (!image.hasFeature(RBD_FEATURE.LAYERING)) {
      throw imageError("ENOSYS", "unprotect a snapshot of", image.target, "it has no layering");
    }
    if (protection === RBD_PROTECTION_STATUS.UNPROTECTED) {
      throw imageError("EINVAL", "unprotect a snapshot of", image.target, "it is not protected");
    }
    await unprotect(image, id);
    await image.notifyUpdate();
  },
  rename: (image, { name }) => image.format.rename(image, name),
  updateFeatures: (image, { features, enabled }) => changeFeaturesLocked(image, features, enabled),
  sparsify: (image, { sparseSize }, progress) => sparsifyLocked(image, sparseSize, progress),
  async metadata(image, { key, value }) {
    await changeMetadata(image.io, image.headerOid, key, value);
    await image.notifyUpdate();
  },
};

/** Does what was asked for; the lock is held, and stays so. @throws CephError as the operation says */
export async function execute(
  image: Image,
  request: OwnerRequest,
  progress: Progress,
): Promise<void> {
  const work = EXECUTE[request.op] as Execute<OwnerRequest["op"]>;
  await inTurn(image, request.op, () => work(image, request, progress));
}

/** Has it done by whoever has the lock. */
async function byOwner(
  image: Image,
  request: OwnerRequest,
  options: {
    readonly progress?: Progress;
    readonly done?: "EEXIST" | "ENOENT" | "EBUSY" | "EINVAL";
  },
): Promise<void> {
  const { progress = noProgress, done } = options;
  await byLockOwner(image, {
    request,
    ...(done === undefined ? {} : { done }),
    policy: "automatic",
    progress,
    here: () => unlessWanted(image, () => execute(image, request, progress)),
  });
  // Done by another, who has told us so, or is about to.
  if (image.lock?.isHeld !== true) await image.refresh();
}

async function prepare(image: Image, op: string): Promise<void> {
  if (image.readOnly) throw imageError("EROFS", op, image.target);
  await image.refreshIfStale();
}

/**
 * @param size bytes
 * @throws CephError EINVAL: it would be smaller, which `allowShrink` forbids, or too large for an object map
 */
export async function resizeImage(
  image: Image,
  size: number,
  options: { readonly allowShrink?: boolean; readonly progress?: Progress } = {},
): Promise<void> {
  const { allowShrink = true, progress = noProgress } = options;
  await prepare(image, "resize");
  await byOwner(image, { op: "resize", size, allowShrink }, { progress });
}

/** @throws CephError EEXIST: there is an image of that name */
export async function renameImage(image: Image, name: string): Promise<void> {
  await prepare(image, "rename");
  await checkFree(image.io, name);
  await byOwner(image, { op: "rename", name }, { done: "EEXIST" });
  image.name = name;
}

/** @throws CephError EINVAL: it has no parent; EOPNOTSUPP: with a journal, or migrating */
export async function flattenOpen(image: Image, progress: Progress = noProgress): Promise<void> {
  await prepare(image, "flatten");
  if (image.parent === undefined) {
    throw imageError("EINVAL", "flatten", image.target, "it has no parent");
  }
  await byOwner(image, { op: "flatten" }, { progress, done: "EINVAL" });
  await cleanUpParents(image);
}

/**
 * @param flags SNAP_CREATE_FLAG bits @default 0
 * @throws CephError EEXIST: there is one of the name; EDQUOT: as many as the limit says; of a watcher that
 *   does not hold still: its own
 */
export async function takeSnapshot(
  image: Image,
  name: string,
  options: { readonly namespace?: SnapshotNamespace; readonly flags?: bigint } = {},
): Promise<void> {
  const { namespace = USER_NAMESPACE, flags = 0n } = options;
  await prepare(image, "take a snapshot of");
  if (findSnapshot(image, name, namespace) !== undefined) {
    throw imageError("EEXIST", "take a snapshot of", image.target, name);
  }
  await byOwner(image, { op: "snapCreate", name, namespace, flags }, { done: "EEXIST" });
}

/**
 * @param options.unprotect even if it is protected
 * @throws CephError ENOENT: no such snapshot; EBUSY: protected
 */
export async function deleteSnapshot(
  image: Image,
  name: string,
  options: { readonly namespace?: SnapshotNamespace; readonly unprotect?: boolean } = {},
): Promise<void> {
  const { namespace = USER_NAMESPACE } = options;
  await prepare(image, "remove a snapshot of");
  const { protection } = mustFindSnapshot(image, name, namespace);
  if (options.unprotect === true && protection !== RBD_PROTECTION_STATUS.UNPROTECTED) {
    await unprotectSnapshot(image, name);
  }
  await byOwner(image, { op: "snapRemove", name, namespace }, { done: "ENOENT" });
}

/** @throws CephError ENOENT: no such snapshot; EEXIST: there is one of the new name */
export async function renameSnapshot(image: Image, name: string, to: string): Promise<void> {
  await prepare(image, "rename a snapshot of");
  const { id: snapId } = mustFindSnapshot(image, name);
  if (findSnapshot(image, to) !== undefined) {
    throw imageError("EEXIST", "rename a snapshot of", image.target, to);
  }
  await byOwner(image, { op: "snapRename", snapId, name: to }, { done: "EEXIST" });
}

/** @throws CephError ENOENT: no such snapshot; EBUSY: protected already; ENOSYS: no layering */
export async function protectSnapshot(image: Image, name: string): Promise<void> {
  await prepare(image, "protect a snapshot of");
  const { protection } = mustFindSnapshot(image, name);
  if (protection === RBD_PROTECTION_STATUS.PROTECTED) {
    throw imageError("EBUSY", "protect a snapshot of", image.target, "it is protected");
  }
  const namespace = USER_NAMESPACE;
  await byOwner(image, { op: "snapProtect", name, namespace }, { done: "EBUSY" });
}

/** @throws CephError ENOENT: no such snapshot; EINVAL: not protected; EBUSY: it has clones of the old kind */
export async function unprotectSnapshot(image: Image, name: string): Promise<void> {
  await prepare(image, "unprotect a snapshot of");
  const { protection } = mustFindSnapshot(image, name);
  if (protection === RBD_PROTECTION_STATUS.UNPROTECTED) {
    throw imageError("EINVAL", "unprotect a snapshot of", image.target, "it is not protected");
  }
  const namespace = USER_NAMESPACE;
  await byOwner(image, { op: "snapUnprotect", name, namespace }, { done: "EINVAL" });
}

/** Makes it what it was at a snapshot. The lock is taken from whoever has it. @throws CephError ENOENT */
export async function rollBackTo(
  image: Image,
  name: string,
  options: { readonly namespace?: SnapshotNamespace; readonly progress?: Progress } = {},
): Promise<void> {
  const { namespace = USER_NAMESPACE, progress = noProgress } = options;
  await prepare(image, "roll back");
  mustFindSnapshot(image, name, namespace);
  await withLock(image, () => rollbackLocked(image, name, namespace, progress));
}

/** How many snapshots there may be; undefined: any number. */
export async function snapshotLimit(
  image: Pick<Image, "io" | "headerOid">,
): Promise<bigint | undefined> {
  const limit = await image.io.query(image.headerOid, HEADER.getSnapshotLimit, undefined);
  return limit === NO_LIMIT ? undefined : limit;
}

/** @throws CephError ERANGE: there are more already */
export async function setSnapshotLimit(image: Image, limit: bigint | undefined): Promise<void> {
  await prepare(image, "limit the snapshots of");
  await withLock(image, () =>
    image.io.execute(image.headerOid, HEADER.setSnapshotLimit, limit ?? NO_LIMIT),
  );
}

/** @throws CephError EINVAL: none, not changeable, already so, or what they need is missing */
export async function updateFeatures(
  image: Image,
  features: bigint,
  enabled: boolean,
): Promise<void> {
  await prepare(image, "change the features of");
  const change = checkFeatureChange(image, features, enabled);
  await byOwner(image, { op: "updateFeatures", features: change, enabled }, {});
  await image.refresh();
}

export async function setImageMetadata(image: Image, key: string, value: string): Promise<void> {
  await prepare(image, "set metadata of");
  await byOwner(image, { op: "metadata", key, value }, {});
}

/** @throws CephError ENOENT: no such key */
export async function removeImageMetadata(image: Image, key: string): Promise<void> {
  await prepare(image, "remove metadata of");
  await getMetadata(image.io, image.headerOid, key);
  await byOwner(image, { op: "metadata", key, value: undefined }, { done: "ENOENT" });
}

/**
 * Lets go of what is zero.
 * @param sparseSize bytes of the smallest run of zeros that is: a power of two, 4 KiB or more, an object or less
 * @throws CephError EINVAL: another size
 */
export async function sparsifyImage(
  image: Image,
  sparseSize: number,
  progress: Progress = noProgress,
): Promise<void> {
  if (
    sparseSize < 4096 ||
    sparseSize > image.objectSize ||
    !Number.isInteger(Math.log2(sparseSize))
  ) {
    throw imageError("EINVAL", "sparsify", image.target, "sparse size");
  }
  await prepare(image, "sparsify");
  await byOwner(image, { op: "sparsify", sparseSize }, { progress });
}

/** @throws CephError EINVAL: it has no object map */
export async function rebuildObjectMap(
  image: Image,
  progress: Progress = noProgress,
): Promise<void> {
  await prepare(image, "rebuild the object map of");
  await byOwner(image, { op: "rebuildObjectMap" }, { progress });
}

const NO_LIMIT = 0xffff_ffff_ffff_ffffn;

/** Does what only the owner may, and nobody else can be asked for. @throws CephError EROFS: somebody keeps the lock */
export async function withLock<T>(image: Image, work: () => Promise<T>): Promise<T> {
  for (;;) {
    await orReadOnly(image.acquireLock("automatic"), image.target);
    const done = await image.operations.run(async () => {
      // Given away before it was our turn.
      if (image.lock !== undefined && !image.lock.isHeld) return undefined;
      await image.prepareOperation();
      if (image.operationsDisabled) {
        throw new CephError(-ERRNO.EROFS, { op: "change", target: image.target });
      }
      return { value: await work() };
    });
    if (done !== undefined) return done.value;
  }
}
