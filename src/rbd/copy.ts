/**
 * Copying what an image, or one of its snapshots, shows to a new image: without snapshots, without a parent,
 * without its holes.
 * ceph: src/librbd/internal.cc copy
 */

import { RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { bytesOf } from "../encoding/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { HEADER } from "./calls.ts";
import { type CreateOptions, createImage } from "./create.ts";
import { sizeAt } from "./find-snapshot.ts";
import type { Image } from "./image.ts";
import { ImageIo } from "./io/image-io.ts";
import { isAllZero } from "./io/object-write.ts";
import { listMetadata } from "./metadata.ts";
import { openImage } from "./open.ts";
import { forEachObject, noProgress, type Progress } from "./progress.ts";

export interface CopyOptions extends CreateOptions {
  /** Of which snapshot. @default the head */
  readonly snap?: SnapId;
  /** Bytes of the smallest run of zeros that is left out; 0: not said. @default the copy's object size */
  readonly sparseSize?: number;
  /** In bytes. */
  readonly progress?: Progress;
}

/**
 * @returns the copy's id
 * @throws CephError ENOENT: no such snapshot; and those of createImage
 */
export async function copyImage(
  source: Image,
  to: { readonly io: IoCtx; readonly name: string },
  options: CopyOptions = {},
): Promise<string> {
  const { context } = source;
  const { snap = NOSNAP, progress = noProgress } = options;
  // What a cache holds is to be in it, and what the image has become.
  await source.gate.flushed();
  await source.refreshIfStale();
  const size = sizeAt(source, snap);
  const id = await createImage(context, to.io, to.name, size, layoutOf(source, options));
  const target = await openImage(context, to.io, { id });
  try {
    await copyMetadata(source, target);
    await copyData(source, target, { size, snap, sparseSize: options.sparseSize, progress });
  } finally {
    await target.close();
  }
  return id;
}

/** How a copy is made unless it is said otherwise: as what it is of. */
export function layoutOf(source: Image, options: CreateOptions): CreateOptions {
  const { JOURNALING } = RBD_FEATURE;
  const isStriped = source.hasFeature(RBD_FEATURE.STRIPINGV2);
  const { order, stripeUnit, stripeCount } = source;
  const hasOwn = options.order !== undefined && options.order !== order;
  return {
    order,
    // Stripes of another object size are not to be taken over.
    ...(isStriped && !hasOwn ? { stripeUnit, stripeCount } : {}),
    features: source.features & ~JOURNALING,
    ...options,
  };
}

export async function copyMetadata(source: Image, target: Image): Promise<void> {
  const metadata = await listMetadata(source.io, source.headerOid);
  if (metadata.size === 0) return;
  const entries = new Map([...metadata].map(([key, value]) => [key, bytesOf(value)]));
  await target.io.execute(target.headerOid, HEADER.setMetadata, entries);
}

async function copyData(
  source: Image,
  target: Image,
  of: { size: number; snap: SnapId; sparseSize: number | undefined; progress: Progress },
): Promise<void> {
  const { size, snap, progress } = of;
  const sparseSize = of.sparseSize || target.objectSize;
  const from = new ImageIo(source);
  const into = new ImageIo(target);
  const period = source.objectSize * source.stripeCount;
  let done = 0;
  const periods = { start: 0, end: Math.ceil(size / period) };
  await forEachObject(periods, noProgress, async (index) => {
    const start = index * period;
    const length = Math.min(period, size - start);
    for (const run of await from.readSparse(start, length, snap)) {
      for (const [offset, data] of withoutZeros(run.offset, run.data, sparseSize)) {
        await into.write(offset, data);
      }
    }
    done += length;
    progress(done, size);
  });
}

/** Runs of a piece of data that are not zeros, by aligned units. */
function* withoutZeros(
  offset: number,
  data: Uint8Array,
  unit: number,
): Generator<[offset: number, data: Uint8Array]> {
  let start: number | undefined;
  for (let at = 0; at < data.length; ) {
    const end = Math.min(data.length, at + unit - ((offset + at) % unit));
    const isZero = isAllZero(data.subarray(at, end));
    if (isZero && start !== undefined) yield [offset + start, data.subarray(start, at)];
    if (isZero) start = undefined;
    else start ??= at;
    at = end;
  }
  if (start !== undefined) yield [offset + start, data.subarray(start)];
}
