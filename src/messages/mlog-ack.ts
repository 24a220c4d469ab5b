/**
 * MLogAck: up to which entry the monitors have a daemon's log.
 * ceph: src/messages/MLogAck.h
 */

import { type Infer, record, u64n } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { message } from "./message-type.ts";

const Head = record("MLogAck", {
  fsid: Uuid,
  /** Sequence number. */
  last: u64n,
});

export interface MLogAck extends Infer<typeof Head> {
  /** Byte string; "" when an old sender left it out. */
  channel: string;
}

export const MLogAck = message<MLogAck>(
  { type: 53, name: "log_ack" },
  {
    encode(w, x) {
      Head.encode(w, x);
      w.str(x.channel);
    },
    decode(r) {
      const { fsid, last } = Head.decode(r);
      return { fsid, last, channel: r.remaining === 0 ? "" : r.str() };
    },
  },
);
