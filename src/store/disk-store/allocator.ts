/**
 * Which blocks of the block file are in use, and by how many.
 *
 * Blocks are 4 KiB, numbered from 0; the map is kept by regions of 1024 blocks (4 MiB), made when first
 * used. `used` is the truth as of the last transaction and is what a checkpoint saves. `held` are blocks
 * that no object uses any more but that may not be handed out yet, because a crash could still bring
 * their old owner back. `refs` counts owners beyond the first, for blocks that clones share.
 */

import { assert, must } from "../../base/index.ts";
import { Reader, Writer } from "../../encoding/index.ts";

export const BLOCK_SIZE = 4096;
/** Blocks of one region. */
export const REGION_BLOCKS = 1024;
const WORDS = REGION_BLOCKS / 32;
/** From this many blocks on, a contiguous run is looked for first. */
const CONTIGUOUS_MIN = 16;
/** A region with this much free is as good as any for small pieces. */
const PIECES_FREE_GOOD = (REGION_BLOCKS * 3) / 4;
/** The part of all blocks that must be free for small writes to take fresh blocks. */
const ROOMY_SHARE = 1 / 8;

export interface Region {
  readonly used: Uint32Array;
  readonly held: Uint32Array;
  /** Blocks neither used nor held. */
  free: number;
  /** Owners beyond the first; made when a block of the region is first shared. */
  refs: Uint32Array | undefined;
  /** Differs from what the last checkpoint saved. */
  dirty: boolean;
  /** Nothing has been written here since the file was made or the region punched, as far as we know. */
  hole: boolean;
  /** How often something has been taken from here. */
  taken: number;
}

function popcount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** A region's bitmap and its shared blocks: u32 words[32], u32 n, n times {u16 index, u32 refs}. */
export function encodeRegion(region: Region): Uint8Array {
  const w = new Writer(WORDS * 4 + 64);
  for (const word of region.used) w.u32(word);
  const mark = w.length;
  w.u32(0);
  let count = 0;
  for (let i = 0; region.refs !== undefined && i < REGION_BLOCKS; i++) {
    if (region.refs[i] === 0) continue;
    w.u16(i);
    w.u32(region.refs[i]!);
    count++;
  }
  w.buffer.writeUInt32LE(count, mark);
  return Uint8Array.from(w.finish());
}

export class Allocator {
  readonly blocks: number;
  readonly #regions: (Region | undefined)[];
  /** Where the last run was found, and where small pieces are taken from until nothing is left there. */
  #runCursor = 0;
  #pieceCursor = -1;
  /** Blocks that may be handed out. */
  free: number;
  /** Blocks in use, shared ones once. */
  used = 0;
  /** Free blocks that the file has for certain: known only from `preferWritten` on. */
  reusable = 0;
  /** By region, what has been in use since then. */
  #written: (Uint32Array | undefined)[] | undefined;

  constructor(blocks: number) {
    this.blocks = blocks;
    this.free = blocks;
    this.#regions = Array.from({ length: Math.ceil(blocks / REGION_BLOCKS) });
  }

  get regionCount(): number {
    return this.#regions.length;
  }

  region(index: number): Region | undefined {
    return this.#regions[index];
  }

  /** Is there so much free that a small write may take a fresh block? Else it overwrites. */
  get isRoomy(): boolean {
    return this.free > this.blocks * ROOMY_SHARE;
  }

  /** Asked once before a block's region is first written to: true if it is a hole of the file. */
  takeHole(block: number): boolean {
    const region = must(this.#regions[Math.floor(block / REGION_BLOCKS)], "region of a used block");
    const { hole } = region;
    region.hole = false;
    return hole;
  }

  /** Regions that differ from the last checkpoint; they are taken as saved. */
  *takeDirty(): IterableIterator<[index: number, region: Region]> {
    for (const [index, region] of this.#regions.entries()) {
      if (!region?.dirty) continue;
      region.dirty = false;
      yield [index, region];
    }
  }

  #blocksIn(index: number): number {
    return Math.min(REGION_BLOCKS, this.blocks - index * REGION_BLOCKS);
  }

  #make(index: number): Region {
    let region = this.#regions[index];
    if (region !== undefined) return region;
    const count = this.#blocksIn(index);
    region = {
      used: new Uint32Array(WORDS),
      held: new Uint32Array(WORDS),
      free: count,
      refs: undefined,
      dirty: false,
      hole: true,
      taken: 0,
    };
    // Blocks past the end of the device never become free.
    for (let i = count; i < REGION_BLOCKS; i++) region.held[i >>> 5]! |= 1 << (i & 31);
    this.#regions[index] = region;
    return region;
  }

  /** Puts back what a checkpoint saved. */
  load(index: number, value: Uint8Array): void {
    assert(index < this.#regions.length, `region ${index} lies past the end of the store`);
    const region = this.#make(index);
    region.hole = false;
    const r = new Reader(value);
    for (let i = 0; i < WORDS; i++) {
      region.used[i] = r.u32();
      region.free -= popcount(region.used[i]!);
      this.used += popcount(region.used[i]!);
      this.free -= popcount(region.used[i]!);
    }
    for (let n = r.count(6); n > 0; n--) {
      region.refs ??= new Uint32Array(REGION_BLOCKS);
      const block = r.u16();
      region.refs[block] = r.u32();
    }
  }

  isUsed(block: number): boolean {
    const region = this.#regions[Math.floor(block / REGION_BLOCKS)];
    const bit = block % REGION_BLOCKS;
    return region !== undefined && (region.used[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Owners beyond the first. */
  extraRefs(block: number): number {
    const region = this.#regions[Math.floor(block / REGION_BLOCKS)];
    return region?.refs?.[block % REGION_BLOCKS] ?? 0;
  }

  /**
   * Takes `count` blocks: one run where there is one, pieces otherwise. The caller has checked `free`.
   * @returns pairs of first block and count
   */
  allocate(count: number): number[] {
    assert(count <= this.free, "allocation past the free space");
    const out: number[] = [];
    let left = count - this.#takeReusable(Math.min(count, this.reusable), out);
    while (left > 0) {
      const piece = Math.min(left, REGION_BLOCKS);
      if (piece < CONTIGUOUS_MIN || !this.#takeRun(piece, out)) {
        this.#takePieces(left, out);
        break;
      }
      left -= piece;
    }
    return out;
  }

  /**
   * From now on blocks that the file has for certain are taken before others: its file system takes nothing back, and
   * there may be no room for those that are holes yet.
   */
  preferWritten(): void {
    this.#written ??= this.#regions.map((region) => region?.used.slice());
  }

  #takeReusable(count: number, out: number[]): number {
    let left = count;
    for (let index = 0; left > 0; index++) {
      const region = this.#regions[index];
      const written = this.#written?.[index];
      if (region === undefined || written === undefined) continue;
      left -= this.#takeFrom(region, index, left, out, written);
    }
    return count;
  }

  /** One run inside one region: in space that was used before if there is any, else in a new part of the file. */
  #takeRun(count: number, out: number[]): boolean {
    let fresh = -1;
    for (let step = 0; step < this.#regions.length; step++) {
      const index = (this.#runCursor + step) % this.#regions.length;
      const region = this.#regions[index];
      if (region === undefined) {
        if (fresh < 0 && this.#blocksIn(index) >= count) fresh = index;
        continue;
      }
      if (region.free < count) continue;
      const start = findRun(region, count);
      if (start < 0) continue;
      this.#takeRunAt(index, start, count, out);
      return true;
    }
    if (fresh < 0) return false;
    this.#takeRunAt(fresh, 0, count, out);
    return true;
  }

  #takeRunAt(index: number, start: number, count: number, out: number[]): void {
    this.#mark(index, start, count);
    out.push(index * REGION_BLOCKS + start, count);
    this.#runCursor = index;
  }

  #takePieces(count: number, out: number[]): void {
    for (let left = count; left > 0; ) {
      const region = this.#regions[this.#pieceCursor];
      if (region === undefined || region.free === 0) {
        this.#pieceCursor = this.#pieceRegion();
        this.#make(this.#pieceCursor);
        continue;
      }
      left -= this.#takeFrom(region, this.#pieceCursor, Math.min(left, region.free), out);
    }
  }

  /** The next region for small pieces: one used before with much room, else a new one, else the roomiest. */
  #pieceRegion(): number {
    let best = -1;
    let bestFree = 0;
    for (let step = 1; step <= this.#regions.length; step++) {
      const index = (this.#pieceCursor + step) % this.#regions.length;
      const region = this.#regions[index];
      if (region !== undefined && region.free >= PIECES_FREE_GOOD) return index;
      const free = region?.free ?? this.#blocksIn(index);
      if (free <= bestFree) continue;
      best = index;
      bestFree = free;
    }
    assert(best >= 0, "free blocks are miscounted");
    return best;
  }

  /** `count` blocks of a region, or all that it has (of those in `among`), lowest first, as runs. @returns how many */
  #takeFrom(
    region: Region,
    index: number,
    count: number,
    out: number[],
    among?: Uint32Array,
  ): number {
    let left = count;
    for (let word = 0; left > 0 && word < WORDS; word++) {
      let open = ~(region.used[word]! | region.held[word]!) >>> 0;
      if (among !== undefined) open = (open & among[word]!) >>> 0;
      while (open !== 0 && left > 0) {
        const bit = 31 - Math.clz32(open & -open);
        open = (open & (open - 1)) >>> 0;
        const block = index * REGION_BLOCKS + word * 32 + bit;
        const last = out.length - 2;
        const adjoins = last >= 0 && block === out[last]! + out[last + 1]!;
        if (adjoins) out[last + 1]!++;
        else out.push(block, 1);
        this.#mark(index, word * 32 + bit, 1);
        left--;
      }
    }
    return count - left;
  }

  #mark(index: number, start: number, count: number): void {
    const region = this.#make(index);
    for (let i = start; i < start + count; i++) region.used[i >>> 5]! |= 1 << (i & 31);
    if (this.#written !== undefined) this.#noteWritten(this.#written, index, start, count);
    region.free -= count;
    region.dirty = true;
    region.taken++;
    this.free -= count;
    this.used += count;
  }

  #noteWritten(
    all: (Uint32Array | undefined)[],
    index: number,
    start: number,
    count: number,
  ): void {
    const written = all[index] ?? new Uint32Array(WORDS);
    all[index] = written;
    for (let i = start; i < start + count; i++) {
      const mask = 1 << (i & 31);
      if ((written[i >>> 5]! & mask) !== 0) this.reusable--;
      else written[i >>> 5]! |= mask;
    }
  }

  /** Takes a given free block: what a replayed record says was allocated then. */
  take(block: number): void {
    const index = Math.floor(block / REGION_BLOCKS);
    const region = this.#make(index);
    const bit = block % REGION_BLOCKS;
    const taken = region.used[bit >>> 5]! | region.held[bit >>> 5]!;
    assert(block < this.blocks && (taken & (1 << (bit & 31))) === 0, `block ${block} is not free`);
    this.#mark(index, bit, 1);
  }

  /** One more owner of a block in use. */
  share(block: number): void {
    const region = must(this.#regions[Math.floor(block / REGION_BLOCKS)], "region of a used block");
    region.refs ??= new Uint32Array(REGION_BLOCKS);
    region.refs[block % REGION_BLOCKS]!++;
    region.dirty = true;
  }

  /** One owner less. True if it was the last: the block is held until `release`. */
  drop(block: number): boolean {
    const region = must(this.#regions[Math.floor(block / REGION_BLOCKS)], "region of a used block");
    const bit = block % REGION_BLOCKS;
    const mask = 1 << (bit & 31);
    assert((region.used[bit >>> 5]! & mask) !== 0, `block ${block} freed twice`);
    region.dirty = true;
    if (region.refs !== undefined && region.refs[bit]! > 0) {
      region.refs[bit]!--;
      return false;
    }
    region.used[bit >>> 5]! &= ~mask;
    region.held[bit >>> 5]! |= mask;
    this.used--;
    return true;
  }

  /** A held block may be handed out again. */
  release(block: number): void {
    const region = must(this.#regions[Math.floor(block / REGION_BLOCKS)], "region of a held block");
    const bit = block % REGION_BLOCKS;
    const mask = 1 << (bit & 31);
    assert((region.held[bit >>> 5]! & mask) !== 0, `block ${block} is not held`);
    region.held[bit >>> 5]! &= ~mask;
    region.free++;
    this.free++;
    if (((this.#written?.[Math.floor(block / REGION_BLOCKS)]?.[bit >>> 5] ?? 0) & mask) !== 0) {
      this.reusable++;
    }
  }

  /** Changes whenever something is taken from the region. */
  takenFrom(index: number): number {
    return this.#regions[index]?.taken ?? 0;
  }

  /** Runs of at least `min` free blocks of a region, not to be handed out until `unreserve`. */
  reserveRuns(index: number, min: number): [start: number, count: number][] {
    const region = this.#regions[index];
    const runs: [number, number][] = [];
    if (region === undefined || region.free < min) return runs;
    for (let i = 0; i < REGION_BLOCKS; ) {
      let end = i;
      while (end < REGION_BLOCKS && isFree(region, end)) end++;
      if (end - i >= min) {
        for (let bit = i; bit < end; bit++) region.held[bit >>> 5]! |= 1 << (bit & 31);
        region.free -= end - i;
        this.free -= end - i;
        runs.push([index * REGION_BLOCKS + i, end - i]);
      }
      i = end + 1;
    }
    return runs;
  }

  /** Ends a reservation: the run has been punched out of the file. */
  unreserve(start: number, count: number): void {
    for (let i = 0; i < count; i++) this.release(start + i);
    if (count === REGION_BLOCKS) must(this.#regions[start / REGION_BLOCKS], "region").hole = true;
  }
}

function isFree(region: Region, bit: number): boolean {
  return ((region.used[bit >>> 5]! | region.held[bit >>> 5]!) & (1 << (bit & 31))) === 0;
}

/** First of `count` free blocks in a row inside a region; -1 if there is no such run. */
function findRun(region: Region, count: number): number {
  let run = 0;
  for (let word = 0; word < WORDS; word++) {
    const taken = region.used[word]! | region.held[word]!;
    if (taken === 0) {
      run += 32;
      if (run >= count) return word * 32 + 32 - run;
      continue;
    }
    for (let bit = 0; bit < 32; bit++) {
      if ((taken & (1 << bit)) !== 0) run = 0;
      else if (++run >= count) return word * 32 + bit + 1 - run;
    }
  }
  return -1;
}
