/**
 * MAuthReply: the answer to MAuth.
 * ceph: src/messages/MAuthReply.h
 */

import { blob, record, s32, str, u32, u64 } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MAuthReply = message(
  { type: 18, name: "auth_reply" },
  record("MAuthReply", {
    /** 1 none, 2 cephx. */
    protocol: u32,
    /** Negative errno or 0. */
    result: s32,
    /** 0 means nothing. */
    globalId: u64,
    payload: blob,
    resultMessage: str,
  }),
);
export type MAuthReply = MessageValue<typeof MAuthReply>;
