/**
 * MOSDBackoff: an OSD asks a client to hold its ops on a range of objects, and later to go on.
 * ceph: src/messages/MOSDBackoff.h
 */

import { record, u8, u32, u64 } from "../encoding/index.ts";
import { HObject, SpgId } from "../types/index.ts";
import { type MessageValue, message } from "./message-type.ts";

/** ceph: src/include/rados.h CEPH_OSD_BACKOFF_OP_* */
export const BACKOFF_OP = { BLOCK: 1, ACK_BLOCK: 2, UNBLOCK: 3 } as const;

export const MOSDBackoff = message(
  { type: 61, name: "osd_backoff" },
  record("MOSDBackoff", {
    pgid: SpgId,
    mapEpoch: u32,
    /** BACKOFF_OP. */
    op: u8,
    /** Unique within the session. */
    id: u64,
    /** The range is [begin, end), or the one object when they are equal. */
    begin: HObject,
    end: HObject,
  }),
);
export type MOSDBackoff = MessageValue<typeof MOSDBackoff>;
