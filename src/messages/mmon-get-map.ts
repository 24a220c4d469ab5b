/**
 * MMonGetMap: a client asks for the monitor map; it has nothing to say.
 * ceph: src/messages/MMonGetMap.h
 */

import { record } from "../encoding/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MMonGetMap = message({ type: 5, name: "mon_getmap" }, record("MMonGetMap", {}));
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- it has nothing to say
export type MMonGetMap = MessageValue<typeof MMonGetMap>;
