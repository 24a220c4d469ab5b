/**
 * The data: the block file, and what is not in it yet.
 *
 * A block's newest content is in one of three places, looked at in this order: pending (small writes,
 * durable in the journal, to be written by the next checkpoint), a direct write on its way (large writes,
 * to blocks nobody refers to on disk), the file.
 */

import { type BufferPool, settled } from "../../base/index.ts";
import { crc32c } from "../../encoding/index.ts";
import type { DiskFile } from "../disk/disk.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { DirectWrites } from "./direct-writes.ts";
import { PendingBlocks } from "./pending-blocks.ts";

/** The content of one block, all 4 KiB of it. */
export function blockCrc(bytes: Uint8Array, at = 0): number {
  return crc32c(0, bytes, at, at + BLOCK_SIZE);
}

/** Blocks in a row of the file and where they go: index of the first, block, count. */
type Run = [index: number, block: number, count: number];

export class BlockFile {
  readonly file: DiskFile;
  /** Memory for bulk data on its way. */
  readonly pool: BufferPool;
  readonly pending: PendingBlocks;
  readonly direct: DirectWrites;
  /** Reads under way, by number; ascending. */
  readonly #reads = new Map<number, Promise<unknown>>();
  #lastRead = 0;

  constructor(file: DiskFile, pool: BufferPool) {
    this.file = file;
    this.pool = pool;
    this.pending = new PendingBlocks(file);
    this.direct = new DirectWrites(file);
  }

  /** Is the newest content in memory? */
  inMemory(block: number): boolean {
    return this.#inMemory(block) !== undefined;
  }

  #inMemory(block: number): Uint8Array | undefined {
    return this.pending.get(block) ?? this.direct.find(block);
  }

  /** Copies what of `blocks` is in memory; the rest must come from the file. */
  #fileRuns(blocks: Uint32Array, into: Buffer): Run[] {
    const runs: Run[] = [];
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!;
      const bytes = this.#inMemory(block);
      if (bytes !== undefined) {
        into.set(bytes, i * BLOCK_SIZE);
        continue;
      }
      const last = runs.at(-1);
      if (last && last[0] + last[2] === i && last[1] + last[2] === block) last[2]++;
      else runs.push([i, block, 1]);
    }
    return runs;
  }

  /** Fills `into` with the blocks' newest content, unchecked. @returns how often the file was asked */
  readSync(blocks: Uint32Array, into: Buffer): number {
    const runs = this.#fileRuns(blocks, into);
    for (const [index, block, count] of runs) {
      const part = into.subarray(index * BLOCK_SIZE, (index + count) * BLOCK_SIZE);
      this.file.readSync(part, block * BLOCK_SIZE);
    }
    return runs.length;
  }

  /** The same with a promise, which is kept once nothing is put into `into` any more, if it fails as well; content as of the call. */
  read(blocks: Uint32Array, into: Buffer): Promise<void> {
    const parts = this.#fileRuns(blocks, into).map(([index, block, count]) =>
      this.file.read(
        into.subarray(index * BLOCK_SIZE, (index + count) * BLOCK_SIZE),
        block * BLOCK_SIZE,
      ),
    );
    const number = ++this.#lastRead;
    const done = settled(parts);
    this.#reads.set(number, done);
    const forget = () => this.#reads.delete(number);
    done.then(forget, forget);
    return done;
  }

  /** Number of the newest read so far: with `readsDone`, tells when nobody can be reading old content. */
  get lastRead(): number {
    return this.#lastRead;
  }

  /** Have all reads up to this number finished? */
  readsDone(upTo: number): boolean {
    for (const number of this.#reads.keys()) return number > upTo;
    return true;
  }

  /** Waits until nobody reads what is about to be overwritten. */
  async drainReads(): Promise<void> {
    await Promise.allSettled(this.#reads.values());
  }

  /** One block from wherever its newest content is, unchecked. */
  block(block: number): Buffer {
    const out = Buffer.allocUnsafe(BLOCK_SIZE);
    this.readSync(Uint32Array.of(block), out);
    return out;
  }
}
