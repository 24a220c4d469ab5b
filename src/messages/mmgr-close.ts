/**
 * MMgrClose: a daemon takes leave of the manager, which answers with the same.
 * ceph: src/messages/MMgrClose.h
 */

import { record, str } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMgrClose = message(
  { type: 0x708, name: "mgrclose" },
  record("MMgrClose", {
    daemonName: str,
    /** `rgw`, `rbd-mirror`, …; "" means the entity's type. */
    serviceName: str,
  }),
);
export type MMgrClose = MessageValue<typeof MMgrClose>;
