/**
 * Making an image larger or smaller. Nothing is written to it meanwhile.
 *
 *   larger:  object map -> header
 *   smaller: objects past the new end go, what snapshots show of a parent is copied first -> header -> object map
 *
 * ceph: src/librbd/operation/ResizeRequest.cc, TrimRequest.cc
 */

import { OBJECT_MAP_COUNT_MAX, OBJECT_STATE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { imageError, unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { ObjectWriter } from "./io/object-write.ts";
import { setSize } from "./migration/shrink.ts";
import { forEachObject, mapLimited, type Progress } from "./progress.ts";
import { copyupOverlap } from "./shown.ts";
import { ParentSource } from "./snapshot-read.ts";
import { byObject, imageToObjects } from "./striper.ts";

const CONCURRENT = 10;

interface ResizeOptions {
  readonly allowShrink: boolean;
  readonly progress: Progress;
  /** Gives way to somebody who wants the lock: what is left is for the next owner. @default true */
  readonly givesWay?: boolean;
}

/**
 * Resizes an image whose lock is held, where it has one.
 * @param size bytes
 * @throws CephError EINVAL: smaller, and that is not allowed, or too large for an object map; ERESTART: the
 *   lock has to be given up first
 */
export async function resizeLocked(
  image: Image,
  size: number,
  options: ResizeOptions,
): Promise<void> {
  const refuse = (code: "EINVAL" | "ENODEV", why: string) =>
    imageError(code, "resize", image.target, why);
  if (image.hasFeature(RBD_FEATURE.OBJECT_MAP) && image.objectsIn(size) > OBJECT_MAP_COUNT_MAX) {
    throw refuse("EINVAL", "too large for an object map");
  }
  if (image.dataIo === undefined) throw refuse("ENODEV", "its data pool is gone");
  const drained = image.gate.block();
  try {
    await drained;
    await image.refreshIfStale();
    const before = image.size;
    if (size === before) return;
    if (size < before && !options.allowShrink) throw refuse("EINVAL", "it would be smaller");
    const { NONEXISTENT } = OBJECT_STATE;
    const objectCount = image.objectsIn(size);
    if (size > before) await image.objectMap?.resize(objectCount, NONEXISTENT);
    else await trim(image, size, options);
    await setSize(image, size);
    if (size < before) await image.objectMap?.resize(objectCount, NONEXISTENT);
    // The size, and how much of it shows the parent.
    await image.refresh();
  } catch (error) {
    // It may have been done all the same: nothing is written before the header has been read.
    image.markStale();
    throw error;
  } finally {
    image.gate.unblock();
  }
}

/** Lets go of what lies past an end that is to be. */
async function trim(
  image: Image,
  size: number,
  { progress, givesWay = true }: ResizeOptions,
): Promise<void> {
  const { objectMap, objectSize, stripeCount } = image;
  const period = objectSize * stripeCount;
  const periods = Math.ceil(size / period);
  // The first object that has nothing of the image any more.
  const start = periods * stripeCount;
  const end = image.objectCount;
  const writer = new ObjectWriter(image, new ParentSource(image.context, image));
  const { EXISTS, NONEXISTENT, PENDING } = OBJECT_STATE;
  if (start < end) {
    await objectMap?.update(start, end, PENDING, EXISTS);
    const shownEnd = image.snapshots.length > 0 ? image.objectsIn(copyupOverlap(image)) : 0;
    await forEachObject({ start, end }, progress, async (objectNo) => {
      if (givesWay) image.checkUndisturbed();
      else image.checkOwner();
      if (objectNo < shownEnd) {
        // Snapshots are to show it still.
        await writer.change(objectNo, wholeObject(objectSize));
      } else if (objectMap?.mayExist(objectNo) !== false) {
        await removeObject(image, objectNo);
      }
    });
    await objectMap?.update(start, end, NONEXISTENT, PENDING);
  }
  const boundary = Math.min(periods * period, image.size);
  if (boundary <= size) return;
  const extents = byObject(imageToObjects(image, size, boundary - size));
  await mapLimited(extents, CONCURRENT, async ({ objectNo, offset, length }) => {
    const part = { type: "discard", offset, length } as const;
    await writer.change(objectNo, offset === 0 ? wholeObject(objectSize) : part);
  });
}

function wholeObject(objectSize: number) {
  return { type: "discard", offset: 0, length: objectSize, showsParent: true } as const;
}

async function removeObject(image: Image, objectNo: number): Promise<void> {
  const { snapContext } = image;
  await unless(image.dataIo!.remove(image.objectName(objectNo), { snapContext }), "ENOENT");
}
