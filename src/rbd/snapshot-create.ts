/**
 * Taking a snapshot of an open image, locked where the image has a lock.
 *
 *   writers hold still -> snapshot id -> header -> object map -> state for mirroring -> writers go on
 *
 * One that fails past its header entry is there all the same: then the writers go on with it, or not at all.
 * ceph: src/librbd/operation/SnapshotCreateRequest.cc
 */

import { CephError, ERRNO } from "../base/index.ts";
import type { SnapshotNamespace } from "../cls/rbd/types.ts";
import type { IoCtx } from "../rados/index.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import { findSnapshot } from "./find-snapshot.ts";
import type { Image } from "./image.ts";
import { writeImageState } from "./mirror/image-state.ts";
import { decodeResponse, encodeHeaderNotice, SNAP_CREATE_FLAG } from "./notify.ts";

/** Times that watchers are asked to hold still.  ceph: rbd_quiesce_notification_attempts */
const QUIESCE_ATTEMPTS = 10;

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
  const asksWatchers = (flags & SNAP_CREATE_FLAG.SKIP_QUIESCE) === 0n;
  const request = image.ownerNews.newRequest();
  let isBlocked = false;
  try {
    if (asksWatchers) {
      try {
        await quiesce(image, request);
      } catch (error) {
        if ((flags & SNAP_CREATE_FLAG.IGNORE_QUIESCE_ERROR) === 0n) throw error;
        image.log.warn("snapshot of what does not hold still", { image: image.id, name });
      }
    }
    isBlocked = true;
    const drained = image.gate.block();
    await drained;
    try {
      await add(image, dataIo, { name, namespace }, flags);
    } catch (error) {
      await readAgain(image, name);
      throw error;
    }
    await image.refresh();
  } finally {
    if (isBlocked) image.gate.unblock();
    if (asksWatchers) await tell(image, { op: "unquiesce", request });
  }
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

/** Asks who watches the image to flush and hold still. @throws CephError of who can not */
async function quiesce(image: Image, request: bigint): Promise<void> {
  for (let attempt = 0; attempt < QUIESCE_ATTEMPTS; attempt++) {
    const answers = await tell(image, { op: "quiesce", request });
    if (answers === undefined) return;
    for (const [, payload] of answers.replies) {
      if (payload.length === 0) continue;
      const result = decodeResponse(payload);
      if (result < 0 && result !== -ERRNO.EOPNOTSUPP) {
        throw new CephError(result, { op: "quiesce", target: image.target });
      }
    }
    if (!answers.timedOut) return;
  }
  throw imageError("ETIMEDOUT", "quiesce", image.name || image.id);
}

async function tell(image: Image, what: { op: "quiesce" | "unquiesce"; request: bigint }) {
  const { op, request } = what;
  const notice = encodeHeaderNotice({ op, request, from: image.watcherId });
  return await unless(image.io.notify(image.headerOid, notice, NOTIFY_TIMEOUT_MS), "ENOENT");
}
