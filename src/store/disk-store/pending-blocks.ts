/**
 * Small writes that are in the journal and not yet home: whole blocks, in memory.
 *
 * Now and then what is pending is frozen, written home and dropped. Until the next checkpoint's manifest the
 * journal has the same bytes, so a torn homecoming is repaired by replay. A frozen block's bytes do not
 * change; a write to it meanwhile gets memory of its own, for the next homecoming.
 */

import { alignedBuffer } from "../../base/index.ts";
import type { DiskFile } from "../disk/disk.ts";
import { BLOCK_SIZE } from "./allocator.ts";

/** Blocks of memory allocated at a time. */
const SLAB_BLOCKS = 1024;
/** Bytes of one write home. One at a time: whoever waits for the journal waits behind it. */
const APPLY_CHUNK = 256 << 10;

const NO_BLOCKS = new Uint32Array(0);

export class PendingBlocks {
  readonly #file: DiskFile;
  /** Memory by slot, and the slots that nobody has. */
  readonly #memory: Buffer[] = [];
  #free: number[] = [];
  /** Slot of each block. */
  readonly #open = new Map<number, number>();
  #frozen = new Map<number, number>();
  /** What is going home, whoever has forgotten it since: blocks and their slots. */
  #applyBlocks = NO_BLOCKS;
  #applySlots = NO_BLOCKS;
  /** Not aligned: these writes go by way of the page cache, since what was written is often read soon. */
  readonly #chunk = Buffer.allocUnsafeSlow(APPLY_CHUNK);

  constructor(file: DiskFile) {
    this.#file = file;
  }

  get bytes(): number {
    return (this.#open.size + this.#applyBlocks.length) * BLOCK_SIZE;
  }

  /** Bytes of memory that it keeps, in use or not. */
  get keptBytes(): number {
    return this.#memory.length * BLOCK_SIZE;
  }

  /** Bytes that are not on their way home. */
  get openBytes(): number {
    return this.#open.size * BLOCK_SIZE;
  }

  /** A block's memory, to be filled by the caller with all 4 KiB. */
  stage(block: number): Buffer {
    let slot = this.#open.get(block);
    if (slot === undefined) {
      if (this.#free.length === 0) this.#addSlab();
      slot = this.#free.pop()!;
      this.#open.set(block, slot);
    }
    return this.#memory[slot]!;
  }

  #addSlab(): void {
    const slab = alignedBuffer(SLAB_BLOCKS * BLOCK_SIZE);
    for (let i = SLAB_BLOCKS - 1; i >= 0; i--) {
      this.#free.push(this.#memory.length);
      this.#memory.push(slab.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE));
    }
  }

  get(block: number): Buffer | undefined {
    const slot = this.#open.get(block) ?? this.#frozen.get(block);
    return slot === undefined ? undefined : this.#memory[slot];
  }

  /** Would a write to this block go no further than memory that is the block's already? */
  isOpen(block: number): boolean {
    return this.#open.has(block);
  }

  /** Nobody owns the block any more: what is pending for it is moot. */
  forget(block: number): void {
    const slot = this.#open.get(block);
    if (slot !== undefined) {
      this.#open.delete(block);
      this.#free.push(slot);
    }
    this.#frozen.delete(block);
  }

  /** Takes what is pending now as what goes home next. */
  freeze(): void {
    this.#frozen = new Map(this.#open);
    this.#open.clear();
    this.#applyBlocks = Uint32Array.from(this.#frozen.keys()).sort();
    this.#applySlots = this.#applyBlocks.map((block) => this.#frozen.get(block)!);
  }

  /** Writes the frozen blocks to the file; stable on return. */
  async applyFrozen(): Promise<void> {
    const blocks = this.#applyBlocks;
    for (let next = 0; next < blocks.length; ) {
      const first = blocks[next]!;
      let count = 0;
      while (count < APPLY_CHUNK / BLOCK_SIZE && blocks[next] === first + count) {
        this.#chunk.set(this.#memory[this.#applySlots[next++]!]!, count++ * BLOCK_SIZE);
      }
      await this.#file.write(this.#chunk.subarray(0, count * BLOCK_SIZE), first * BLOCK_SIZE);
    }
    if (blocks.length > 0) await this.#file.sync();
  }

  /** The frozen blocks are read from the file from now on. */
  dropFrozen(): void {
    for (const slot of this.#applySlots) this.#free.push(slot);
    this.#frozen.clear();
    this.#applyBlocks = NO_BLOCKS;
    this.#applySlots = NO_BLOCKS;
  }

  /** Keeps no memory but what is in use: a recovery had the whole journal here at once. */
  trim(): void {
    if (this.bytes > 0) return;
    this.#memory.length = 0;
    this.#free = [];
  }
}
