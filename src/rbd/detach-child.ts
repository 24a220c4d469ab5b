/**
 * Telling an image's parent that one of its clones is gone or has become independent.
 *
 * A clone of the new kind is counted in its parent's header; one of the old kind is listed in the pool of
 * the clone. What the parent may lose for it is for cleanUpParents to see, once the clone is done with.
 * ceph: src/librbd/image/DetachChildRequest.cc
 */

import { RBD_OPERATION_FEATURE } from "../cls/rbd/types/features.ts";
import { DIRECTORY, HEADER } from "./calls.ts";
import { unless } from "./errors.ts";
import { type Image, poolOf } from "./image.ts";
import { headerName, RBD_CHILDREN } from "./names.ts";

/** Does nothing for an image without a parent, or with one whose pool is gone. */
export async function detachChild(image: Image): Promise<void> {
  const { io, id, parent } = image;
  if (parent === undefined) return;
  const { poolId, poolNamespace, imageId, snapId } = parent.spec;
  if ((image.opFeatures & RBD_OPERATION_FEATURE.CLONE_CHILD) === 0n) {
    const child = { poolId, imageId, snapId, childId: id };
    await unless(io.execute(RBD_CHILDREN, DIRECTORY.removeChild, child), "ENOENT");
    return;
  }
  const parentIo = poolOf(io, poolId, poolNamespace);
  if (parentIo === undefined) return;
  const child = { poolId: io.pool, poolNamespace: io.nspace, imageId: id };
  const header = headerName(imageId);
  await unless(parentIo.execute(header, HEADER.detachChild, { snapId, child }), "ENOENT");
  image.detachedFrom.push(parent.spec);
}
