/**
 * MMonGetVersion: which is the newest version of a map?
 * ceph: src/messages/MMonGetVersion.h
 */

import { record, str, u64n } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonGetVersion = message(
  { type: 19, name: "mon_get_version" },
  record("MMonGetVersion", {
    /** The client's, echoed. */
    handle: u64n,
    /** Which map: `osdmap`, `monmap`, `mgrmap`, … */
    what: str,
  }),
);
export type MMonGetVersion = MessageValue<typeof MMonGetVersion>;
