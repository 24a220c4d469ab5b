/**
 * A run: an immutable file of sorted entries, written once by a checkpoint or a merge.
 *
 *   blocks, each: u32 entries, entries, u32 crc      about 8 KiB, larger for a large value
 *     entry: u16 key length, u32 value length (ffffffff: the key is gone), key, value
 *   index: u32 blocks, per block: u64 offset, u32 length, u16 key length, first key; u32 crc
 *   filter: u32 words, the words of a filter of the keys (key-filter.ts), u32 crc
 *   footer of 64 bytes: u32 magic, u32 crc of the rest, u64 nonce, u64 run id, u64 index offset,
 *     u32 index length, u64 entries, u64 filter offset, u32 filter length (0: it has none), u32 flags, zeros
 *     flags: 1: the index is what it should be (see `mendIndex`)
 *
 * Every crc is seeded with the store's nonce, the run's id and the offset, so a block read from the wrong
 * place does not pass. Index and filter stay in memory, blocks are read when needed and cached parsed.
 */

import { crc32c, DecodeError, Reader, Writer } from "../../encoding/index.ts";
import type { Disk, DiskFile } from "../disk/disk.ts";
import { CorruptionError } from "../object-store.ts";
import type { Cursor } from "./cursor.ts";
import { KeyFilter, KeyHash } from "./key-filter.ts";
import { readError } from "./unreadable.ts";

const MAGIC = 0x524c5053; // "SPLR"
const BLOCK_TARGET = 8192;
/** Key length and value length. */
const ENTRY_HEAD = 6;
const FOOTER_SIZE = 64;
const INDEX_SOUND = 1;
/** Bytes of an index that every build could put together without more memory. */
const SHORT_INDEX = 144 << 10;
/** Memory of a cached block besides its bytes. */
const BLOCK_OVERHEAD = 400;
/** Memory of a block that is no larger than most. */
const BLOCK_MEMORY = 12 << 10;
/** Pieces of it kept for blocks to come. */
const SPARE_MAX = 32;
/** Bytes gathered before they are written out; everybody else has to wait while they are. */
const CHUNK_SIZE = 128 << 10;
const GONE_LENGTH = 0xffff_ffff;

/** Stands for a removed key, told by identity. */
export const GONE: Uint8Array = new Uint8Array(0);

/** What the manifest says of a run. */
export interface RunInfo {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
}

export interface Run {
  readonly info: RunInfo;
  /** Entries, removed keys among them. */
  readonly total: number;
  /**
   * GONE for a key that was removed; undefined if this run knows nothing of it.
   * @param hash of the key
   */
  get(key: string, hash: KeyHash): Uint8Array | undefined;
  /** @param passing what is read is not worth keeping: a merge sees it once */
  cursor(from: string, passing: boolean): Cursor;
  /** Reads all of it, past the cache: what is damaged, in words. */
  damage(): IterableIterator<string>;
  close(): void;
}

export function runName(id: number): string {
  return `run.${id}`;
}

function seed(nonce: bigint, id: number, offset: number): number {
  const place = Buffer.alloc(24);
  place.writeBigUInt64LE(nonce, 0);
  place.writeBigUInt64LE(BigInt(id), 8);
  place.writeBigUInt64LE(BigInt(offset), 16);
  return crc32c(0, place);
}

/**
 * Blocks read lately, of all runs, and their memory. One that was asked for again since room was last made stays.
 *
 * The memory of a block that is forgotten is used for the next one: fresh memory costs more than reading into it
 * (page faults). Cursors pin the block they stand on; what is pinned when it is forgotten is left to the collector
 * or to the cursor that leaves it last.
 */
export class BlockCache {
  readonly #max: number;
  readonly #spare: Buffer[] = [];
  #bytes = 0;
  readonly #blocks = new Map<string, { block: ParsedBlock; recent: boolean }>();

  constructor(maxBytes: number) {
    this.#max = maxBytes;
  }

  get(key: string): ParsedBlock | undefined {
    const entry = this.#blocks.get(key);
    if (entry === undefined) return undefined;
    entry.recent = true;
    return entry.block;
  }

  /** Memory to read `length` bytes into. */
  memory(length: number): Buffer {
    if (length > BLOCK_MEMORY) return Buffer.allocUnsafeSlow(length);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_MEMORY);
  }

  /** Takes the block's memory back if nobody looks at it any more. */
  recycle(block: ParsedBlock): void {
    const isFree = block.pins === 0 && !block.cached && block.memory.length === BLOCK_MEMORY;
    if (isFree && this.#spare.length < SPARE_MAX) this.#spare.push(block.memory);
  }

  put(key: string, block: ParsedBlock): void {
    block.cached = true;
    this.#blocks.set(key, { block, recent: false });
    this.#bytes += block.size;
    for (const [oldest, entry] of this.#blocks) {
      // Whoever has asked for this one has not looked at it yet.
      if (this.#bytes <= this.#max || entry.block === block) break;
      this.#blocks.delete(oldest);
      if (entry.recent) {
        entry.recent = false;
        this.#blocks.set(oldest, entry);
      } else {
        this.#bytes -= entry.block.size;
        entry.block.cached = false;
        this.recycle(entry.block);
      }
    }
  }
}

/** A block's entries, found but not taken apart: a lookup compares bytes and makes no strings. */
class ParsedBlock {
  readonly memory: Buffer;
  /** Cursors that stand on it. */
  pins = 0;
  /** The cache has it. */
  cached = false;
  readonly #bytes: Buffer;
  /** Where each entry begins. */
  readonly #starts: Uint32Array;

  /**
   * @param bytes the block, in `memory`
   * @throws DecodeError
   */
  constructor(bytes: Buffer, memory: Buffer) {
    const r = new Reader(bytes);
    const count = r.count(ENTRY_HEAD);
    const starts = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      starts[i] = r.offset;
      const keyLength = r.u16();
      const length = r.u32();
      r.advance(keyLength + (length === GONE_LENGTH ? 0 : length));
    }
    this.memory = memory;
    this.#bytes = bytes;
    this.#starts = starts;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Bytes it takes. */
  get size(): number {
    return this.memory.length + this.#starts.length * 4 + BLOCK_OVERHEAD;
  }

  key(i: number): string {
    const start = this.#starts[i]!;
    const from = start + ENTRY_HEAD;
    return this.#bytes.toString("latin1", from, from + this.#bytes.readUInt16LE(start));
  }

  /** GONE for a removed key. */
  value(i: number): Uint8Array {
    const start = this.#starts[i]!;
    const length = this.#bytes.readUInt32LE(start + 2);
    if (length === GONE_LENGTH) return GONE;
    const from = start + ENTRY_HEAD + this.#bytes.readUInt16LE(start);
    return this.#bytes.subarray(from, from + length);
  }

  /** Index of the first entry with a key >= `key`; `count` if all are below. */
  lowerBound(key: string): number {
    let lo = 0;
    let hi = this.#starts.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.#compare(mid, key) < 0) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  /** Is this the key of entry `i`? */
  has(i: number, key: string): boolean {
    return i < this.#starts.length && this.#compare(i, key) === 0;
  }

  #compare(i: number, key: string): number {
    const bytes = this.#bytes;
    const start = this.#starts[i]!;
    const length = bytes.readUInt16LE(start);
    const shared = Math.min(length, key.length);
    const from = start + ENTRY_HEAD;
    for (let at = 0; at < shared; at++) {
      const difference = bytes[from + at]! - key.charCodeAt(at);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }
}

/**
 * Writes entries as run `id`, stable on return. Where it fails the file is the caller's to remove.
 * @throws whatever `mayGrow` does; DiskFullError
 */
export async function writeRun(options: {
  disk: Disk;
  nonce: bigint;
  id: number;
  entries: Cursor;
  /** At least as many as there will be. */
  expected: number;
  /** Nothing older is left that a removed key would hide. */
  dropGone?: boolean;
  /** Called before each piece that is written: throws to give up. */
  mayGrow?: () => void;
}): Promise<RunInfo> {
  const { disk, nonce, id } = options;
  const name = runName(id);
  const file = disk.open(name, "create");
  try {
    const w = new Writer(CHUNK_SIZE + BLOCK_TARGET * 2);
    const index: { key: string; offset: number; length: number }[] = [];
    const filter = KeyFilter.forKeys(options.expected);
    const hash = new KeyHash();
    let flushed = 0; // bytes of the file already written
    let start = 0; // of the open block in `w`
    let count = 0;
    let total = 0;
    const endBlock = () => {
      w.buffer.writeUInt32LE(count, start);
      const offset = flushed + start;
      w.u32(crc32c(seed(nonce, id, offset), w.buffer, start, w.length));
      index.at(-1)!.length = w.length - start;
      count = 0;
    };
    const flush = async () => {
      options.mayGrow?.();
      await file.write(w.finish(), flushed);
      flushed += w.length;
      w.reset();
    };
    for (const { entries } = options; entries.key !== undefined; entries.next()) {
      const { key } = entries;
      const value = entries.value();
      if (value === GONE && options.dropGone === true) continue;
      if (count === 0) {
        start = w.length;
        index.push({ key, offset: flushed + start, length: 0 });
        w.u32(0);
      }
      w.u16(key.length);
      w.u32(value === GONE ? GONE_LENGTH : value.length);
      w.chars(key);
      w.bytes(value);
      filter.add(hash.of(key));
      count++;
      total++;
      if (w.length - start >= BLOCK_TARGET) endBlock();
      if (count === 0 && w.length >= CHUNK_SIZE) await flush();
    }
    if (count > 0) endBlock();
    await flush();
    const at = flushed;
    w.u32(index.length);
    for (const entry of index) {
      w.u64n(entry.offset);
      w.u32(entry.length);
      w.u16(entry.key.length);
      w.chars(entry.key);
    }
    w.u32(crc32c(seed(nonce, id, at), w.buffer, 0, w.length));
    const indexLength = w.length;
    await flush();
    const filterAt = flushed;
    w.u32(filter.words.length);
    for (const word of filter.words) w.u32(word);
    w.u32(crc32c(seed(nonce, id, filterAt), w.buffer, 0, w.length));
    const filterLength = w.length;
    writeFooter(w, { nonce, id, at, indexLength, total, filterAt, filterLength });
    await flush();
    await file.sync();
    await disk.syncDirectory();
    return { id, name, bytes: flushed };
  } finally {
    file.close();
  }
}

function writeFooter(
  w: Writer,
  f: {
    nonce: bigint;
    id: number;
    at: number;
    indexLength: number;
    total: number;
    filterAt: number;
    filterLength: number;
  },
): void {
  const start = w.length;
  w.u32(MAGIC);
  w.u32(0);
  w.u64(f.nonce);
  w.u64n(f.id);
  w.u64n(f.at);
  w.u32(f.indexLength);
  w.u64n(f.total);
  w.u64n(f.filterAt);
  w.u32(f.filterLength);
  w.u32(INDEX_SOUND);
  w.zeros(start + FOOTER_SIZE - w.length);
  w.buffer.writeUInt32LE(crc32c(0, w.buffer, start + 8, w.length), start + 4);
}

/** Index of the last key <= `key`; -1 if all are above. */
function floor(keys: readonly string[], key: string): number {
  let lo = 0;
  let hi = keys.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (keys[mid]! <= key) lo = mid + 1;
    else hi = mid;
  }
  return lo - 1;
}

class FileRun implements Run {
  readonly info: RunInfo;
  readonly #file: DiskFile;
  readonly #nonce: bigint;
  readonly #cache: BlockCache;
  readonly #keys: string[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  #filter: KeyFilter | undefined;
  total = 0;

  constructor(options: { disk: Disk; nonce: bigint; cache: BlockCache; info: RunInfo }) {
    this.info = options.info;
    this.#nonce = options.nonce;
    this.#cache = options.cache;
    this.#file = options.disk.open(options.info.name, "read");
    try {
      this.#loadIndex();
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  #damaged(what: string): CorruptionError {
    return new CorruptionError(this.info.name, `${what} is damaged`);
  }

  #loadIndex(): void {
    const footer = Buffer.alloc(FOOTER_SIZE);
    if (this.info.bytes < FOOTER_SIZE) throw this.#damaged("its length");
    this.#read(footer, this.info.bytes - FOOTER_SIZE);
    const intact =
      footer.readUInt32LE(0) === MAGIC &&
      footer.readUInt32LE(4) === crc32c(0, footer, 8) &&
      footer.readBigUInt64LE(8) === this.#nonce &&
      Number(footer.readBigUInt64LE(16)) === this.info.id;
    if (!intact) throw this.#damaged("its footer");
    const at = Number(footer.readBigUInt64LE(24));
    const length = footer.readUInt32LE(32);
    this.total = Number(footer.readBigUInt64LE(36));
    const r = new Reader(this.#readChecked(at, length));
    for (let n = r.count(14); n > 0; n--) {
      this.#offsets.push(r.u64n());
      this.#lengths.push(r.u32());
      this.#keys.push(r.view(r.u16()).toString("latin1"));
    }
    const isSound = (footer.readUInt32LE(56) & INDEX_SOUND) !== 0 || length <= SHORT_INDEX;
    if (!isSound) this.#mendIndex();
    for (let i = 1; i < this.#keys.length; i++) {
      if (this.#keys[i]! <= this.#keys[i - 1]!) throw this.#damaged("the order of its index");
    }
    this.#loadFilter(Number(footer.readBigUInt64LE(44)), footer.readUInt32LE(52));
  }

  /**
   * Takes the keys from the blocks: builds before the flag could lose some of a long index as they wrote it, and
   * their blocks were as good as not there. Blocks that cannot be read say so when somebody needs them.
   */
  #mendIndex(): void {
    for (let index = 0; index < this.#keys.length; index++) {
      try {
        const block = this.#readBlock(index);
        this.#keys[index] = block.key(0);
        this.#cache.recycle(block);
      } catch (error) {
        if (!(error instanceof CorruptionError) && !(error instanceof DecodeError)) throw error;
      }
    }
  }

  #loadFilter(at: number, length: number): void {
    if (length === 0) return; // written before there were filters
    const r = new Reader(this.#readChecked(at, length));
    const words = new Uint32Array(r.count(4));
    for (let i = 0; i < words.length; i++) words[i] = r.u32();
    this.#filter = new KeyFilter(words);
  }

  #read(into: Buffer, offset: number): void {
    try {
      this.#file.readSync(into, offset);
    } catch (error) {
      throw readError(error, () => this.info.name);
    }
  }

  /** Bytes of one checked piece, without its crc. */
  #readChecked(offset: number, length: number, memory?: Buffer): Buffer {
    if (length < 8 || offset + length > this.info.bytes) throw this.#damaged("a length");
    const bytes = (memory ?? Buffer.allocUnsafeSlow(length)).subarray(0, length);
    this.#read(bytes, offset);
    const crc = crc32c(seed(this.#nonce, this.info.id, offset), bytes, 0, length - 4);
    if (crc !== bytes.readUInt32LE(length - 4)) throw this.#damaged(`block at ${offset}`);
    return bytes.subarray(0, length - 4);
  }

  get blocks(): number {
    return this.#keys.length;
  }

  /** A cursor leaves the block. */
  unpin(block: ParsedBlock): void {
    block.pins--;
    this.#cache.recycle(block);
  }

  block(index: number, passing = false): ParsedBlock {
    const name = `${this.info.id}/${index}`;
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const block = this.#readBlock(index);
    if (!passing) this.#cache.put(name, block);
    return block;
  }

  #readBlock(index: number): ParsedBlock {
    const length = this.#lengths[index]!;
    const memory = this.#cache.memory(length);
    return new ParsedBlock(this.#readChecked(this.#offsets[index]!, length, memory), memory);
  }

  *damage(): IterableIterator<string> {
    let previous = "";
    let total = 0;
    let whole = true;
    const hash = new KeyHash();
    for (const [index, first] of this.#keys.entries()) {
      let keys: string[];
      try {
        const block = this.#readBlock(index);
        keys = Array.from({ length: block.count }, (_, i) => block.key(i));
      } catch (error) {
        if (!(error instanceof CorruptionError) && !(error instanceof DecodeError)) throw error;
        yield error.message;
        whole = false;
        continue;
      }
      const sorted = keys.every((key, i) => i === 0 || key > keys[i - 1]!);
      if (!sorted || keys[0] !== first || (index > 0 && first <= previous)) {
        yield this.#damaged(`the order of keys in block at ${this.#offsets[index]}`).message;
      }
      if (keys.some((key) => this.#filter?.mayHave(hash.of(key)) === false)) {
        yield this.#damaged(`the filter of keys in block at ${this.#offsets[index]}`).message;
      }
      previous = keys.at(-1) ?? previous;
      total += keys.length;
    }
    if (whole && total !== this.total) {
      yield `${this.info.name}: ${total} entries, ${this.total} counted`;
    }
  }

  get(key: string, hash: KeyHash): Uint8Array | undefined {
    if (this.#filter?.mayHave(hash) === false) return undefined;
    const at = floor(this.#keys, key);
    if (at < 0) return undefined;
    const block = this.block(at);
    const i = block.lowerBound(key);
    return block.has(i, key) ? block.value(i) : undefined;
  }

  cursor(from: string, passing: boolean): Cursor {
    return new RunCursor(this, Math.max(0, floor(this.#keys, from)), from, passing);
  }

  close(): void {
    this.#file.close();
  }
}

class RunCursor implements Cursor {
  readonly #run: FileRun;
  readonly #passing: boolean;
  #index: number;
  #block: ParsedBlock | undefined;
  #i = 0;
  key: string | undefined;

  /** From the first key >= `from`, which is in block `index` or behind it. */
  constructor(run: FileRun, index: number, from: string, passing: boolean) {
    this.#run = run;
    this.#passing = passing;
    this.#index = index;
    this.#enterBlock();
    this.#i = this.#block?.lowerBound(from) ?? 0;
    this.#settle();
  }

  #enterBlock(): void {
    if (this.#block !== undefined) this.#run.unpin(this.#block);
    const isThere = this.#index < this.#run.blocks;
    this.#block = isThere ? this.#run.block(this.#index, this.#passing) : undefined;
    if (this.#block !== undefined) this.#block.pins++;
    this.#i = 0;
  }

  /** Takes the key of the entry it stands on, which may be the next block's first. */
  #settle(): void {
    if (this.#block !== undefined && this.#i >= this.#block.count) {
      this.#index++;
      this.#enterBlock();
    }
    this.key = this.#block?.key(this.#i);
  }

  value(): Uint8Array {
    return this.#block!.value(this.#i);
  }

  next(): void {
    this.#i++;
    this.#settle();
  }
}

export function openRun(options: {
  disk: Disk;
  nonce: bigint;
  cache: BlockCache;
  info: RunInfo;
}): Run {
  return new FileRun(options);
}
