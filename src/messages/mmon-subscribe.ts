/**
 * MMonSubscribe: a client asks to be sent maps and the like from some version on.
 * ceph: src/messages/MMonSubscribe.h; src/include/ceph_fs.h ceph_mon_subscribe_item
 */

import { map, type Reader, record, str, u8, u64n, type Writer } from "../encoding/index.ts";
import { message } from "./message-type.ts";

/** Flag of a subscription: send one answer and forget it. */
export const SUBSCRIBE_ONETIME = 1;

const Item = record("ceph_mon_subscribe_item", {
  /** First version wanted; 0 means the newest, at once. */
  start: u64n,
  /** SUBSCRIBE_ONETIME or 0. */
  flags: u8,
});
const What = map(str, Item);

export interface MMonSubscribe {
  /** By what is wanted: `osdmap`, `monmap`, `mgrmap`, `config`, `log-info`, … */
  what: Map<string, { start: number; flags: number }>;
  /** The client's host, "" from the kernel's older clients (version 2). */
  hostname: string;
}

export const MMonSubscribe = message<MMonSubscribe>(
  { type: 15, name: "mon_subscribe", version: 3, compatVersion: 1, oldest: 2 },
  {
    encode(w: Writer, x) {
      What.encode(w, x.what);
      w.str(x.hostname);
    },
    decode(r: Reader, version) {
      const what = What.decode(r);
      return { what, hostname: version >= 3 ? r.str() : "" };
    },
  },
);
