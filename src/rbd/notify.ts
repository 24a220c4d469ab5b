/**
 * What the watchers of an image's header tell each other, and of a pool's trash.
 *
 *   hdr(7,1): u32 op, then the op's fields        answers: hdr(1,1): i32 result
 *   trash, hdr(1,1): u32 op, then the op's fields
 *
 * ceph: src/librbd/WatchNotifyTypes.h, src/librbd/trash_watcher/Types.h
 */

import { SnapshotNamespace, TrashImageSpec } from "../cls/rbd/types.ts";
import {
  bool,
  encodeToBytes,
  Reader,
  record,
  s32,
  str,
  struct,
  u64,
  u64n,
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
  FLATTEN: 6,
  SNAP_CREATE: 8,
  SNAP_REMOVE: 9,
  MIGRATE: 16,
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
/** An operation that its asker is told the end of. */
const AsyncRequest = record("AsyncRequestId", { client: WatcherIdFields, request: u64 });
const AsyncComplete = record("AsyncCompletePayload", { id: AsyncRequest, result: s32 });
const AsyncProgress = record("AsyncProgressPayload", { id: AsyncRequest, done: u64n, total: u64n });
const SnapRequest = record("SnapPayloadBase", {
  name: str,
  namespace: SnapshotNamespace,
  id: AsyncRequest,
});
const Response = struct("ResponseMessage", { v: 1 }, { result: s32 });

const VERSION = 7;

export type HeaderNotice =
  | { readonly op: "acquired" | "released" | "request"; readonly from: WatcherId }
  | { readonly op: "update" }
  /** Writers should flush and hold still, or may go on; the lock's owner is asked to copy all objects. */
  | {
      readonly op: "quiesce" | "unquiesce" | "migrate" | "flatten";
      readonly from: WatcherId;
      readonly request: bigint;
    }
  /** A snapshot that the lock's owner is asked to take or to remove. */
  | {
      readonly op: "snapCreate" | "snapRemove";
      readonly from: WatcherId;
      readonly request: bigint;
      readonly name: string;
      readonly namespace: SnapshotNamespace;
    }
  | {
      readonly op: "progress";
      readonly from: WatcherId;
      readonly request: bigint;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly op: "complete";
      readonly from: WatcherId;
      readonly request: bigint;
      readonly result: number;
    }
  /** An operation somebody wants the lock's owner to do, or news of one. */
  | { readonly op: "other"; readonly code: number };

const CODES = {
  acquired: NOTIFY_OP.ACQUIRED_LOCK,
  released: NOTIFY_OP.RELEASED_LOCK,
  request: NOTIFY_OP.REQUEST_LOCK,
  update: NOTIFY_OP.HEADER_UPDATE,
  progress: NOTIFY_OP.ASYNC_PROGRESS,
  complete: NOTIFY_OP.ASYNC_COMPLETE,
  snapCreate: NOTIFY_OP.SNAP_CREATE,
  snapRemove: NOTIFY_OP.SNAP_REMOVE,
  quiesce: NOTIFY_OP.QUIESCE,
  unquiesce: NOTIFY_OP.UNQUIESCE,
  migrate: NOTIFY_OP.MIGRATE,
  flatten: NOTIFY_OP.FLATTEN,
} as const;

export function encodeHeaderNotice(notice: Exclude<HeaderNotice, { op: "other" }>): Uint8Array {
  const w = new Writer();
  const mark = w.begin(VERSION, 1);
  w.u32(CODES[notice.op]);
  encodeFields(w, notice);
  w.end(mark);
  return w.finish();
}

function encodeFields(w: Writer, notice: Exclude<HeaderNotice, { op: "other" }>): void {
  if (notice.op === "update") return;
  const client = notice.from;
  switch (notice.op) {
    case "request":
      return LockRequest.encode(w, { client, force: false });
    case "acquired":
    case "released":
      return WatcherIdFields.encode(w, client);
    case "quiesce":
    case "unquiesce":
    case "migrate":
    case "flatten":
      return AsyncRequest.encode(w, { client, request: notice.request });
    case "progress": {
      const { request, done, total } = notice;
      return AsyncProgress.encode(w, { id: { client, request }, done, total });
    }
    case "complete": {
      const { request, result } = notice;
      return AsyncComplete.encode(w, { id: { client, request }, result });
    }
    case "snapCreate":
    case "snapRemove": {
      const { name, namespace, request } = notice;
      SnapRequest.encode(w, { name, namespace, id: { client, request } });
      // Flags: writers are to hold still, and the object map to be copied.
      if (notice.op === "snapCreate") w.u64(0n);
    }
  }
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
    case NOTIFY_OP.ASYNC_PROGRESS: {
      const { id, done, total } = AsyncProgress.decode(r);
      return { op: "progress", from: id.client, request: id.request, done, total };
    }
    case NOTIFY_OP.ASYNC_COMPLETE: {
      const { id, result } = AsyncComplete.decode(r);
      return { op: "complete", from: id.client, request: id.request, result };
    }
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
