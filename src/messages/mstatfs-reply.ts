/**
 * MStatfsReply: space of the cluster or of one pool, in KiB.
 * ceph: src/messages/MStatfsReply.h
 */

import { record, u64n } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MStatfsReply = message(
  { type: 14, name: "statfs_reply" },
  record("MStatfsReply", {
    fsid: Uuid,
    /** Version of the statistics. */
    version: u64n,
    /** KiB. */
    kb: u64n,
    /** KiB. */
    kbUsed: u64n,
    /** KiB. */
    kbAvail: u64n,
    numObjects: u64n,
  }),
);
export type MStatfsReply = MessageValue<typeof MStatfsReply>;
