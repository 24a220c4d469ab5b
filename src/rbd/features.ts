/**
 * Turning features of an image on and off. Nothing is written to it meanwhile.
 *
 *   on:  maps marked as not to be believed -> features -> maps of head and snapshots
 *   off: maps -> features -> marks
 *
 * ceph: src/librbd/operation/EnableFeaturesRequest.cc, DisableFeaturesRequest.cc,
 *   src/librbd/object_map/CreateRequest.cc, RemoveRequest.cc
 */

import {
  OBJECT_STATE,
  RBD_FEATURE,
  RBD_FEATURES_DISABLE_ONLY,
  RBD_FEATURES_MUTABLE,
} from "../cls/rbd/types/features.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { HEADER, OBJECT_MAP } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { objectMapName } from "./names.ts";
import { FLAG } from "./object-map.ts";

const {
  EXCLUSIVE_LOCK,
  OBJECT_MAP: MAP,
  FAST_DIFF,
  JOURNALING,
  NON_PRIMARY,
  DIRTY_CACHE,
} = RBD_FEATURE;
/** Those that users may not touch.  ceph: RBD_FEATURES_MUTABLE_INTERNAL */
const INTERNAL = NON_PRIMARY | DIRTY_CACHE;

/**
 * The change that a user's wish means.
 * @throws CephError EINVAL: none, not changeable, or already so
 * ceph: Operations<I>::update_features
 */
export function checkFeatureChange(image: Image, wish: bigint, enabled: boolean): bigint {
  const refuse = (why: string) => imageError("EINVAL", "change the features of", image.target, why);
  if (!image.format.hasFeatures) throw refuse("format 1 has none");
  const changeable = enabled
    ? RBD_FEATURES_MUTABLE
    : RBD_FEATURES_MUTABLE | RBD_FEATURES_DISABLE_ONLY;
  if ((wish & changeable & ~INTERNAL) !== wish) throw refuse("immutable features");
  let features = wish;
  const has = (feature: bigint) => image.hasFeature(feature);
  const wants = (feature: bigint) => (wish & feature) !== 0n;
  // Object maps and fast-diff go together.
  const joins = enabled
    ? (wants(MAP) && !has(FAST_DIFF)) || (wants(FAST_DIFF) && !has(MAP))
    : wants(MAP) && has(FAST_DIFF);
  if (joins) features |= MAP | FAST_DIFF;
  if (features === 0n) throw refuse("no feature");
  if (enabled && (features & image.features) !== 0n) throw refuse("already enabled");
  if (!enabled && (features & ~image.features) !== 0n) throw refuse("already disabled");
  return features;
}

/** @throws CephError EINVAL: what they need is not there, or needs them; EOPNOTSUPP: a journal */
export async function changeFeaturesLocked(
  image: Image,
  wish: bigint,
  enabled: boolean,
): Promise<void> {
  const refuse = (code: "EINVAL" | "EOPNOTSUPP", why: string) =>
    imageError(code, "change the features of", image.target, why);
  if ((wish & JOURNALING) !== 0n) throw refuse("EOPNOTSUPP", "journals are not supported");
  const drained = image.gate.block();
  try {
    await drained;
    await image.refreshIfStale();
    if (enabled) await enable(image, wish, refuse);
    else await disable(image, wish, refuse);
  } catch (error) {
    // They may have changed all the same: nothing is written before the header has been read.
    image.markStale();
    throw error;
  } finally {
    image.gate.unblock();
  }
  await image.notifyUpdate();
}

type Refuse = (code: "EINVAL", why: string) => Error;

async function enable(image: Image, wish: bigint, refuse: Refuse): Promise<void> {
  let features = wish & ~image.features;
  if ((features & (MAP | FAST_DIFF)) !== 0n) features |= MAP | FAST_DIFF;
  const after = image.features | features;
  if ((features & MAP) !== 0n) {
    if ((after & EXCLUSIVE_LOCK) === 0n) {
      throw refuse("EINVAL", "an object map needs an exclusive lock");
    }
    await setFlags(image, FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID, true);
  }
  const mask = features | ((features & MAP) !== 0n ? EXCLUSIVE_LOCK : 0n);
  await image.io.execute(image.headerOid, HEADER.setFeatures, { value: after, mask });
  if ((features & MAP) !== 0n) {
    for (const [snap, size] of revisions(image)) {
      const objectCount = BigInt(image.objectsIn(size));
      const map = { objectCount, defaultState: OBJECT_STATE.NONEXISTENT };
      await image.io.execute(objectMapName(image.id, snap), OBJECT_MAP.resize, map);
    }
  }
  await image.refresh();
}

async function disable(image: Image, wish: bigint, refuse: Refuse): Promise<void> {
  let features = wish & image.features;
  if ((features & (MAP | FAST_DIFF)) !== 0n) features |= (MAP | FAST_DIFF) & image.features;
  const after = image.features & ~features;
  if ((features & EXCLUSIVE_LOCK) !== 0n && (after & (MAP | JOURNALING)) !== 0n) {
    throw refuse("EINVAL", "object maps and journals need the exclusive lock");
  }
  const hasMap = (features & MAP) !== 0n;
  if (hasMap) {
    // The head's goes with its lock. Ours stays open until the feature is gone: nobody is to open it anew.
    for (const [snap] of revisions(image)) {
      await unless(image.io.remove(objectMapName(image.id, snap)), "ENOENT");
    }
  }
  const mask = features | ((features & EXCLUSIVE_LOCK) !== 0n ? MAP | FAST_DIFF | JOURNALING : 0n);
  await image.io.execute(image.headerOid, HEADER.setFeatures, { value: after, mask });
  if (hasMap) await setFlags(image, FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID, false);
  // Nobody would ever take it back.
  if ((features & EXCLUSIVE_LOCK) !== 0n) await image.releaseLock();
  await image.refresh();
}

/** Sets or clears flags of the head and of all snapshots. */
async function setFlags(image: Image, mask: bigint, on: boolean): Promise<void> {
  const flags = on ? mask : 0n;
  for (const [snapId] of revisions(image)) {
    await image.io.execute(image.headerOid, HEADER.setFlags, { flags, mask, snapId });
  }
}

/** The head and the snapshots, with their sizes. */
function revisions(image: Image): [SnapId, number][] {
  const { snapshots, size } = image;
  return [[NOSNAP, size], ...snapshots.map((s): [SnapId, number] => [s.id, s.imageSize])];
}
