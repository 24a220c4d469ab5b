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
const SLAB_BLOCKS = 256;
/** Memory that is kept when a burst is over, in blocks. */
const FREE_BLOCKS_MAX = SLAB_BLOCKS * 64;
/** Bytes of one write of a checkpoint. */
const APPLY_CHUNK = 1 << 20;
/** Writes of a checkpoint under way at once. */
const APPLY_PARALLEL = 4;

interface Pending {
  readonly bytes: Buffer;
  frozen: boolean;
}

export class PendingBlocks {
  readonly #file: DiskFile;
  readonly #blocks = new Map<number, Pending>();
  #frozen: [block: number, pending: Pending][] = [];
  #free: Buffer[] = [];
  #chunks: Buffer[] = [];

  constructor(file: DiskFile) {
    this.#file = file;
  }

  get bytes(): number {
    return (this.#blocks.size + this.#frozen.length) * BLOCK_SIZE;
  }

  /** A block's memory, to be filled by the caller with all 4 KiB. */
  stage(block: number): Buffer {
    const old = this.#blocks.get(block);
    if (old !== undefined && !old.frozen) return old.bytes;
    const bytes = this.#free.pop() ?? this.#slab();
    this.#blocks.set(block, { bytes, frozen: false });
    return bytes;
  }

  #slab(): Buffer {
    const slab = alignedBuffer(SLAB_BLOCKS * BLOCK_SIZE);
    for (let i = 1; i < SLAB_BLOCKS; i++) {
      this.#free.push(slab.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE));
    }
    return slab.subarray(0, BLOCK_SIZE);
  }

  get(block: number): Buffer | undefined {
    return this.#blocks.get(block)?.bytes;
  }

  /** Would a write to this block go no further than memory that is the block's already? */
  isOpen(block: number): boolean {
    return this.#blocks.get(block)?.frozen === false;
  }

  /** Nobody owns the block any more: what is pending for it is moot. */
  forget(block: number): void {
    const pending = this.#blocks.get(block);
    if (pending === undefined) return;
    this.#blocks.delete(block);
    if (!pending.frozen) this.#free.push(pending.bytes);
  }

  /** Takes what is pending now as the checkpoint's. */
  freeze(): void {
    this.#frozen = [...this.#blocks];
    for (const [, pending] of this.#frozen) pending.frozen = true;
  }

  /** Writes the frozen blocks to the file; stable on return. */
  async applyFrozen(): Promise<void> {
    if (this.#frozen.length === 0) return;
    const entries = this.#frozen.sort(([a], [b]) => a - b);
    let next = 0;
    const worker = async () => {
      const chunk = this.#chunks.pop() ?? alignedBuffer(APPLY_CHUNK);
      while (next < entries.length) {
        const [first] = entries[next]!;
        let count = 0;
        while (count < APPLY_CHUNK / BLOCK_SIZE && entries[next]?.[0] === first + count) {
          chunk.set(entries[next++]![1].bytes, count++ * BLOCK_SIZE);
        }
        await this.#file.write(chunk.subarray(0, count * BLOCK_SIZE), first * BLOCK_SIZE);
      }
      this.#chunks.push(chunk);
    };
    const workers = Math.min(APPLY_PARALLEL, Math.ceil(entries.length / 16));
    await Promise.all(Array.from({ length: workers }, worker));
    await this.#file.sync();
  }

  /** The checkpoint counts: the frozen blocks are read from the file from now on. */
  dropFrozen(): void {
    for (const [block, pending] of this.#frozen) {
      if (this.#blocks.get(block) === pending) this.#blocks.delete(block);
      this.#free.push(pending.bytes);
    }
    this.#frozen = [];
    if (this.#free.length > FREE_BLOCKS_MAX) this.#free.length = FREE_BLOCKS_MAX;
  }
}
