/**
 * Names of objects and placement groups.
 * ceph: src/common/hobject.h, src/osd/osd_types.h, src/include/object.h
 */

import {
  type Codec,
  fixed,
  type Infer,
  record,
  s8,
  s32,
  s64,
  s64n,
  since,
  str,
  struct,
  u8,
  u32,
  u64,
  u64n,
  versionByte,
} from "../encoding/index.ts";
import { EntityName } from "./entity.ts";

/** A snapshot id. */
export type SnapId = bigint;
/** The head of an object. */
export const NOSNAP: SnapId = 0xffff_ffff_ffff_fffen;
/** The snapshot set of an object: what list-snaps asks for. */
export const SNAPDIR: SnapId = 0xffff_ffff_ffff_ffffn;

/** Where an object lives inside its pool.  ceph: src/osd/osd_types.h object_locator_t */
export const ObjectLocator = struct(
  "object_locator_t",
  {
    v: 6,
    oldest: 3,
    // A reader that skips `hash` would compute another PG, so it must refuse us.
    compat: (x: { hash: number }) => (x.hash === -1 ? 3 : 6),
  },
  {
    pool: s64n,
    preferred: fixed(s32, -1),
    /** Placement key; "" means hash the object name. */
    key: str,
    nspace: since(5, str, ""),
    /** -1: derive from key or name. */
    hash: since(6, s64n, -1),
  },
);
export type ObjectLocator = Infer<typeof ObjectLocator>;

/** hobject_t: a RADOS object, fully named, in the order that listings follow. */
export const HObject = struct(
  "hobject_t",
  { v: 4, oldest: 3, compat: 3 },
  {
    key: str,
    oid: str,
    snap: u64,
    hash: u32,
    /** 1: past every object. */
    max: u8,
    nspace: str,
    /** INT64_MIN in the object before (or after) all others. */
    pool: s64,
  },
);
export type HObject = Infer<typeof HObject>;

const POOL_MIN = -0x8000_0000_0000_0000n;
export const HOBJECT_MIN: HObject = Object.freeze({
  key: "",
  oid: "",
  snap: 0n,
  hash: 0,
  max: 0,
  nspace: "",
  pool: POOL_MIN,
});
export const HOBJECT_MAX: HObject = Object.freeze({ ...HOBJECT_MIN, max: 1 });

/**
 * The head of an object that is named with its locator. A key that is the name is none: the object is that of the name
 * alone.  ceph: src/common/hobject.h hobject_t::set_key
 */
export function headOf(
  pool: number,
  named: { oid: string; hash: number; locator: Pick<ObjectLocator, "key" | "nspace"> },
): HObject {
  const { oid, hash, locator } = named;
  const { nspace } = locator;
  const key = locator.key === oid ? "" : locator.key;
  return { key, oid, snap: NOSNAP, hash, max: 0, nspace, pool: BigInt(pool) };
}

/** The 32 bits in reverse: the order in which listings walk hashes, stable under pg splits. */
export function reverseBits(x: number): number {
  let v = x >>> 0;
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return ((v >>> 16) | (v << 16)) >>> 0;
}

/** hobject_t's order: pool, reversed hash, nspace, key (or name), name, snap. */
export function compareHObject(a: HObject, b: HObject): number {
  if (a.max !== b.max) return a.max - b.max;
  if (a.pool !== b.pool) return a.pool < b.pool ? -1 : 1;
  if (a.hash !== b.hash) return reverseBits(a.hash) - reverseBits(b.hash);
  if (a.nspace !== b.nspace) return a.nspace < b.nspace ? -1 : 1;
  const ka = a.key || a.oid;
  const kb = b.key || b.oid;
  if (ka !== kb) return ka < kb ? -1 : 1;
  if (a.oid !== b.oid) return a.oid < b.oid ? -1 : 1;
  return a.snap < b.snap ? -1 : a.snap > b.snap ? 1 : 0;
}

/** pg_t: a pool and a placement seed. */
export const PgId = versionByte("pg_t", 1, { pool: s64n, seed: u32, preferred: fixed(s32, -1) });
export type PgId = Infer<typeof PgId>;

/** spg_t; our pools have no shards. */
export const SpgId = struct("spg_t", { v: 1 }, { pgid: PgId, shard: s8 });
export type SpgId = Infer<typeof SpgId>;

/** `1.2a`: pool in decimal, seed in hex. */
export function formatPgId(pg: PgId): string {
  return `${pg.pool}.${pg.seed.toString(16)}`;
}

/** eversion_t: version within a PG and the map epoch it was made in. */
export const EVersion = record("eversion_t", { version: u64n, epoch: u32 });
export type EVersion = Infer<typeof EVersion>;
export const EVERSION_ZERO: EVersion = Object.freeze({ version: 0, epoch: 0 });

/** `12'345`, epoch first, as Ceph prints it. */
export function formatEVersion(v: EVersion): string {
  return `${v.epoch}'${v.version}`;
}

/** osd_reqid_t: which request of which client incarnation; the key of duplicate detection. */
export const OsdReqId = struct(
  "osd_reqid_t",
  { v: 2, oldest: 2, compat: 2 },
  {
    name: EntityName,
    tid: u64n,
    inc: s32,
  },
);
export type OsdReqId = Infer<typeof OsdReqId>;

export function reqIdKey(id: OsdReqId): string {
  return `${id.name.type}.${id.name.num}.${id.inc}:${id.tid}`;
}

/** uuid_d: 16 raw bytes; kept as its usual text. */
export type Uuid = string;
export const Uuid: Codec<Uuid> = {
  name: "uuid_d",
  minSize: 16,
  encode(w, x) {
    const hex = x.replaceAll("-", "");
    if (!/^[0-9a-f]{32}$/.test(hex)) throw new RangeError(`not a uuid: ${x}`);
    w.bytes(Buffer.from(hex, "hex"));
  },
  decode(r) {
    const h = r.view(16).toString("hex");
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
  },
};
export const UUID_ZERO: Uuid = "00000000-0000-0000-0000-000000000000";

/** A version 4 uuid from 16 random bytes. */
export function uuidFromBytes(random: Uint8Array): Uuid {
  const b = Uint8Array.from(random);
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const h = Buffer.from(b).toString("hex");
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20, 32)}`;
}
