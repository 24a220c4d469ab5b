/**
 * Small writes that are in the journal and not yet home: whole blocks, in memory.
 *
 * A checkpoint freezes what is pending, writes it home and drops it. Until the manifest that says so, the
 * journal has the same bytes, so a torn homecoming is repaired by replay. A frozen block's bytes do not
 * change; a write to it meanwhile gets memory of its own, for the next checkpoint.
 */

import { alignedBuffer } from "../../base/index.ts";
import type { DiskFile } from "../disk/disk.ts";
import { BLOCK_SIZE } from "./allocator.ts";

/** Blocks of memory allocated at a time. */
const SLAB_BLOCKS = 1024;
/** Bytes of one write of a checkpoint. */
const APPLY_CHUNK = 1 << 20;
/** Writes of a checkpoint under way at once. */
const APPLY_PARALLEL = 4;

const NO_BLOCKS = new Uint32Array(0);

export class PendingBlocks {
  readonly #file: DiskFile;
  /** Memory by slot, and the slots that nobody has. */
  readonly #memory: Buffer[] = [];
  #free: number[] = [];
  /** Slot of each block. */
  readonly #open = new Map<number, number>();
  #frozen = new Map<number, number>();
  /** The checkpoint's, whoever has forgotten them since: blocks and their slots. */
  #applyBlocks = NO_BLOCKS;
  #applySlots = NO_BLOCKS;
  #chunks: Buffer[] = [];

  constructor(file: DiskFile) {
    this.#file = file;
  }

  get bytes(): number {
    return (this.#open.size + this.#applyBlocks.length) * BLOCK_SIZE;
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

  /** Takes what is pending now as the checkpoint's. */
  freeze(): void {
    this.#frozen = new Map(this.#open);
    this.#open.clear();
    this.#applyBlocks = Uint32Array.from(this.#frozen.keys()).sort();
    this.#applySlots = this.#applyBlocks.map((block) => this.#frozen.get(block)!);
  }

  /** Writes the frozen blocks to the file; stable on return. */
  async applyFrozen(): Promise<void> {
    const blocks = this.#applyBlocks;
    if (blocks.length === 0) return;
    let next = 0;
    const worker = async () => {
      const chunk = this.#chunks.pop() ?? alignedBuffer(APPLY_CHUNK);
      while (next < blocks.length) {
        const first = blocks[next]!;
        let count = 0;
        while (count < APPLY_CHUNK / BLOCK_SIZE && blocks[next] === first + count) {
          chunk.set(this.#memory[this.#applySlots[next++]!]!, count++ * BLOCK_SIZE);
        }
        await this.#file.write(chunk.subarray(0, count * BLOCK_SIZE), first * BLOCK_SIZE);
      }
      this.#chunks.push(chunk);
    };
    const workers = Math.min(APPLY_PARALLEL, Math.ceil(blocks.length / 16));
    await Promise.all(Array.from({ length: workers }, worker));
    await this.#file.sync();
  }

  /** The checkpoint counts: the frozen blocks are read from the file from now on. */
  dropFrozen(): void {
    for (const slot of this.#applySlots) this.#free.push(slot);
    this.#frozen.clear();
    this.#applyBlocks = NO_BLOCKS;
    this.#applySlots = NO_BLOCKS;
  }
}
