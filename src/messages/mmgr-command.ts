/**
 * MMgrCommand: `ceph …` to the active manager. The data segment is the command's input file.
 * ceph: src/messages/MMgrCommand.h
 */

import { list, record, str } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, messageWithData } from "./message-type.ts";

export const MMgrCommand = messageWithData(
  { type: 0x709, name: "mgr_command" },
  record("MMgrCommand", {
    fsid: Uuid,
    /** Usually one byte string: the command as JSON in UTF-8. */
    cmd: list(str),
  }),
);
export type MMgrCommand = MessageValue<typeof MMgrCommand>;
