/**
 * MMgrMap: which manager is active, as its encoding.
 * ceph: src/messages/MMgrMap.h
 */

import { record } from "../encoding/index.ts";
import { type MessageValue, message, opaqueStruct } from "./message-type.ts";

export const MMgrMap = message(
  { type: 0x704, name: "mgrmap" },
  record("MMgrMap", {
    /** An encoded MgrMap. */
    map: opaqueStruct("MgrMap"),
  }),
);
export type MMgrMap = MessageValue<typeof MMgrMap>;
