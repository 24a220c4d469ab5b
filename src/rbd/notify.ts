/**
 * What the watchers of an image's header tell each other, and of a pool's trash.
 *
 *   hdr(7,1): u32 op, then the op's fields        answers: hdr(1,1): i32 result
 *   trash, hdr(1,1): u32 op, then the op's fields
 *
 * ceph: src/librbd/WatchNotifyTypes.h, src/librbd/trash_watcher/Types.h
 */

import { SnapshotNamespace, TrashImageSpec, USER_NAMESPACE } from "../cls/rbd/types.ts";
import {
  bool,
  type Codec,
  encodeToBytes,
  type Infer,
  optional,
  Reader,
  record,
  s32,
  str,
  struct,
  u64,
  u64n,
  Writer,
} from "../encoding/index.ts";
import type { SnapId } from "../types/index.ts";

/** ceph: librbd::watch_notify::NotifyOp */
export const NOTIFY_OP = {
  ACQUIRED_LOCK: 0,
  RELEASED_LOCK: 1,
  REQUEST_LOCK: 2,
  HEADER_UPDATE: 3,
  ASYNC_PROGRESS: 4,
  ASYNC_COMPLETE: 5,
  FLATTEN: 6,
  RESIZE: 7,
  SNAP_CREATE: 8,
  SNAP_REMOVE: 9,
  REBUILD_OBJECT_MAP: 10,
  SNAP_RENAME: 11,
  SNAP_PROTECT: 12,
  SNAP_UNPROTECT: 13,
  RENAME: 14,
  UPDATE_FEATURES: 15,
  MIGRATE: 16,
  SPARSIFY: 17,
  QUIESCE: 18,
  UNQUIESCE: 19,
  METADATA_UPDATE: 20,
} as const;

/** What a snapshot may be taken without, in the notice that asks for it.  ceph: SNAP_CREATE_FLAG_* */
export const SNAP_CREATE_FLAG = {
  SKIP_OBJECT_MAP: 1n,
  SKIP_QUIESCE: 2n,
  IGNORE_QUIESCE_ERROR: 4n,
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
const Response = struct("ResponseMessage", { v: 1 }, { result: s32 });

const VERSION = 7;

/** An operation that the lock's owner is asked to do. */
export type OwnerRequest =
  | { readonly op: "flatten" | "migrate" | "rebuildObjectMap" }
  | { readonly op: "resize"; readonly size: number; readonly allowShrink: boolean }
  | {
      readonly op: "snapCreate";
      readonly name: string;
      readonly namespace: SnapshotNamespace;
      /** SNAP_CREATE_FLAG bits. @default 0 */
      readonly flags?: bigint;
    }
  | {
      readonly op: "snapRemove" | "snapProtect" | "snapUnprotect";
      readonly name: string;
      readonly namespace: SnapshotNamespace;
    }
  | { readonly op: "snapRename"; readonly snapId: SnapId; readonly name: string }
  | { readonly op: "rename"; readonly name: string }
  | { readonly op: "updateFeatures"; readonly features: bigint; readonly enabled: boolean }
  | { readonly op: "sparsify"; readonly sparseSize: number }
  /** undefined: removes the key. */
  | { readonly op: "metadata"; readonly key: string; readonly value: string | undefined };

/** Who asks, and the number by which they are told how it goes. */
export interface Asked {
  readonly from: WatcherId;
  readonly request: bigint;
}

/** A request as all know it. */
export function keyOf({ from, request }: Asked): string {
  return `${from.gid}/${from.handle}/${request}`;
}

export type HeaderNotice =
  | { readonly op: "acquired" | "released" | "request"; readonly from: WatcherId }
  | { readonly op: "update" }
  /** Writers should flush and hold still, or may go on. */
  | ({ readonly op: "quiesce" } & Asked)
  | ({ readonly op: "unquiesce" } & Asked)
  | (OwnerRequest & Asked)
  | ({ readonly op: "progress"; readonly done: number; readonly total: number } & Asked)
  | ({ readonly op: "complete"; readonly result: number } & Asked)
  /** Of a release that is newer or much older. */
  | { readonly op: "other"; readonly code: number };

/**
 * Fields of the requests and of the notices like them: by op its number, what it has besides `from` and
 * `request`, which lie as `id`, and in which order.
 */
const id = AsyncRequest;
const namespace = SnapshotNamespace;
const ASKED = {
  flatten: asked(NOTIFY_OP.FLATTEN, { id }),
  migrate: asked(NOTIFY_OP.MIGRATE, { id }),
  rebuildObjectMap: asked(NOTIFY_OP.REBUILD_OBJECT_MAP, { id }),
  quiesce: asked(NOTIFY_OP.QUIESCE, { id }),
  unquiesce: asked(NOTIFY_OP.UNQUIESCE, { id }),
  resize: asked(NOTIFY_OP.RESIZE, { size: u64n, id, allowShrink: bool }),
  snapCreate: asked(NOTIFY_OP.SNAP_CREATE, { name: str, namespace, id, flags: u64 }),
  snapRemove: asked(NOTIFY_OP.SNAP_REMOVE, { name: str, namespace, id }),
  snapProtect: asked(NOTIFY_OP.SNAP_PROTECT, { name: str, namespace, id }),
  snapUnprotect: asked(NOTIFY_OP.SNAP_UNPROTECT, { name: str, namespace, id }),
  snapRename: asked(NOTIFY_OP.SNAP_RENAME, { snapId: u64, name: str, namespace, id }),
  rename: asked(NOTIFY_OP.RENAME, { name: str, id }),
  updateFeatures: asked(NOTIFY_OP.UPDATE_FEATURES, { features: u64, enabled: bool, id }),
  sparsify: asked(NOTIFY_OP.SPARSIFY, { id, sparseSize: u64n }),
  metadata: asked(NOTIFY_OP.METADATA_UPDATE, { key: str, value: optional(str), id }),
} as const;

type AskedNotice = Extract<HeaderNotice, { op: keyof typeof ASKED }>;

function asked(code: number, fields: Parameters<typeof record>[1]) {
  return { code, fields: record(`notice ${code}`, fields) as unknown as Codec<object> };
}

function isAsked(notice: HeaderNotice): notice is AskedNotice {
  return notice.op in ASKED;
}

const ASKED_BY_CODE = new Map(
  Object.entries(ASKED).map(([op, { code, fields }]) => [code, { op, fields }]),
);

export function encodeHeaderNotice(notice: Exclude<HeaderNotice, { op: "other" }>): Uint8Array {
  const w = new Writer();
  const mark = w.begin(VERSION, 1);
  if (isAsked(notice)) {
    const { code, fields } = ASKED[notice.op];
    const { from, request } = notice;
    w.u32(code);
    // What a request does not say: a snapshot with all that belongs to it; a new name is a user's.
    const unsaid = { flags: 0n, namespace: USER_NAMESPACE };
    fields.encode(w, { ...unsaid, ...notice, id: { client: from, request } });
  } else {
    encodeNews(w, notice);
  }
  w.end(mark);
  return w.finish();
}

function encodeNews(w: Writer, notice: Exclude<HeaderNotice, AskedNotice | { op: "other" }>): void {
  switch (notice.op) {
    case "update":
      w.u32(NOTIFY_OP.HEADER_UPDATE);
      return;
    case "request":
      w.u32(NOTIFY_OP.REQUEST_LOCK);
      return LockRequest.encode(w, { client: notice.from, force: false });
    case "acquired":
      w.u32(NOTIFY_OP.ACQUIRED_LOCK);
      return WatcherIdFields.encode(w, notice.from);
    case "released":
      w.u32(NOTIFY_OP.RELEASED_LOCK);
      return WatcherIdFields.encode(w, notice.from);
    case "progress": {
      const { from, request, done, total } = notice;
      w.u32(NOTIFY_OP.ASYNC_PROGRESS);
      return AsyncProgress.encode(w, { id: { client: from, request }, done, total });
    }
    case "complete": {
      const { from, request, result } = notice;
      w.u32(NOTIFY_OP.ASYNC_COMPLETE);
      return AsyncComplete.encode(w, { id: { client: from, request }, result });
    }
  }
}

/** Empty payloads are of clients older than the format: the header has changed. @throws DecodeError */
export function decodeHeaderNotice(payload: Uint8Array): HeaderNotice {
  if (payload.length === 0) return { op: "update" };
  const r = new Reader(payload);
  const version = r.begin("NotifyMessage", VERSION);
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
  }
  const known = ASKED_BY_CODE.get(code);
  // compat: before version 7 (Pacific) requests for snapshots and names had no number.
  if (known === undefined || version < VERSION) return { op: "other", code };
  const { id, ...fields } = known.fields.decode(r) as { id: Infer<typeof AsyncRequest> };
  const notice = { op: known.op, ...fields, from: id.client, request: id.request };
  return notice as unknown as AskedNotice;
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
