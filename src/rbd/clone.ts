/**
 * Making a clone of a snapshot: an image of its own that shows the snapshot where it has nothing itself.
 *
 *   parent checked -> image created -> parent noted in it -> noted in the parent (new kind), or in the pool's
 *   list of clones (old kind) -> metadata copied
 *
 * What fails takes back what was done.
 * ceph: src/librbd/image/CloneRequest.cc, AttachChildRequest.cc
 */

import {
  RBD_FEATURE,
  RBD_FEATURES_ALL,
  RBD_OPERATION_FEATURE,
  RBD_PROTECTION_STATUS,
} from "../cls/rbd/types/features.ts";
import type { ParentImageSpec } from "../cls/rbd/types.ts";
import type { IoCtx } from "../rados/index.ts";
import type { SnapId } from "../types/index.ts";
import { DIRECTORY, HEADER } from "./calls.ts";
import { copyMetadata } from "./copy.ts";
import { type CreateOptions, createImage } from "./create.ts";
import { imageError } from "./errors.ts";
import { mustFindSnapshot } from "./find-snapshot.ts";
import { Image, type ImageSnapshot, poolOf, type RbdContext } from "./image.ts";
import { headerName, RBD_CHILDREN } from "./names.ts";
import { noProgress } from "./progress.ts";
import { removeImage } from "./remove.ts";

/** Releases by letter: the first that knows the new kind of clones.  ceph: CEPH_RELEASE_MIMIC */
const MIMIC = 13;

export interface CloneOptions extends CreateOptions {
  /**
   * 1: the old kind, whose snapshot must be protected; 2: the new.
   * @default 2 where all clients must be of Mimic or newer, rbd_default_clone_format=auto
   */
  readonly format?: 1 | 2;
}

/**
 * @param from the image and the name of its snapshot @param to where the clone will be
 * @returns the clone's id
 * @throws CephError ENOENT: no such image or snapshot; EINVAL: not protected, for the old kind; ENOSYS: one
 *   of the two has no layering; EXDEV: in another namespace, for the old kind; EROFS: made by a newer release;
 *   and those of createImage
 */
export async function cloneImage(
  context: RbdContext,
  from: { readonly io: IoCtx; readonly name: string; readonly snapshot: string },
  to: { readonly io: IoCtx; readonly name: string },
  options: CloneOptions = {},
): Promise<string> {
  const refuse = (code: "EINVAL" | "ENOSYS" | "EXDEV" | "EROFS", why: string) =>
    imageError(code, "clone", from.name, why);
  if (((options.features ?? 0n) & ~RBD_FEATURES_ALL) !== 0n) {
    throw refuse("ENOSYS", "features that there are not");
  }
  const format = options.format ?? defaultFormat(context);
  if (format === 1 && from.io.nspace !== to.io.nspace) throw refuse("EXDEV", "another namespace");
  const parent = await Image.open(context, from.io, { name: from.name }, { readOnly: true });
  // What has no id is no parent.
  if (!parent.format.hasClones) throw imageError("ENOENT", "find the id of", from.name);
  if (parent.operationsDisabled) throw refuse("EROFS", "operations of a newer release");
  const snapshot = mustFindSnapshot(parent, from.snapshot);
  if (!parent.hasFeature(RBD_FEATURE.LAYERING)) throw refuse("ENOSYS", "it has no layering");
  if (format === 1 && snapshot.protection !== RBD_PROTECTION_STATUS.PROTECTED) {
    throw refuse("EINVAL", "the snapshot must be protected");
  }
  const features = options.features ?? parent.features;
  if ((features & RBD_FEATURE.LAYERING) === 0n) throw refuse("ENOSYS", "no layering");
  const isStriped = parent.hasFeature(RBD_FEATURE.STRIPINGV2);
  const layout = {
    order: options.order || parent.order,
    ...(isStriped ? { stripeUnit: parent.stripeUnit, stripeCount: parent.stripeCount } : {}),
  };
  const own = { ...layout, ...options, features, order: layout.order };
  const id = await createImage(context, to.io, to.name, snapshot.imageSize, own);
  try {
    await attach({ context, parent, snapshot, to, id, format });
  } catch (error) {
    await removeImage(context, to.io, to.name, noProgress);
    throw error;
  }
  return id;
}

function defaultFormat({ rados }: RbdContext): 1 | 2 {
  return rados.map.requireMinCompatClient >= MIMIC ? 2 : 1;
}

interface Attachment {
  readonly context: RbdContext;
  readonly parent: Image;
  readonly snapshot: ImageSnapshot;
  readonly to: { readonly io: IoCtx; readonly name: string };
  readonly id: string;
  readonly format: 1 | 2;
}

async function attach({ context, parent, snapshot, to, id, format }: Attachment): Promise<void> {
  const clone = await Image.open(context, to.io, { id });
  try {
    const spec = {
      poolId: parent.io.pool,
      poolNamespace: parent.io.nspace,
      imageId: parent.id,
      snapId: snapshot.id,
    };
    await attachToParent(clone, spec, snapshot.imageSize, format);
    if (format === 1) await checkProtected(parent, snapshot.id);
    await copyMetadata(parent, clone);
  } finally {
    await clone.close();
  }
}

/** Makes an image a clone of a snapshot. @param overlap bytes that show it */
export async function attachToParent(
  { io, headerOid, id }: Image,
  spec: ParentImageSpec,
  overlap: number,
  format: 1 | 2,
): Promise<void> {
  const { poolId, poolNamespace, imageId, snapId } = spec;
  await io.execute(headerOid, HEADER.attachParent, { parent: spec, overlap, reattach: false });
  if (format === 1) {
    // The old kind: in the list of the clone's pool.
    const child = { poolId, imageId, snapId, childId: id };
    return await io.execute(RBD_CHILDREN, DIRECTORY.addChild, child);
  }
  const { CLONE_CHILD } = RBD_OPERATION_FEATURE;
  await io.execute(headerOid, HEADER.setOpFeatures, { value: CLONE_CHILD, mask: CLONE_CHILD });
  const parentIo = poolOf(io, poolId, poolNamespace);
  if (parentIo === undefined) throw imageError("ENOENT", "open the pool of the parent of", id);
  const child = { poolId: io.pool, poolNamespace: io.nspace, imageId: id };
  await parentIo.execute(headerName(imageId), HEADER.attachChild, { snapId, child });
}

/** Whoever unprotects now sees the clone; whoever did before is seen by us. */
async function checkProtected(parent: Image, snapId: SnapId): Promise<void> {
  await parent.refresh();
  const now = parent.snapshots.find(({ id }) => id === snapId);
  if (now?.protection === RBD_PROTECTION_STATUS.PROTECTED) return;
  throw imageError("EINVAL", "clone", parent.target, "the snapshot is not protected any more");
}
