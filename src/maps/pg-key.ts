/**
 * PGs as keys of JavaScript maps: the text `pool.seed` with the seed in hex, as Ceph prints them.
 * On the wire such a map is sorted by pool, then seed.
 * ceph: src/osd/osd_types.h pg_t
 */

import { type Codec, map } from "../encoding/index.ts";
import { formatPgId, PgId } from "../types/index.ts";

/** `1.2a` */
export type PgKey = string;

export const pgKey: (pg: PgId) => PgKey = formatPgId;

/** The PG a key names; undefined for text that names none. */
export function parsePgId(text: string): PgId | undefined {
  const match = /^(\d{1,15})\.([0-9a-f]{1,8})$/.exec(text);
  if (match === null) return undefined;
  return { pool: Number(match[1]), seed: Number.parseInt(match[2]!, 16) };
}

function pgOfKey(key: PgKey): PgId {
  const pg = parsePgId(key);
  if (pg === undefined) throw new RangeError(`not a pg: ${key}`);
  return pg;
}

export function comparePgKeys(a: PgKey, b: PgKey): number {
  const x = pgOfKey(a);
  const y = pgOfKey(b);
  return x.pool - y.pool || x.seed - y.seed;
}

export const PgKeyCodec: Codec<PgKey> = {
  name: PgId.name,
  minSize: PgId.minSize,
  encode: (w, x) => PgId.encode(w, pgOfKey(x)),
  decode(r) {
    const pg = PgId.decode(r);
    if (pg.pool < 0) throw r.fail(`pool ${pg.pool}`);
    return formatPgId(pg);
  },
};

/** A map from PG to something. */
export function pgMap<V>(value: Codec<V>): Codec<Map<PgKey, V>> {
  return map(PgKeyCodec, value, comparePgKeys);
}
