/**
 * The objects of the head and of snapshots of which anything is known, and the memory that this takes:
 * bounded, what was used longest ago goes first, and what is not written yet never.
 * ceph: src/osdc/ObjectCacher.cc trim
 */

import { NOSNAP, type SnapId } from "../../types/index.ts";
import { type Extent, ObjectExtents, type Tally, weightOf } from "./extents.ts";

/** Weights of what there is, see `WEIGHT_MIN`. */
export class CacheSpace implements Tally {
  #clean = 0;
  #dirty = 0;
  #claimed = 0;
  /** What is clean, used longest ago first. */
  readonly #leastRecent = new Set<Extent>();

  /** Not written yet, and in no request's hands. */
  get dirty(): number {
    return this.#dirty;
  }

  /** Not written yet. */
  get unwritten(): number {
    return this.#dirty + this.#claimed;
  }

  get used(): number {
    return this.#clean + this.unwritten;
  }

  /** What may go first; undefined: nothing may. */
  get leastRecent(): Extent | undefined {
    const [first] = this.#leastRecent;
    return first;
  }

  enter(extent: Extent): void {
    this.#count(extent, 1);
    if (extent.state === "clean") this.#leastRecent.add(extent);
  }

  leave(extent: Extent): void {
    this.#count(extent, -1);
    this.#leastRecent.delete(extent);
  }

  touch(extent: Extent): void {
    if (this.#leastRecent.delete(extent)) this.#leastRecent.add(extent);
  }

  /** A request's data takes memory until it is done, be it overwritten in the cache or not. */
  claim(weight: number): void {
    this.#claimed += weight;
  }

  release(weight: number): void {
    this.#claimed -= weight;
  }

  #count({ state, data }: Extent, sign: 1 | -1): void {
    const weight = sign * weightOf(data?.length ?? 0);
    if (state === "clean") this.#clean += weight;
    else if (state === "dirty") this.#dirty += weight;
  }
}

export class CachedObjects {
  readonly space = new CacheSpace();
  readonly #size: number;
  readonly #revisions = new Map<SnapId, Map<number, ObjectExtents>>();

  /** @param size bytes, see `WEIGHT_MIN` */
  constructor(size: number) {
    this.#size = size;
  }

  /** Objects of which anything is known. */
  get count(): number {
    let count = 0;
    for (const objects of this.#revisions.values()) count += objects.size;
    return count;
  }

  find(objectNo: number, snap: SnapId = NOSNAP): ObjectExtents | undefined {
    return this.#revisions.get(snap)?.get(objectNo);
  }

  /** What is known of an object, to be added to. */
  open(objectNo: number, snap: SnapId = NOSNAP): ObjectExtents {
    let objects = this.#revisions.get(snap);
    if (objects === undefined) {
      objects = new Map();
      this.#revisions.set(snap, objects);
    }
    let object = objects.get(objectNo);
    if (object === undefined) {
      object = new ObjectExtents(objectNo, snap, this.space);
      objects.set(objectNo, object);
    }
    return object;
  }

  /** Makes room. */
  trim(): void {
    while (this.space.used > this.#size) {
      const extent = this.space.leastRecent;
      if (extent === undefined) return;
      extent.owner.evict(extent);
      this.close(extent.owner);
    }
  }

  /** Lets go of an object of which nothing is known any more. */
  close(object: ObjectExtents): void {
    const { snap, objectNo } = object;
    const objects = this.#revisions.get(snap);
    if (!object.isIdle || objects?.get(objectNo) !== object) return;
    objects.delete(objectNo);
    if (objects.size === 0) this.#revisions.delete(snap);
  }

  /** What is clean of the head goes. */
  dropClean(): void {
    for (const object of this.#head()) {
      object.dropClean();
      this.close(object);
    }
  }

  /** All of the head goes. @returns whether anything was dirty, and in no request's hands */
  dropHead(): boolean {
    let isLoss = false;
    for (const object of this.#head()) isLoss = object.drop() || isLoss;
    this.#revisions.delete(NOSNAP);
    return isLoss;
  }

  /** What is of other snapshots than these goes. */
  keepSnapshots(snaps: ReadonlySet<SnapId>): void {
    for (const [snap, objects] of this.#revisions) {
      if (snap === NOSNAP || snaps.has(snap)) continue;
      for (const object of objects.values()) object.drop();
      this.#revisions.delete(snap);
    }
  }

  #head(): ObjectExtents[] {
    return [...(this.#revisions.get(NOSNAP)?.values() ?? [])];
  }
}
