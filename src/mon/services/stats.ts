/**
 * What the OSDs report: placement group states and sizes, disk space, latencies; and the sums that
 * `ceph -s`, `df` and librados' statfs show. Kept in memory only: every OSD reports anew after a start.
 * ceph: src/mon/PGMap.cc
 */

import type { Clock } from "../../base/index.ts";
import {
  addObjectStatSum,
  newObjectStatSum,
  type ObjectStatSum,
  type OsdMap,
  type OsdReport,
  type OsdSpace,
  type PgReport,
} from "../../maps/index.ts";
import { formatPgId, type PgId } from "../../types/index.ts";

/** A group with what the monitor adds to the report. */
export interface PgEntry extends PgReport {
  readonly osd: number;
  /** Milliseconds since 1970. */
  readonly reportedAt: number;
  readonly stateSince: number;
  readonly createdAt: number;
  readonly reportedSeq: number;
  readonly reportedEpoch: number;
}

export interface PoolSums {
  readonly pgs: number;
  readonly stats: ObjectStatSum;
  readonly allocated: number;
  readonly stored: number;
  readonly logSize: number;
}

function emptySums(): { -readonly [K in keyof PoolSums]: PoolSums[K] } {
  return { pgs: 0, stats: newObjectStatSum(), allocated: 0, stored: 0, logSize: 0 };
}

/** Reads and writes per second over the last reports. */
export interface IoRates {
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOps: number;
  readonly writeOps: number;
}

const RATE_WINDOW_MS = 10_000;

export const STATFS_ZERO: OsdSpace = Object.freeze({
  total: 0,
  available: 0,
  data: 0,
  internal: 0,
});

export class StatsService {
  readonly #clock: Clock;
  readonly #pgs = new Map<string, PgEntry>();
  readonly #osds = new Map<number, OsdReport>();
  /** Whole-cluster sums some time ago, per pool; for rates. */
  readonly #samples: { at: number; pools: Map<number, ObjectStatSum> }[] = [];
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#version;
  }

  report(osd: number, report: OsdReport): void {
    const now = this.#clock.now();
    this.#version++;
    this.#osds.set(osd, report);
    for (const pg of report.pgs) {
      const key = formatPgId(pg.pgid);
      const before = this.#pgs.get(key);
      this.#pgs.set(key, {
        ...pg,
        osd,
        reportedAt: now,
        stateSince: before !== undefined && before.state === pg.state ? before.stateSince : now,
        createdAt: before?.createdAt ?? now,
        reportedSeq: (before?.reportedSeq ?? 0) + 1,
        reportedEpoch: report.epoch,
      });
    }
    this.#sample(now);
  }

  #sample(now: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < 1000) return;
    const pools = new Map<number, ObjectStatSum>();
    for (const pg of this.#pgs.values()) {
      const sum = pools.get(pg.pgid.pool) ?? newObjectStatSum();
      addObjectStatSum(sum, pg.stats);
      pools.set(pg.pgid.pool, sum);
    }
    this.#samples.push({ at: now, pools });
    while ((this.#samples[1]?.at ?? now) <= now - RATE_WINDOW_MS) this.#samples.shift();
  }

  /** Forgets groups of pools and OSDs that the map does not have any more. */
  prune(map: OsdMap): void {
    for (const [key, pg] of this.#pgs) {
      const pool = map.pools.get(pg.pgid.pool);
      if (pool === undefined || pg.pgid.seed >= pool.pgNum) this.#pgs.delete(key);
    }
    for (const osd of this.#osds.keys()) if (osd >= map.maxOsd) this.#osds.delete(osd);
  }

  pg(pgid: PgId): PgEntry | undefined {
    return this.#pgs.get(formatPgId(pgid));
  }

  pgs(): IterableIterator<PgEntry> {
    return this.#pgs.values();
  }

  /** undefined: nothing has been heard of it since the start. */
  osd(id: number): OsdReport | undefined {
    return this.#osds.get(id);
  }

  /** Groups by state; a group nobody has reported yet is `unknown`. */
  states(map: OsdMap): Map<string, number> {
    const counts = new Map<string, number>();
    let expected = 0;
    for (const pool of map.pools.values()) expected += pool.pgNum;
    let known = 0;
    for (const pg of this.#pgs.values()) {
      if (!map.pools.has(pg.pgid.pool)) continue;
      known++;
      counts.set(pg.state, (counts.get(pg.state) ?? 0) + 1);
    }
    if (expected > known) counts.set("unknown", expected - known);
    return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  poolSums(pool: number): PoolSums {
    return this.#sum((pg) => pg.pgid.pool === pool);
  }

  /** All pools of the map together. */
  totals(map: OsdMap): PoolSums {
    return this.#sum((pg) => map.pools.has(pg.pgid.pool));
  }

  #sum(wanted: (pg: PgEntry) => boolean): PoolSums {
    const sums = emptySums();
    for (const pg of this.#pgs.values()) {
      if (!wanted(pg)) continue;
      sums.pgs++;
      addObjectStatSum(sums.stats, pg.stats);
      sums.allocated += pg.allocated;
      sums.stored += pg.stored;
      sums.logSize += pg.logSize;
    }
    return sums;
  }

  /** Space on OSDs together, on those that count. @param counts @default all of them */
  statfs(counts: (osd: number) => boolean = () => true): OsdSpace {
    let sum: OsdSpace = STATFS_ZERO;
    for (const [osd, { statfs }] of this.#osds) {
      if (!counts(osd)) continue;
      sum = {
        total: sum.total + statfs.total,
        available: sum.available + statfs.available,
        data: sum.data + statfs.data,
        internal: sum.internal + statfs.internal,
      };
    }
    return sum;
  }

  /** What clients do to one pool, or to all; zeros while nothing happens. */
  rates(pool?: number): IoRates {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const none = { readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0 };
    if (first === undefined || last === undefined || last.at <= first.at) return none;
    const seconds = (last.at - first.at) / 1000;
    const rates = { ...none };
    for (const [id, now] of last.pools) {
      if (pool !== undefined && id !== pool) continue;
      const before = first.pools.get(id) ?? newObjectStatSum();
      const rate = (a: number, b: number) => Math.floor(Math.max(0, a - b) / seconds);
      rates.readBytes += rate(now.numRdKb, before.numRdKb) * 1024;
      rates.writeBytes += rate(now.numWrKb, before.numWrKb) * 1024;
      rates.readOps += rate(now.numRd, before.numRd);
      rates.writeOps += rate(now.numWr, before.numWr);
    }
    return rates;
  }
}

/** Bytes taken, whatever by. */
export function usedBytes(statfs: OsdSpace): number {
  return statfs.total - statfs.available;
}
