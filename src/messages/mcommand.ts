/**
 * MCommand: `ceph tell …` to one daemon. The data segment is the command's input file.
 * ceph: src/messages/MCommand.h
 */

import { list, record, str } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, messageWithData } from "./message-type.ts";

export const MCommand = messageWithData(
  { type: 97, name: "command" },
  record("MCommand", {
    fsid: Uuid,
    /** Usually one byte string: the command as JSON in UTF-8. */
    cmd: list(str),
  }),
);
export type MCommand = MessageValue<typeof MCommand>;
