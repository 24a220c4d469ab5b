/**
 * MAuth: within a session, a client renews its tickets.
 * ceph: src/messages/MAuth.h
 */

import { blob, type Infer, record, u32 } from "../encoding/index.ts";
import { message, PAXOS_FIELDS } from "./message-type.ts";

const Head = record("MAuth", {
  ...PAXOS_FIELDS,
  /** 1 none, 2 cephx. */
  protocol: u32,
  payload: blob,
});

export interface MAuth extends Infer<typeof Head> {
  /** The monitor map the client has; 0: none. */
  monmapEpoch: number;
}

export const MAuth = message<MAuth>(
  { type: 17, name: "auth" },
  {
    encode(w, x) {
      Head.encode(w, x);
      w.u32(x.monmapEpoch);
    },
    decode(r) {
      const { version, protocol, payload } = Head.decode(r);
      // compat: old clients stop before the epoch.
      const monmapEpoch = r.remaining === 0 ? 0 : r.u32();
      return { version, protocol, payload, monmapEpoch };
    },
  },
);
