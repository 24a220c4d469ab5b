/**
 * Reading an image as one of its snapshots has it, or as it is now, through its own parents where it has nothing itself.
 * ceph: src/librbd/io/ObjectRequest.cc ObjectReadRequest
 */

import { blob, decodeFromBytes, EMPTY, map, record, u64n } from "../encoding/index.ts";
import { opRead, opSparseRead } from "../messages/index.ts";
import type { CallOptions, IoCtx, OpReply } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { imageError } from "./errors.ts";
import { Image, poolOf, type RbdContext } from "./image.ts";
import type { ShownSpec } from "./migration/source.ts";
import { CONCURRENT, mapLimited } from "./progress.ts";
import { refOf, shownAt } from "./shown.ts";
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

/** What an image shows of others, its parent or a migration's source: opened once for as long as it is shown. */
export class ParentSource {
  readonly #context: RbdContext;
  readonly #image: Image;
  #generation = -1;
  readonly #readers = new Map<string, Promise<SnapshotReader>>();

  constructor(context: RbdContext, image: Image) {
    this.#context = context;
    this.#image = image;
  }

  /** @throws CephError ENOENT if it, or its pool, is gone */
  async reader(spec: ShownSpec): Promise<SnapshotReader> {
    this.#forget();
    const key = keyOf(spec);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = SnapshotReader.ofParent(this.#context, this.#image, spec);
      this.#readers.set(key, reader);
      reader.catch(() => this.#readers.delete(key));
    }
    return await reader;
  }

  /** Lets go of what is not shown any more. */
  #forget(): void {
    const image = this.#image;
    if (this.#generation === image.generation) return;
    this.#generation = image.generation;
    const { migration, parent } = image;
    const specs = [...(migration?.shown.values() ?? [])].map(({ spec }) => spec);
    if (migration === undefined && parent !== undefined) specs.push(parent.spec);
    const shown = new Set(specs.map(keyOf));
    for (const key of this.#readers.keys()) if (!shown.has(key)) this.#readers.delete(key);
  }
}

function keyOf({ poolId, poolNamespace, imageId, snapId, format1 = "" }: ShownSpec): string {
  return `${poolId}/${poolNamespace}/${imageId}/${format1}@${snapId}`;
}

export class SnapshotReader {
  readonly #image: Image;
  readonly #dataIo: IoCtx;
  readonly #snap: SnapId;
  /** Bytes of the image at the snapshot. */
  readonly #size: number;
  readonly #overlap: number;
  readonly #parent: SnapshotReader | undefined;
  /** What is shown is being copied, with its snapshots, and goes once it has been. */
  readonly #isMigrating: boolean;
  /** Times that there was no such object; of a snapshot: because it has none, or is gone. */
  missed = 0;

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
    this.#isMigrating = image.migration !== undefined;
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
    const imageSize =
      snap === NOSNAP ? image.size : image.snapshots.find(({ id }) => id === snap)?.imageSize;
    if (imageSize === undefined) {
      throw imageError("ENOENT", "read a snapshot of", image.name || image.id);
    }
    const shown = shownAt(image, snap);
    const overlap = shown?.overlap ?? 0;
    const isShown = shown !== undefined && overlap > 0;
    const parent = isShown ? await parents.reader(shown.spec) : undefined;
    const size = clip ? imageSize : Number.MAX_SAFE_INTEGER;
    return new SnapshotReader(image, dataIo, snap, { size, overlap, parent });
  }

  /** What an image shows of another. @throws CephError ENOENT if it, or its pool, is gone */
  static async ofParent(
    context: RbdContext,
    child: Image,
    spec: ShownSpec,
  ): Promise<SnapshotReader> {
    const io = poolOf(child.io, spec.poolId, spec.poolNamespace);
    if (io === undefined) {
      throw imageError("ENOENT", "open the parent of", child.name || child.id);
    }
    const image = await Image.open(context, io, refOf(spec), { readOnly: true });
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

  /**
   * Fills memory with what there is from `offset` on, and zeros.
   * @param limits once the signal is aborted the memory is its owner's again
   */
  readInto(offset: number, into: Buffer, limits: CallOptions = {}): Promise<void> {
    limits.signal?.throwIfAborted();
    const length = Math.max(0, Math.min(into.length, this.#size - offset));
    const pieces = imageToObjects(this.#image, offset, length);
    const [first] = pieces;
    // As most reads are.
    if (first?.length === into.length) return this.#readPieceInto(first, into, limits);
    into.fill(0, length);
    return this.#readPiecesInto(pieces, offset, into, limits);
  }

  async #readPiecesInto(
    pieces: readonly Piece[],
    offset: number,
    into: Buffer,
    limits: CallOptions,
  ): Promise<void> {
    await mapLimited(pieces, CONCURRENT, (piece) => {
      const at = piece.imageOffset - offset;
      return this.#readPieceInto(piece, into.subarray(at, at + piece.length), limits);
    });
  }

  async #readPieceInto(piece: Piece, into: Buffer, limits: CallOptions): Promise<void> {
    const { imageOffset } = piece;
    // What a migration's source shows may have to be asked for once more.
    if (this.#isMigrating) {
      const runs = await this.#readPiece(piece, limits);
      limits.signal?.throwIfAborted();
      return fill(into, imageOffset, runs);
    }
    const found = await this.#ask(piece, limits);
    limits.signal?.throwIfAborted();
    if (found === undefined) {
      const shared = this.#sharedOf(piece);
      into.fill(0, shared);
      if (shared === 0) return;
      return await this.#parent?.readInto(imageOffset, into.subarray(0, shared), limits);
    }
    fill(into, imageOffset, found.runs);
    this.#dataIo.recycle(found.reply);
  }

  async #readPiece(piece: Piece, limits: CallOptions): Promise<Run[]> {
    const own = await this.#ask(piece, limits);
    if (own !== undefined) return own.runs;
    const shared = this.#sharedOf(piece);
    if (shared === 0 || this.#parent === undefined) return [];
    const runs = await this.#parent.read(piece.imageOffset, shared, limits);
    if (!this.#isMigrating || bytesIn(runs) === shared) return runs;
    // What the source has lost by now has been copied before.
    return (await this.#ask(piece, limits))?.runs ?? runs;
  }

  /** Bytes of a piece in which another image shows where this one has nothing. */
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
    // A migration copies an object snapshot by snapshot: until then the head shows an older one.
    if (this.#isMigrating) await this.#image.copyups.get(objectNo);
    const isKnownMissing =
      this.#snap === NOSNAP && this.#image.objectMap?.mayExist(objectNo) === false;
    if (isKnownMissing) return undefined;
    const options = { snap: this.#snap, ...limits };
    const reply = await this.#dataIo.readIfThere(oid, [op], options);
    if (reply === undefined) {
      this.missed++;
      return undefined;
    }
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

/** Fills memory that begins at `start` with what there is, and zeros. */
function fill(into: Buffer, start: number, runs: readonly Run[]): void {
  let at = 0;
  for (const { offset, data } of runs.length < 2
    ? runs
    : runs.toSorted((a, b) => a.offset - b.offset)) {
    into.fill(0, at, offset - start);
    into.set(data, offset - start);
    at = offset - start + data.length;
  }
  into.fill(0, at);
}

function bytesIn(runs: readonly Run[]): number {
  return runs.reduce((sum, { data }) => sum + data.length, 0);
}
