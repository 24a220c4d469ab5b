/**
 * MMonCommandAck: the answer to MMonCommand. The data segment is the command's output.
 * ceph: src/messages/MMonCommandAck.h
 */

import { list, record, s32, str } from "../encoding/index.ts";
import { type MessageValue, messageWithData, PAXOS_FIELDS } from "./message-type.ts";

export const MMonCommandAck = messageWithData(
  { type: 51, name: "mon_command_ack" },
  record("MMonCommandAck", {
    ...PAXOS_FIELDS,
    /** Negative errno, or 0, or what the command counts. */
    r: s32,
    /** A line for the user. */
    rs: str,
    /** The command, echoed. */
    cmd: list(str),
  }),
);
export type MMonCommandAck = MessageValue<typeof MMonCommandAck>;
