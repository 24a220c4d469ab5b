/**
 * Listing the objects of a PG, page by page, in hobject order.
 *
 * The cursor is an object; at the end of the PG it is the object that would start the next one, so that a
 * client can walk a pool even while PGs split.
 * ceph: src/osd/PrimaryLogPG.cc do_pg_op, src/osd/osd_types.cc pg_t::get_hobj_end
 */

import { ERRNO } from "../../base/index.ts";
import { EMPTY, Reader, Writer } from "../../encoding/index.ts";
import { OSD_OP, type OsdOp, pglsOf } from "../../messages/index.ts";
import type { CollectionId, ObjectStore } from "../../store/index.ts";
import {
  compareHObject,
  HOBJECT_MAX,
  HOBJECT_MIN,
  HObject,
  NOSNAP,
  type PgId,
  reverseBits,
} from "../../types/index.ts";
import { PGLS_MAX } from "../limits.ts";

/** Locator namespace that means all of them.  ceph: librados::all_nspaces */
const ALL_NAMESPACES = "\x01";

/** Bits of the hash that this PG fixes, given how far the pool has split. */
function splitBits(seed: number, pgNum: number): number {
  if (pgNum === 1) return 0;
  const bits = 32 - Math.clz32(pgNum);
  const half = 2 ** (bits - 1);
  return seed % half < pgNum % half ? bits : bits - 1;
}

function pgStart(pg: PgId): HObject {
  return { ...HOBJECT_MIN, pool: BigInt(pg.pool), hash: pg.seed, snap: NOSNAP };
}

/** The first object past a PG: max for the last one. */
function pgEnd(pg: PgId, pgNum: number): HObject {
  const free = 2 ** (32 - splitBits(pg.seed, pgNum)) - 1;
  const end = (reverseBits(pg.seed) | free) >>> 0;
  if (end === 0xffff_ffff) return HOBJECT_MAX;
  return { ...pgStart(pg), hash: reverseBits(end + 1) };
}

export interface ListingPlace {
  readonly collection: CollectionId;
  readonly pg: PgId;
  readonly pgNum: number;
  readonly nspace: string;
}

export interface ListingPage {
  readonly result: number;
  readonly out: Uint8Array;
}

/*
 * pg_nls_response_t, hdr(1,1): hobject handle; u32 n, n x {string nspace, string oid, string locator}
 * pg_ls_response_t: u8 1; hobject handle; u32 n, n x {string oid, string locator}
 */
function encodePage(op: OsdOp, next: HObject, found: readonly HObject[]): Uint8Array {
  const w = new Writer();
  if (op.code === OSD_OP.PGNLS) {
    const mark = w.begin(1, 1);
    HObject.encode(w, next);
    w.u32(found.length);
    for (const o of found) {
      w.str(o.nspace);
      w.str(o.oid);
      w.str(o.key);
    }
    w.end(mark);
  } else {
    w.u8(1);
    HObject.encode(w, next);
    w.u32(found.length);
    for (const o of found) {
      w.str(o.oid);
      w.str(o.key);
    }
  }
  return w.finish();
}

/** One page of heads in the locator's namespace. Result 1 at the end of the PG. */
export function listPg(store: ObjectStore, where: ListingPlace, op: OsdOp): ListingPage {
  const max = Math.min(pglsOf(op).count, PGLS_MAX);
  const from = HObject.decode(new Reader(op.indata));
  const end = pgEnd(where.pg, where.pgNum);
  const atStart = compareHObject(from, HOBJECT_MIN) === 0;
  const inside =
    (from.max !== 0 || compareHObject(from, end) < 0) &&
    (atStart || compareHObject(from, pgStart(where.pg)) >= 0);
  if (!inside) return { result: -ERRNO.EINVAL, out: EMPTY };
  const page = store.hasCollection(where.collection)
    ? store.list(where.collection, from, max)
    : { objects: [], next: undefined };
  const found = page.objects.filter(
    (o) =>
      o.snap === NOSNAP &&
      o.oid !== "" && // the PG's own object
      (where.nspace === ALL_NAMESPACES || o.nspace === where.nspace),
  );
  const next = page.next ?? end;
  return { result: page.next === undefined ? 1 : 0, out: encodePage(op, next, found) };
}
