/**
 * From what has changed in a source to what is to be written to one object of the copy, snapshot by
 * snapshot. No input or output here: everything is in bytes of the image until the end.
 * ceph: src/librbd/deep_copy/ObjectCopyRequest.cc merge_write_ops, compute_zero_ops
 */

import { OBJECT_STATE } from "../../cls/rbd/types/features.ts";
import { IntervalSet, type SnapId } from "../../types/index.ts";
import type { Run } from "../snapshot-read.ts";
import { imageToObjects, type Layout } from "../striper.ts";
import type { Delta } from "./delta.ts";
import type { SnapMap } from "./snap-map.ts";

/** A piece of the object: bytes to write, or how many to make zero. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  /** undefined: zeros */
  readonly data: Uint8Array | undefined;
}

/** What one snapshot of the source brings. */
export interface SnapshotWrite {
  readonly snap: SnapId;
  /** By offset, without overlaps. */
  readonly extents: readonly Extent[];
  /** OBJECT_STATE for the object map of the copy's snapshot; undefined: there is to be no object. */
  readonly state: number | undefined;
}

export interface CopySituation {
  /** The copy. */
  readonly layout: Layout;
  readonly snapMap: SnapMap;
  /** Snapshot of the source from which on changes are copied; 0: everything. */
  readonly from: SnapId;
  readonly deltas: readonly Delta[];
  /** What was read, by the snapshot that it is for. */
  readonly reads: ReadonlyMap<
    SnapId,
    { readonly wanted: IntervalSet; readonly runs: readonly Run[] }
  >;
  /** Is the object within the copy's size at a snapshot of the copy? */
  readonly mayExistAt: (target: SnapId) => boolean;
  /** Would the copy show its parent here, at a snapshot of its own, if it had no object? */
  readonly showsParentAt: (target: SnapId) => boolean;
  readonly hasFastDiff: boolean;
}

export function planWrites(at: CopySituation): SnapshotWrite[] {
  const { snapMap, from, deltas, layout } = at;
  const { objectSize } = layout;
  const isIncrement = from > 0n;
  let exists = isIncrement && !deltas.some((d) => d.writeSnap === from && d.readSnap === from);
  let hidesParent = !isIncrement;
  let previousEnd = 0;
  const writes: SnapshotWrite[] = [];
  const [firstSnap] = snapMap.keys();
  for (const [snap, [target]] of snapMap) {
    if (snap <= from) continue;
    if (!at.mayExistAt(target) && exists) {
      const extents = [{ offset: 0, length: objectSize, data: undefined }];
      writes.push({ snap, extents, state: undefined });
      exists = false;
      previousEnd = 0;
      continue;
    }
    hidesParent = hidesParent && at.showsParentAt(target);
    const read = at.reads.get(snap);
    const extents = (read?.runs ?? []).flatMap((run) => toObject(layout, run));
    const zeroed = zeroedAt(at, snap, hidesParent && snap === firstSnap);
    let end = previousEnd;
    if (extents.length > 0) exists = true;
    for (const { offset, length } of extents) end = Math.max(end, offset + length);
    for (const { offset, length } of objectRanges(layout, zeroed)) {
      if (offset + length < end) {
        extents.push({ offset, length, data: undefined });
        exists = true;
        continue;
      }
      // At the object's end, zeros are what is there without any bytes.
      if ((offset === 0 && hidesParent) || offset < previousEnd) {
        extents.push({ offset, length: objectSize - offset, data: undefined });
      }
      if (offset === 0) exists = hidesParent;
      end = Math.min(end, offset);
    }
    const merged = mergeZeros(extents);
    const { EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
    const changed = at.hasFastDiff && merged.length === 0 ? EXISTS_CLEAN : EXISTS;
    writes.push({ snap, extents: merged, state: exists ? changed : undefined });
    previousEnd = end;
  }
  return writes;
}

/** Bytes that a snapshot has zeros in which it had not before. */
function zeroedAt(at: CopySituation, snap: SnapId, withInitial: boolean): IntervalSet {
  const read = at.reads.get(snap);
  const zeroed = read === undefined ? new IntervalSet() : read.wanted.clone();
  for (const delta of at.deltas) {
    const isInitial = delta.writeSnap === 0n && delta.readSnap === 0n;
    // What was never written hides the parent all the same, where there is an object.
    if (isInitial ? withInitial : delta.writeSnap === snap) zeroed.union(delta.zeroed);
  }
  for (const { offset, data } of read?.runs ?? []) zeroed.remove(offset, data.length);
  return zeroed;
}

/** In order; zeros that touch are one: what reaches the object's end can be cut off. */
function mergeZeros(extents: readonly Extent[]): Extent[] {
  const merged: Extent[] = [];
  for (const extent of [...extents].sort((a, b) => a.offset - b.offset)) {
    const last = merged.at(-1);
    const isBoth = last !== undefined && last.data === undefined && extent.data === undefined;
    if (isBoth && last.offset + last.length === extent.offset) {
      merged[merged.length - 1] = { ...last, length: last.length + extent.length };
    } else {
      merged.push(extent);
    }
  }
  return merged;
}

function toObject(layout: Layout, { offset, data }: Run): Extent[] {
  return imageToObjects(layout, offset, data.length).map((piece) => {
    const start = piece.imageOffset - offset;
    const { objectOffset, length } = piece;
    return { offset: objectOffset, length, data: data.subarray(start, start + length) };
  });
}

function objectRanges(layout: Layout, image: IntervalSet): { offset: number; length: number }[] {
  return [...image].flatMap(([start, size]) =>
    imageToObjects(layout, start, size).map(({ objectOffset, length }) => ({
      offset: objectOffset,
      length,
    })),
  );
}
