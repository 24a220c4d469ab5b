/**
 * MGetPoolStatsReply: statistics by pool name.
 * ceph: src/messages/MGetPoolStatsReply.h
 */

import { bool, map, record, str } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message, opaqueStruct, PAXOS_FIELDS } from "./message-type.ts";

export const MGetPoolStatsReply = message(
  { type: 59, name: "getpoolstatsreply", version: 2, compatVersion: 1 },
  record("MGetPoolStatsReply", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    /** An encoded pool_stat_t by pool name. */
    poolStats: map(str, opaqueStruct("pool_stat_t")),
    /** Are bytes used counted per pool (all OSDs are new enough)? */
    perPool: bool,
  }),
);
export type MGetPoolStatsReply = MessageValue<typeof MGetPoolStatsReply>;
