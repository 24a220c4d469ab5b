/**
 * What has changed in an object from snapshot to snapshot, by the revisions of it that there are.
 * ceph: src/librados/snap_set_diff.cc, src/librbd/io/ObjectRequest.cc ObjectListSnapsRequest
 */

import type { SnapListing } from "../../rados/index.ts";
import { IntervalSet, NOSNAP, type SnapId } from "../../types/index.ts";

/** A change, in bytes of the object or, once mapped, of the image. */
export interface Delta {
  /** The oldest snapshot that shows it; 0: it was so before the first. */
  readonly writeSnap: SnapId;
  /** The newest that shows the same: where to read it. */
  readonly readSnap: SnapId;
  readonly data: IntervalSet;
  readonly zeroed: IntervalSet;
  /** There is no object to have anything. */
  readonly missing: IntervalSet;
}

interface SnapSetDiff {
  /** Bytes that may differ. */
  readonly diff: IntervalSet;
  readonly size: number;
  readonly exists: boolean;
  /** The newest snapshot that the revision at the end stands for. */
  readonly newest: SnapId;
}

/** What may differ between two snapshots; undefined: everything, the listing does not tell. */
export function snapSetDiff(
  { clones, seq }: SnapListing,
  start: SnapId,
  end: SnapId,
): SnapSetDiff | undefined {
  const diff = new IntervalSet();
  let startSize: number | undefined;
  let size = 0;
  for (const [index, clone] of clones.entries()) {
    const [oldest, newest] =
      clone.id === NOSNAP ? [seq + 1n, NOSNAP] : [clone.snaps[0], clone.snaps.at(-1)];
    if (oldest === undefined || newest === undefined) return undefined;
    if (newest < start) continue;
    if (startSize === undefined) {
      startSize = start < oldest ? 0 : clone.size;
      // There was no object at the start.
      if (start < oldest) diff.insert(0, clone.size);
    }
    size = clone.size;
    if (end < oldest) {
      return { diff: IntervalSet.of(0, startSize), size, exists: false, newest: 0n };
    }
    if (end <= newest) return { diff, size, exists: true, newest };
    const toNext = IntervalSet.of(0, Math.max(clone.size, clones[index + 1]?.size ?? 0));
    for (const { offset, length } of clone.overlap) toNext.remove(offset, length);
    diff.union(toNext);
  }
  return { diff, size, exists: false, newest: 0n };
}

/**
 * The changes of an object in `extents` since the first of `snaps`, up to each of the others.
 * @param listing undefined: there is no such object and never was
 * @param snaps ascending, two or more
 */
export function objectDeltas(
  listing: SnapListing | undefined,
  extents: IntervalSet,
  snaps: readonly SnapId[],
  objectSize: number,
): Delta[] {
  const first = snaps[0] ?? 0n;
  const last = snaps.at(-1) ?? first;
  if (listing === undefined) return [{ ...emptyDelta(first, first), missing: extents.clone() }];
  const deltas: Delta[] = [];
  let start: SnapId = 0n;
  let startSize = 0;
  let wasThereFirst = false;
  for (const end of snaps) {
    if (end === start) continue;
    const known = snapSetDiff(listing, start, end);
    const whole = { diff: IntervalSet.of(0, objectSize), size: objectSize, exists: true };
    const { diff, exists, size: knownSize, newest } = known ?? { ...whole, newest: end };
    const size = exists ? knownSize : 0;
    const data = diff.clone();
    data.intersect(extents);
    const zeroed = IntervalSet.of(size, startSize - size);
    zeroed.intersect(extents);
    data.subtract(zeroed);
    if (exists && start === 0n && !(data.isEmpty && zeroed.isEmpty)) wasThereFirst = true;
    startSize = size;
    start = end;
    // The first is only where to start from.
    if (end <= first) continue;
    const readSnap = newest > last ? last : newest;
    if (!exists) zeroed.union(data);
    else if (!data.isEmpty) deltas.push({ ...emptyDelta(end, readSnap), data });
    if (!zeroed.isEmpty) deltas.push({ ...emptyDelta(end, end), zeroed });
  }
  if (!wasThereFirst) {
    const what = first > 0n ? "missing" : "zeroed";
    deltas.unshift({ ...emptyDelta(first, first), [what]: extents.clone() });
  }
  return deltas;
}

export function emptyDelta(writeSnap: SnapId, readSnap: SnapId): Delta {
  return {
    writeSnap,
    readSnap,
    data: new IntervalSet(),
    zeroed: new IntervalSet(),
    missing: new IntervalSet(),
  };
}
