/**
 * The journal: a ring of segments in one preallocated file, appended to by group commits.
 *
 * A batch is one durable write: a header of 64 bytes, then the records of all transactions submitted
 * since the last one, padded with zeros to 4 KiB. Layout of the header, little-endian:
 *
 *    0 u32 magic           4 u32 crc32c of bytes 8..63
 *    8 u64 store nonce    16 u64 segment number (rises, never reused: see open.ts)
 *   24 u64 first sequence 32 u32 transactions        36 u32 bytes of records
 *   40 u64 watermark      48 u32 previous batch's records crc
 *   52 u32 crc of records 56 u32 offset in the segment / 4096        60 u32 zero
 *
 * Nonce, segment number and offset bind a batch to its place; sequence and previous crc bind it to the
 * one before. At most one batch is being written at a time, so a torn one is always the last: anything
 * valid behind it means that the disk has lost what it promised, and opening refuses.
 * See docs/formats/store.md.
 */

import { alignedBuffer, assert } from "../../base/index.ts";
import { crc32c, Reader, Writer } from "../../encoding/index.ts";
import { type DiskFile, SECTOR_SIZE } from "../disk/disk.ts";

const MAGIC = 0x4a4c5053; // "SPLJ"
export const BATCH_HEADER_SIZE = 64;
/** Segments filled between two checkpoints. */
const CHECKPOINT_SEGMENTS = 4;
/** Segments that stay when they are free: those of two checkpoints and the one begun. */
const KEPT_SEGMENTS = 2 * CHECKPOINT_SEGMENTS + 1;
/** Segments in use at which writers had better wait. */
const CROWDED_SEGMENTS = 4 * CHECKPOINT_SEGMENTS;
const BUFFER_INITIAL = 1 << 20;
/** Bytes of one write of zeros. */
const ZERO_CHUNK = 4 << 20;
/** Buffers past this are not kept: they came from a burst. */
const BUFFER_KEPT_MAX = 4 << 20;

/** Records gathered for one durable write. */
interface Batch {
  readonly w: Writer;
  memory: Buffer;
  firstSeq: number;
  count: number;
}

/** Bytes of it on the disk. */
function padded(batch: Batch): number {
  return Math.ceil(batch.w.length / SECTOR_SIZE) * SECTOR_SIZE;
}

/** A batch on its way to the disk. */
export interface SealedBatch {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly lastSeq: number;
  /** What the batch says is durable, once it is on disk itself. */
  readonly watermark: number;
  readonly recycle: () => void;
}

export interface JournalOptions {
  file: DiskFile;
  nonce: bigint;
  segmentSize: number;
  /** Segments the file has room for now. */
  segments: number;
}

/** A place in the log between two batches. */
export interface JournalStart {
  /** The segment that the next batch begins. */
  readonly segment: number;
  /** Sequence number of the next transaction. */
  readonly seq: number;
  /** Records crc of the batch before. */
  readonly previousCrc: number;
}

/** Fills a new journal with zeros, so that later writes change no file metadata. */
export function zeroJournal(file: DiskFile, bytes: number): void {
  writeZeros(file, 0, bytes);
  file.syncSync();
}

function writeZeros(file: DiskFile, from: number, to: number): void {
  const chunk = alignedBuffer(Math.min(to - from, ZERO_CHUNK));
  for (let at = from; at < to; at += chunk.length) {
    file.writeSync(chunk.subarray(0, Math.min(chunk.length, to - at)), at);
  }
}

export class Journal {
  readonly segmentSize: number;
  readonly #file: DiskFile;
  readonly #nonce: bigint;
  /** Number of the segment in each slot of the file; 0: free. */
  #slots: number[];
  #slot = -1;
  #segment: number;
  #offset: number;
  #previousCrc = 0;
  #open: Batch;
  #full: Batch[] = [];
  #spare: Buffer[] = [];
  #mark = 0;
  /** Bytes of batches since the last checkpoint began. */
  #bytesSinceRotate = 0;
  /** Highest segment that has a batch on the disk. */
  #written = 0;
  /** Slots to keep, once a segment from `from` on is on the disk. */
  #cutting: { readonly from: number; readonly kept: number } | undefined;

  /** @param start where the log goes on, as the manifest or recovery says */
  constructor(options: JournalOptions, start: JournalStart) {
    this.segmentSize = options.segmentSize;
    this.#file = options.file;
    this.#nonce = options.nonce;
    this.#slots = Array.from({ length: options.segments }, () => 0);
    this.#segment = start.segment - 1;
    this.#offset = this.segmentSize;
    this.#previousCrc = start.previousCrc;
    this.#open = this.#newBatch(start.seq);
  }

  /** Bytes of records that fit in one transaction. */
  get recordMax(): number {
    return this.segmentSize - BATCH_HEADER_SIZE - SECTOR_SIZE;
  }

  get bytes(): number {
    return this.#slots.length * this.segmentSize;
  }

  /** How much has been written since the last checkpoint began; at 1 it is time for the next. */
  get fill(): number {
    return this.#bytesSinceRotate / (CHECKPOINT_SEGMENTS * this.segmentSize);
  }

  /** Is a checkpoint so late that whoever can should wait for it? */
  get isCrowded(): boolean {
    return this.#slots.length >= CROWDED_SEGMENTS && !this.#slots.includes(0);
  }

  /** Does it have more than what is filled between two checkpoints? */
  get isLong(): boolean {
    return this.#slots.length > CHECKPOINT_SEGMENTS;
  }

  /** Transactions in the batch that is open. */
  get openCount(): number {
    return this.#open.count;
  }

  /** Bytes that the file will yet take of the file system: segments begun, and records without a place. */
  get owedBytes(): number {
    let unsealed = this.#open.w.length;
    for (const batch of this.#full) unsealed += batch.w.length;
    return Math.max(0, this.bytes - this.#file.allocated()) + unsealed;
  }

  get hasRecords(): boolean {
    return this.#open.count > 0 || this.#full.length > 0;
  }

  #newBatch(firstSeq: number): Batch {
    const memory = this.#spare.pop() ?? alignedBuffer(Math.min(BUFFER_INITIAL, this.segmentSize));
    const w = new Writer(0);
    w.buffer = memory;
    w.reserve(BATCH_HEADER_SIZE);
    return { w, memory, firstSeq, count: 0 };
  }

  /** Opens the record of transaction `seq`: the caller writes it, then calls `endRecord`. */
  beginRecord(seq: number, sizeMax: number): Writer {
    assert(sizeMax <= this.recordMax, "a record larger than a segment");
    if (this.#open.w.length + 4 + sizeMax > this.segmentSize) {
      this.#full.push(this.#open);
      this.#open = this.#newBatch(seq);
    }
    assert(this.#open.firstSeq + this.#open.count === seq, "records out of order");
    this.#mark = this.#open.w.reserve(4);
    return this.#open.w;
  }

  endRecord(): void {
    const { w } = this.#open;
    assert(w.length <= this.segmentSize, "a record outgrew its estimate");
    w.buffer.writeUInt32LE(w.length - this.#mark - 4, this.#mark);
    this.#open.count++;
  }

  /** The next batch to write, or undefined; an empty one only to carry the watermark. */
  seal(watermark: number, evenEmpty: boolean): SealedBatch | undefined {
    let batch = this.#full.shift();
    if (batch === undefined) {
      if (this.#open.count === 0 && !evenEmpty) return undefined;
      batch = this.#open;
      this.#open = this.#newBatch(batch.firstSeq + batch.count);
    }
    const { w } = batch;
    const length = w.length;
    const size = padded(batch);
    w.zeros(size - length);
    if (w.buffer !== batch.memory) {
      // The writer outgrew its aligned memory: move to a larger one, which is kept if it is not huge.
      batch.memory = alignedBuffer(Math.max(w.buffer.length, size));
      batch.memory.set(w.buffer.subarray(0, size));
    }
    const bytes = batch.memory.subarray(0, size);
    if (this.#offset + size > this.segmentSize) this.#nextSegment();
    this.#writeHeader(bytes, batch, length - BATCH_HEADER_SIZE, watermark);
    const offset = this.#slot * this.segmentSize + this.#offset;
    this.#offset += size;
    this.#bytesSinceRotate += size;
    const { memory } = batch;
    const segment = this.#segment;
    return {
      bytes,
      offset,
      lastSeq: batch.firstSeq + batch.count - 1,
      watermark,
      recycle: () => {
        this.#written = segment;
        this.#cut();
        if (memory.length <= BUFFER_KEPT_MAX && this.#spare.length < 2) this.#spare.push(memory);
      },
    };
  }

  #writeHeader(bytes: Buffer, batch: Batch, length: number, watermark: number): void {
    const crc = crc32c(0, bytes, BATCH_HEADER_SIZE, BATCH_HEADER_SIZE + length);
    bytes.writeUInt32LE(MAGIC, 0);
    bytes.writeBigUInt64LE(this.#nonce, 8);
    bytes.writeBigUInt64LE(BigInt(this.#segment), 16);
    bytes.writeBigUInt64LE(BigInt(batch.firstSeq), 24);
    bytes.writeUInt32LE(batch.count, 32);
    bytes.writeUInt32LE(length, 36);
    bytes.writeBigUInt64LE(BigInt(watermark), 40);
    bytes.writeUInt32LE(this.#previousCrc, 48);
    bytes.writeUInt32LE(crc, 52);
    bytes.writeUInt32LE(this.#offset / SECTOR_SIZE, 56);
    bytes.writeUInt32LE(0, 60);
    bytes.writeUInt32LE(crc32c(0, bytes, 8, BATCH_HEADER_SIZE), 4);
    this.#previousCrc = crc;
  }

  #nextSegment(): void {
    this.#segment++;
    this.#offset = 0;
    let slot = this.#slots.indexOf(0);
    // No free segment (a checkpoint is late): the file grows, nobody waits.
    if (slot < 0) slot = this.#slots.push(0) - 1;
    this.#slots[slot] = this.#segment;
    this.#slot = slot;
  }

  /**
   * Makes sure of the segments that what is not sealed yet and the next rotation begin: no batch of theirs must find
   * the file system full.
   * @throws DiskFullError
   */
  prepareRotation(): void {
    const unsealed = this.#full.length + (this.#open.count > 0 ? 1 : 0);
    const fits = this.#full.length === 0 && this.#offset + padded(this.#open) <= this.segmentSize;
    let missing = 1 + (fits ? 0 : unsealed);
    for (const segment of this.#slots) if (segment === 0) missing--;
    for (; missing > 0; missing--) {
      try {
        writeZeros(this.#file, this.bytes, this.bytes + this.segmentSize);
      } catch (error) {
        this.#file.truncate(this.bytes);
        throw error;
      }
      this.#slots.push(0);
    }
  }

  /**
   * Records submitted from now on go to a new segment; all earlier ones have been sealed.
   * @returns where recovery of a state that has everything before must start
   */
  rotate(): JournalStart {
    assert(!this.hasRecords, "records pending at a rotation");
    this.#offset = this.segmentSize;
    this.#bytesSinceRotate = 0;
    const seq = this.#open.firstSeq;
    return { segment: this.#segment + 1, seq, previousCrc: this.#previousCrc };
  }

  /** Segments before `number` are not needed any more. What a burst has added goes; all of it, if room is short. */
  free(number: number, isShort: boolean): void {
    this.#slots = this.#slots.map((n) => (n < number ? 0 : n));
    this.#cutting = { from: number, kept: isShort ? CHECKPOINT_SEGMENTS : KEPT_SEGMENTS };
    this.#cut();
  }

  /**
   * Not before there is a newer segment: should the manifest rot that does without the older ones, that one shows that
   * they are missing.
   */
  #cut(): void {
    if (this.#cutting === undefined || this.#written < this.#cutting.from) return;
    const { kept } = this.#cutting;
    this.#cutting = undefined;
    const before = this.#slots.length;
    while (this.#slots.length > kept && this.#slots.at(-1) === 0) this.#slots.pop();
    if (this.#slots.length < before) this.#file.truncate(this.bytes);
  }

  write(batch: SealedBatch): Promise<void> {
    return this.#file.writeDurable(batch.bytes, batch.offset);
  }

  writeSync(batch: SealedBatch): void {
    this.#file.writeDurableSync(batch.bytes, batch.offset);
  }
}

/** One batch as found on disk. */
interface FoundBatch {
  segment: number;
  firstSeq: number;
  count: number;
  watermark: number;
  previousCrc: number;
  crc: number;
  padded: number;
  records: Buffer;
}

/** What a journal holds past a checkpoint. */
export interface JournalTail {
  batches: FoundBatch[];
  /** Highest segment number that any header shows; 0: none past the checkpoint. */
  lastSegment: number;
  /** The newest one found: all transactions up to it were durable, data included. */
  watermark: number;
  /** Records crc of the last batch. */
  previousCrc: number;
}

/** The journal cannot be what this store wrote: opening it would lose acknowledged changes. */
export class JournalError extends Error {
  constructor(why: string) {
    super(`journal: ${why}`);
    this.name = "JournalError";
  }
}

function parseHeader(bytes: Buffer, at: number, nonce: bigint): FoundBatch | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 4) !== crc32c(0, bytes, at + 8, at + BATCH_HEADER_SIZE)) {
    return undefined;
  }
  if (bytes.readBigUInt64LE(at + 8) !== nonce) return undefined;
  const length = bytes.readUInt32LE(at + 36);
  return {
    segment: Number(bytes.readBigUInt64LE(at + 16)),
    firstSeq: Number(bytes.readBigUInt64LE(at + 24)),
    count: bytes.readUInt32LE(at + 32),
    watermark: Number(bytes.readBigUInt64LE(at + 40)),
    previousCrc: bytes.readUInt32LE(at + 48),
    crc: bytes.readUInt32LE(at + 52),
    padded: Math.ceil((BATCH_HEADER_SIZE + length) / SECTOR_SIZE) * SECTOR_SIZE,
    records: bytes.subarray(at + BATCH_HEADER_SIZE, at + BATCH_HEADER_SIZE + length),
  };
}

/** Slots of the file by the number of the segment that lies there, from `firstSegment` on. */
function findSegments(options: JournalOptions, firstSegment: number): Map<number, number> {
  const slots = new Map<number, number>();
  const head = Buffer.alloc(BATCH_HEADER_SIZE);
  let bytes: Buffer | undefined;
  for (let slot = 0; slot < options.segments; slot++) {
    options.file.readSync(head, slot * options.segmentSize);
    const found = parseHeader(head, 0, options.nonce);
    if (found && found.segment >= firstSegment && head.readUInt32LE(56) === 0) {
      slots.set(found.segment, slot);
    } else {
      bytes ??= Buffer.allocUnsafeSlow(options.segmentSize);
      options.file.readSync(bytes, slot * options.segmentSize);
      checkTorn(bytes, options.nonce, firstSegment);
    }
  }
  return slots;
}

/**
 * A segment whose first batch is torn, or never came to the disk, has nothing behind it but what was there before.
 * @throws JournalError
 */
function checkTorn(bytes: Buffer, nonce: bigint, first: number): void {
  for (let at = SECTOR_SIZE; at < bytes.length; at += SECTOR_SIZE) {
    const found = parseHeader(bytes, at, nonce);
    if (found === undefined || bytes.readUInt32LE(at + 56) * SECTOR_SIZE !== at) continue;
    if (found.segment < first) continue;
    throw new JournalError(`the beginning of segment ${found.segment} is damaged`);
  }
}

/** Reads everything from `start` on, in order, up to the torn end. */
export function readJournal(options: JournalOptions, start: JournalStart): JournalTail {
  const { file, nonce, segmentSize } = options;
  const slots = findSegments(options, start.segment);
  const tail: JournalTail = {
    batches: [],
    lastSegment: Math.max(0, ...slots.keys()),
    watermark: 0,
    previousCrc: start.previousCrc,
  };
  let next = start.seq;
  let ended = false;
  for (let number = start.segment; number <= tail.lastSegment; number++) {
    const slot = slots.get(number);
    if (slot === undefined) {
      throw new JournalError(`segment ${number} is missing, ${tail.lastSegment} is there`);
    }
    const bytes = Buffer.allocUnsafeSlow(segmentSize);
    file.readSync(bytes, slot * segmentSize);
    for (let at = 0; at + SECTOR_SIZE <= segmentSize; ) {
      const found = parseHeader(bytes, at, nonce);
      if (!found || found.segment !== number || bytes.readUInt32LE(at + 56) * SECTOR_SIZE !== at) {
        at += SECTOR_SIZE;
        continue;
      }
      if (ended || found.firstSeq !== next || found.previousCrc !== tail.previousCrc) {
        throw new JournalError(`a batch is damaged before transaction ${found.firstSeq}`);
      }
      if (at + found.padded > segmentSize || found.crc !== crc32c(0, found.records)) {
        ended = true; // torn, unless something follows
        at += SECTOR_SIZE;
        continue;
      }
      tail.batches.push(found);
      tail.watermark = found.watermark;
      next += found.count;
      tail.previousCrc = found.crc;
      at += found.padded;
    }
  }
  return tail;
}

/** The records of one batch, with their sequence numbers. */
export function* recordsOf(batch: FoundBatch): IterableIterator<[seq: number, record: Reader]> {
  const r = new Reader(batch.records);
  for (let i = 0; i < batch.count; i++) {
    yield [batch.firstSeq + i, new Reader(r.view(r.u32()))];
  }
}
