/** A PG as the monitor hears of it: its state in Ceph's words, its counters under Ceph's names. */

import { decodeFromBytes } from "../encoding/index.ts";
import { newObjectStatSum, type ObjectStatSum, type PgReport } from "../maps/index.ts";
import type { ObjectStore } from "../store/index.ts";
import { formatPgId, type IntervalSet, type PgId } from "../types/index.ts";
import type { Pg } from "./pg.ts";
import { metaObject, PG_INFO, PgInfo } from "./pg-info.ts";
import { addStats, copyStats, type PgStats } from "./pg-stats.ts";

/** Damaged objects that are told by name.  ceph: mon_health_max_detail */
const DAMAGED_TOLD_MAX = 50;

/** `active+clean` and what is to be said beyond, in upstream's order.  ceph: src/osd/osd_types.cc pg_state_string */
function stateOf(damaged: number, toTrim: number): string {
  const inconsistent = damaged > 0 ? "+inconsistent" : "";
  return `active+clean${inconsistent}${toTrim > 0 ? "+snaptrim" : ""}`;
}

/** Under Ceph's names. */
function statSum(stats: PgStats): ObjectStatSum {
  return {
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
  };
}

/** A PG that is being taken apart: nobody is served yet, and what has left it already counts as its own. */
export function splittingReport(
  store: ObjectStore,
  parent: Pg,
  children: readonly PgId[],
): PgReport {
  const stats = copyStats(parent.info.stats);
  let { allocated, stored } = parent.usage;
  for (const id of children) {
    const [collection, meta] = [formatPgId(id), metaObject(id)];
    const info =
      store.getAttr(collection, meta, PG_INFO) ?? store.getAttr(parent.collection, meta, PG_INFO);
    if (info !== undefined) addStats(stats, decodeFromBytes(PgInfo, info).stats);
    const usage = store.usage(collection);
    allocated += usage.allocated;
    stored += usage.stored;
  }
  return {
    pgid: parent.id,
    state: "peering",
    version: parent.info.lastUpdate,
    stats: statSum(stats),
    allocated,
    stored,
    logSize: parent.logSize,
    snapTrimQueueLength: 0,
    damaged: [],
  };
}

/**
 * @param pending removed snaps that are still to be trimmed
 * @param damaged objects that did not read as they were written
 */
export function pgReport(pg: Pg, pending: IntervalSet, damaged: readonly string[]): PgReport {
  const { lastUpdate } = pg.info;
  const { allocated, stored } = pg.usage;
  return {
    pgid: pg.id,
    state: stateOf(damaged.length, pending.size),
    version: lastUpdate,
    stats: {
      ...statSum(pg.info.stats),
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
