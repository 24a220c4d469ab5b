/**
 * All message types we speak, by number: for logs, for tools that print frames, for tests.
 */

import type { MessageType } from "../types/index.ts";
import { MAuth } from "./mauth.ts";
import { MAuthReply } from "./mauth-reply.ts";
import { MCommand } from "./mcommand.ts";
import { MCommandReply } from "./mcommand-reply.ts";
import { MConfig } from "./mconfig.ts";
import { MGetPoolStats } from "./mget-pool-stats.ts";
import { MGetPoolStatsReply } from "./mget-pool-stats-reply.ts";
import { MLog } from "./mlog.ts";
import { MLogAck } from "./mlog-ack.ts";
import { MMgrClose } from "./mmgr-close.ts";
import { MMgrCommand } from "./mmgr-command.ts";
import { MMgrCommandReply } from "./mmgr-command-reply.ts";
import { MMgrConfigure } from "./mmgr-configure.ts";
import { MMgrMap } from "./mmgr-map.ts";
import { MMgrOpen } from "./mmgr-open.ts";
import { MMgrReport } from "./mmgr-report.ts";
import { MMonCommand } from "./mmon-command.ts";
import { MMonCommandAck } from "./mmon-command-ack.ts";
import { MMonGetMap } from "./mmon-get-map.ts";
import { MMonGetVersion } from "./mmon-get-version.ts";
import { MMonGetVersionReply } from "./mmon-get-version-reply.ts";
import { MMonMap } from "./mmon-map.ts";
import { MMonSubscribe } from "./mmon-subscribe.ts";
import { MMonSubscribeAck } from "./mmon-subscribe-ack.ts";
import { MOSDBackoff } from "./mosd-backoff.ts";
import { MOSDMap } from "./mosd-map.ts";
import { MOSDOp } from "./mosd-op.ts";
import { MOSDOpReply } from "./mosd-op-reply.ts";
import { MPing } from "./mping.ts";
import { MPoolOp } from "./mpool-op.ts";
import { MPoolOpReply } from "./mpool-op-reply.ts";
import { MServiceMap } from "./mservice-map.ts";
import { MStatfs } from "./mstatfs.ts";
import { MStatfsReply } from "./mstatfs-reply.ts";
import { MWatchNotify } from "./mwatch-notify.ts";

// biome-ignore lint: a table of types of any value; whoever looks one up knows which
type AnyMessageType = MessageType<never> | MessageType<unknown>;

const TYPES: readonly AnyMessageType[] = [
  MAuthReply,
  MAuth,
  MCommandReply,
  MCommand,
  MConfig,
  MGetPoolStatsReply,
  MGetPoolStats,
  MLogAck,
  MLog,
  MMgrClose,
  MMgrCommandReply,
  MMgrCommand,
  MMgrConfigure,
  MMgrMap,
  MMgrOpen,
  MMgrReport,
  MMonCommandAck,
  MMonCommand,
  MMonGetMap,
  MMonGetVersionReply,
  MMonGetVersion,
  MMonMap,
  MMonSubscribeAck,
  MMonSubscribe,
  MOSDBackoff,
  MOSDMap,
  MOSDOpReply,
  MOSDOp,
  MPing,
  MPoolOpReply,
  MPoolOp,
  MServiceMap,
  MStatfsReply,
  MStatfs,
  MWatchNotify,
];

const BY_NUMBER: ReadonlyMap<number, AnyMessageType> = new Map(TYPES.map((t) => [t.type, t]));

/** Every message type, in no order. */
export function messageTypes(): readonly AnyMessageType[] {
  return TYPES;
}

/** The type with this number; undefined if we do not speak it. */
export function messageTypeOf(type: number): AnyMessageType | undefined {
  return BY_NUMBER.get(type);
}

/** Ceph's name of a message type, or `unknown(0x705)`. */
export function messageName(type: number): string {
  return BY_NUMBER.get(type)?.name ?? `unknown(0x${type.toString(16)})`;
}
