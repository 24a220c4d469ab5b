/**
 * Copying an image with all the snapshots that users took of it to a new image, which may be laid out
 * otherwise; a clone's copy is a clone of the same parent, unless it is to be flat.
 *
 *   header with the sizes and overlaps of one snapshot after the other -> empty object maps
 *     -> every object with its snapshots -> protection, metadata
 *
 * ceph: src/librbd/api/Image.cc deep_copy, src/librbd/deep_copy/SnapshotCopyRequest.cc, SetHeadRequest.cc
 */

import {
  OBJECT_STATE,
  RBD_FEATURE,
  RBD_OPERATION_FEATURE,
  RBD_PROTECTION_STATUS,
} from "../../cls/rbd/types/features.ts";
import { USER_NAMESPACE } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { HEADER, OBJECT_MAP } from "../calls.ts";
import { attachToParent } from "../clone.ts";
import { copyMetadata, layoutOf } from "../copy.ts";
import { type CreateOptions, createImage } from "../create.ts";
import { imageError } from "../errors.ts";
import { checkSnapshotsStay } from "../find-snapshot.ts";
import type { Image } from "../image.ts";
import { objectMapName } from "../names.ts";
import { openImage } from "../open.ts";
import { forEachObject, noProgress, type Progress } from "../progress.ts";
import { takeMapOf } from "../snapshot-rollback.ts";
import { DeepCopy } from "./object-copy.ts";
import { computeSnapMap } from "./snap-map.ts";

export interface DeepCopyImageOptions extends CreateOptions {
  /** Up to which snapshot of a user: the copy is what the source was then, and has none of the newer ones. @default the head */
  readonly snap?: SnapId;
  /** The copy of a clone shows no parent, but has all of it. @default false */
  readonly flatten?: boolean;
  /** In objects of the copy. */
  readonly progress?: Progress;
}

/** The image at one of its snapshots, or as it is now. */
export interface Revision {
  readonly snap: SnapId;
  readonly name: string;
  readonly size: number;
  readonly overlap: number;
  readonly isProtected: boolean;
}

/**
 * @returns the copy's id
 * @throws CephError EBUSY: it is migrating; ENOENT: no such snapshot, or one that was removed meanwhile; and those of
 *   createImage
 */
export async function deepCopyImage(
  source: Image,
  to: { readonly io: IoCtx; readonly name: string },
  options: DeepCopyImageOptions = {},
): Promise<string> {
  const { context } = source;
  const { snap = NOSNAP, flatten = false, progress = noProgress } = options;
  // What a cache holds is to be in it, and what the image has become.
  await source.gate.flushed();
  await source.refreshIfStale();
  if (source.hasFeature(RBD_FEATURE.MIGRATING)) {
    throw imageError("EBUSY", "copy", source.target, "it is migrating");
  }
  const revisions = revisionsOf(source, snap, flatten);
  const first = revisions[0];
  const features = layoutOf(source, options).features ?? 0n;
  const create = { ...layoutOf(source, options), features };
  const id = await createImage(context, to.io, to.name, first?.size ?? 0, create);
  const target = await openImage(context, to.io, { id });
  try {
    const pairs = await copyHistory(source, target, revisions, snap);
    await target.refresh();
    await target.acquireLock("refuse");
    const snapMap = computeSnapMap([], pairs, 0n);
    const copy = new DeepCopy(context, source, target, {
      from: 0n,
      snapMap,
      flatten,
      isMigration: false,
    });
    const end = Math.max(...revisions.map(({ size }) => target.objectsIn(size)));
    await forEachObject({ start: 0, end }, progress, async (objectNo) => {
      target.checkOwner();
      await copy.copy(objectNo);
    });
    const used = revisions.map((revision) => revision.snap);
    await checkSnapshotsStay(source, used);
    // What is now is what the last snapshot has: nothing was written since. Its map may have become invalid meanwhile.
    await target.refresh();
    const last = target.snapshots.find(({ id }) => id === pairs.at(-1)?.[1]);
    if (last !== undefined) await takeMapOf(target, last);
    await protect(target, revisions, pairs);
    await copyMetadata(source, target);
    await target.notifyUpdate();
  } finally {
    await target.close();
  }
  return id;
}

/** The users' snapshots up to `snap`, and as the head what the source is at `snap`. */
export function revisionsOf(source: Image, snap: SnapId, flatten: boolean): Revision[] {
  const { PROTECTED } = RBD_PROTECTION_STATUS;
  const users = source.snapshots.filter(({ namespace }) => namespace.type === "user");
  const at = users.find(({ id }) => id === snap);
  if (snap !== NOSNAP && at === undefined) {
    throw imageError("ENOENT", "find a user's snapshot of", source.target);
  }
  const overlapOf = (overlap: number | undefined) =>
    flatten || source.parent === undefined ? 0 : (overlap ?? 0);
  return [
    ...users
      .filter(({ id }) => id <= snap)
      .map(({ id, name, imageSize, parentOverlap, protection }) => ({
        snap: id,
        name,
        size: imageSize,
        overlap: overlapOf(parentOverlap),
        isProtected: protection === PROTECTED,
      })),
    {
      snap: NOSNAP,
      name: "",
      size: at?.imageSize ?? source.size,
      overlap: overlapOf(at === undefined ? source.parent?.overlap : at.parentOverlap),
      isProtected: false,
    },
  ];
}

/**
 * Gives a new image the sizes and snapshots of another, and its parent.
 * @param until the last revision that has data of its own
 * @returns the snapshots of the copy by those of the source
 */
export async function copyHistory(
  source: Image,
  target: Image,
  revisions: readonly Revision[],
  until: SnapId,
): Promise<[SnapId, SnapId][]> {
  const { io, headerOid, dataIo, target: name } = target;
  if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", name);
  const pairs: [SnapId, SnapId][] = [];
  let overlap = revisions[0]?.overlap ?? 0;
  const isClone = source.parent !== undefined && overlap > 0;
  if (isClone && source.parent !== undefined) {
    const isNewKind = (source.opFeatures & RBD_OPERATION_FEATURE.CLONE_CHILD) !== 0n;
    await attachToParent(target, source.parent.spec, overlap, isNewKind ? 2 : 1);
  }
  for (const revision of revisions) {
    const { size } = revision;
    if (revision.overlap < overlap) {
      // Only becoming smaller takes it back.
      if (revision.overlap > 0) {
        await io.execute(headerOid, HEADER.setSize, { size: revision.overlap });
      } else if (isClone) await io.execute(headerOid, HEADER.detachParent, undefined);
      overlap = revision.overlap;
    }
    await io.execute(headerOid, HEADER.setSize, { size });
    if (revision.snap === NOSNAP) {
      await emptyMap(target, NOSNAP, size);
      if (until === NOSNAP) pairs.push([NOSNAP, NOSNAP]);
      continue;
    }
    const snapId = await dataIo.createSnapId();
    const snapshot = { snapId, name: revision.name, namespace: USER_NAMESPACE };
    await io.execute(headerOid, HEADER.addSnapshot, snapshot);
    await emptyMap(target, snapId, size);
    pairs.push([revision.snap, snapId]);
  }
  return pairs;
}

async function emptyMap(target: Image, snap: SnapId, size: number): Promise<void> {
  if (!target.hasFeature(RBD_FEATURE.OBJECT_MAP)) return;
  const objectCount = BigInt(target.objectsIn(size));
  const map = { objectCount, defaultState: OBJECT_STATE.NONEXISTENT };
  await target.io.execute(objectMapName(target.id, snap), OBJECT_MAP.resize, map);
}

/** Protects the copies of snapshots that are. @param pairs as of copyHistory */
export async function protect(
  { io, headerOid }: Image,
  revisions: readonly Revision[],
  pairs: readonly [SnapId, SnapId][],
): Promise<void> {
  const { PROTECTED: status } = RBD_PROTECTION_STATUS;
  const snapOf = new Map(pairs);
  for (const { snap, isProtected } of revisions) {
    const snapId = snapOf.get(snap);
    if (!isProtected || snapId === undefined) continue;
    await io.execute(headerOid, HEADER.setProtection, { snapId, status });
  }
}
