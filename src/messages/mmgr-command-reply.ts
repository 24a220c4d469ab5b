/**
 * MMgrCommandReply: the answer to MMgrCommand. The data segment is the command's output.
 * ceph: src/messages/MMgrCommandReply.h
 */

import { record, s32, str } from "../encoding/index.ts";
import { type MessageValue, messageWithData } from "./message-type.ts";

export const MMgrCommandReply = messageWithData(
  { type: 0x70a, name: "mgr_command_reply" },
  record("MMgrCommandReply", {
    /** Negative errno, or 0, or what the command counts. */
    r: s32,
    /** A line for the user. */
    rs: str,
  }),
);
export type MMgrCommandReply = MessageValue<typeof MMgrCommandReply>;
