/**
 * MLog: entries of the cluster log, from daemons to the monitors and from there to `ceph -w`.
 * ceph: src/messages/MLog.h
 */

import { type Infer, list, record, str, struct, u16, u64n } from "../encoding/index.ts";
import { AddrVec, AuthEntity, EntityName, Utime, Uuid } from "../types/index.ts";
import { type MessageValue, message, PAXOS_FIELDS } from "./message-type.ts";

/** ceph: src/common/LogEntry.h clog_type */
export const CLOG = { DEBUG: 0, INFO: 1, SEC: 2, WARN: 3, ERROR: 4 } as const;

/** One line of the cluster log.  ceph: src/common/LogEntry.h */
export const LogEntry = struct(
  "LogEntry",
  { v: 5, oldest: 5, compat: 5 },
  {
    name: AuthEntity,
    rank: EntityName,
    addrs: AddrVec,
    stamp: Utime,
    /** Counts up per sender. */
    seq: u64n,
    /** CLOG. */
    prio: u16,
    message: str,
    /** `cluster`, `audit`, … */
    channel: str,
  },
);
export type LogEntry = Infer<typeof LogEntry>;

export const MLog = message(
  { type: 52, name: "log" },
  record("MLog", {
    ...PAXOS_FIELDS,
    fsid: Uuid,
    entries: list(LogEntry),
  }),
);
export type MLog = MessageValue<typeof MLog>;
