/**
 * What an open image answers when somebody notifies the watchers of its header.
 * ceph: src/librbd/ImageWatcher.cc handle_notify, handle_payload
 */

import { ERRNO } from "../base/index.ts";
import { EMPTY } from "../encoding/index.ts";
import type { Image } from "./image.ts";
import { decodeHeaderNotice, encodeResponse } from "./notify.ts";

export function answerNotice(image: Image, payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const notice = decodeHeaderNotice(payload);
  const own = image.watcherId;
  switch (notice.op) {
    case "update":
      image.markStale();
      return encodeResponse(0);
    case "other":
      // Who asks for what we know nothing of takes the lock for it. Unheard, they would ask for ever.
      return answer(image.ownLock.isHeld ? -ERRNO.EOPNOTSUPP : undefined);
    case "complete":
    case "progress": {
      const isOurs = notice.from.gid === own.gid && notice.from.handle === own.handle;
      if (isOurs) image.ownerNews.told(notice);
      return isOurs ? encodeResponse(0) : EMPTY;
    }
  }
  if (notice.op === "quiesce") return image.quiescers.quiesce(notice);
  if (notice.op === "unquiesce") {
    image.quiescers.unquiesce(notice);
    return EMPTY;
  }
  if (notice.from.gid === own.gid && notice.from.handle === own.handle) return EMPTY;
  switch (notice.op) {
    case "acquired":
    case "released":
      image.ownLock.wake();
      return EMPTY;
    case "request":
      return answer(image.ownLock.requested("lock"));
    default: {
      const { ownLock, ownerRequests } = image;
      if (!ownLock.isHeld || ownerRequests === undefined) {
        return answer(ownLock.requested("operation"));
      }
      return encodeResponse(ownerRequests.start(notice));
    }
  }
}

function answer(result: number | undefined): Uint8Array {
  return result === undefined ? EMPTY : encodeResponse(result);
}
