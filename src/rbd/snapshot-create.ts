/**
 * Taking a snapshot of an open image, locked where the image has a lock.
 *
 *   writers hold still -> snapshot id -> header -> object map -> state for mirroring -> writers go on
 *
 * ceph: src/librbd/operation/SnapshotCreateRequest.cc
 */

import { ERRNO } from "../base/index.ts";
import type { SnapshotNamespace } from "../cls/rbd/types.ts";
import { HEADER } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import type { Image } from "./image.ts";
import { writeImageState } from "./mirror/image-state.ts";
import { decodeResponse, encodeHeaderNotice } from "./notify.ts";

/** Times that watchers are asked to hold still.  ceph: rbd_quiesce_notification_attempts */
const QUIESCE_ATTEMPTS = 10;

/** @throws CephError EEXIST: there is one of the name; EROFS: made by a newer release */
export async function createSnapshot(
  image: Image,
  name: string,
  namespace: SnapshotNamespace,
): Promise<void> {
  const { io, headerOid, dataIo } = image;
  const target = image.name || image.id;
  if (image.operationsDisabled) throw imageError("EROFS", "take a snapshot of", target);
  if (dataIo === undefined) throw imageError("ENOENT", "open the data pool of", target);
  const request = image.newRequest();
  try {
    await quiesce(image, request);
    for (;;) {
      image.checkOwner();
      const snapId = await dataIo.createSnapId();
      try {
        await io.execute(headerOid, HEADER.addSnapshot, { snapId, name, namespace });
      } catch (error) {
        // ESTALE: somebody else has a newer one by now.
        if (isErrno(error, "ESTALE")) continue;
        await dataIo.removeSnapId(snapId);
        throw error;
      }
      await image.objectMap?.addSnapshot(snapId);
      if (namespace.type === "mirror") await writeImageState(image, snapId);
      break;
    }
    await image.refresh();
    await image.notifyUpdate();
  } finally {
    await tell(image, { op: "unquiesce", request });
  }
}

/** Asks who watches the image to flush and hold still. @throws CephError of who cannot */
async function quiesce(image: Image, request: bigint): Promise<void> {
  for (let attempt = 0; attempt < QUIESCE_ATTEMPTS; attempt++) {
    const answers = await tell(image, { op: "quiesce", request });
    if (answers === undefined) return;
    for (const [, payload] of answers.replies) {
      if (payload.length === 0) continue;
      const result = decodeResponse(payload);
      if (result < 0 && result !== -ERRNO.EOPNOTSUPP) {
        throw imageError("EBUSY", "quiesce", image.name || image.id, `a watcher says ${result}`);
      }
    }
    if (!answers.timedOut) return;
  }
  throw imageError("ETIMEDOUT", "quiesce", image.name || image.id);
}

async function tell(image: Image, what: { op: "quiesce" | "unquiesce"; request: bigint }) {
  const notice = encodeHeaderNotice({ ...what, from: image.watcherId });
  return await unless(image.io.notify(image.headerOid, notice, NOTIFY_TIMEOUT_MS), "ENOENT");
}
