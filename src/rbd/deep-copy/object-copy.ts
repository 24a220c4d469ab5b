/**
 * Copying one object of an image with all its snapshots to another image, whose layout may differ.
 *
 *   list the revisions of the source's objects -> read what changed at each snapshot
 *     -> object maps of the copy -> for each snapshot: write, with the older ones as snapshot context
 *
 * ceph: src/librbd/deep_copy/ObjectCopyRequest.cc
 */

import { ASSERT_SNAPC_SEQ, RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import {
  type OsdOp,
  opCreate,
  opDelete,
  opTruncate,
  opWrite,
  opZero,
} from "../../messages/index.ts";
import { callOp } from "../../rados/index.ts";
import { IntervalSet, NOSNAP, type SnapId } from "../../types/index.ts";
import { DATA } from "../calls.ts";
import { imageError, isErrno, unless } from "../errors.ts";
import type { Image, RbdContext } from "../image.ts";
import { type Run, SnapshotReader } from "../snapshot-read.ts";
import { imageToObjects, objectToImage, type Piece } from "../striper.ts";
import { type Delta, objectDeltas } from "./delta.ts";
import type { SnapMap } from "./snap-map.ts";
import { compareSnapIds } from "./snap-order.ts";
import { type Extent, planWrites, type SnapshotWrite } from "./write-plan.ts";

export interface DeepCopyOptions {
  /** Snapshot of the source from which on changes are copied; 0: everything. */
  readonly from: SnapId;
  readonly snapMap: SnapMap;
  /** Copy also what the source itself only shows of its parent. */
  readonly flatten: boolean;
  /** Others may write to the copy meanwhile; what is newer than ours stays. */
  readonly isMigration: boolean;
}

export interface Copied {
  /** false: there was nothing to copy, and so no object by this. */
  readonly isCopied: boolean;
  /** Is there an object at the end? */
  readonly exists: boolean;
}

export class DeepCopy {
  readonly #context: RbdContext;
  readonly #source: Image;
  readonly #target: Image;
  readonly #options: DeepCopyOptions;
  readonly #readers = new Map<SnapId, Promise<SnapshotReader>>();

  constructor(context: RbdContext, source: Image, target: Image, options: DeepCopyOptions) {
    this.#context = context;
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  /** @param flatten also what the source itself only shows of its parent @default as the options say */
  async copy(objectNo: number, flatten = this.#options.flatten): Promise<Copied> {
    const { from, snapMap } = this.#options;
    const source = this.#source;
    const target = this.#target;
    const pieces = objectToImage(target, objectNo);
    const deltas = await this.#deltas(pieces);
    const mayExistAt = (snap: SnapId) => objectNo < target.objectsIn(sizeAt(target, snap));
    const writes = planWrites({
      layout: target,
      snapMap,
      from,
      deltas,
      reads: await this.#read(deltas, mayExistAt, flatten),
      mayExistAt,
      showsParentAt: (snap) =>
        source.parent !== undefined &&
        pieces.some(({ imageOffset }) => imageOffset < overlapAt(target, snap)),
      hasFastDiff: target.hasFeature(RBD_FEATURE.FAST_DIFF),
    });
    await this.#updateMaps(objectNo, writes);
    const changes = writes.filter(({ extents }) => extents.length > 0);
    for (const write of changes) await this.#write(objectNo, write);
    return {
      isCopied: changes.length > 0 || from > 0n,
      exists: writes.at(-1)?.state !== undefined,
    };
  }

  /** What has changed in the source where the object's bytes are, in bytes of the image. */
  async #deltas(pieces: readonly Piece[]): Promise<Delta[]> {
    const { from, snapMap } = this.#options;
    const { dataIo, objectSize } = this.#source;
    if (dataIo === undefined)
      throw imageError("ENOENT", "open the data pool of", this.#source.name);
    const snaps = [from, ...[...snapMap.keys()].filter((snap) => snap > from)];
    const byObject = new Map<number, Piece[]>();
    for (const { imageOffset, length } of pieces) {
      for (const piece of imageToObjects(this.#source, imageOffset, length)) {
        const found = byObject.get(piece.objectNo);
        if (found === undefined) byObject.set(piece.objectNo, [piece]);
        else found.push(piece);
      }
    }
    const merged = new Map<string, Delta>();
    for (const [objectNo, own] of byObject) {
      const listing = await unless(dataIo.listSnaps(this.#source.objectName(objectNo)), "ENOENT");
      const extents = IntervalSet.from(own.map((x) => [x.objectOffset, x.length]));
      for (const delta of objectDeltas(listing, extents, snaps, objectSize)) {
        merge(merged, inImage(delta, own));
      }
    }
    return [...merged.values()].sort(
      (a, b) => compareSnapIds(a.writeSnap, b.writeSnap) || compareSnapIds(a.readSnap, b.readSnap),
    );
  }

  async #read(deltas: readonly Delta[], mayExistAt: (target: SnapId) => boolean, flatten: boolean) {
    const { snapMap } = this.#options;
    const reads = new Map<SnapId, { wanted: IntervalSet; runs: Run[] }>();
    const wanted = deltas
      .filter(({ writeSnap, data }) => {
        const target = snapMap.get(writeSnap)?.[0];
        return !data.isEmpty && target !== undefined && mayExistAt(target);
      })
      .map(({ writeSnap, readSnap, data }) => ({ writeSnap, readSnap, data }));
    const shown = this.#shownOfParent(deltas, flatten);
    if (shown !== undefined) wanted.unshift(shown);
    for (const { writeSnap, readSnap, data } of wanted) {
      const read = reads.get(writeSnap) ?? { wanted: new IntervalSet(), runs: [] };
      reads.set(writeSnap, read);
      const reader = await this.#reader(readSnap);
      for (const [offset, length] of data) {
        read.wanted.insert(offset, length);
        read.runs.push(...(await reader.read(offset, length)));
      }
    }
    return reads;
  }

  /**
   * Bytes that the source has no object for and shows its parent's: they have to be in the copy where the
   * copy's object, which may be made of several of the source, has anything else; or if it is to be flat.
   */
  #shownOfParent(deltas: readonly Delta[], flatten: boolean) {
    const { from, snapMap } = this.#options;
    if (from > 0n || this.#source.parent === undefined) return undefined;
    const missing = deltas.find(({ writeSnap, readSnap }) => writeSnap === 0n && readSnap === 0n);
    const hasOther = deltas.some(({ data, zeroed }) => !data.isEmpty || !zeroed.isEmpty);
    const [snap] = snapMap.keys();
    if (missing === undefined || snap === undefined || !(hasOther || flatten)) return undefined;
    const data = IntervalSet.of(0, overlapAt(this.#source, snap));
    data.intersect(missing.missing);
    return data.isEmpty ? undefined : { writeSnap: snap, readSnap: snap, data };
  }

  #reader(snap: SnapId): Promise<SnapshotReader> {
    const known = this.#readers.get(snap);
    if (known !== undefined) return known;
    // A revision may be read at a snapshot that was taken when the image was smaller.
    const reader = SnapshotReader.open(this.#context, this.#source, snap, snap === NOSNAP);
    this.#readers.set(snap, reader);
    return reader;
  }

  async #updateMaps(objectNo: number, writes: readonly SnapshotWrite[]): Promise<void> {
    const target = this.#target;
    if (!target.hasFeature(RBD_FEATURE.OBJECT_MAP)) return;
    for (const { snap, state } of writes) {
      const targetSnap = this.#options.snapMap.get(snap)?.[0];
      if (state === undefined || targetSnap === undefined) continue;
      const { objectMap } = target;
      if (objectMap === undefined) throw imageError("ERESTART", "copy to", target.name);
      if (targetSnap === NOSNAP) await objectMap.update(objectNo, objectNo + 1, state);
      else await objectMap.updateSnapshot(targetSnap, objectNo, state);
    }
  }

  async #write(objectNo: number, { snap, extents, state }: SnapshotWrite): Promise<void> {
    const { isMigration, snapMap } = this.#options;
    const target = this.#target;
    const { dataIo, objectSize } = target;
    if (dataIo === undefined) throw imageError("ENOENT", "open the data pool of", target.name);
    const [, ...snaps] = snapMap.get(snap) ?? [];
    const seq = snaps[0] ?? 0n;
    const ops = extents.flatMap((extent) => opsOf(extent, objectSize, state !== undefined));
    const { GT_SNAPSET_SEQ } = ASSERT_SNAPC_SEQ;
    const guard = callOp(DATA.assertSnapcSeq, { snapcSeq: seq, state: GT_SNAPSET_SEQ });
    target.checkOwner();
    try {
      const snapContext = { seq, snaps };
      const all = isMigration ? [guard, ...ops] : ops;
      await dataIo.write(target.objectName(objectNo), all, { snapContext });
    } catch (error) {
      // ENOENT: what was to be removed is not there. ERANGE: somebody has copied it before us.
      if (!isErrno(error, "ENOENT", "ERANGE")) throw error;
    }
  }
}

/**
 * compat: for zeros only, librbd leaves an object of no bytes whenever the source has a parent, also where the copy
 * is too small to have it: nothing removes that one ever.
 * ceph: src/librbd/deep_copy/ObjectCopyRequest.cc send_write_object
 */
function opsOf(
  { offset, length, data }: Extent,
  objectSize: number,
  keepsObject: boolean,
): OsdOp[] {
  if (data !== undefined) return [opWrite(offset, data)];
  if (offset + length < objectSize) return [opZero(offset, length)];
  if (offset > 0) return [opTruncate(offset)];
  return keepsObject ? [opCreate(false), opTruncate(0)] : [opDelete()];
}

function sizeAt(image: Image, snap: SnapId): number {
  if (snap === NOSNAP) return image.size;
  return image.snapshots.find(({ id }) => id === snap)?.imageSize ?? 0;
}

/** Bytes that show through to the parent. */
function overlapAt(image: Image, snap: SnapId): number {
  if (snap === NOSNAP) return image.parent?.overlap ?? 0;
  return image.snapshots.find(({ id }) => id === snap)?.parentOverlap ?? 0;
}

function inImage(delta: Delta, pieces: readonly Piece[]): Delta {
  const map = (set: IntervalSet): IntervalSet => {
    const mapped = new IntervalSet();
    for (const { objectOffset, imageOffset, length } of pieces) {
      const part = set.clone();
      part.intersect(IntervalSet.of(objectOffset, length));
      for (const [start, size] of part) mapped.insert(imageOffset + start - objectOffset, size);
    }
    return mapped;
  };
  return {
    ...delta,
    data: map(delta.data),
    zeroed: map(delta.zeroed),
    missing: map(delta.missing),
  };
}

function merge(into: Map<string, Delta>, delta: Delta): void {
  const key = `${delta.writeSnap} ${delta.readSnap}`;
  const known = into.get(key);
  if (known === undefined) {
    into.set(key, delta);
    return;
  }
  known.data.union(delta.data);
  known.zeroed.union(delta.zeroed);
  known.missing.union(delta.missing);
}
