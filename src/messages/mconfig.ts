/**
 * MConfig: options that the monitors set for a client, on top of its own file.
 * ceph: src/messages/MConfig.h
 */

import { map, record, str } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MConfig = message(
  { type: 62, name: "config" },
  record("MConfig", {
    /** Option name to value, both byte strings. */
    config: map(str, str),
  }),
);
export type MConfig = MessageValue<typeof MConfig>;
