/**
 * Making a clone of a snapshot: an image of its own that shows the snapshot where it has nothing itself.
 *
 *   parent checked -> image created -> noted in the parent (new kind), or in the pool's list of clones (old kind)
 *     -> parent noted in it -> parent checked again -> metadata copied
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
import { HEADER } from "./calls.ts";
import { copyMetadata } from "./copy.ts";
import { type CreateOptions, createImage } from "./create.ts";
import { addChildEntry, checkParentStays, removeChildEntry } from "./detach-child.ts";
import { imageError } from "./errors.ts";
import { mustFindSnapshot } from "./find-snapshot.ts";
import { Image, type ImageSnapshot, type RbdContext } from "./image.ts";
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
    // Of one that had not come to name its parent.
    const spec = specOf(parent, snapshot);
    await removeChildEntry({ io: to.io, id, parent: spec, isNewKind: format === 2 });
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
    await attachToParent(clone, specOf(parent, snapshot), snapshot.imageSize, format);
    await copyMetadata(parent, clone);
  } finally {
    await clone.close();
  }
}

function specOf({ io, id }: Image, snapshot: ImageSnapshot): ParentImageSpec {
  return { poolId: io.pool, poolNamespace: io.nspace, imageId: id, snapId: snapshot.id };
}

/**
 * Makes an image a clone of a snapshot.
 * @param overlap bytes that show it
 * @throws CephError ENOENT, EINVAL: the snapshot is gone, or not protected, by now
 */
export async function attachToParent(
  { io, headerOid, id }: Image,
  parent: ParentImageSpec,
  overlap: number,
  format: 1 | 2,
): Promise<void> {
  const link = { io, id, parent, isNewKind: format === 2 };
  const { CLONE_CHILD } = RBD_OPERATION_FEATURE;
  if (link.isNewKind) {
    await io.execute(headerOid, HEADER.setOpFeatures, { value: CLONE_CHILD, mask: CLONE_CHILD });
  }
  await addChildEntry(link);
  await io.execute(headerOid, HEADER.attachParent, { parent, overlap, reattach: false });
  await checkParentStays(link);
}
