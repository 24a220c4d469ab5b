/**
 * Reading objects' data: blocks are fetched from wherever they are, each is checked against its
 * checksum, holes are zeros. Small reads happen on the spot (a page-cache read costs 2 µs, a thread hop
 * ten times that), unless the last ones took so long that the disk must have been asked: then, and if they
 * are large, they come as promises, many at a time; all but those for the store itself go into pooled memory that
 * is then the caller's to give back.
 */

import { type Clock, type Logger, settled } from "../../base/index.ts";
import { type BufferList, crc32c, ZerosShift } from "../../encoding/index.ts";
import { formatObject, objectOfKey } from "../object-key.ts";
import { CorruptionError } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { type BlockFile, blockCrc } from "./block-file.ts";
import type { Onode } from "./onode.ts";
import { readError } from "./unreadable.ts";

/** Bytes up to which a read is done at once. */
const SYNC_MAX = 128 * 1024;
/** Milliseconds that reads on the spot may take on average before they are taken for the disk's. */
const COLD_MS = 0.1;
/** More than this a read counts for no more: it may be that the thread was not running. */
const OUTLIER_MS = 0.4;
/** While they are, one in so many is done on the spot all the same, to see whether that has changed. */
const PROBE_EVERY = 32;
const WARMTH_DECAY = 1 / 8;
const ZEROS = new Uint8Array(65536);
const EMPTY_BUFFER = Buffer.alloc(0);
const BLOCK_SHIFT = new ZerosShift(BLOCK_SIZE);

/** Blocks in a row that are not holes. */
interface Piece {
  first: number;
  blocks: Uint32Array;
  crcs: Uint32Array;
  bytes: Buffer;
}

export class ObjectReader {
  readonly #blocks: BlockFile;
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Milliseconds that a read on the spot takes, on average. */
  #spotMs = 0;
  #reads = 0;

  constructor(blocks: BlockFile, log: Logger, clock: Clock) {
    this.#blocks = blocks;
    this.#log = log;
    this.#clock = clock;
  }

  /** @param sync at once, whatever it takes */
  read(o: Onode, offset: number, length: number, sync: boolean): BufferList | Promise<BufferList> {
    const end = Math.min(offset + length, o.size);
    if (offset >= end) return [];
    const pieces = gather(o, offset, end, (bytes) =>
      sync ? Buffer.allocUnsafe(bytes) : this.#blocks.pool.takeOrMake(bytes),
    );
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
    const now = sync || (bytes <= SYNC_MAX && this.#isLikelyCached());
    if (!now) return this.#readLater(o, pieces, offset, end);
    try {
      for (const piece of pieces) {
        this.#readNow(o, piece);
        this.#check(o, piece);
      }
    } catch (error) {
      this.#giveBack(pieces);
      throw error;
    }
    return assemble(pieces, offset, end);
  }

  #isLikelyCached(): boolean {
    return this.#spotMs < COLD_MS || ++this.#reads % PROBE_EVERY === 0;
  }

  #readNow(o: Onode, piece: Piece): void {
    const start = this.#clock.monotonic();
    const asked = this.#readSync(o, piece);
    if (asked === 0) return;
    const tookMs = Math.min((this.#clock.monotonic() - start) / asked, OUTLIER_MS);
    this.#spotMs += (tookMs - this.#spotMs) * WARMTH_DECAY;
  }

  /** @returns how often the file was asked */
  #readSync(o: Onode, piece: Piece): number {
    try {
      return this.#blocks.readSync(piece.blocks, piece.bytes);
    } catch (error) {
      throw this.#unreadable(o, error);
    }
  }

  #unreadable(o: Onode, error: unknown): unknown {
    const damage = readError(error, () => formatObject(objectOfKey(o.key)));
    if (damage instanceof CorruptionError) {
      const { object, message } = damage;
      this.#log.error("the disk cannot read", { collection: o.collection.name, object, message });
    }
    return damage;
  }

  #giveBack(pieces: readonly Piece[]): void {
    this.#blocks.pool.giveAll(pieces.map((piece) => piece.bytes));
  }

  async #readLater(o: Onode, pieces: Piece[], offset: number, end: number): Promise<BufferList> {
    try {
      await settled(pieces.map((piece) => this.#blocks.read(piece.blocks, piece.bytes)));
      for (const piece of pieces) this.#check(o, piece);
    } catch (error) {
      this.#giveBack(pieces);
      throw this.#unreadable(o, error);
    }
    return assemble(pieces, offset, end);
  }

  /**
   * The checksum (crc32c, seed 0) of a range from those at rest: no data is looked at. Undefined where the
   * range does not consist of whole blocks.
   */
  checksum(o: Onode, offset: number, length: number): number | undefined {
    const end = Math.min(offset + length, o.size);
    if (offset % BLOCK_SIZE !== 0 || end % BLOCK_SIZE !== 0) return undefined;
    let crc = 0;
    for (let index = offset / BLOCK_SIZE; index < end / BLOCK_SIZE; index++) {
      // A hole has 0, which is the checksum of zeros.
      crc = (BLOCK_SHIFT.over(crc) ^ o.crc(index)) >>> 0;
    }
    return crc;
  }

  /** One whole block, checked; the object has it. */
  block(o: Onode, index: number): Buffer {
    const piece: Piece = {
      first: index,
      blocks: Uint32Array.of(o.at(index) - 1),
      crcs: Uint32Array.of(o.crc(index)),
      bytes: Buffer.allocUnsafe(BLOCK_SIZE),
    };
    this.#readSync(o, piece);
    this.#check(o, piece);
    return piece.bytes;
  }

  #check(o: Onode, piece: Piece): void {
    // All at once; which block it is matters only if one is wrong.
    if (crc32c(0, piece.bytes) === sum(piece.crcs)) return;
    for (let i = 0; i < piece.blocks.length; i++) {
      if (blockCrc(piece.bytes, i * BLOCK_SIZE) === piece.crcs[i]) continue;
      const object = formatObject(objectOfKey(o.key));
      const block = piece.blocks[i]!;
      this.#log.error("checksum mismatch", {
        collection: o.collection.name,
        object,
        offset: (piece.first + i) * BLOCK_SIZE,
        block,
      });
      throw new CorruptionError(object, `block ${block} does not match its checksum`);
    }
  }
}

/** The checksum of blocks in a row from the checksum of each. */
function sum(crcs: Uint32Array): number {
  let crc = 0;
  for (const each of crcs) crc = (BLOCK_SHIFT.over(crc) ^ each) >>> 0;
  return crc;
}

/** What is to be read, in memory of one piece. */
function gather(o: Onode, offset: number, end: number, memory: (bytes: number) => Buffer): Piece[] {
  const runs: [first: number, count: number][] = [];
  const last = Math.floor((end - 1) / BLOCK_SIZE);
  let total = 0;
  for (let index = Math.floor(offset / BLOCK_SIZE); index <= last; index++) {
    if (o.at(index) === 0) continue;
    let count = 1;
    while (index + count <= last && o.at(index + count) !== 0) count++;
    runs.push([index, count]);
    total += count;
    index += count;
  }
  const bytes = total === 0 ? EMPTY_BUFFER : memory(total * BLOCK_SIZE);
  let at = 0;
  return runs.map(([first, count]) => {
    const blocks = new Uint32Array(count);
    const crcs = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      blocks[i] = o.at(first + i) - 1;
      crcs[i] = o.crc(first + i);
    }
    const part = bytes.subarray(at, at + count * BLOCK_SIZE);
    at += part.length;
    return { first, blocks, crcs, bytes: part };
  });
}

function assemble(pieces: readonly Piece[], offset: number, end: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = offset;
  const hole = (to: number) => {
    while (at < to) {
      const count = Math.min(ZEROS.length, to - at);
      out.push(ZEROS.subarray(0, count));
      at += count;
    }
  };
  for (const piece of pieces) {
    const start = piece.first * BLOCK_SIZE;
    hole(start);
    const to = Math.min(end, start + piece.bytes.length);
    out.push(piece.bytes.subarray(at - start, to - start));
    at = to;
  }
  hole(end);
  return out;
}
