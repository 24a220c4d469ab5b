/**
 * How many PGs each pool had when its objects here were last put where they belong: an OSD that was down, or died
 * on the way, knows by it what is still to be split.
 *
 * One object for each pool in a collection of the OSD's own, with the attribute `split`. A pool's record is there
 * before anything of the pool is, for transactions become durable in order; the first start on a store from before
 * the records makes them by the map as it is, for until then no pool's number had ever changed.
 */

import {
  bool,
  decodeFromBytes,
  encodeToBytes,
  type Infer,
  struct,
  u32,
} from "../encoding/index.ts";
import type { ObjectStore, StoreOp } from "../store/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP } from "../types/index.ts";

/** Of the OSD, not of a PG. */
export const PG_NUMS_COLLECTION = "pg_nums";
const ATTR = "split";
const POOLS_MAX = 1_000_000;

export const PgNumRecord = struct(
  "spirula_pg_num",
  { v: 1 },
  {
    /** PGs before the last split, and after it; the same if there never was one. */
    from: u32,
    to: u32,
    /** The epoch of that split's map; 0: there never was one. */
    epoch: u32,
    /** All that is here of the pool is where it belongs by `to`. */
    isDone: bool,
  },
);
export type PgNumRecord = Infer<typeof PgNumRecord>;

function recordObject(pool: number): HObject {
  return { ...HOBJECT_MIN, oid: "pg_num", pool: BigInt(pool), snap: NOSNAP };
}

export function readPgNums(store: ObjectStore): Map<number, PgNumRecord> {
  const records = new Map<number, PgNumRecord>();
  for (const object of store.list(PG_NUMS_COLLECTION, HOBJECT_MIN, POOLS_MAX).objects) {
    const encoded = store.getAttr(PG_NUMS_COLLECTION, object, ATTR);
    if (encoded === undefined) continue;
    records.set(Number(object.pool), decodeFromBytes(PgNumRecord, encoded));
  }
  return records;
}

function submit(store: ObjectStore, ...ops: StoreOp[]): void {
  if (!store.hasCollection(PG_NUMS_COLLECTION)) {
    ops.unshift({ op: "create-collection", collection: PG_NUMS_COLLECTION });
  }
  store.submit({ collection: PG_NUMS_COLLECTION, ops, isRecord: true });
}

export function writePgNum(store: ObjectStore, pool: number, record: PgNumRecord): void {
  const value = encodeToBytes(PgNumRecord, record);
  submit(store, { op: "set-attr", object: recordObject(pool), name: ATTR, value });
}

/**
 * The pool is gone.
 * @param isLast there is no other
 */
export function dropPgNum(store: ObjectStore, pool: number, isLast: boolean): void {
  const remove: StoreOp = { op: "remove", object: recordObject(pool) };
  if (!isLast) return submit(store, remove);
  submit(store, remove, { op: "remove-collection", collection: PG_NUMS_COLLECTION });
}
