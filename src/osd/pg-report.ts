/** A PG as the monitor hears of it: its state in Ceph's words, its counters under Ceph's names. */

import { newObjectStatSum, type PgReport } from "../maps/index.ts";
import type { IntervalSet } from "../types/index.ts";
import type { Pg } from "./pg.ts";

/** Damaged objects that are told by name.  ceph: mon_health_max_detail */
const DAMAGED_TOLD_MAX = 50;

/** `active+clean` and what is to be said beyond, in upstream's order.  ceph: src/osd/osd_types.cc pg_state_string */
function stateOf(damaged: number, toTrim: number): string {
  const inconsistent = damaged > 0 ? "+inconsistent" : "";
  return `active+clean${inconsistent}${toTrim > 0 ? "+snaptrim" : ""}`;
}

/**
 * @param pending removed snaps that are still to be trimmed
 * @param damaged objects that did not read as they were written
 */
export function pgReport(pg: Pg, pending: IntervalSet, damaged: readonly string[]): PgReport {
  const { stats, lastUpdate } = pg.info;
  const { allocated, stored } = pg.usage;
  return {
    pgid: pg.id,
    state: stateOf(damaged.length, pending.size),
    version: lastUpdate,
    stats: {
      ...newObjectStatSum(),
      numBytes: stats.bytes,
      numObjects: stats.objects,
      numObjectClones: stats.clones,
      numObjectCopies: stats.objects,
      numWhiteouts: stats.whiteouts,
      numObjectsOmap: stats.omapObjects,
      numRd: stats.reads,
      numRdKb: stats.readKb,
      numWr: stats.writes,
      numWrKb: stats.writeKb,
      // A read is what a deep scrub would have done.
      numScrubErrors: damaged.length,
      numDeepScrubErrors: damaged.length,
    },
    allocated,
    stored,
    logSize: pg.logSize,
    snapTrimQueueLength: pending.size,
    damaged: damaged.slice(0, DAMAGED_TOLD_MAX),
  };
}
