/**
 * MMonCommand: `ceph …` to the monitors. The data segment is the command's input file.
 * ceph: src/messages/MMonCommand.h
 */

import { list, record, str } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, messageWithData, PAXOS_FIELDS } from "./message-type.ts";

export const MMonCommand = messageWithData(
  { type: 50, name: "mon_command" },
  record("MMonCommand", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    /** Usually one byte string: the command as JSON in UTF-8. */
    cmd: list(str),
  }),
);
export type MMonCommand = MessageValue<typeof MMonCommand>;
