/**
 * MCommandReply: the answer to MCommand. The data segment is the command's output.
 * ceph: src/messages/MCommandReply.h
 */

import { record, s32, str } from "../encoding/index.ts";
import { type MessageValue, messageWithData } from "./message-type.ts";

export const MCommandReply = messageWithData(
  { type: 98, name: "command_reply" },
  record("MCommandReply", {
    /** Negative errno, or 0, or what the command counts. */
    r: s32,
    /** A line for the user. */
    rs: str,
  }),
);
export type MCommandReply = MessageValue<typeof MCommandReply>;
