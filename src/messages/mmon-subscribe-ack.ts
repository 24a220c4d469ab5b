/**
 * MMonSubscribeAck: how long a subscription lives. Only for clients without stateful subscriptions, which
 * are older than any we serve.
 * ceph: src/messages/MMonSubscribeAck.h
 */

import { record, u32 } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonSubscribeAck = message(
  { type: 16, name: "mon_subscribe_ack" },
  record("MMonSubscribeAck", {
    /** Seconds. */
    interval: u32,
    fsid: Uuid,
  }),
);
export type MMonSubscribeAck = MessageValue<typeof MMonSubscribeAck>;
