/**
 * Which PGs a PG becomes when its pool gets more of them.
 *
 * An object's PG is its hash's low bits; more PGs take more of them. So a PG is a part of a listing that has no
 * gaps (listings go by the hash with its bits reversed), it splits into parts of that one, and the first of these
 * is what keeps the name.
 * ceph: src/osd/osd_types.cc pg_t::is_split, get_split_bits
 */

import { type PgId, reverseBits, stableMod, stableModMask } from "../types/index.ts";

/** The seed of an object's PG. */
export function seedOf(hash: number, pgNum: number): number {
  return stableMod(hash, pgNum, stableModMask(pgNum));
}

/** Seeds of the PGs that split off from `seed`, in the order of listings. */
export function childSeeds(seed: number, from: number, to: number): number[] {
  const children: number[] = [];
  // Only the seed's own bits may be the lowest ones: all others belong to somebody else.
  const step = 2 ** Math.floor(Math.log2(from));
  for (let s = seed % step; s < to; s += step) {
    if (s >= from && seedOf(s, from) === seed) children.push(s);
  }
  return children.sort((a, b) => reverseBits(a) - reverseBits(b));
}

/** The PG that `seed` was a part of when there were `from`. */
export function ancestorOf({ pool, seed }: PgId, from: number): PgId {
  return { pool, seed: seedOf(seed, from) };
}
