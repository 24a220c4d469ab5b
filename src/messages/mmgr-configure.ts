/**
 * MMgrConfigure: the manager tells a daemon how often to report, and what.
 * ceph: src/messages/MMgrConfigure.h; src/mgr/OSDPerfMetricTypes.h, src/mgr/MetricTypes.h
 */

import { list, optional, pairs, record, u32 } from "../encoding/index.ts";
import { type MessageValue, message, opaqueStruct } from "./message-type.ts";

export const MMgrConfigure = message(
  { type: 0x701, name: "mgrconfigure", version: 4, compatVersion: 1 },
  record("MMgrConfigure", {
    /** Seconds between reports. */
    statsPeriod: u32,
    /** Lowest priority of counters to report. */
    statsThreshold: u32,
    /** Queries of `rbd perf`: opaque, we run none. */
    osdPerfMetricQueries: pairs(
      opaqueStruct("OSDPerfMetricQuery"),
      list(opaqueStruct("OSDPerfMetricLimit")),
    ),
    metricConfig: optional(
      record("MetricConfigMessage", { type: u32, payload: opaqueStruct("ConfigPayload") }),
    ),
  }),
);
export type MMgrConfigure = MessageValue<typeof MMgrConfigure>;
