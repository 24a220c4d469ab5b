/**
 * MMonGetVersionReply: newest and oldest version of a map that the monitor has.
 * ceph: src/messages/MMonGetVersionReply.h
 */

import { record, u64n } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonGetVersionReply = message(
  { type: 20, name: "mon_get_version_reply", version: 2 },
  record("MMonGetVersionReply", {
    handle: u64n,
    version: u64n,
    oldestVersion: u64n,
  }),
);
export type MMonGetVersionReply = MessageValue<typeof MMonGetVersionReply>;
