/**
 * Counters of one PG: what `ceph df`, `rados df` and `pg dump` are made of. Changes are applied as deltas
 * together with the transaction that causes them, so they are exact after a crash too.
 * ceph: src/osd/osd_types.h object_stat_sum_t
 */

import { type Infer, record, s64n } from "../encoding/index.ts";

export const PgStats = record("spirula_pg_stats", {
  /** Bytes in heads and clones; what clones share with their neighbours counts once. */
  bytes: s64n,
  /** Heads (whiteouts too) and clones. */
  objects: s64n,
  clones: s64n,
  whiteouts: s64n,
  omapObjects: s64n,
  reads: s64n,
  readKb: s64n,
  writes: s64n,
  writeKb: s64n,
});
export type PgStats = Infer<typeof PgStats>;

export function zeroStats(): PgStats {
  return {
    bytes: 0,
    objects: 0,
    clones: 0,
    whiteouts: 0,
    omapObjects: 0,
    reads: 0,
    readKb: 0,
    writes: 0,
    writeKb: 0,
  };
}

export function addStats(into: PgStats, delta: PgStats): void {
  into.bytes += delta.bytes;
  into.objects += delta.objects;
  into.clones += delta.clones;
  into.whiteouts += delta.whiteouts;
  into.omapObjects += delta.omapObjects;
  into.reads += delta.reads;
  into.readKb += delta.readKb;
  into.writes += delta.writes;
  into.writeKb += delta.writeKb;
}

export function copyStats(s: PgStats): PgStats {
  // Field by field: this is done for every write.
  return {
    bytes: s.bytes,
    objects: s.objects,
    clones: s.clones,
    whiteouts: s.whiteouts,
    omapObjects: s.omapObjects,
    reads: s.reads,
    readKb: s.readKb,
    writes: s.writes,
    writeKb: s.writeKb,
  };
}

/** Kilobytes, rounded up, as the counters want them. */
export function kb(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
