/**
 * Reading and writing the data of an open image.
 *
 * A change waits until the header is not stale and the exclusive lock is ours (it is taken by itself), goes
 * to its objects, several at a time, and resolves when all of them have it. A read needs no lock. A cache, where
 * there is one, stands between the changes and the objects (`src/rbd/cache/`).
 * ceph: src/librbd/io/ImageRequest.cc, src/librbd/api/Io.cc
 */

import { CephError, ERRNO } from "../../base/index.ts";
import { RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import type { CallOptions } from "../../rados/index.ts";
import { NOSNAP, type SnapId, utimeFromMs } from "../../types/index.ts";
import { HEADER } from "../calls.ts";
import { imageError } from "../errors.ts";
import { checkSnapshotsStay } from "../find-snapshot.ts";
import type { Image } from "../image.ts";
import { CONCURRENT, mapLimited } from "../progress.ts";
import { ParentSource, type Run, SnapshotReader } from "../snapshot-read.ts";
import { byObject, imageToObjects, type ObjectExtent } from "../striper.ts";
import { assembled, type ImageData } from "./image-data.ts";
import type { ObjectChange } from "./object-change.ts";
import { ObjectWriter } from "./object-write.ts";

export interface ImageIoOptions {
  /**
   * Bytes, a power of two, that a discard's ends are rounded to, inwards; 0: no rounding, what is left of an
   * object is made zero.  ceph: rbd_discard_granularity_bytes, and 0 for rbd_skip_partial_discard=false
   * @default 65536
   */
  readonly discardGranularity?: number;
  /** Requests under way for one call. @default 10, rbd_concurrent_management_ops */
  readonly concurrent?: number;
  /** Seconds between updates of the time of the last access; 0: never. @default 60 */
  readonly accessTimeInterval?: number;
  /** Seconds between updates of the time of the last change; 0: never. @default 60 */
  readonly modifyTimeInterval?: number;
}

const OPTIONS_DEFAULT = {
  discardGranularity: 64 << 10,
  concurrent: CONCURRENT,
  accessTimeInterval: 60,
  modifyTimeInterval: 60,
} satisfies Required<ImageIoOptions>;

/** Bytes of the largest write of zeros that is allocated. */
const ZERO_WRITE_BYTES = 4 << 20;
/** cmpext answers this and the offset of what differs, negative.  ceph: MAX_ERRNO */
const MAX_ERRNO = 4095;

/** A comparison that failed: EILSEQ. */
export class CompareMismatch extends CephError {
  /** Of the first byte of the image that differs. */
  readonly offset: number;

  constructor(target: string, offset: number) {
    super(-ERRNO.EILSEQ, { op: "compare and write", target, cause: `differs at ${offset}` });
    this.offset = offset;
  }
}

interface ChangedRange {
  readonly offset: number;
  readonly length: number;
  readonly signal: AbortSignal | undefined;
}

/** Makes changes of objects, or sees to it that they are made. */
export interface ObjectChanger {
  change(objectNo: number, change: ObjectChange): Promise<void>;
}

export class ImageIo implements ImageData {
  readonly image: Image;
  readonly #options: Required<ImageIoOptions>;
  readonly #parents: ParentSource;
  readonly #writer: ObjectWriter;
  readonly #changer: ObjectChanger;
  #readers = new Map<SnapId, Promise<SnapshotReader>>();
  /** Those of them that are open. */
  #open = new Map<SnapId, SnapshotReader>();
  #generation = -1;

  /** @param changer what a change of the data is given to, object by object @default the objects themselves */
  constructor(image: Image, options: ImageIoOptions = {}, changer?: ObjectChanger) {
    this.image = image;
    this.#options = { ...OPTIONS_DEFAULT, ...options };
    this.#parents = new ParentSource(image.context, image);
    this.#writer = new ObjectWriter(image, this.#parents);
    this.#changer = changer ?? this.#writer;
  }

  async read(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Buffer> {
    const clipped = await this.clip(offset, length, snap);
    const runs = await this.readSparse(offset, clipped, snap, limits);
    const [first] = runs;
    // Without holes it is what the reply was received into, which is nobody else's.
    if (runs.length === 1 && first?.data.length === clipped) {
      return Buffer.from(first.data.buffer, first.data.byteOffset, clipped);
    }
    return assembled(runs, offset, clipped);
  }

  async readInto(
    offset: number,
    into: Buffer,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<number> {
    const { length } = into;
    const clipped = this.image.isFresh
      ? this.#clipNow(offset, length, snap)
      : await this.clip(offset, length, snap);
    if (clipped === 0) return 0;
    this.noteAccess();
    const part = clipped < into.length ? into.subarray(0, clipped) : into;
    await this.#readAt(snap, limits, (reader) => reader.readInto(offset, part, limits));
    return clipped;
  }

  async readSparse(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Run[]> {
    const clipped = await this.clip(offset, length, snap);
    if (clipped === 0) return [];
    this.noteAccess();
    const runs = await this.fetch(offset, clipped, snap, limits);
    return runs.sort((a, b) => a.offset - b.offset);
  }

  /** Reads what is within the image from its objects, in no order, and notes no access. */
  async fetch(
    offset: number,
    length: number,
    snap: SnapId,
    limits: CallOptions = {},
  ): Promise<Run[]> {
    return await this.#readAt(snap, limits, (reader) => reader.read(offset, length, limits));
  }

  write(offset: number, data: Uint8Array, signal?: AbortSignal): Promise<number> {
    const range = { offset, length: data.length, signal };
    return this.#changeAll(range, (extents) =>
      extents.map((extent) => ({
        extent,
        change: { type: "write", offset: extent.offset, data: gathered(extent, data, offset) },
      })),
    );
  }

  async discard(offset: number, length: number, signal?: AbortSignal): Promise<number> {
    const range = { offset, length, signal };
    return await this.#discard(range, this.#options.discardGranularity);
  }

  async writeZeroes(
    offset: number,
    length: number,
    options: { readonly thick?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    const { thick = false, signal } = options;
    if (!thick) return await this.#discard({ offset, length, signal }, 0);
    const clipped = await this.clip(offset, length, NOSNAP);
    const zeros = Buffer.alloc(Math.min(clipped, ZERO_WRITE_BYTES));
    for (let at = 0; at < clipped; at += zeros.length) {
      const bytes = Math.min(zeros.length, clipped - at);
      await this.write(offset + at, zeros.subarray(0, bytes), signal);
    }
    return clipped;
  }

  async compareAndWrite(
    offset: number,
    expected: Uint8Array,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<number> {
    const { target } = this.image;
    if (expected.length !== data.length) {
      throw imageError("EINVAL", "compare and write", target, "two lengths");
    }
    const range = { offset, length: data.length, signal };
    return await this.#changeAll(range, (extents) => {
      const [extent] = extents;
      if (extent === undefined || extents.length > 1) {
        throw imageError("EINVAL", "compare and write", target, "more than one object");
      }
      const change = {
        type: "compareAndWrite",
        offset: extent.offset,
        expected: gathered(extent, expected, offset),
        data: gathered(extent, data, offset),
      } as const;
      return [{ extent, change }];
    });
  }

  async flush(): Promise<void> {
    await this.image.gate.flushed();
  }

  async close(): Promise<void> {
    await this.flush();
  }

  /** Bytes of a range that are within the image. @throws CephError as `read` */
  async clip(offset: number, length: number, snap: SnapId): Promise<number> {
    await this.image.refreshIfStale();
    return this.#clipNow(offset, length, snap);
  }

  /** Notes that the image is being read, now and then. */
  noteAccess(): void {
    this.#touch("access");
  }

  /** Gives an object what it shows of the parent, if it is not there yet; the caller holds the lock. */
  async copyup(objectNo: number): Promise<void> {
    await this.#writer.copyup(objectNo);
  }

  /** Changes one object, past any cache; the caller has seen to its range and holds the lock. */
  async changeObject(objectNo: number, change: ObjectChange): Promise<void> {
    await this.#writer.change(objectNo, change);
  }

  async #discard(changed: ChangedRange, granularity: number): Promise<number> {
    return await this.#changeAll(changed, (extents) =>
      extents.flatMap((extent) => {
        const range = rounded(extent, granularity, this.image.objectSize);
        return range === undefined ? [] : [{ extent, change: { type: "discard", ...range } }];
      }),
    );
  }

  /** @param plan the changes of a range that has been cut off at the image's end */
  async #changeAll(
    { offset, length, signal }: ChangedRange,
    plan: (
      extents: readonly ObjectExtent[],
    ) => { readonly extent: ObjectExtent; readonly change: ObjectChange }[],
  ): Promise<number> {
    const { image } = this;
    if (image.readOnly) throw imageError("EROFS", "write to", image.target);
    return await image.gate.pass(async () => {
      signal?.throwIfAborted();
      this.#checkWritable();
      const clipped = this.#clipNow(offset, length, NOSNAP);
      if (clipped === 0) return 0;
      this.#touch("modify");
      const changes = plan(byObject(imageToObjects(image, offset, clipped)));
      await mapLimited(changes, this.#options.concurrent, async ({ extent, change }) => {
        signal?.throwIfAborted();
        try {
          await this.#changer.change(extent.objectNo, change);
        } catch (error) {
          throw asMismatch(error, image.target, extent);
        }
      });
      return clipped;
    });
  }

  #checkWritable(): void {
    const { image } = this;
    const refuse = (code: "EOPNOTSUPP" | "EROFS" | "ENODEV", why: string) =>
      imageError(code, "write to", image.target, why);
    if (image.dataIo === undefined) throw refuse("ENODEV", "its data pool is gone");
    if (image.hasFeature(RBD_FEATURE.NON_PRIMARY)) throw refuse("EROFS", "it is not primary");
    if (image.hasFeature(RBD_FEATURE.JOURNALING)) throw refuse("EOPNOTSUPP", "it has a journal");
    if (image.hasFeature(RBD_FEATURE.DIRTY_CACHE)) {
      throw refuse("EOPNOTSUPP", "another client's cache has not been written back");
    }
  }

  async #readAt<T>(
    snap: SnapId,
    limits: CallOptions,
    read: (reader: SnapshotReader) => Promise<T>,
  ): Promise<T> {
    const reader = this.#openReader(snap) ?? (await this.#reader(snap));
    const { missed } = reader;
    const found = await read(reader);
    if (reader.missed !== missed) await checkSnapshotsStay(this.image, [snap], limits);
    return found;
  }

  /** One that is open, as most reads find it; undefined: it is to be opened, or being opened. */
  #openReader(snap: SnapId): SnapshotReader | undefined {
    return this.#generation === this.image.generation ? this.#open.get(snap) : undefined;
  }

  #reader(snap: SnapId): Promise<SnapshotReader> {
    const { image } = this;
    if (this.#generation !== image.generation) {
      this.#readers = new Map();
      this.#open = new Map();
      this.#generation = image.generation;
    }
    let reader = this.#readers.get(snap);
    if (reader === undefined) {
      reader = SnapshotReader.open(image.context, image, snap, true, this.#parents);
      this.#readers.set(snap, reader);
      const [readers, open] = [this.#readers, this.#open];
      reader.then(
        (opened) => open.set(snap, opened),
        () => readers.delete(snap),
      );
    }
    return reader;
  }

  /** Bytes of a range that are within the image.  ceph: src/librbd/internal.cc clip_io */
  #clipNow(offset: number, length: number, snap: SnapId): number {
    const { image } = this;
    const size =
      snap === NOSNAP ? image.size : image.snapshots.find(({ id }) => id === snap)?.imageSize;
    if (size === undefined) throw imageError("ENOENT", "find a snapshot of", image.target);
    if (length === 0) return 0;
    if (offset >= size) throw imageError("EINVAL", "reach past the end of", image.target);
    return Math.min(length, size - offset);
  }

  /** Notes that the image is in use, now and then. Nobody waits for it, and it is no harm if it fails. */
  #touch(what: "access" | "modify"): void {
    const { image } = this;
    if (image.readOnly) return;
    const interval =
      what === "access" ? this.#options.accessTimeInterval : this.#options.modifyTimeInterval;
    const last = what === "access" ? image.accessTime : image.modifyTime;
    const now = utimeFromMs(image.clock.now());
    if (interval === 0 || now.sec < last.sec + interval) return;
    if (what === "access") image.accessTime = now;
    else image.modifyTime = now;
    const call = what === "access" ? HEADER.setAccessTime : HEADER.setModifyTime;
    image.io.execute(image.headerOid, call, undefined).catch((error: unknown) => {
      image.log.debug("time of use not noted", { image: image.id, why: String(error) });
    });
  }
}

/** The bytes of an extent, out of those of a range that begins at `start`. */
function gathered({ parts }: ObjectExtent, data: Uint8Array, start: number): Uint8Array {
  const slices = parts.map(({ imageOffset, length }) =>
    data.subarray(imageOffset - start, imageOffset - start + length),
  );
  return slices.length === 1 && slices[0] !== undefined ? slices[0] : Buffer.concat(slices);
}

/** The part of a discard that frees anything; undefined: none.  ceph: ImageDiscardRequest prune_object_extents */
function rounded(
  { offset, length }: ObjectExtent,
  granularity: number,
  objectSize: number,
): { offset: number; length: number } | undefined {
  if (granularity === 0) return { offset, length };
  const unit = Math.min(granularity, objectSize);
  const end = offset + length;
  // Of whole objects' granularity the tail may be cut off all the same.
  if (unit >= objectSize && end >= objectSize) return { offset, length };
  const start = Math.ceil(offset / unit) * unit;
  const stop = Math.floor(end / unit) * unit;
  return stop > start ? { offset: start, length: stop - start } : undefined;
}

function asMismatch(error: unknown, target: string, { parts }: ObjectExtent): unknown {
  if (!(error instanceof CephError) || error.errno > -MAX_ERRNO) return error;
  // The answer counts from the start of what was compared.
  let left = -error.errno - MAX_ERRNO;
  for (const { imageOffset, length } of parts) {
    if (left < length) return new CompareMismatch(target, imageOffset + left);
    left -= length;
  }
  return error;
}
