/**
 * Pools and their snapshots, as edits of the pending map. Every function validates first and edits after;
 * a `Refusal` means that nothing was edited.
 *
 * Snapshot ids: a pool's are either "self-managed" (librbd asks for numbers) or "pool snaps" (`rados mksnap`),
 * whichever came first, never both. Ids are never reused: taking and dropping one both advance the pool's
 * sequence. A dropped id goes to the removed queue, the OSDs trim it, then it counts as purged.
 * ceph: src/mon/OSDMonitor.cc, src/osd/osd_types.cc pg_pool_t
 */

import { ERRNO, type ErrnoName } from "../../base/index.ts";
import {
  newPool,
  PG_AUTOSCALE_MODE,
  type PgPool,
  POOL_FLAG,
  type PoolOpt,
  poolByName,
} from "../../maps/index.ts";
import { IntervalSet, type Utime } from "../../types/index.ts";
import { NextEpoch, type PendingMap } from "./osd-map.ts";

/** Why an edit was not made. */
export class Refusal {
  /** Negative. */
  readonly errno: number;
  readonly message: string;
  constructor(errno: ErrnoName, message = "") {
    this.errno = -ERRNO[errno];
    this.message = message;
  }
}

export const PG_NUM_DEFAULT = 32;
/** As upstream's `mon max pool pg num`. */
export const PG_NUM_MAX = 65536;
const POOL_NAME_MAX = 1024;

export interface NewPool {
  /** A byte string. */
  readonly name: string;
  /** 0: the default. */
  readonly pgNum: number;
  readonly size: number;
  readonly crushRule: number;
  readonly expectedNumObjects: number;
  readonly opts: ReadonlyMap<number, PoolOpt>;
  /** One of PG_AUTOSCALE_MODE. @default OFF */
  readonly autoscaleMode?: number;
  readonly createTime: Utime;
}

/**
 * A name that an epoch takes from one pool it cannot give to another: librados takes the old pool's away last, and
 * would know neither by it from then on.
 * @throws NextEpoch
 * ceph: src/osd/OSDMap.cc apply_incremental
 */
function checkNameIsFree(pending: PendingMap, name: string, id?: number): void {
  const holder = poolByName(pending.base, name);
  if (holder !== undefined && holder !== id) throw new NextEpoch();
}

export function createPool(pending: PendingMap, want: NewPool): number | Refusal {
  if (want.name === "" || want.name.length > POOL_NAME_MAX) {
    return new Refusal("EINVAL", "(22) Invalid argument");
  }
  const pgNum = want.pgNum === 0 ? PG_NUM_DEFAULT : want.pgNum;
  if (pgNum > PG_NUM_MAX) {
    return new Refusal(
      "ERANGE",
      `'pg_num' must be greater than 0 and less than or equal to ${PG_NUM_MAX} (you may adjust 'mon max pool pg num' for higher values)`,
    );
  }
  if (want.size > 1) {
    return new Refusal("EINVAL", `pool size ${want.size} is not supported: the only size is 1`);
  }
  checkNameIsFree(pending, want.name);
  const id = pending.map.poolMax + 1;
  const pool = newPool({
    pgNum,
    size: 1,
    minSize: 1,
    crushRule: want.crushRule,
    expectedNumObjects: want.expectedNumObjects,
    opts: new Map(want.opts),
    createTime: want.createTime,
    pgAutoscaleMode: want.autoscaleMode ?? PG_AUTOSCALE_MODE.OFF,
  });
  pending.edit((inc) => {
    inc.newPoolMax = id;
    inc.newPools.set(id, pool);
    inc.newPoolNames.set(id, want.name);
  });
  return id;
}

export function deletePool(pending: PendingMap, id: number): void {
  pending.edit((inc) => {
    inc.newPools.delete(id);
    inc.newPoolNames.delete(id);
    inc.newRemovedSnaps.delete(id);
    inc.newPurgedSnaps.delete(id);
    if (pending.base.pools.has(id)) inc.oldPools.add(id);
    // Nobody trims them any more, and the queue would stay in the map for good.
    const queue = pending.base.removedSnapsQueue.get(id);
    if (queue !== undefined) inc.newPurgedSnaps.set(id, queue);
  });
  pending.newPurged.set(id, undefined);
}

/** `from` exists; `to` must not. */
export function renamePool(pending: PendingMap, id: number, to: string): Refusal | undefined {
  if (to === "" || to.length > POOL_NAME_MAX) return new Refusal("EINVAL", "(22) Invalid argument");
  if (poolByName(pending.map, to) !== undefined) return new Refusal("EEXIST");
  checkNameIsFree(pending, to, id);
  pending.edit((inc) => inc.newPoolNames.set(id, to));
  return undefined;
}

export function updatePool(pending: PendingMap, id: number, change: Partial<PgPool>): void {
  const pool = pending.map.pools.get(id);
  if (pool === undefined) throw new RangeError(`no pool ${id}`);
  pending.edit((inc) => inc.newPools.set(id, { ...pool, ...change }));
}

/** The id of a pool snapshot by its name. */
export function poolSnapId(pool: PgPool, name: string): bigint | undefined {
  for (const [id, snap] of pool.snaps) if (snap.name === name) return id;
  return undefined;
}

export function createSelfManagedSnap(pending: PendingMap, id: number): bigint | Refusal {
  const pool = pending.map.pools.get(id);
  if (pool === undefined) return new Refusal("ENOENT");
  if ((pool.flags & POOL_FLAG.POOL_SNAPS) !== 0) return new Refusal("EINVAL");
  // Id 1 is never given out: upstream keeps it as a mark of this mode.
  const snapSeq = (pool.snapSeq === 0n ? 1n : pool.snapSeq) + 1n;
  updatePool(pending, id, {
    snapSeq,
    snapEpoch: pending.epoch,
    flags: pool.flags | POOL_FLAG.SELFMANAGED_SNAPS,
  });
  return snapSeq;
}

/**
 * Intervals of purged snaps that are kept of a pool. Each snapshot that is left makes one, and the whole is written with
 * every removal.
 */
export const PURGED_INTERVALS_MAX = 10_000;

/** Notes purged snaps. Old ones may be forgotten: one that is removed again is queued again, and soon trimmed. */
function notePurged(pending: PendingMap, id: number, snaps: IntervalSet): void {
  const all = pending.purgedSnaps(id).clone();
  all.union(snaps);
  const tooMany = all.count - PURGED_INTERVALS_MAX;
  pending.newPurged.set(id, tooMany > 0 ? IntervalSet.from([...all].slice(tooMany)) : all);
}

function queueRemoved(pending: PendingMap, id: number, snap: bigint): void {
  pending.edit((inc) => {
    const removed = inc.newRemovedSnaps.get(id)?.clone() ?? new IntervalSet();
    removed.insert(Number(snap), 1);
    inc.newRemovedSnaps.set(id, removed);
  });
}

export function removeSelfManagedSnap(
  pending: PendingMap,
  id: number,
  snap: bigint,
): Refusal | undefined {
  const pool = pending.map.pools.get(id);
  if (pool === undefined) return new Refusal("ENOENT");
  if ((pool.flags & POOL_FLAG.POOL_SNAPS) !== 0) return new Refusal("EINVAL");
  if ((pool.flags & POOL_FLAG.SELFMANAGED_SNAPS) === 0) return new Refusal("EOPNOTSUPP");
  if (snap > pool.snapSeq || snap === 0n) return new Refusal("ENOENT");
  const gone = pending.map.removedSnapsQueue.get(id)?.has(Number(snap)) === true;
  if (gone || pending.purgedSnaps(id).has(Number(snap))) return undefined;
  const snapSeq = pool.snapSeq + 1n;
  updatePool(pending, id, { snapSeq, snapEpoch: pending.epoch });
  queueRemoved(pending, id, snap);
  // The number spent on the removal names no snapshot: counted as purged, the set stays in one piece.
  notePurged(pending, id, IntervalSet.of(Number(snapSeq), 1));
  return undefined;
}

/** An existing name is fine: the request may be a resend. */
export function createPoolSnap(
  pending: PendingMap,
  id: number,
  name: string,
  stamp: Utime,
): Refusal | undefined {
  const pool = pending.map.pools.get(id);
  if (pool === undefined) return new Refusal("ENOENT");
  if ((pool.flags & POOL_FLAG.SELFMANAGED_SNAPS) !== 0) return new Refusal("EINVAL");
  if (poolSnapId(pool, name) !== undefined) return undefined;
  const snapid = pool.snapSeq + 1n;
  updatePool(pending, id, {
    snapSeq: snapid,
    snapEpoch: pending.epoch,
    flags: pool.flags | POOL_FLAG.POOL_SNAPS,
    snaps: new Map([...pool.snaps, [snapid, { snapid, stamp, name }]]),
  });
  return undefined;
}

/** An absent name is fine: the request may be a resend. */
export function removePoolSnap(pending: PendingMap, id: number, name: string): Refusal | undefined {
  const pool = pending.map.pools.get(id);
  if (pool === undefined) return new Refusal("ENOENT");
  if ((pool.flags & POOL_FLAG.SELFMANAGED_SNAPS) !== 0) return new Refusal("EINVAL");
  const snap = poolSnapId(pool, name);
  if (snap === undefined) return undefined;
  const snaps = new Map(pool.snaps);
  snaps.delete(snap);
  updatePool(pending, id, { snaps, snapSeq: pool.snapSeq + 1n, snapEpoch: pending.epoch });
  queueRemoved(pending, id, snap);
  return undefined;
}

/** The OSDs have trimmed these: they leave the removed queue. Others in the set are ignored. */
export function purgeSnaps(pending: PendingMap, id: number, snaps: IntervalSet): void {
  const queue = pending.map.removedSnapsQueue.get(id);
  if (queue === undefined) return;
  const actual = snaps.clone();
  actual.intersect(queue);
  if (actual.isEmpty) return;
  pending.edit((inc) => {
    const all = inc.newPurgedSnaps.get(id)?.clone() ?? new IntervalSet();
    all.union(actual);
    inc.newPurgedSnaps.set(id, all);
  });
  notePurged(pending, id, actual);
}
