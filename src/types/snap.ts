/**
 * Snapshot contexts and snapshot sets.
 * ceph: src/common/snap_types.h, src/osd/osd_types.h SnapSet
 */

import { type Codec, type Infer, list, record, u64 } from "../encoding/index.ts";
import { IntervalSet } from "./interval-set.ts";
import { SNAPDIR, type SnapId } from "./object.ts";

/** What a write must preserve: the newest snap id and all live ones, newest first. */
export const SnapContext = record("SnapContext", { seq: u64, snaps: list(u64) });
export type SnapContext = Infer<typeof SnapContext>;
export const EMPTY_SNAP_CONTEXT: SnapContext = Object.freeze({ seq: 0n, snaps: [] });

/** Strictly descending, none above seq, none a sentinel? */
export function isValidSnapContext(c: SnapContext): boolean {
  if (c.seq >= SNAPDIR - 1n) return false;
  let previous: SnapId | undefined;
  for (const snap of c.snaps) {
    if (snap > c.seq || snap === 0n) return false;
    if (previous !== undefined && snap >= previous) return false;
    previous = snap;
  }
  return true;
}

/** A copy of an object as it was: which snaps see it, what it still shares with the next newer one. */
export interface Clone {
  id: SnapId;
  /** Snaps that see this clone, newest first. */
  snaps: SnapId[];
  size: number;
  /** Bytes unchanged since, between this clone and the next newer clone or head. */
  overlap: IntervalSet;
}

/** All clones of one object, oldest first, and the newest snap its writes have seen. */
export interface SnapSet {
  seq: SnapId;
  clones: Clone[];
}

/*
 * SnapSet, hdr(3,2): u64 seq; u8 head_exists (always 1); list<u64> snaps (empty since Octopus);
 * list<u64> clones; map<u64, interval_set> overlap; map<u64, u64> size; map<u64, list<u64>> clone_snaps
 */
export const SnapSet: Codec<SnapSet> = {
  name: "SnapSet",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(3, 2);
    w.u64(x.seq);
    w.u8(1);
    w.u32(0);
    w.u32(x.clones.length);
    for (const c of x.clones) w.u64(c.id);
    w.u32(x.clones.length);
    for (const c of x.clones) {
      w.u64(c.id);
      IntervalSet.encode(w, c.overlap);
    }
    w.u32(x.clones.length);
    for (const c of x.clones) {
      w.u64(c.id);
      w.u64n(c.size);
    }
    w.u32(x.clones.length);
    for (const c of x.clones) {
      w.u64(c.id);
      w.u32(c.snaps.length);
      for (const s of c.snaps) w.u64(s);
    }
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("SnapSet", 3);
    const seq = r.u64();
    r.u8();
    for (let n = r.count(8); n > 0; n--) r.u64();
    const clones: Clone[] = [];
    const byId = new Map<SnapId, Clone>();
    for (let n = r.count(8); n > 0; n--) {
      const clone: Clone = { id: r.u64(), snaps: [], size: 0, overlap: new IntervalSet() };
      clones.push(clone);
      byId.set(clone.id, clone);
    }
    const find = (id: SnapId): Clone => {
      const clone = byId.get(id);
      if (clone === undefined) throw r.fail(`no clone ${id}`);
      return clone;
    };
    for (let n = r.count(12); n > 0; n--) {
      const id = r.u64();
      find(id).overlap = IntervalSet.decode(r);
    }
    for (let n = r.count(16); n > 0; n--) {
      const id = r.u64();
      find(id).size = r.u64n();
    }
    if (v >= 3) {
      for (let n = r.count(12); n > 0; n--) {
        const id = r.u64();
        find(id).snaps = list(u64).decode(r);
      }
    }
    r.finish();
    return { seq, clones };
  },
};
