/**
 * MMonMap: the monitor map, as its encoding.
 * ceph: src/messages/MMonMap.h
 */

import { blob, record } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonMap = message(
  { type: 4, name: "mon_map" },
  record("MMonMap", {
    /** An encoded MonMap. */
    monmap: blob,
  }),
);
export type MMonMap = MessageValue<typeof MMonMap>;
