/**
 * MServiceMap: the daemons that registered with the manager (rbd-mirror, radosgw), as its encoding.
 * ceph: src/messages/MServiceMap.h
 */

import { record } from "../encoding/index.ts";
import { type MessageValue, message, opaqueStruct } from "./message-type.ts";

export const MServiceMap = message(
  { type: 0x707, name: "service_map" },
  record("MServiceMap", {
    /** An encoded ServiceMap. */
    serviceMap: opaqueStruct("ServiceMap"),
  }),
);
export type MServiceMap = MessageValue<typeof MServiceMap>;
