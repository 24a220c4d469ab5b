/**
 * What a scrub has found to be wrong: groups whose copies differ, the objects in them, and sets of snapshots
 * that do not add up.
 * ceph: src/common/scrub_types.cc, src/include/rados/rados_types.hpp, src/librados/RadosClient.cc
 */

import {
  blob,
  bool,
  type Codec,
  decodeFromBytes,
  type Infer,
  list,
  map,
  nameText,
  pairs,
  type Reader,
  record,
  s8,
  s32,
  since,
  str,
  struct,
  u32,
  u64,
  u64n,
} from "../encoding/index.ts";
import { opScrubLs, type ScrubListing } from "../messages/index.ts";
import { type CallOptions, shared } from "../rados/index.ts";
import type { PgId } from "../types/index.ts";
import type { Cluster } from "./cluster.ts";

/** Items asked for in one request.  ceph: src/tools/rados/rados.cc do_get_inconsistent_cmd */
const PAGE = 32;

/** Bits of what is wrong with an object, its copies one with another. ceph: librados::obj_err_t */
export const OBJECT_ERROR = {
  OBJECT_INFO_INCONSISTENCY: 1n << 1n,
  DATA_DIGEST_MISMATCH: 1n << 4n,
  OMAP_DIGEST_MISMATCH: 1n << 5n,
  SIZE_MISMATCH: 1n << 6n,
  ATTR_VALUE_MISMATCH: 1n << 7n,
  ATTR_NAME_MISMATCH: 1n << 8n,
  SNAPSET_INCONSISTENCY: 1n << 9n,
  HINFO_INCONSISTENCY: 1n << 10n,
  SIZE_TOO_LARGE: 1n << 11n,
} as const;

/** Bits of what is wrong with one copy. ceph: librados::err_t */
export const SHARD_ERROR = {
  MISSING: 1n << 1n,
  STAT_ERROR: 1n << 2n,
  READ_ERROR: 1n << 3n,
  DATA_DIGEST_MISMATCH_INFO: 1n << 9n,
  OMAP_DIGEST_MISMATCH_INFO: 1n << 10n,
  SIZE_MISMATCH_INFO: 1n << 11n,
  EC_HASH_ERROR: 1n << 12n,
  EC_SIZE_ERROR: 1n << 13n,
  INFO_MISSING: 1n << 14n,
  INFO_CORRUPTED: 1n << 15n,
  SNAPSET_MISSING: 1n << 16n,
  SNAPSET_CORRUPTED: 1n << 17n,
  OBJ_SIZE_INFO_MISMATCH: 1n << 18n,
  HINFO_MISSING: 1n << 19n,
  HINFO_CORRUPTED: 1n << 20n,
} as const;

/** Bits of what is wrong with a set of snapshots. ceph: librados::inconsistent_snapset_t */
export const SNAPSET_ERROR = {
  SNAPSET_MISSING: 1n << 0n,
  SNAPSET_CORRUPTED: 1n << 1n,
  INFO_MISSING: 1n << 7n,
  INFO_CORRUPTED: 1n << 8n,
  SNAPSET_ERROR: 1n << 3n,
  HEADLESS: 1n << 5n,
  SIZE_MISMATCH: 1n << 6n,
  EXTRA_CLONES: 1n << 9n,
  CLONE_MISSING: 1n << 2n,
} as const;

const ObjectId = struct(
  "librados::object_id_t",
  { v: 1 },
  { name: str, nspace: str, locator: str, snap: u64 },
);
type ObjectId = Infer<typeof ObjectId>;

/** What a copy is, where there is one. */
const ShardFacts = record("librados::shard_info_t", {
  attrs: map(str, blob),
  size: u64,
  hasOmapDigest: bool,
  omapDigest: u32,
  hasDataDigest: bool,
  dataDigest: u32,
  /** Its object_info_t is the one that counts. */
  isSelected: bool,
});
type ShardFacts = Infer<typeof ShardFacts>;

interface ShardInfo {
  readonly errors: bigint;
  readonly isPrimary: boolean;
  /** undefined: there is no copy. */
  readonly facts: ShardFacts | undefined;
}

const ShardInfo: Codec<ShardInfo> = {
  name: "shard_info_wrapper",
  minSize: 6,
  encode(w, { errors, isPrimary, facts }) {
    const mark = w.begin(3, 3);
    w.u64(errors);
    bool.encode(w, isPrimary);
    if (facts !== undefined) ShardFacts.encode(w, facts);
    w.end(mark);
  },
  decode(r: Reader) {
    r.begin("shard_info_wrapper", 3);
    const errors = r.u64();
    const isPrimary = bool.decode(r);
    const isMissing = (errors & SHARD_ERROR.MISSING) !== 0n;
    const facts = isMissing ? undefined : ShardFacts.decode(r);
    r.finish();
    return { errors, isPrimary, facts };
  },
};

const OsdShard = struct("librados::osd_shard_t", { v: 1 }, { osd: s32, shard: s8 });

const ObjectErrors = struct(
  "inconsistent_obj_wrapper",
  { v: 2, oldest: 2, compat: 2 },
  {
    errors: u64,
    object: ObjectId,
    version: u64n,
    shards: pairs(OsdShard, ShardInfo),
    /** Of all copies together. */
    shardErrors: u64,
  },
);

const SnapsetErrors = struct(
  "inconsistent_snapset_wrapper",
  { v: 2 },
  {
    errors: u64,
    object: ObjectId,
    clones: list(u64),
    missing: list(u64),
    /** An encoded SnapSet; empty: there is none. */
    snapset: since(2, blob, new Uint8Array(0)),
  },
);

const Reply = struct("scrub_ls_result_t", { v: 1 }, { interval: u32, items: list(blob) });

/** An object as scrubs name it. */
export interface ScrubbedObject {
  readonly oid: string;
  readonly namespace: string;
  readonly locator: string;
  /** NOSNAP: the head. */
  readonly snap: bigint;
}

export interface InconsistentShard extends ShardInfo {
  readonly osd: number;
  /** undefined: in a pool of copies, not of parts. */
  readonly shard: number | undefined;
}

export interface InconsistentObject {
  readonly object: ScrubbedObject;
  readonly version: number;
  /** OBJECT_ERROR bits. */
  readonly errors: bigint;
  /** SHARD_ERROR bits of all copies together. */
  readonly shardErrors: bigint;
  readonly shards: readonly InconsistentShard[];
}

export interface InconsistentSnapset {
  readonly object: ScrubbedObject;
  /** SNAPSET_ERROR bits. */
  readonly errors: bigint;
  /** Clones that should not be there, and those that should. */
  readonly clones: readonly bigint[];
  readonly missing: readonly bigint[];
  /** As it is encoded; empty: there is none. */
  readonly snapset: Uint8Array;
}

export interface InconsistentListing<T> {
  /** Epoch of the interval in which the scrub was. */
  readonly interval: number;
  readonly items: readonly T[];
}

/** The groups of a pool whose copies were found to differ, by their names: `2.1a`. */
export async function inconsistentGroups(
  cluster: Cluster,
  pool: number,
  options: CallOptions = {},
): Promise<string[]> {
  const command = { prefix: "pg ls", pool, states: ["inconsistent"], format: "json" };
  const { data } = await cluster.mgrCommand(command, options);
  if (data.length === 0) return [];
  const { pg_stats = [] } = JSON.parse(data.toString("utf8")) as {
    pg_stats?: readonly { readonly pgid: string }[];
  };
  return pg_stats.map(({ pgid }) => pgid);
}

/**
 * Objects of a group that its last scrub found to be wrong.
 * @throws CephError ENOENT if it was not scrubbed since it came up; EAGAIN if it came up anew meanwhile
 */
export async function inconsistentObjects(
  cluster: Cluster,
  pg: PgId,
  options: CallOptions = {},
): Promise<InconsistentListing<InconsistentObject>> {
  const wanted = { of: "objects", item: ObjectErrors } as const;
  const { interval, items } = await listScrub(cluster, pg, wanted, options);
  return {
    interval,
    items: items.map(({ object, shards, ...rest }) => ({
      ...rest,
      object: named(object),
      shards: shards.map(([{ osd, shard }, info]) => {
        return { ...info, osd, shard: shard < 0 ? undefined : shard };
      }),
    })),
  };
}

/** Sets of snapshots of a group that its last scrub found to be wrong. @throws as `inconsistentObjects` */
export async function inconsistentSnapsets(
  cluster: Cluster,
  pg: PgId,
  options: CallOptions = {},
): Promise<InconsistentListing<InconsistentSnapset>> {
  const wanted = { of: "snapsets", item: SnapsetErrors } as const;
  const { interval, items } = await listScrub(cluster, pg, wanted, options);
  return {
    interval,
    items: items.map(({ object, ...rest }) => ({ ...rest, object: named(object) })),
  };
}

function named({ name, nspace, locator, snap }: ObjectId): ScrubbedObject {
  return { oid: nameText(name), namespace: nameText(nspace), locator: nameText(locator), snap };
}

async function listScrub<T extends { readonly object: ObjectId }>(
  cluster: Cluster,
  { pool, seed }: PgId,
  { of, item }: { readonly of: ScrubListing["of"]; readonly item: Codec<T> },
  options: CallOptions,
): Promise<InconsistentListing<T>> {
  const left = shared(cluster.around.clock, options);
  const { engine } = await cluster.openPool(pool, left());
  const all: T[] = [];
  let interval = 0;
  for (;;) {
    const last = all.at(-1)?.object;
    const after =
      last === undefined ? {} : { after: { oid: last.name, nspace: last.nspace, snap: last.snap } };
    const reply = await engine.askPg(seed, opScrubLs(PAGE, { of, interval, ...after }), left());
    const page = decodeFromBytes(Reply, reply);
    interval = page.interval;
    all.push(...page.items.map((bytes) => decodeFromBytes(item, bytes)));
    if (page.items.length < PAGE) return { interval, items: all };
  }
}
