/**
 * MMonGetMap: a client asks for the monitor map; it has nothing to say.
 * ceph: src/messages/MMonGetMap.h
 */

import { record } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonGetMap = message({ type: 5, name: "mon_getmap" }, record("MMonGetMap", {}));
export type MMonGetMap = MessageValue<typeof MMonGetMap>;
