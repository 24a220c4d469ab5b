/**
 * Having those who use images flush and hold still, while snapshots are taken: file systems are frozen then, and the
 * like. They may have to write until they do, and so the exclusive lock.
 * ceph: src/librbd/ImageWatcher.cc notify_quiesce, src/librbd/api/Group.cc notify_quiesce
 */

import { CephError, ERRNO } from "../base/index.ts";
import { imageError, unless } from "./errors.ts";
import { NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import type { Image } from "./image.ts";
import { decodeResponse, encodeHeaderNotice, SNAP_CREATE_FLAG } from "./notify.ts";

/** Times that watchers are asked to hold still.  ceph: rbd_quiesce_notification_attempts */
const QUIESCE_ATTEMPTS = 10;

/**
 * Works while they hold still.
 * @param flags SNAP_CREATE_FLAG bits
 * @throws CephError of who can not; ETIMEDOUT: somebody does not
 */
export async function whileHoldingStill<T>(
  images: readonly Image[],
  flags: bigint,
  work: () => Promise<T>,
): Promise<T> {
  if ((flags & SNAP_CREATE_FLAG.SKIP_QUIESCE) !== 0n) return await work();
  const asked = images.map((image) => ({ image, request: image.ownerNews.newRequest() }));
  try {
    const held = await Promise.allSettled(
      asked.map(({ image, request }) => quiesce(image, request)),
    );
    for (const [index, each] of held.entries()) {
      if (each.status === "fulfilled") continue;
      if ((flags & SNAP_CREATE_FLAG.IGNORE_QUIESCE_ERROR) === 0n) throw each.reason;
      const { log, id } = images[index] as Image;
      log.warn("snapshot of what does not hold still", { image: id, why: String(each.reason) });
    }
    return await work();
  } finally {
    await Promise.all(asked.map(({ image, request }) => tell(image, { op: "unquiesce", request })));
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
