/**
 * MPing: a sign of life. Between client and OSD it is empty; a monitor answers `ceph ping` with a text.
 * ceph: src/messages/MPing.h; src/mon/Monitor.cc handle_ping
 */

import { message } from "./message-type.ts";

export interface MPing {
  /** A monitor's answer: a JSON object in UTF-8. */
  text?: string | undefined;
}

export const MPing = message<MPing>(
  { type: 2, name: "ping" },
  {
    encode(w, x) {
      if (x.text !== undefined) w.str(x.text);
    },
    decode: (r) => (r.remaining === 0 ? {} : { text: r.str() }),
  },
);
