/**
 * MMgrReport: a daemon's counters, status and health, for the manager.
 * ceph: src/messages/MMgrReport.h; src/mgr/DaemonHealthMetric.h, src/mgr/MetricTypes.h
 */

import {
  blob,
  type Infer,
  list,
  map,
  optional,
  pairs,
  record,
  str,
  struct,
  u8,
  u32,
  u64n,
} from "../encoding/index.ts";
import { type MessageValue, message, opaqueStruct } from "./message-type.ts";

/** A counter's description, sent once before its values. */
export const PerfCounterType = struct(
  "PerfCounterType",
  { v: 3, oldest: 3 },
  {
    path: str,
    description: str,
    nick: str,
    /** Bits: ceph: src/common/perf_counters.h perfcounter_type_d */
    type: u8,
    priority: u8,
    unit: u8,
  },
);
export type PerfCounterType = Infer<typeof PerfCounterType>;

export const DaemonHealthMetric = struct(
  "DaemonHealthMetric",
  { v: 1 },
  {
    /** 0 slow ops, 1 pending creating PGs. */
    type: u8,
    value: u64n,
  },
);

export const MMgrReport = message(
  { type: 0x702, name: "mgrreport", version: 9, compatVersion: 1 },
  record("MMgrReport", {
    daemonName: str,
    declareTypes: list(PerfCounterType),
    /** Values of all declared counters, packed by their types. */
    packed: blob,
    undeclareTypes: list(str),
    serviceName: str,
    daemonStatus: optional(map(str, str)),
    daemonHealthMetrics: list(DaemonHealthMetric),
    /** Encoded map of changed options; empty when none. */
    config: blob,
    osdPerfMetricReports: pairs(
      opaqueStruct("OSDPerfMetricQuery"),
      opaqueStruct("OSDPerfMetricReport"),
    ),
    taskStatus: optional(map(str, str)),
    metricReport: optional(
      record("MetricReportMessage", { type: u32, payload: opaqueStruct("MetricPayload") }),
    ),
  }),
);
export type MMgrReport = MessageValue<typeof MMgrReport>;
