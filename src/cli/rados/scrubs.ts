/**
 * Verbs on what scrubs have found.
 * ceph: src/tools/rados/rados.cc do_get_inconsistent_pg_cmd, do_get_inconsistent_cmd
 */

import { CephError, ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import {
  type InconsistentListing,
  type InconsistentObject,
  type InconsistentShard,
  type InconsistentSnapset,
  inconsistentGroups,
  inconsistentObjects,
  inconsistentSnapsets,
  OBJECT_ERROR,
  type ScrubbedObject,
  SHARD_ERROR,
  SNAPSET_ERROR,
} from "../../librados/index.ts";
import { parsePgId } from "../../maps/index.ts";
import { NOSNAP, type PgId, SNAPDIR } from "../../types/index.ts";
import { CommandFailure, cppStrerror, renderFormat } from "../client/index.ts";
import type { RadosContext } from "./context.ts";
import type { Verbs } from "./verb.ts";

export const SCRUB_VERBS: Verbs = {
  "list-inconsistent-pg": {
    summary: "placement groups whose copies differ",
    arguments: "POOL",
    run: listGroups,
  },
  "list-inconsistent-obj": {
    summary: "objects of a group whose copies differ",
    arguments: "PG",
    run: (context) => listItems(context, inconsistentObjects, objectJson),
  },
  "list-inconsistent-snapset": {
    summary: "sets of snapshots of a group that do not add up",
    arguments: "PG",
    run: (context) => listItems(context, inconsistentSnapsets, snapsetJson),
  },
};

function formatOf({ format, options }: RadosContext) {
  return format ?? (options.has("pretty") ? "json-pretty" : "json");
}

async function listGroups(context: RadosContext): Promise<void> {
  const name = context.take();
  const pool = (await context.cluster.pools()).find((each) => each.name === name);
  if (pool === undefined) {
    const why = cppStrerror(ERRNO.ENOENT);
    throw new CommandFailure(`pool "${name}" not found\nerror ${ERRNO.ENOENT}: ${why}`);
  }
  const groups = await inconsistentGroups(context.cluster, pool.id);
  const names = { root: "pgs", items: { pgs: "pg" } };
  context.out.put(`${renderFormat(groups, formatOf(context), names)}\n`);
}

async function listItems<T>(
  context: RadosContext,
  list: (cluster: RadosContext["cluster"], pg: PgId) => Promise<InconsistentListing<T>>,
  json: (item: T) => Json,
): Promise<void> {
  const word = context.take();
  const pg = parsePgId(word);
  // compat: 16.2 says so and ends with 0.
  if (pg === undefined) throw new CommandFailure(`bad pg: ${word}`, 0);
  const found = await list(context.cluster, pg).catch((error: unknown) => {
    throw listFailure(word, error);
  });
  const inconsistents = found.items.map(json);
  const names = {
    root: "info",
    items: {
      inconsistents: "inconsistent",
      errors: "error",
      union_shard_errors: "error",
      shards: "shard",
      attrs: "attr",
      "extra clones": "snap",
      missing: "snap",
    },
  };
  const result = { epoch: found.interval, inconsistents };
  context.out.put(renderFormat(result, formatOf(context), names));
}

function listFailure(pg: string, error: unknown): unknown {
  if (!(error instanceof CephError)) return error;
  const { errno } = error;
  const known: Readonly<Record<number, string>> = {
    [-ERRNO.EAGAIN]: "the placement group has come up anew: its interval expired.\n",
    [-ERRNO.ENOENT]: `No scrub information available for pg ${pg}\n`,
  };
  const why = cppStrerror(errno);
  return new CommandFailure(`${known[errno] ?? ""}error ${-errno}: ${why}`, 1, error);
}

/** The names of the bits that are set, in the order of the table. */
function errorNames(bits: bigint, table: Readonly<Record<string, bigint>>): string[] {
  return Object.keys(table)
    .filter((name) => (bits & table[name]!) !== 0n)
    .map((name) => name.toLowerCase());
}

function idJson({ oid, namespace, locator, snap }: ScrubbedObject) {
  const named = snap === NOSNAP ? "head" : snap === SNAPDIR ? "snapdir" : snap;
  return { name: oid, nspace: namespace, locator, snap: named };
}

const hex32 = (x: number) => `0x${x.toString(16).padStart(8, "0")}`;

function objectJson(item: InconsistentObject): Json {
  const { object, version, errors, shardErrors, shards } = item;
  const differs =
    (errors & (OBJECT_ERROR.ATTR_NAME_MISMATCH | OBJECT_ERROR.ATTR_VALUE_MISMATCH)) !== 0n;
  return {
    object: { ...idJson(object), version },
    errors: errorNames(errors, OBJECT_ERROR),
    union_shard_errors: errorNames(shardErrors, SHARD_ERROR),
    shards: shards.map((shard) => shardJson(shard, differs)),
  };
}

function shardJson(item: InconsistentShard, withAttributes: boolean): Json {
  const { osd, shard, isPrimary, errors, facts } = item;
  const hasSize = (errors & SHARD_ERROR.STAT_ERROR) === 0n;
  return {
    osd,
    primary: isPrimary,
    shard,
    errors: errorNames(errors, SHARD_ERROR),
    size: facts !== undefined && hasSize ? facts.size : undefined,
    omap_digest: facts?.hasOmapDigest === true ? hex32(facts.omapDigest) : undefined,
    data_digest: facts?.hasDataDigest === true ? hex32(facts.dataDigest) : undefined,
    attrs: facts !== undefined && withAttributes ? attributesJson(facts.attrs) : undefined,
  };
}

/** User attributes: their names have `_` before them, and `_` alone is the object's info. */
function attributesJson(attrs: ReadonlyMap<string, Uint8Array>): Json {
  return [...attrs]
    .filter(([name]) => name.startsWith("_") && name !== "_")
    .map(([name, bytes]) => {
      const value = Buffer.from(bytes);
      const isText = /^[ -~]*$/.test(value.toString("latin1"));
      return {
        name: name.slice(1),
        value: value.toString(isText ? "latin1" : "base64"),
        Base64: !isText,
      };
    });
}

function snapsetJson({ object, errors, clones, missing }: InconsistentSnapset): Json {
  const has = (bit: bigint) => (errors & bit) !== 0n;
  return {
    ...idJson(object),
    errors: errorNames(errors, SNAPSET_ERROR),
    "extra clones": has(SNAPSET_ERROR.EXTRA_CLONES) ? clones : undefined,
    missing: has(SNAPSET_ERROR.CLONE_MISSING) ? missing : undefined,
  };
}
