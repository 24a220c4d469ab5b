/**
 * The entry of a clone with its parent, which keeps the parent's snapshot: one of the new kind is counted in the parent's
 * header; one of the old kind is listed in the pool of the clone. What the parent may lose for the last of them is for
 * cleanUpParents to see, once the clone is done with.
 *
 * The entry is there before the clone's header names the parent, and goes after that does not any more. What is cut short
 * between the two leaves an entry too many, which whoever removes or unprotects the snapshot forgets.
 * compat: librbd has it the other way round: a clone that is cut short may be left without its parent.
 * ceph: src/librbd/image/AttachChildRequest.cc, DetachChildRequest.cc
 */

import { RBD_OPERATION_FEATURE, RBD_PROTECTION_STATUS } from "../cls/rbd/types/features.ts";
import { type ParentImageSpec, sameParent } from "../cls/rbd/types.ts";
import type { IoCtx } from "../rados/index.ts";
import { DIRECTORY, HEADER } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { type Image, poolOf } from "./image.ts";
import { headerName, RBD_CHILDREN } from "./names.ts";

/** A clone and what it is one of. */
export interface ParentLink {
  /** Where the clone is. */
  readonly io: IoCtx;
  /** The clone's. */
  readonly id: string;
  readonly parent: ParentImageSpec;
  /** Counted in the parent's header. */
  readonly isNewKind: boolean;
}

/** @returns undefined: it has no parent */
export function parentLinkOf({ io, id, parent, opFeatures }: Image): ParentLink | undefined {
  const isNewKind = (opFeatures & RBD_OPERATION_FEATURE.CLONE_CHILD) !== 0n;
  return parent === undefined ? undefined : { io, id, parent: parent.spec, isNewKind };
}

/** @throws CephError ENOENT: the parent is gone; EEXIST: there is one */
export async function addChildEntry({ io, id, parent, isNewKind }: ParentLink): Promise<void> {
  const { poolId, poolNamespace, imageId, snapId } = parent;
  if (!isNewKind) {
    const child = { poolId, imageId, snapId, childId: id };
    return await io.execute(RBD_CHILDREN, DIRECTORY.addChild, child);
  }
  const parentIo = poolOf(io, poolId, poolNamespace);
  if (parentIo === undefined) throw imageError("ENOENT", "open the pool of the parent of", id);
  const child = { poolId: io.pool, poolNamespace: io.nspace, imageId: id };
  await parentIo.execute(headerName(imageId), HEADER.attachChild, { snapId, child });
}

/**
 * To be asked once the clone's header names the parent: whoever removes or unprotects the snapshot from now on sees that,
 * and who has begun before is seen here.
 * @throws CephError ENOENT: the snapshot is gone, or on its way out; EINVAL: not protected, for the old kind
 */
export async function checkParentStays({ io, id, parent, isNewKind }: ParentLink): Promise<void> {
  const { poolId, poolNamespace, imageId, snapId } = parent;
  const parentIo = poolOf(io, poolId, poolNamespace);
  if (parentIo === undefined) throw imageError("ENOENT", "open the pool of the parent of", id);
  const header = headerName(imageId);
  if (isNewKind) {
    const { namespace } = await parentIo.query(header, HEADER.getSnapshot, { snapId });
    if (namespace.type !== "trash") return;
    throw imageError("ENOENT", "clone", imageId, "the snapshot has been removed");
  }
  const status = await parentIo.query(header, HEADER.getProtection, { snapId });
  if (status === RBD_PROTECTION_STATUS.PROTECTED) return;
  throw imageError("EINVAL", "clone", imageId, "the snapshot is not protected any more");
}

/** Does nothing where there is no entry, or its pool is gone. @returns whether a count of clones may be 0 now */
export async function removeChildEntry(link: ParentLink): Promise<boolean> {
  const { io, id, parent, isNewKind } = link;
  const { poolId, poolNamespace, imageId, snapId } = parent;
  if (!isNewKind) {
    const child = { poolId, imageId, snapId, childId: id };
    await unless(io.execute(RBD_CHILDREN, DIRECTORY.removeChild, child), "ENOENT");
    return false;
  }
  const parentIo = poolOf(io, poolId, poolNamespace);
  if (parentIo === undefined) return false;
  const child = { poolId: io.pool, poolNamespace: io.nspace, imageId: id };
  const header = headerName(imageId);
  await unless(parentIo.execute(header, HEADER.detachChild, { snapId, child }), "ENOENT");
  return true;
}

/**
 * Tells an image's parent that one of its clones is gone or has become independent.
 * @param link what it was before its header lost it @default what it is
 */
export async function detachChild(image: Image, link = parentLinkOf(image)): Promise<void> {
  if (link === undefined) return;
  if (await removeChildEntry(link)) image.detachedFrom.push(link.parent);
}

/**
 * Does an image's header name this parent? What is not known counts as yes: before Nautilus each snapshot had a parent of
 * its own, and the head of a flattened image names none.
 */
export async function isCloneOf(io: IoCtx, id: string, parent: ParentImageSpec): Promise<boolean> {
  const header = headerName(id);
  try {
    const named = await io.query(header, HEADER.getParent, undefined);
    if (named.poolId >= 0) return sameParent(named, parent);
    const { snaps } = await io.query(header, HEADER.getSnapContext, undefined);
    return snaps.length > 0;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    if (isErrno(error, "EPERM", "EACCES")) return true;
    throw error;
  }
}
