/** The PGs of an OSD: which are its own by the map, each read from the store when it is first needed. */

import type { Clock, Logger } from "../base/index.ts";
import { isBlocklisted, mapPg, type OsdMap, type PgReport, pgKey } from "../maps/index.ts";
import type { CorruptionError, ObjectStore } from "../store/index.ts";
import { IntervalSet, type PgId } from "../types/index.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Damage } from "./damage.ts";
import type { OsdMaps } from "./osd-maps.ts";
import { Pg } from "./pg.ts";
import { seedOf } from "./pg-parts.ts";
import { pgReport, splittingReport } from "./pg-report.ts";
import type { SnapTrimmer } from "./snap-trimmer.ts";
import { Splits } from "./splits.ts";

/** Object contexts kept beyond those in use, by all PGs together; and what each may have in any case. */
export const CONTEXTS_MAX = 4096;
const CONTEXTS_PER_PG_MIN = 16;
const NO_SNAPS = new IntervalSet();

export interface PgTableHost {
  /** Of this OSD. */
  readonly id: number;
  readonly store: ObjectStore;
  readonly commits: CommitQueue;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maps: OsdMaps;
  readonly trimmer: SnapTrimmer;
  readonly damage: Damage;
  readonly isStopped: () => boolean;
  /** The pool's PGs have all been taken apart. */
  splitDone(pool: number): void;
  /** What is a PG's own does not read as it was written. */
  readonly damaged: (pg: Pg, error: CorruptionError) => void;
}

export class PgTable {
  readonly #host: PgTableHost;
  readonly #pgs = new Map<string, Pg>();
  readonly splits: Splits;

  constructor(host: PgTableHost) {
    this.#host = host;
    const { store, clock, log, commits } = host;
    this.splits = new Splits({
      store,
      clock,
      log,
      pg: (id) => this.get(id),
      whenAnswered: (fn) => commits.after(store.lastSubmitted, fn),
      begun: (parent) => {
        host.trimmer.forget(parent);
        host.damage.forget(parent);
      },
      ended: (parent, children) => this.#hasSplit(parent, children),
      poolDone: (pool) => host.splitDone(pool),
      damaged: host.damaged,
    });
  }

  get size(): number {
    return this.#pgs.size;
  }

  /** Removed snaps of a pool that are not yet purged everywhere. */
  removedSnaps(pool: number): IntervalSet {
    return this.#host.maps.current.removedSnapsQueue.get(pool) ?? NO_SNAPS;
  }

  isPrimary(pg: PgId): boolean {
    return mapPg(this.#host.maps.current, pg).actingPrimary === this.#host.id;
  }

  get(id: PgId): Pg {
    const key = pgKey(id);
    let pg = this.#pgs.get(key);
    if (pg === undefined) {
      const { store, commits, clock, log, maps } = this.#host;
      pg = new Pg(
        {
          store,
          commits,
          clock,
          log,
          epoch: () => maps.epoch,
          contextsMax: () => Math.max(CONTEXTS_PER_PG_MIN, CONTEXTS_MAX / this.#pgs.size),
          removedSnaps: (pool) => this.removedSnaps(pool),
          isStopped: this.#host.isStopped,
        },
        id,
      );
      this.#pgs.set(key, pg);
      this.#host.damage.load(pg);
      if (pg.damage !== undefined) this.#host.damaged(pg, pg.damage);
    }
    return pg;
  }

  /** The PG if it is ours and whole. */
  own(id: PgId): Pg | undefined {
    return this.isPrimary(id) && !this.splits.isPending(id) ? this.get(id) : undefined;
  }

  /** Our PGs of a pool, those that are being taken apart left out. */
  *primaries(poolId: number): Iterable<Pg> {
    const pool = this.#host.maps.current.pools.get(poolId);
    for (let seed = 0; seed < (pool?.pgNum ?? 0); seed++) {
      const pg = this.own({ pool: poolId, seed });
      if (pg !== undefined) yield pg;
    }
  }

  mapChanged(map: OsdMap): void {
    this.splits.mapChanged(map);
    for (const [key, pg] of this.#pgs) {
      if (!map.pools.has(pg.id.pool)) {
        this.#pgs.delete(key);
        pg.retire();
        this.#host.trimmer.forget(pg);
        this.#host.damage.forget(pg);
        continue;
      }
      this.#endBlocklistedWatches(pg);
      pg.forgetPurged();
    }
  }

  #endBlocklistedWatches(pg: Pg): void {
    const map = this.#host.maps.current;
    if (map.blocklist.size + map.rangeBlocklist.size === 0) return;
    for (const context of pg.objects.watched()) {
      for (const watch of context.watches.values()) {
        if (isBlocklisted(map, watch.info.addr)) pg.endWatch(context, watch);
      }
    }
  }

  #hasSplit(parent: Pg, children: readonly PgId[]): void {
    const { damage } = this.#host;
    // What has been looked at of them before they were there is not true any more.
    for (const id of children) {
      const early = this.#pgs.get(pgKey(id));
      if (early !== undefined) damage.forget(early);
      this.#pgs.delete(pgKey(id));
    }
    damage.load(parent);
    const { pool, seed } = parent.id;
    const pgs = new Map(children.map((id) => [id.seed, this.get(id)]));
    pgs.set(seed, parent);
    const pgNum = this.splits.pgNum(pool);
    parent.endSplit((hash) => pgs.get(seedOf(hash, pgNum)) ?? parent);
    // Who was locked out meanwhile.
    for (const pg of pgs.values()) this.#endBlocklistedWatches(pg);
  }

  reports(): PgReport[] {
    const { maps, trimmer, damage, store } = this.#host;
    const reports: PgReport[] = [];
    for (const pool of maps.current.pools.keys()) {
      for (const pg of this.primaries(pool)) {
        reports.push(pgReport(pg, trimmer.pending(pg), damage.of(pg)));
      }
      for (const { parent, children } of this.splits.parents(pool)) {
        if (!this.isPrimary(parent)) continue;
        reports.push(splittingReport(store, this.get(parent), children));
      }
    }
    return reports;
  }
}
