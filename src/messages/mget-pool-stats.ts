/**
 * MGetPoolStats: a client asks for the statistics of some pools.
 * ceph: src/messages/MGetPoolStats.h
 */

import { list, record, str } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message, PAXOS_FIELDS } from "./message-type.ts";

export const MGetPoolStats = message(
  { type: 58, name: "getpoolstats" },
  record("MGetPoolStats", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    /** Pool names. */
    pools: list(str),
  }),
);
export type MGetPoolStats = MessageValue<typeof MGetPoolStats>;
