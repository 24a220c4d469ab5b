/**
 * Changing one data object of an image's head.
 *
 *   no object, no parent, nothing to do -> done
 *   object map -> change the object, provided it is there where the parent shows through
 *              -> (not there) copy up what the parent shows, and the change with it -> object map
 *
 * A copy of what the parent shows is made once at a time for an object: who comes meanwhile changes the
 * object afterwards. A migration's source is copied with its snapshots, and an object is as good as not there
 * as long as it has not all of them.
 * ceph: src/librbd/io/ObjectRequest.cc AbstractObjectWriteRequest, src/librbd/io/CopyupRequest.cc
 */

import { ASSERT_SNAPC_SEQ, OBJECT_STATE, RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import { type OsdOp, opSetAllocHint, opStat } from "../../messages/index.ts";
import { callOp, type IoCtx } from "../../rados/index.ts";
import { IntervalSet, NOSNAP } from "../../types/index.ts";
import { DATA } from "../calls.ts";
import { imageError, isErrno, unless } from "../errors.ts";
import type { Image } from "../image.ts";
import { MigrationCopyup } from "../migration/copyup.ts";
import { copyupOverlap, shownAt } from "../shown.ts";
import type { ParentSource, Run } from "../snapshot-read.ts";
import { objectToImage } from "../striper.ts";
import { type ObjectChange, type ObjectPlan, planChange } from "./object-change.ts";

export class ObjectWriter {
  readonly #image: Image;
  readonly #parents: ParentSource;
  readonly #migration: MigrationCopyup;

  constructor(image: Image, parents: ParentSource) {
    this.#image = image;
    this.#parents = parents;
    this.#migration = new MigrationCopyup(image);
  }

  /** Changes an object. The lock must be held, where there is one, until it is done. */
  async change(objectNo: number, change: ObjectChange): Promise<void> {
    const image = this.#image;
    const { objectMap } = image;
    const plan = planChange(change, {
      objectSize: image.objectSize,
      hasParent: this.#shown(objectNo).length > 0,
      hasSnapshots: image.snapContext.snaps.length > 0,
    });
    const mayExist = objectMap?.mayExist(objectNo) ?? true;
    if (!mayExist && plan.needsObject) return;
    if (objectMap !== undefined && !mayExist && plan.needsCopyup) {
      await this.#copyup(objectNo, change, plan);
    } else {
      // What need not wait must not: the object would be touched later than the map was asked.
      if (objectMap?.wouldChange(objectNo, objectNo + 1, plan.before) === true) {
        await objectMap.update(objectNo, objectNo + 1, plan.before);
      }
      await this.#write(objectNo, change, plan, mayExist);
    }
    if (plan.removes) {
      const { NONEXISTENT, PENDING } = OBJECT_STATE;
      await objectMap?.update(objectNo, objectNo + 1, NONEXISTENT, PENDING);
    }
  }

  /** Copies what the parent shows, as a change of nothing would; an object that is there stays as it is. */
  async copyup(objectNo: number): Promise<void> {
    await this.change(objectNo, { type: "write", offset: 0, data: NO_BYTES });
  }

  /** Copies what a migration's source has of an object to the snapshots, past the end of the head. */
  async copySnapshots(objectNo: number): Promise<void> {
    await this.#once(objectNo, () => this.#migration.copy(objectNo));
  }

  async #write(
    objectNo: number,
    change: ObjectChange,
    plan: ObjectPlan,
    mayExist: boolean,
  ): Promise<void> {
    const image = this.#image;
    const { snapContext, objectSize, migration } = image;
    const guard = plan.needsCopyup ? [this.#guard()] : [];
    const isHinted = change.type !== "discard" && (image.objectMap === undefined || !mayExist);
    const hint = isHinted ? [opSetAllocHint(objectSize, objectSize)] : [];
    try {
      const ops = [...guard, ...hint, ...plan.ops];
      await this.#dataIo().write(image.objectName(objectNo), ops, { snapContext });
    } catch (error) {
      const isIncomplete = migration !== undefined && isErrno(error, "ERANGE");
      if (!isIncomplete && !isErrno(error, "ENOENT")) throw error;
      // Nothing there to be removed or made zero. Anything else makes its object: then it is the pool that is gone.
      if (!plan.needsCopyup && change.type === "discard") return;
      if (!plan.needsCopyup) throw error;
      // The migration has ended meanwhile: what there is to show is another.
      if (migration !== undefined && image.migration === undefined) {
        return await this.change(objectNo, change);
      }
      await this.#copyup(objectNo, change, plan);
    }
  }

  /** Fails with ENOENT, or ERANGE, where what is shown has to be copied first. */
  #guard(): OsdOp {
    const { migration, snapContext } = this.#image;
    if (migration === undefined) return opStat();
    const { LE_SNAPSET_SEQ: state } = ASSERT_SNAPC_SEQ;
    return callOp(DATA.assertSnapcSeq, { snapcSeq: snapContext.seq, state });
  }

  async #copyup(objectNo: number, change: ObjectChange, plan: ObjectPlan): Promise<void> {
    const isOurs = await this.#once(objectNo, () => this.#copyupNow(objectNo, change, plan));
    if (!isOurs || plan.afterCopyup) await this.#write(objectNo, change, plan, true);
  }

  /** @returns false: another was under way, and has ended */
  async #once(objectNo: number, copy: () => Promise<void>): Promise<boolean> {
    const { copyups } = this.#image;
    const other = copyups.get(objectNo);
    if (other !== undefined) {
      await other;
      return false;
    }
    const copying = copy();
    const done = copying.catch(() => undefined); // its failure is for who has asked for it
    copyups.set(objectNo, done);
    try {
      await copying;
    } finally {
      copyups.delete(objectNo);
    }
    return true;
  }

  /**
   * compat: librbd sends the change that follows a copy for snapshots without asking for the copy: where that fails
   * the change makes an object of its own, which hides what the parent shows.
   */
  async #copyupNow(objectNo: number, change: ObjectChange, plan: ObjectPlan): Promise<void> {
    const image = this.#image;
    const { snapContext, objectSize, migration } = image;
    const isNothing = change.type === "write" && change.data.length === 0;
    if (migration !== undefined) {
      // What is to be changed needs also what the source only shows.
      await this.#migration.copy(objectNo, isNothing ? undefined : true);
    }
    const shown = migration === undefined ? await this.#readParent(objectNo) : [];
    const isZero = shown.every(({ data }) => isAllZero(data));
    if (isZero && isNothing) return;
    await this.#updateMaps(objectNo, plan, isZero);
    const isDeep = snapContext.snaps.length > 0 && !isZero;
    const overwritten = snapContext.snaps.length > 0 ? undefined : plan.overwrites;
    const copied = isZero ? [] : without(shown, overwritten);
    const copy = [
      callOp(DATA.sparseCopyup, {
        extents: new Map(copied.map(({ offset, data }) => [offset, data.length])),
        data: Buffer.concat(copied.map(({ data }) => data)),
      }),
      opSetAllocHint(objectSize, objectSize),
    ];
    const ops = plan.afterCopyup ? [] : plan.ops;
    if (!isDeep) return await this.#send(objectNo, change, [...copy, ...ops], snapContext);
    // Without a snapshot context, so that every snapshot finds it there.
    const copying = this.#send(objectNo, change, copy, undefined);
    if (ops.length === 0) return await copying;
    // On its way at once, but nothing without the copy: alone it would make an object that hides the parent.
    const changing = this.#send(objectNo, change, [opStat(), ...ops], snapContext);
    await Promise.allSettled([copying, changing]);
    await copying;
    await changing;
  }

  /** @throws CephError ENOENT: the pool is gone; a discard lets go of what is not there, too */
  async #send(
    objectNo: number,
    { type }: ObjectChange,
    ops: readonly OsdOp[],
    snapContext: Image["snapContext"] | undefined,
  ): Promise<void> {
    const options = snapContext === undefined ? {} : { snapContext };
    const sent = this.#dataIo().write(this.#image.objectName(objectNo), ops, options);
    await (type === "discard" ? unless(sent, "ENOENT") : sent);
  }

  /** Snapshots see the object too: its data is new to the first, and the same in all later ones. */
  async #updateMaps(objectNo: number, plan: ObjectPlan, isZero: boolean): Promise<void> {
    const image = this.#image;
    const { objectMap } = image;
    if (objectMap === undefined) return;
    const { EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
    const later = image.hasFeature(RBD_FEATURE.FAST_DIFF) ? EXISTS_CLEAN : EXISTS;
    const snapshots = isZero ? [] : image.snapshots;
    for (const [index, { id }] of snapshots.entries()) {
      await objectMap.updateSnapshot(id, objectNo, index === 0 ? EXISTS : later);
    }
    await objectMap.update(objectNo, objectNo + 1, plan.before);
  }

  /** Ranges of the image that an object would show of the parent. */
  #shown(objectNo: number): { objectOffset: number; imageOffset: number; length: number }[] {
    const image = this.#image;
    const overlap = copyupOverlap(image);
    if (overlap === 0) return [];
    return objectToImage(image, objectNo)
      .filter(({ imageOffset }) => imageOffset < overlap)
      .map((piece) => ({ ...piece, length: Math.min(piece.length, overlap - piece.imageOffset) }));
  }

  async #readParent(objectNo: number): Promise<Run[]> {
    const shown = this.#shown(objectNo);
    // Flattened meanwhile: then the object is there, or shows nothing.
    if (shown.length === 0) return [];
    const spec = shownAt(this.#image, NOSNAP)?.spec;
    if (spec === undefined) return [];
    const parent = await this.#parents.reader(spec);
    const runs: Run[] = [];
    for (const { objectOffset, imageOffset, length } of shown) {
      for (const { offset, data } of await parent.read(imageOffset, length)) {
        runs.push({ offset: objectOffset + (offset - imageOffset), data });
      }
    }
    return runs;
  }

  #dataIo(): IoCtx {
    const { dataIo, target } = this.#image;
    if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", target);
    return dataIo;
  }
}

const NO_BYTES = new Uint8Array(0);
const ZEROS = Buffer.alloc(64 << 10);

export function isAllZero(data: Uint8Array): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, bytes.length - at);
    if (bytes.compare(ZEROS, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

/** Without the bytes that are overwritten at once. */
function without(runs: readonly Run[], range: ObjectPlan["overwrites"]): Run[] {
  if (range === undefined) return [...runs];
  return runs.flatMap(({ offset, data }) => {
    const left = IntervalSet.of(offset, data.length);
    left.remove(range.offset, range.length);
    return [...left].map(([start, length]) => ({
      offset: start,
      data: data.subarray(start - offset, start - offset + length),
    }));
  });
}
