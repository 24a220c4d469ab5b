/**
 * What differs between two revisions of an image: of whole objects, by the object maps, where they know; or
 * else by the revisions of the objects that there are.
 * ceph: src/librbd/api/DiffIterate.cc, src/librbd/object_map/DiffRequest.cc, io/ObjectRequest.cc ObjectListSnapsRequest
 */

import { OBJECT_STATE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { type CallOptions, callOp, callReply, type IoCtx } from "../rados/index.ts";
import { IntervalSet, NOSNAP, type SnapId } from "../types/index.ts";
import { HEADER } from "./calls.ts";
import { objectDeltas } from "./deep-copy/delta.ts";
import { imageError, unless } from "./errors.ts";
import { checkSnapshotsStay, mustFindSnapshot, sizeAt } from "./find-snapshot.ts";
import { Image, poolOf } from "./image.ts";
import { statesAt } from "./map-states.ts";
import type { ShownSpec } from "./migration/source.ts";
import { FLAG } from "./object-map.ts";
import { CONCURRENT, mapLimited } from "./progress.ts";
import { refOf, shownAt } from "./shown.ts";
import { byObject, imageToObjects, type Piece } from "./striper.ts";

/** Limits that are reached end it. */
export interface DiffOptions extends CallOptions {
  /** A user's snapshot, by name. @default from nothing: everything there is */
  readonly fromSnap?: string;
  /** Up to which snapshot. @default the head */
  readonly toSnap?: SnapId;
  /**
   * Whole objects only, which the object maps may tell at once; they leave out what is shown of the parent, as
   * librbd of Pacific does. @default false
   */
  readonly wholeObject?: boolean;
  /** From nothing: also what is shown of the parent. @default true */
  readonly includeParent?: boolean;
  /** Bytes of the image that matter. @default all */
  readonly offset?: number;
  readonly length?: number;
}

/**
 * Told of ranges that differ, in ascending order of the stripes they are in.
 * @param exists false: it is zeros now
 */
export type DiffCallback = (
  offset: number,
  length: number,
  exists: boolean,
) => void | Promise<void>;

/** Stripes that are looked at together. */
const BATCH = 64;

/**
 * @throws CephError ENOENT: no such snapshot, or one that was removed meanwhile: what the callback was told is not to
 *   be used; EINVAL: the first is the newer; ENODEV: the data pool is gone
 */
export async function diffIterate(
  image: Image,
  options: DiffOptions,
  callback: DiffCallback,
): Promise<void> {
  const { toSnap = NOSNAP, wholeObject = false, includeParent = true, signal } = options;
  if (image.dataIo === undefined) throw imageError("ENODEV", "open the data pool of", image.target);
  await image.gate.flushed();
  await image.refreshIfStale();
  const fromSnap =
    options.fromSnap === undefined ? 0n : mustFindSnapshot(image, options.fromSnap).id;
  if (fromSnap === toSnap) return;
  if (fromSnap > toSnap) throw imageError("EINVAL", "compare", image.target, "backwards");
  const size = sizeAt(image, toSnap);
  const start = options.offset ?? 0;
  const end = Math.min(start + (options.length ?? size), size);
  if (start >= end) {
    if (start > end) throw imageError("EINVAL", "reach past the end of", image.target);
    return;
  }
  const fast = wholeObject ? await fastDiff(image, fromSnap, toSnap, signal) : undefined;
  const range = { start, end, fromSnap, toSnap };
  if (fast !== undefined) await byMaps(image, range, fast, callback);
  else {
    const lister = new DiffLister(image, {
      wholeObject,
      includeParent: includeParent && fromSnap === 0n,
      signal,
    });
    await byListing(image, range, lister, callback);
  }
  await checkSnapshotsStay(image, [fromSnap, toSnap], { signal });
}

interface DiffRange {
  readonly start: number;
  readonly end: number;
  readonly fromSnap: SnapId;
  readonly toSnap: SnapId;
}

/** What a diff has of an object. */
const DIFF = { HOLE: 0, DATA: 1, HOLE_UPDATED: 2, DATA_UPDATED: 3 } as const;

/** Attempts to read maps while the header changes. */
const ATTEMPTS_MAX = 3;

/**
 * The diff of each object; undefined: the maps do not tell. A snapshot that is taken meanwhile takes what was written
 * before out of the head's map, and whoever finds a map damaged tells nobody: so they count only if the header says
 * the same after they were read.
 * compat: librbd goes by what it was told last.
 */
async function fastDiff(
  image: Image,
  from: SnapId,
  to: SnapId,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (!image.hasFeature(RBD_FEATURE.FAST_DIFF)) return undefined;
    // Of what has not been copied yet the maps know nothing.
    if (image.migration !== undefined) return undefined;
    const marks = new Map(
      [...image.snapshots, { id: NOSNAP, flags: image.flags }]
        .filter(({ id }) => id >= from && id <= to)
        .map(({ id, flags }) => [id, flags]),
    );
    if (!marks.has(to) || (from !== 0n && !marks.has(from))) return undefined;
    const maps: (Uint8Array | "gone")[] = [];
    for (const snap of marks.keys()) {
      const states = await statesAt(image, snap, FLAG.FAST_DIFF_INVALID, { signal });
      if (states === undefined) return undefined;
      maps.push(states);
    }
    if (await isMarkedSo(image, marks, signal)) return diffOf(maps, from === 0n);
    await image.refresh();
  }
  return undefined;
}

/** Are these the snapshots of their range by the header, and are their maps marked so? */
async function isMarkedSo(
  { io, headerOid }: Image,
  marks: ReadonlyMap<SnapId, bigint>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ids = [...marks.keys()];
  const ops = [
    callOp(HEADER.getSnapContext, undefined),
    ...ids.map((snapId) => callOp(HEADER.getFlags, { snapId })),
  ];
  const reply = await unless(io.read(headerOid, ops, { signal }), "ENOENT");
  if (reply === undefined) return false;
  const [context, ...flags] = reply.ops;
  const [first = 0n, last = 0n] = [ids[0], ids.at(-1)];
  const { snaps } = callReply(HEADER.getSnapContext, context?.data);
  return (
    snaps.every((id) => id < first || id > last || marks.has(id)) &&
    ids.every((id, index) => callReply(HEADER.getFlags, flags[index]?.data) === marks.get(id))
  );
}

/** @param maps oldest first */
function diffOf(
  maps: readonly (Uint8Array | "gone")[],
  fromStart: boolean,
): Uint8Array | undefined {
  const { NONEXISTENT } = OBJECT_STATE;
  let diff: Uint8Array | undefined = fromStart ? new Uint8Array(0) : undefined;
  for (const states of maps) {
    // Not there yet, or in the next already: of which kind the next is nobody knows.
    if (states === "gone") return undefined;
    // What the first has is where to start from, whenever it was written.
    diff =
      diff === undefined
        ? states.map((state) => (state === NONEXISTENT ? DIFF.HOLE : DIFF.DATA))
        : nextDiff(diff, states, fromStart);
  }
  return diff;
}

function nextDiff(before: Uint8Array, states: Uint8Array, fromStart: boolean): Uint8Array {
  const { NONEXISTENT, EXISTS, PENDING, EXISTS_CLEAN } = OBJECT_STATE;
  const diff = new Uint8Array(Math.max(before.length, states.length));
  for (let i = 0; i < diff.length; i++) {
    // Of a smaller image the rest is gone.
    const state = states[i] ?? NONEXISTENT;
    const was = before[i];
    if (was === undefined) {
      if (state === NONEXISTENT) diff[i] = DIFF.HOLE;
      else diff[i] = fromStart || state !== EXISTS_CLEAN ? DIFF.DATA_UPDATED : DIFF.DATA;
      continue;
    }
    const hadData = was === DIFF.DATA || was === DIFF.DATA_UPDATED;
    if (state === EXISTS || state === PENDING || (state === EXISTS_CLEAN && !hadData)) {
      diff[i] = DIFF.DATA_UPDATED;
    } else if (state === NONEXISTENT && hadData) diff[i] = DIFF.HOLE_UPDATED;
    else diff[i] = was;
  }
  return diff;
}

async function byMaps(
  image: Image,
  { start, end }: DiffRange,
  diff: Uint8Array,
  callback: DiffCallback,
): Promise<void> {
  const period = image.objectSize * image.stripeCount;
  for (let at = start; at < end; ) {
    const stop = Math.min(end, at - (at % period) + period);
    for (const { objectNo, imageOffset, length } of imageToObjects(image, at, stop - at)) {
      const state = diff[objectNo] ?? DIFF.HOLE;
      if (state === DIFF.DATA_UPDATED || state === DIFF.HOLE_UPDATED) {
        await callback(imageOffset, length, state === DIFF.DATA_UPDATED);
      }
    }
    at = stop;
  }
}

async function byListing(
  image: Image,
  { start, end, fromSnap, toSnap }: DiffRange,
  lister: DiffLister,
  callback: DiffCallback,
): Promise<void> {
  const period = image.objectSize * image.stripeCount;
  for (let at = start; at < end; ) {
    const batch: [number, number][] = [];
    for (let i = 0; i < BATCH && at < end; i++) {
      const stop = Math.min(end, at - (at % period) + period);
      batch.push([at, stop - at]);
      at = stop;
    }
    const diffs = await mapLimited(batch, CONCURRENT, ([offset, length]) =>
      lister.list(offset, length, [fromSnap, toSnap]),
    );
    for (const { data, zeroed } of diffs) {
      const ranges = [
        ...[...data].map(([offset, length]) => ({ offset, length, exists: true })),
        ...[...zeroed].map(([offset, length]) => ({ offset, length, exists: false })),
      ].sort((a, b) => a.offset - b.offset);
      for (const { offset, length, exists } of ranges) await callback(offset, length, exists);
    }
  }
}

/** Bytes of an image. */
interface ImageDiff {
  readonly data: IntervalSet;
  readonly zeroed: IntervalSet;
}

interface ListerOptions {
  readonly wholeObject: boolean;
  readonly includeParent: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Finds what changed by listing the revisions of objects. */
class DiffLister {
  readonly #image: Image;
  readonly #wholeObject: boolean;
  readonly #includeParent: boolean;
  readonly #signal: AbortSignal | undefined;
  #shown: { readonly key: string; readonly lister: Promise<DiffLister | undefined> } | undefined;

  constructor(image: Image, options: ListerOptions) {
    this.#image = image;
    this.#wholeObject = options.wholeObject;
    this.#includeParent = options.includeParent;
    this.#signal = options.signal;
  }

  async list(offset: number, length: number, snaps: readonly [SnapId, SnapId]): Promise<ImageDiff> {
    const all: ImageDiff = { data: new IntervalSet(), zeroed: new IntervalSet() };
    for (const extent of byObject(imageToObjects(this.#image, offset, length))) {
      const { objectNo, parts } = extent;
      const { data, zeroed } = await this.#listObject(objectNo, parts, snaps);
      all.data.union(data);
      all.zeroed.union(zeroed);
    }
    all.zeroed.subtract(all.data);
    return all;
  }

  async #listObject(
    objectNo: number,
    parts: readonly Piece[],
    [from, to]: readonly [SnapId, SnapId],
  ): Promise<ImageDiff> {
    const image = this.#image;
    const { dataIo, objectSize } = image;
    if (dataIo === undefined) {
      throw imageError("ENODEV", "open the data pool of", image.target);
    }
    const oid = image.objectName(objectNo);
    if (image.migration !== undefined) await image.copyups.get(objectNo);
    const listSnaps = () => unless(dataIo.listSnaps(oid, { signal: this.#signal }), "ENOENT");
    let listing = await listSnaps();
    if (listing === undefined && image.migration !== undefined) {
      const shown = await this.#listSource(parts, [from, to]);
      // What the source has lost by now has been copied before.
      listing = await listSnaps();
      if (listing === undefined) return shown;
    }
    const extents = IntervalSet.from(parts.map((x) => [x.objectOffset, x.length]));
    const diff: ImageDiff = { data: new IntervalSet(), zeroed: new IntervalSet() };
    const deltas = objectDeltas(listing, extents, [from, to], objectSize);
    let isEmpty = true;
    for (const { writeSnap, readSnap, data, zeroed } of deltas) {
      const isInitial = writeSnap === from && readSnap === from;
      if (isInitial) continue;
      isEmpty = false;
      const isWhole = this.#wholeObject && !data.isEmpty;
      diff.data.union(inImage(isWhole ? extents : data, parts));
      if (!isWhole) diff.zeroed.union(inImage(zeroed, parts));
    }
    if (!isEmpty || !this.#includeParent || from !== 0n) return diff;
    const shown = await this.#listParent(parts, to);
    if (shown !== undefined) diff.data.union(shown);
    return diff;
  }

  /** What the parent has where the image has no object. */
  async #listParent(parts: readonly Piece[], to: SnapId): Promise<IntervalSet | undefined> {
    const shown = shownAt(this.#image, to);
    if (shown === undefined) return undefined;
    const all = new IntervalSet();
    for (const [offset, length] of piecesUnder(parts, shown.overlap)) {
      const lister = await this.#openShown(shown.spec, true);
      const diff = await lister?.list(offset, length, [0n, shown.spec.snapId]);
      if (diff !== undefined) all.union(diff.data);
    }
    return all.isEmpty ? undefined : all;
  }

  /** What differs in a migration's source, none of which has been copied here. */
  async #listSource(
    parts: readonly Piece[],
    [from, to]: readonly [SnapId, SnapId],
  ): Promise<ImageDiff> {
    const diff: ImageDiff = { data: new IntervalSet(), zeroed: new IntervalSet() };
    const [start, end] = [shownAt(this.#image, from), shownAt(this.#image, to)];
    const startSnap = start?.spec.snapId ?? 0n;
    const endOverlap = end?.overlap ?? 0;
    if (end !== undefined && startSnap !== end.spec.snapId) {
      for (const [offset, length] of piecesUnder(parts, endOverlap)) {
        const lister = await this.#openShown(end.spec, this.#includeParent);
        const part = await lister?.list(offset, length, [startSnap, end.spec.snapId]);
        if (part === undefined) continue;
        diff.data.union(part.data);
        diff.zeroed.union(part.zeroed);
      }
    }
    if (start === undefined) return diff;
    // What is not shown any more is zeros.
    for (const [offset, length] of piecesUnder(parts, start.overlap)) {
      const at = Math.max(offset, endOverlap);
      if (at >= offset + length) continue;
      const lister = await this.#openShown(start.spec, true);
      const part = await lister?.list(at, offset + length - at, [0n, startSnap]);
      if (part !== undefined) diff.zeroed.union(part.data);
    }
    return diff;
  }

  #openShown(spec: ShownSpec, includeParent: boolean): Promise<DiffLister | undefined> {
    const { poolId, poolNamespace, imageId } = spec;
    const key = `${imageId} ${includeParent}`;
    if (this.#shown?.key !== key) {
      const { context, io: own } = this.#image;
      const io = poolOf(own, poolId, poolNamespace);
      const open = async (of: IoCtx) => {
        const shown = await Image.open(context, of, refOf(spec), { readOnly: true });
        const options = { wholeObject: this.#wholeObject, includeParent, signal: this.#signal };
        return new DiffLister(shown, options);
      };
      const lister = io === undefined ? Promise.resolve(undefined) : open(io);
      this.#shown = { key, lister };
    }
    return this.#shown.lister;
  }
}

/** Ranges of the image, as far as it shows another. */
function piecesUnder(parts: readonly Piece[], overlap: number): [offset: number, length: number][] {
  return parts
    .filter(({ imageOffset }) => imageOffset < overlap)
    .map(({ imageOffset, length }) => [imageOffset, Math.min(length, overlap - imageOffset)]);
}

function inImage(set: IntervalSet, parts: readonly Piece[]): IntervalSet {
  const mapped = new IntervalSet();
  for (const { objectOffset, imageOffset, length } of parts) {
    const part = set.clone();
    part.intersect(IntervalSet.of(objectOffset, length));
    for (const [start, size] of part) mapped.insert(imageOffset + start - objectOffset, size);
  }
  return mapped;
}

export interface DiskUsage {
  /** Bytes that are provisioned. */
  readonly provisioned: number;
  /** Bytes of the objects that there are, or of what they hold. */
  readonly used: number;
}

/**
 * What a revision takes: since the snapshot before it, or from the start.
 * @param exact counts bytes rather than whole objects @default false
 * ceph: src/tools/rbd/action/DiskUsage.cc
 */
export async function diskUsage(
  image: Image,
  options: { readonly exact?: boolean } & Pick<DiffOptions, "fromSnap" | "toSnap" | "signal"> = {},
): Promise<DiskUsage> {
  const { exact = false, toSnap = NOSNAP, fromSnap, signal } = options;
  let used = 0;
  const diff = {
    toSnap,
    signal,
    wholeObject: !exact,
    includeParent: false,
    ...(fromSnap === undefined ? {} : { fromSnap }),
  };
  await diffIterate(image, diff, (_, length, exists) => {
    if (exists) used += length;
  });
  return { provisioned: sizeAt(image, toSnap), used };
}
