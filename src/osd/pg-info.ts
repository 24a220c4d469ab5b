/**
 * A PG's own record and its place: an attribute of the PG's own object, which has no name, and whose hash is the
 * PG's seed, so that it comes first in the PG's part of a listing. Before chunks of the log the record was an entry
 * of that object's omap.
 */

import { type Infer, struct, u64n } from "../encoding/index.ts";
import {
  EVERSION_ZERO,
  EVersion,
  HOBJECT_MIN,
  type HObject,
  IntervalSet,
  IntervalSetCodec,
  NOSNAP,
  type PgId,
} from "../types/index.ts";
import { PgStats, zeroStats } from "./pg-stats.ts";

export const PG_INFO = "info";
export const PgInfo = struct(
  "spirula_pg_info",
  { v: 1 },
  {
    lastUpdate: EVersion,
    lastUserVersion: u64n,
    stats: PgStats,
    /** Removed snaps whose clones are gone here. */
    purgedSnaps: IntervalSetCodec,
  },
);
export type PgInfo = Infer<typeof PgInfo>;

/** Of a PG that nobody has written to. */
export function newPgInfo(): PgInfo {
  return {
    lastUpdate: EVERSION_ZERO,
    lastUserVersion: 0,
    stats: zeroStats(),
    purgedSnaps: new IntervalSet(),
  };
}

/** The PG's own object. */
export function metaObject({ pool, seed }: PgId): HObject {
  return { ...HOBJECT_MIN, pool: BigInt(pool), hash: seed, snap: NOSNAP };
}
