/**
 * What an OSD tells its monitor every few seconds: the state and size of its PGs, its space, its latencies.
 * Passed between threads as it is, never over the wire.
 * ceph: src/messages/MPGStats.h, src/osd/osd_types.h osd_stat_t
 */

import type { EVersion, PgId } from "../types/index.ts";
import type { ObjectStatSum } from "./stats.ts";

/** One placement group as its primary sees it. */
export interface PgReport {
  readonly pgid: PgId;
  /** `active+clean` and the like. */
  readonly state: string;
  /** Version of the last write. */
  readonly version: EVersion;
  readonly stats: ObjectStatSum;
  /** Bytes on disk for data, shared extents counted once. */
  readonly allocated: number;
  /** Bytes that its objects hold, each for itself: clones in full, holes not. */
  readonly stored: number;
  /** Entries in the log of recent ops. */
  readonly logSize: number;
  /** Removed snaps not yet trimmed. */
  readonly snapTrimQueueLength: number;
  /** Objects that did not read as they were written; the first of them, in words. */
  readonly damaged: readonly string[];
}

/** Space of an OSD's store, bytes. */
export interface OsdSpace {
  readonly total: number;
  readonly available: number;
  /** Allocated to objects' data. */
  readonly data: number;
  /** Taken by metadata, journal and the like. */
  readonly internal: number;
}

/** How full an OSD is by the ratios of the map. */
export type OsdFullness = "none" | "nearfull" | "backfillfull" | "full";

/**
 * What an image has been read and written since the last report.
 * ceph: src/mgr/OSDPerfMetricTypes.h OSDPerfMetricReport
 */
export interface ImageIo {
  /** Where its data is. */
  readonly pool: number;
  readonly nspace: string;
  /** Where its header is, if not in the same pool. */
  readonly imagePool: number | undefined;
  readonly imageId: string;
  readonly writeOps: number;
  readonly readOps: number;
  readonly writeBytes: number;
  readonly readBytes: number;
  /** Of all of them together, as the others. */
  readonly writeLatencyNs: number;
  readonly readLatencyNs: number;
}

/** Groups that a report leaves out keep their last one. */
export interface OsdReport {
  /** Rises with every report: the epoch in which the OSD came up, times 2^32, plus a count.  ceph: osd_stat_t seq */
  readonly seq: number;
  /** Map epoch the OSD is at. */
  readonly epoch: number;
  readonly statfs: OsdSpace;
  readonly fullness: OsdFullness;
  readonly pgs: readonly PgReport[];
  readonly perf: { readonly commitLatencyMs: number; readonly applyLatencyMs: number };
  /** undefined: nobody has asked this OSD to count. */
  readonly images?: readonly ImageIo[] | undefined;
  /** Options that this OSD was told itself, by name. @default none */
  readonly overrides?: ReadonlyMap<string, string>;
}
