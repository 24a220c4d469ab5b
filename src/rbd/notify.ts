/**
 * What the watchers of an image's header tell each other, and of a pool's trash.
 *
 *   hdr(7,1): u32 op, then the op's fields        answers: hdr(1,1): i32 result
 *   trash, hdr(1,1): u32 op, then the op's fields
 *
 * ceph: src/librbd/WatchNotifyTypes.h, src/librbd/trash_watcher/Types.h
 */

import { TrashImageSpec } from "../cls/rbd/types.ts";
import {
  bool,
  encodeToBytes,
  Reader,
  record,
  s32,
  str,
  struct,
  u64,
  Writer,
} from "../encoding/index.ts";

/** ceph: librbd::watch_notify::NotifyOp */
export const NOTIFY_OP = {
  ACQUIRED_LOCK: 0,
  RELEASED_LOCK: 1,
  REQUEST_LOCK: 2,
  HEADER_UPDATE: 3,
  ASYNC_PROGRESS: 4,
  ASYNC_COMPLETE: 5,
  QUIESCE: 18,
  UNQUIESCE: 19,
} as const;

/** A watcher, by the id of its client and the cookie of its watch. */
export interface WatcherId {
  readonly gid: bigint;
  readonly handle: bigint;
}

const WatcherIdFields = record("librbd::watcher::ClientId", { gid: u64, handle: u64 });
const LockRequest = record("RequestLockPayload", { client: WatcherIdFields, force: bool });
const Response = struct("ResponseMessage", { v: 1 }, { result: s32 });

const VERSION = 7;

export type HeaderNotice =
  | { readonly op: "acquired" | "released" | "request"; readonly from: WatcherId }
  | { readonly op: "update" }
  /** An operation somebody wants the lock's owner to do, or news of one. */
  | { readonly op: "other"; readonly code: number };

const LOCK_OPS = {
  acquired: NOTIFY_OP.ACQUIRED_LOCK,
  released: NOTIFY_OP.RELEASED_LOCK,
  request: NOTIFY_OP.REQUEST_LOCK,
} as const;

export function encodeHeaderNotice(notice: Exclude<HeaderNotice, { op: "other" }>): Uint8Array {
  const w = new Writer();
  const mark = w.begin(VERSION, 1);
  if (notice.op === "update") {
    w.u32(NOTIFY_OP.HEADER_UPDATE);
  } else {
    w.u32(LOCK_OPS[notice.op]);
    if (notice.op === "request") LockRequest.encode(w, { client: notice.from, force: false });
    else WatcherIdFields.encode(w, notice.from);
  }
  w.end(mark);
  return w.finish();
}

/** Empty payloads are of clients older than the format: the header has changed. @throws DecodeError */
export function decodeHeaderNotice(payload: Uint8Array): HeaderNotice {
  if (payload.length === 0) return { op: "update" };
  const r = new Reader(payload);
  r.begin("NotifyMessage", VERSION);
  const code = r.u32();
  switch (code) {
    case NOTIFY_OP.HEADER_UPDATE:
      return { op: "update" };
    case NOTIFY_OP.ACQUIRED_LOCK:
      return { op: "acquired", from: WatcherIdFields.decode(r) };
    case NOTIFY_OP.RELEASED_LOCK:
      return { op: "released", from: WatcherIdFields.decode(r) };
    case NOTIFY_OP.REQUEST_LOCK:
      return { op: "request", from: WatcherIdFields.decode(r) };
    default:
      return { op: "other", code };
  }
}

export function encodeResponse(result: number): Uint8Array {
  return encodeToBytes(Response, { result });
}

/** @throws DecodeError */
export function decodeResponse(payload: Uint8Array): number {
  return Response.decode(new Reader(payload)).result;
}

const TRASH_ADDED = 0;
const TRASH_REMOVED = 1;
const ImageAdded = record("ImageAddedPayload", { imageId: str, spec: TrashImageSpec });

export function encodeTrashNotice(imageId: string, spec?: TrashImageSpec): Uint8Array {
  const w = new Writer();
  const mark = w.begin(1, 1);
  w.u32(spec === undefined ? TRASH_REMOVED : TRASH_ADDED);
  if (spec === undefined) w.str(imageId);
  else ImageAdded.encode(w, { imageId, spec });
  w.end(mark);
  return w.finish();
}
