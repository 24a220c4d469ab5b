/**
 * Taking a snapshot of an open image, locked where the image has a lock.
 *
 *   writers hold still -> snapshot id -> header -> object map -> state for mirroring -> writers go on
 *
 * One that fails past its header entry is there all the same: then the writers go on with it, or not at all.
 * ceph: src/librbd/operation/SnapshotCreateRequest.cc
 */

import type { SnapshotNamespace } from "../cls/rbd/types.ts";
import type { IoCtx } from "../rados/index.ts";
import { imageError, isErrno } from "./errors.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { whileHoldingStill } from "./hold-still.ts";
import type { Image } from "./image.ts";
import { writeImageState } from "./mirror/image-state.ts";
import { SNAP_CREATE_FLAG } from "./notify.ts";

/**
 * @param flags SNAP_CREATE_FLAG bits
 * @throws CephError EEXIST: there is one of the name; EROFS: made by a newer release; EDQUOT: as many as there
 *   may be; ETIMEDOUT, or a watcher's own: it does not hold still
 */
export async function createSnapshot(
  image: Image,
  name: string,
  namespace: SnapshotNamespace,
  flags = 0n,
): Promise<void> {
  const { dataIo, target } = image;
  if (image.operationsDisabled) throw imageError("EROFS", "take a snapshot of", target);
  if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", target);
  if (findSnapshot(image, name, namespace) !== undefined) {
    throw imageError("EEXIST", "take a snapshot of", target, name);
  }
  await whileHoldingStill([image], flags, async () => {
    const drained = image.gate.block();
    try {
      await drained;
      try {
        await add(image, dataIo, { name, namespace }, flags);
      } catch (error) {
        await readAgain(image, name);
        throw error;
      }
      await image.refresh();
    } finally {
      image.gate.unblock();
    }
  });
  await image.notifyUpdate();
}

/**
 * A snapshot that has failed may be in the header: what is written is kept for those alone that the writer knows of, so
 * nothing is written before the header has been read.
 */
async function readAgain(image: Image, name: string): Promise<void> {
  try {
    await image.refresh();
    await image.notifyUpdate();
  } catch (error) {
    image.log.warn("header after a snapshot that failed", {
      image: image.id,
      name,
      why: String(error),
    });
  }
}

async function add(
  image: Image,
  dataIo: IoCtx,
  { name, namespace }: { readonly name: string; readonly namespace: SnapshotNamespace },
  flags: bigint,
): Promise<void> {
  for (;;) {
    image.checkOwner();
    const snapId = await dataIo.createSnapId();
    try {
      await image.format.addSnapshot(image.io, image.headerOid, { snapId, name, namespace });
    } catch (error) {
      // Somebody else has a newer one by now.
      if (isErrno(error, "ESTALE")) continue;
      // Of anything else nobody knows whether the header has it; and an id too many takes no room.
      if (isErrno(error, "EEXIST", "EDQUOT")) await dataIo.removeSnapId(snapId);
      throw error;
    }
    if ((flags & SNAP_CREATE_FLAG.SKIP_OBJECT_MAP) === 0n) {
      await image.objectMap?.addSnapshot(snapId);
    }
    if (namespace.type === "mirror") await writeImageState(image, snapId);
    return;
  }
}
