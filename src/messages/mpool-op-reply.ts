/**
 * MPoolOpReply: the change is made (or refused); the client waits for the map of `epoch`.
 * ceph: src/messages/MPoolOpReply.h
 */

import { blob, optional, record, s32, u32 } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message, PAXOS_FIELDS } from "./message-type.ts";

export const MPoolOpReply = message(
  { type: 48, name: "poolop_reply" },
  record("MPoolOpReply", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    /** Negative errno or 0. */
    replyCode: s32,
    /** Map epoch that has the change. */
    epoch: u32,
    /** CREATE_UNMANAGED_SNAP: the new snap id as a u64. Absent: no data. */
    responseData: optional(blob),
  }),
);
export type MPoolOpReply = MessageValue<typeof MPoolOpReply>;
