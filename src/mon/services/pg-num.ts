/**
 * How many PGs a pool has: more can be had at any time.
 *
 * Upstream notes a target, and its manager goes there: with `pg_num` at once, with `pgp_num` little by little, for
 * that moves objects. Here the map that a command makes is there already. With one OSD nothing moves, and `pgp_num`
 * goes along. With several, `pgp_num` stays, and the PGs that come of a split stay where that was: no OSD here
 * gives objects to another.
 * ceph: src/mon/OSDMonitor.cc prepare_command_pool_set, check_pg_num; src/mgr/DaemonServer.cc adjust_pgs
 */

import type { Settings } from "../../config/index.ts";
import { CACHE_MODE, type OsdMap, osdExists, type PgPool, POOL_FLAG } from "../../maps/index.ts";
import { Refusal } from "./osd-pools.ts";

/** For how many OSDs the limit is made at least, however few there are.  ceph: check_pg_num */
const OSDS_MIN = 3;

export interface PgNumPlace {
  readonly map: OsdMap;
  readonly id: number;
  readonly pool: PgPool;
  /** That the change will be in. */
  readonly epoch: number;
  readonly settings: Settings;
}

function osdsOf(map: OsdMap): number[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

function changeDisabled(pool: PgPool, name: string): Refusal | undefined {
  if ((pool.flags & POOL_FLAG.NOPGCHANGE) === 0) return undefined;
  return new Refusal(
    "EPERM",
    `pool ${name} change is disabled; you must unset nopgchange flag for the pool first`,
  );
}

/** Would that be more PGs than the OSDs there are should have? */
function tooMany({ map, id, settings }: PgNumPlace, pgNum: number): Refusal | undefined {
  const perOsd = settings.number("mon_max_pg_per_osd");
  const numIn = osdsOf(map).filter((osd) => (map.osdWeight[osd] ?? 0) > 0).length;
  const osds = Math.max(numIn, OSDS_MIN);
  let projected = 0;
  let size = 0;
  for (const [other, pool] of map.pools) {
    projected += (other === id ? pgNum : pool.pgNumTarget) * pool.size;
    if (other === id) ({ size } = pool);
  }
  if (projected <= perOsd * osds) return undefined;
  return new Refusal(
    "ERANGE",
    `pool id ${id} pg_num ${pgNum} size ${size} would mean ${projected} total pgs, which exceeds max ${perOsd * osds} (mon_max_pg_per_osd ${perOsd} * num_in_osds ${osds})`,
  );
}

/**
 * The change of the pool. Its OSDs split their PGs when they get the map.
 * @param n the number wanted, or why it is none
 * @param sure even if the pool is a cache
 */
export function setPgNum(
  place: PgNumPlace,
  n: number | Refusal,
  sure: boolean,
): Partial<PgPool> | Refusal {
  const { map, pool, epoch, settings } = place;
  const disabled = changeDisabled(pool, "pg_num");
  if (disabled !== undefined) return disabled;
  if (n instanceof Refusal) return n;
  if (n === pool.pgNumTarget) return {};
  const max = settings.number("mon_max_pool_pg_num");
  if (n <= 0 || n > max) {
    return new Refusal(
      "ERANGE",
      `'pg_num' must be greater than 0 and less than or equal to ${max} (you may adjust 'mon max pool pg num' for higher values)`,
    );
  }
  if (n < pool.pgNumTarget) {
    return new Refusal("EOPNOTSUPP", "decreasing pg_num of an existing pool is not supported");
  }
  const refusal = tooMany(place, n);
  if (refusal !== undefined) return refusal;
  if (pool.cacheMode !== CACHE_MODE.NONE && !sure) {
    return new Refusal(
      "EPERM",
      "splits in cache pools must be followed by scrubs and leave sufficient free space to avoid overfilling.  use --yes-i-really-mean-it to force.",
    );
  }
  const follows = pool.pgNumTarget === pool.pgpNumTarget && osdsOf(map).length === 1;
  return {
    pgNum: n,
    pgNumTarget: n,
    pgNumPending: n,
    ...(follows && { pgpNum: n, pgpNumTarget: n }),
    // Clients from before Luminous do not know that a split begins a new interval.
    lastForceOpResendPreluminous: epoch,
  };
}

/** The change of the pool: where its PGs are. */
export function setPgpNum(
  map: OsdMap,
  pool: PgPool,
  n: number | Refusal,
): Partial<PgPool> | Refusal {
  const disabled = changeDisabled(pool, "pgp_num");
  if (disabled !== undefined) return disabled;
  if (n instanceof Refusal) return n;
  if (n <= 0) {
    return new Refusal("EINVAL", `specified pgp_num must > 0, but you set to ${n}`);
  }
  if (n > pool.pgNumTarget) {
    return new Refusal("EINVAL", `specified pgp_num ${n} > pg_num ${pool.pgNumTarget}`);
  }
  if (n === pool.pgpNumTarget) return {};
  if (osdsOf(map).length > 1) {
    return new Refusal(
      "EOPNOTSUPP",
      "changing pgp_num moves objects from one OSD to another, which is not supported",
    );
  }
  return { pgpNum: n, pgpNumTarget: n };
}
