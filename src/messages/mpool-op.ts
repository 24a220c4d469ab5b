/**
 * MPoolOp: a client changes a pool: mostly, takes or drops a snapshot id.
 * ceph: src/messages/MPoolOp.h
 */

import { fixed, record, s16, str, u8, u32, u64 } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message, PAXOS_FIELDS } from "./message-type.ts";

/** ceph: src/include/ceph_fs.h POOL_OP_* */
export const POOL_OP = {
  CREATE: 0x01,
  DELETE: 0x02,
  AUID_CHANGE: 0x03,
  CREATE_SNAP: 0x11,
  DELETE_SNAP: 0x12,
  CREATE_UNMANAGED_SNAP: 0x21,
  DELETE_UNMANAGED_SNAP: 0x22,
} as const;

export const MPoolOp = message(
  { type: 49, name: "poolop", version: 4, compatVersion: 2 },
  record("MPoolOp", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    pool: u32,
    /** POOL_OP. */
    op: u32,
    auid: fixed(u64, 0n),
    /** DELETE_UNMANAGED_SNAP: which. */
    snapid: u64,
    /** Of the pool or of the pool's snapshot. */
    poolName: str,
    pad: fixed(u8, 0),
    crushRule: s16,
  }),
);
export type MPoolOp = MessageValue<typeof MPoolOp>;
