/**
 * Comparing object maps with the objects that there are, and making them anew.
 * ceph: src/librbd/operation/ObjectMapIterate.cc, RebuildObjectMapRequest.cc
 */

import { statesOf } from "../cls/rbd/types/bit-vector.ts";
import { OBJECT_STATE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import type { SnapListing } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { HEADER, OBJECT_MAP } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { objectMapName } from "./names.ts";
import { FLAG, saveObjectMap } from "./object-map.ts";
import { forEachObject, type Progress } from "./progress.ts";
import { copyupOverlap } from "./shown.ts";

const { EXISTS, EXISTS_CLEAN, NONEXISTENT, PENDING } = OBJECT_STATE;

/** An object whose state in the map is not what it should be, of OBJECT_STATE. */
export interface MapMismatch {
  readonly objectNo: number;
  readonly mapped: number;
  readonly actual: number;
}

/**
 * Compares a map with the objects; the head's if nobody else has the lock. A map that leaves out an object
 * that is there is marked as not to be believed; one that knows of too many is only slow.
 * @returns what differs, of either kind
 * @throws CephError EINVAL: no object map
 * ceph: Operations<I>::check_object_map
 */
export async function checkObjectMap(
  image: Image,
  snap: SnapId,
  progress: Progress,
): Promise<MapMismatch[]> {
  const { io, id } = image;
  if (!image.hasFeature(RBD_FEATURE.OBJECT_MAP)) throw noMap(image);
  const map = await io.query(objectMapName(id, snap), OBJECT_MAP.load, undefined);
  const mapped = statesOf(map, map.size);
  const actual = await actualStates(image, snap, progress);
  const mismatches: MapMismatch[] = [];
  for (const [objectNo, state] of actual.entries()) {
    const inMap = mapped[objectNo] ?? NONEXISTENT;
    if (inMap !== state) mismatches.push({ objectNo, mapped: inMap, actual: state });
  }
  if (mismatches.some(isHarmful)) {
    const mask = FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID;
    await io.execute(image.headerOid, HEADER.setFlags, { flags: mask, mask, snapId: snap });
    image.flagsSet(snap, mask);
    await image.notifyUpdate();
  }
  return mismatches;
}

function isHarmful({ mapped, actual }: MapMismatch): boolean {
  const saidThere = mapped === EXISTS || mapped === EXISTS_CLEAN;
  return !(saidThere && (actual === NONEXISTENT || actual === PENDING));
}

/**
 * Makes all maps anew: those of the snapshots, and the head's. Nothing is written while one is made that a change of the
 * head would have to be in: it would be in none of the two.
 * compat: librbd goes on writing meanwhile.
 */
export async function rebuildObjectMapLocked(image: Image, progress: Progress): Promise<void> {
  if (!image.hasFeature(RBD_FEATURE.OBJECT_MAP)) throw noMap(image);
  const rebuildSnapshots = async () => {
    for (const { id } of image.snapshots) await rebuild(image, id, progress);
  };
  // What the head copies of what it shows is in the snapshots, too.
  const copies = copyupOverlap(image) > 0;
  if (!copies) await rebuildSnapshots();
  const drained = image.gate.block();
  try {
    await drained;
    if (copies) await rebuildSnapshots();
    await rebuild(image, NOSNAP, progress);
    await image.refresh();
  } finally {
    image.gate.unblock();
  }
  await image.notifyUpdate();
}

async function rebuild(image: Image, snap: SnapId, progress: Progress): Promise<void> {
  const { io, headerOid } = image;
  const states = await actualStates(image, snap, progress, () => image.checkUndisturbed());
  if (snap === NOSNAP && image.objectMap !== undefined) await image.objectMap.save(states);
  else await saveObjectMap(io, image.id, snap, states);
  const mask = FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID;
  await io.execute(headerOid, HEADER.setFlags, { flags: 0n, mask, snapId: snap });
}

/** What the states should be, by the revisions of the objects that there are. */
async function actualStates(
  image: Image,
  snap: SnapId,
  progress: Progress,
  check: () => void = () => undefined,
): Promise<Uint8Array> {
  const { dataIo } = image;
  if (dataIo === undefined) throw imageError("ENODEV", "open the data pool of", image.target);
  const size =
    snap === NOSNAP ? image.size : image.snapshots.find(({ id }) => id === snap)?.imageSize;
  if (size === undefined) throw imageError("ENOENT", "find a snapshot of", image.target);
  const states = new Uint8Array(image.objectsIn(size));
  await forEachObject({ start: 0, end: states.length }, progress, async (objectNo) => {
    check();
    const listing = await unless(dataIo.listSnaps(image.objectName(objectNo)), "ENOENT");
    if (listing !== undefined) states[objectNo] = stateAt(image, snap, listing);
  });
  return states;
}

function stateAt(image: Image, snap: SnapId, { clones, seq }: SnapListing): number {
  const nextSnapshot = (id: SnapId) => image.snapshots.find((s) => s.id >= id)?.id ?? NOSNAP;
  for (const { id, snaps } of clones) {
    const from = nextSnapshot(id === NOSNAP ? seq + 1n : (snaps[0] ?? id));
    const to = id === NOSNAP ? NOSNAP : (snaps.at(-1) ?? id);
    if (to < snap) continue;
    if (snap < from) return NONEXISTENT;
    return image.hasFeature(RBD_FEATURE.FAST_DIFF) && from !== snap ? EXISTS_CLEAN : EXISTS;
  }
  return NONEXISTENT;
}

function noMap(image: Image): Error {
  return imageError("EINVAL", "check the object map of", image.target, "it has none");
}
