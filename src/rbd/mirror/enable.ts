/**
 * Having an image mirrored by its snapshots, and no more.
 * ceph: src/librbd/api/Mirror.cc image_enable, image_disable, src/librbd/mirror/EnableRequest.cc,
 *   DisableRequest.cc, ImageStateUpdateRequest.cc
 */

import {
  MIRROR_IMAGE_MODE,
  MIRROR_IMAGE_STATE,
  MIRROR_MODE,
} from "../../cls/rbd/types/features.ts";
import type { MirrorImage } from "../../cls/rbd/types/mirror.ts";
import { uuidFromBytes } from "../../types/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { listChildren } from "../children.ts";
import { imageError, unless } from "../errors.ts";
import { type Image, poolOf } from "../image.ts";
import { RBD_MIRRORING } from "../names.ts";
import { tellMirrors } from "./notice.ts";
import {
  isWrittenHere,
  mirrorEntry,
  mirrorMode,
  removeMirrorSnapshots,
  takePrimarySnapshot,
} from "./primary-snapshot.ts";

const { ENABLED, DISABLING, DISABLED } = MIRROR_IMAGE_STATE;
const { SNAPSHOT } = MIRROR_IMAGE_MODE;

/**
 * Takes the first of its mirror snapshots. One that is mirrored so already stays as it is.
 * @throws CephError EINVAL: the pool is not mirrored image by image, the parent is not mirrored, it is mirrored by its
 *   journal, or just about to be no more; ENOENT: it is of format 1
 */
export async function enableMirroring(image: Image): Promise<void> {
  const { io, id, context, target } = image;
  const refuse = (why: string) => imageError("EINVAL", "mirror", target, why);
  await image.refreshIfStale();
  if ((await mirrorMode(io)) !== MIRROR_MODE.IMAGE) {
    throw refuse("the pool is not mirrored image by image");
  }
  if (id === "") throw imageError("ENOENT", "find the id of", target);
  const parent = image.parent?.overlap === undefined ? undefined : image.parent.spec;
  const parentIo = parent && poolOf(io, parent.poolId, parent.poolNamespace);
  if (parent !== undefined && parentIo !== undefined) {
    const isMirrored = (await mirrorEntry(parentIo, parent.imageId)) !== undefined;
    if (!isMirrored) throw refuse("its parent is not mirrored");
  }
  const entry = await mirrorEntry(io, id);
  if (entry !== undefined) {
    if (entry.mode !== SNAPSHOT) throw refuse("it is mirrored by its journal");
    if (entry.state !== ENABLED) throw refuse("its mirroring is about to end");
    return;
  }
  const globalImageId = uuidFromBytes(context.random.bytes(16));
  await takePrimarySnapshot(image, globalImageId, { needsPeers: false });
  await setState(image, { globalImageId, state: ENABLED, mode: SNAPSHOT });
}

/**
 * Removes its mirror snapshots. One that is not mirrored stays as it is.
 * @throws CephError EINVAL: the pool is not mirrored image by image, or the image is another cluster's; EBUSY: clones of
 *   it are mirrored; EOPNOTSUPP: it is mirrored by its journal
 */
export async function disableMirroring(image: Image): Promise<void> {
  const { io, target } = image;
  await image.refreshIfStale();
  if ((await mirrorMode(io)) !== MIRROR_MODE.IMAGE) {
    const why = "the pool is not mirrored image by image";
    throw imageError("EINVAL", "end mirroring of", target, why);
  }
  if ((await mirrorEntry(io, image.id)) === undefined) return;
  for (const { poolId, poolNamespace, imageId } of await listChildren(image)) {
    const childIo = poolOf(io, poolId, poolNamespace);
    if (childIo !== undefined && (await mirrorEntry(childIo, imageId)) !== undefined) {
      throw imageError("EBUSY", "end mirroring of", target, "clones of it are mirrored");
    }
  }
  await endMirroring(image);
}

/** The same, whatever the pool and its clones are. @throws CephError EINVAL, EOPNOTSUPP */
export async function endMirroring(image: Image): Promise<void> {
  const { io, id, target, log } = image;
  const entry = await mirrorEntry(io, id);
  if (entry === undefined) return;
  if (entry.mode !== SNAPSHOT) {
    throw imageError("EOPNOTSUPP", "end mirroring of", target, "it is mirrored by its journal");
  }
  await image.refresh();
  if (!isWrittenHere(image)) {
    throw imageError("EINVAL", "end mirroring of", target, "it is not primary");
  }
  await setState(image, { ...entry, state: DISABLING });
  try {
    const uuid = await unless(
      io.query(RBD_MIRRORING, DIRECTORY.getMirrorUuid, undefined),
      "ENOENT",
    );
    // Where a copy of another cluster's image notes how far it is.
    const key = `.rbd_mirror.${uuid ?? ""}`;
    await unless(io.execute(image.headerOid, HEADER.removeMetadata, key), "ENOENT");
    await removeMirrorSnapshots(image);
  } catch (error) {
    await setState(image, { ...entry, state: ENABLED }).catch((again: unknown) => {
      log.warn("image not mirrored again", { image: id, why: String(again) });
    });
    throw error;
  }
  await unless(io.execute(RBD_MIRRORING, DIRECTORY.removeMirror, id), "ENOENT");
  const { globalImageId: globalId } = entry;
  await tellMirrors(image.context, io, { op: "image", state: DISABLED, id, globalId });
}

async function setState({ context, io, id }: Image, entry: MirrorImage): Promise<void> {
  await io.execute(RBD_MIRRORING, DIRECTORY.setMirror, { imageId: id, image: entry });
  const { state, globalImageId: globalId } = entry;
  await tellMirrors(context, io, { op: "image", state, id, globalId });
}
