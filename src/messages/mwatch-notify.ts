/**
 * MWatchNotify: a notification to a watcher, its completion to the notifier, or a watch's end.
 *
 * The cookie is always the receiver's: the watcher's for NOTIFY and DISCONNECT, the notifier's for
 * NOTIFY_COMPLETE. Only NOTIFY_COMPLETE has a data segment, a NotifyResult.
 * ceph: src/messages/MWatchNotify.h; src/osd/Watch.cc Notify::maybe_complete_notify
 */

import { blob, fixed, type Infer, list, pairs, record, s32, u8, u64 } from "../encoding/index.ts";
import { type MessageValue, messageWithData } from "./message-type.ts";

/** ceph: src/include/ceph_fs.h CEPH_WATCH_EVENT_* */
export const WATCH_EVENT = { NOTIFY: 1, NOTIFY_COMPLETE: 2, DISCONNECT: 3 } as const;

export const MWatchNotify = messageWithData(
  { type: 44, name: "watch-notify", version: 3, compatVersion: 1 },
  record("MWatchNotify", {
    bodyVersion: fixed(u8, 1),
    /** WATCH_EVENT. */
    opcode: u8,
    cookie: u64,
    /** Unused. */
    ver: u64,
    /** Map epoch in the upper half, a counter in the lower. */
    notifyId: u64,
    payload: blob,
    /** NOTIFY_COMPLETE: 0, or -ETIMEDOUT when some watcher did not acknowledge. */
    returnCode: s32,
    /** Global id of the client that notified. */
    notifierGid: u64,
  }),
);
export type MWatchNotify = MessageValue<typeof MWatchNotify>;

const Watcher = record("watcher", { gid: u64, cookie: u64 });

/** Who answered what, and who did not: the data segment of NOTIFY_COMPLETE. In order of (gid, cookie). */
export const NotifyResult = record("notify_result", {
  replies: pairs(Watcher, blob),
  missed: list(Watcher),
});
export type NotifyResult = Infer<typeof NotifyResult>;
