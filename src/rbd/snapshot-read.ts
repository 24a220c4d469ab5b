/**
 * Reading an image as one of its snapshots has it, or as it is now, through its own parents where it has nothing itself.
 * ceph: src/librbd/io/ObjectRequest.cc ObjectReadRequest
 */

import { blob, decodeFromBytes, EMPTY, map, record, u64n } from "../encoding/index.ts";
import { opRead, opSparseRead } from "../messages/index.ts";
import type { CallOptions, IoCtx, OpReply } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { imageError, unless } from "./errors.ts";
import { Image, poolOf, type RbdContext } from "./image.ts";
import { CONCURRENT, mapLimited } from "./progress.ts";
import { imageToObjects, type Piece } from "./striper.ts";

/** Shortest read that asks for holes as such.  ceph: rbd_sparse_read_threshold_bytes */
const SPARSE_MIN = 64 << 10;

/** Lengths of data by offset; their bytes one after the other. */
const SparseReply = record("sparse-read reply", { extents: map(u64n, u64n), data: blob });

/** Bytes that are not a hole, and where they are in the image. */
export interface Run {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** The snapshot an image was cloned from, opened once for as long as it stays the parent. */
export class ParentSource {
  readonly #context: RbdContext;
  readonly #image: Image;
  #key = "";
  #reader: Promise<SnapshotReader> | undefined;

  constructor(context: RbdContext, image: Image) {
    this.#context = context;
    this.#image = image;
  }

  /** @throws CephError ENOENT if it, or its pool, is gone */
  async reader(): Promise<SnapshotReader> {
    const spec = this.#image.parent?.spec;
    const key =
      spec === undefined
        ? ""
        : `${spec.poolId}/${spec.poolNamespace}/${spec.imageId}@${spec.snapId}`;
    if (this.#reader === undefined || key !== this.#key) {
      this.#key = key;
      const reader = SnapshotReader.ofParent(this.#context, this.#image);
      this.#reader = reader;
      reader.catch(() => {
        if (this.#reader === reader) this.#reader = undefined;
      });
    }
    return await this.#reader;
  }
}

export class SnapshotReader {
  readonly #image: Image;
  readonly #dataIo: IoCtx;
  readonly #snap: SnapId;
  /** Bytes of the image at the snapshot. */
  readonly #size: number;
  readonly #overlap: number;
  readonly #parent: SnapshotReader | undefined;

  private constructor(
    image: Image,
    dataIo: IoCtx,
    snap: SnapId,
    of: { size: number; overlap: number; parent: SnapshotReader | undefined },
  ) {
    this.#image = image;
    this.#dataIo = dataIo;
    this.#snap = snap;
    this.#size = of.size;
    this.#overlap = of.overlap;
    this.#parent = of.parent;
  }

  /**
   * @param snap NOSNAP: as it is now
   * @param clip whether what lies past the image's end is left out
   * @throws CephError ENOENT if the snapshot, the data's pool or a parent is gone
   */
  static async open(
    context: RbdContext,
    image: Image,
    snap: SnapId,
    clip = true,
    parents = new ParentSource(context, image),
  ): Promise<SnapshotReader> {
    const { dataIo } = image;
    if (dataIo === undefined) throw imageError("ENOENT", "open the data pool of", image.name);
    const found =
      snap === NOSNAP
        ? { imageSize: image.size, parentOverlap: image.parent?.overlap }
        : image.snapshots.find(({ id }) => id === snap);
    if (found === undefined) {
      throw imageError("ENOENT", "read a snapshot of", image.name || image.id);
    }
    const overlap = image.parent === undefined ? 0 : (found.parentOverlap ?? 0);
    const parent = overlap > 0 ? await parents.reader() : undefined;
    const size = clip ? found.imageSize : Number.MAX_SAFE_INTEGER;
    return new SnapshotReader(image, dataIo, snap, { size, overlap, parent });
  }

  /** The snapshot that a clone was made from. @throws CephError ENOENT if it, or its pool, is gone */
  static async ofParent(context: RbdContext, child: Image): Promise<SnapshotReader> {
    const spec = child.parent?.spec;
    const io = spec === undefined ? undefined : poolOf(child.io, spec.poolId, spec.poolNamespace);
    if (spec === undefined || io === undefined) {
      throw imageError("ENOENT", "open the parent of", child.name || child.id);
    }
    const image = await Image.open(context, io, { id: spec.imageId }, { readOnly: true });
    return await SnapshotReader.open(context, image, spec.snapId);
  }

  /** What there is in a range; holes, and what lies past the end, are left out. */
  async read(offset: number, length: number, limits: CallOptions = {}): Promise<Run[]> {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return [];
    const pieces = imageToObjects(this.#image, offset, end - offset);
    const runs = await mapLimited(pieces, CONCURRENT, (piece) => this.#readPiece(piece, limits));
    return runs.flat();
  }

  /** Fills memory with what there is from `offset` on, and zeros. */
  async readInto(offset: number, into: Buffer, limits: CallOptions = {}): Promise<void> {
    const length = Math.max(0, Math.min(into.length, this.#size - offset));
    into.fill(0, length);
    if (length === 0) return;
    const pieces = imageToObjects(this.#image, offset, length);
    await mapLimited(pieces, CONCURRENT, async (piece) => {
      const at = piece.imageOffset - offset;
      await this.#readPieceInto(piece, into.subarray(at, at + piece.length), limits);
    });
  }

  async #readPieceInto(piece: Piece, into: Buffer, limits: CallOptions): Promise<void> {
    const found = await this.#ask(piece, limits);
    if (found === undefined) {
      const shared = this.#sharedOf(piece);
      into.fill(0, shared);
      if (shared === 0) return;
      return await this.#parent?.readInto(piece.imageOffset, into.subarray(0, shared), limits);
    }
    let at = 0;
    for (const run of found.runs) {
      const start = run.offset - piece.imageOffset;
      into.fill(0, at, start);
      into.set(run.data, start);
      at = start + run.data.length;
    }
    into.fill(0, at);
    this.#dataIo.recycle(found.reply);
  }

  async #readPiece(piece: Piece, limits: CallOptions): Promise<Run[]> {
    const found = await this.#ask(piece, limits);
    if (found !== undefined) return found.runs;
    const shared = this.#sharedOf(piece);
    return shared > 0 ? ((await this.#parent?.read(piece.imageOffset, shared, limits)) ?? []) : [];
  }

  /** Bytes of a piece in which the parent shows where the image has nothing. */
  #sharedOf({ imageOffset, length }: Piece): number {
    if (this.#parent === undefined) return 0;
    return Math.max(0, Math.min(length, this.#overlap - imageOffset));
  }

  /** What the image itself has of a piece, in order; undefined: there is no such object. */
  async #ask(
    piece: Piece,
    limits: CallOptions,
  ): Promise<{ readonly reply: OpReply; readonly runs: Run[] } | undefined> {
    const { objectNo, objectOffset, imageOffset, length } = piece;
    const oid = this.#image.objectName(objectNo);
    const isSparse = length >= SPARSE_MIN;
    const op = isSparse ? opSparseRead(objectOffset, length) : opRead(objectOffset, length);
    const isKnownMissing =
      this.#snap === NOSNAP && this.#image.objectMap?.mayExist(objectNo) === false;
    const reply = isKnownMissing
      ? undefined
      : await unless(this.#dataIo.read(oid, [op], { snap: this.#snap, ...limits }), "ENOENT");
    if (reply === undefined) return undefined;
    const bytes = reply.ops[0]?.data ?? EMPTY;
    if (!isSparse) {
      return { reply, runs: bytes.length === 0 ? [] : [{ offset: imageOffset, data: bytes }] };
    }
    const { extents, data } = decodeFromBytes(SparseReply, bytes);
    const runs: Run[] = [];
    let at = 0;
    for (const [offset, size] of [...extents].sort((a, b) => a[0] - b[0])) {
      const run = data.subarray(at, at + size);
      runs.push({ offset: imageOffset + (offset - objectOffset), data: run });
      at += size;
    }
    return { reply, runs };
  }
}
