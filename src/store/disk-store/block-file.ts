/**
 * The data: the block file, and what is not in it yet.
 *
 * A block's newest content is in one of three places, looked at in this order: `pending` (small writes,
 * durable in the journal, to be written by the next checkpoint), a direct write on its way (large writes,
 * to blocks nobody refers to on disk), the file. A pending block may be one in use: it is overwritten in
 * place by the checkpoint, which is safe because until the next manifest the journal has the same bytes.
 */

import { alignedBuffer } from "../../base/index.ts";
import { crc32c } from "../../encoding/index.ts";
import type { DiskFile } from "../disk/disk.ts";
import { BLOCK_SIZE } from "./allocator.ts";

/** Blocks of pending memory allocated at a time. */
const SLAB_BLOCKS = 256;
/** Bytes of one write of a checkpoint. */
const APPLY_CHUNK = 1 << 20;
/** Writes of a checkpoint under way at once. */
const APPLY_PARALLEL = 8;
/** Bytes of one direct write. */
export const DIRECT_MAX = 4 << 20;
/** Memory for direct writes that is kept for the next ones. */
const BOUNCE_KEPT = 6;

interface Pending {
  readonly bytes: Buffer;
  /** Part of the checkpoint under way: its content may not change any more. */
  frozen: boolean;
}

/** A large write to fresh blocks. */
export interface DirectWrite {
  readonly seq: number;
  readonly block: number;
  readonly count: number;
  readonly bytes: Buffer;
}

/** The content of one block, all 4 KiB of it. */
export function blockCrc(bytes: Uint8Array, at = 0): number {
  return crc32c(0, bytes, at, at + BLOCK_SIZE);
}

export class BlockFile {
  readonly file: DiskFile;
  readonly #pending = new Map<number, Pending>();
  #free: Buffer[] = [];
  #frozen: [block: number, pending: Pending][] = [];
  readonly #direct = new Set<DirectWrite>();
  #bounce: Buffer[] = [];
  #staging: Buffer[] = [];
  /** Reads under way, by number; ascending. */
  readonly #reads = new Map<number, Promise<unknown>>();
  #lastRead = 0;

  constructor(file: DiskFile) {
    this.file = file;
  }

  get pendingBytes(): number {
    return (this.#pending.size + this.#frozen.length) * BLOCK_SIZE;
  }

  /** Sequence number of the oldest direct write on its way; infinite if there is none. */
  get oldestDirect(): number {
    for (const write of this.#direct) return write.seq;
    return Number.POSITIVE_INFINITY;
  }

  /** A pending block's memory, to be filled by the caller with all 4 KiB. */
  stage(block: number): Buffer {
    const old = this.#pending.get(block);
    if (old !== undefined && !old.frozen) return old.bytes;
    const bytes = this.#free.pop() ?? this.#slab();
    this.#pending.set(block, { bytes, frozen: false });
    return bytes;
  }

  #slab(): Buffer {
    const slab = alignedBuffer(SLAB_BLOCKS * BLOCK_SIZE);
    for (let i = 1; i < SLAB_BLOCKS; i++) {
      this.#free.push(slab.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE));
    }
    return slab.subarray(0, BLOCK_SIZE);
  }

  /** Nobody owns the block any more: what is pending for it is moot. */
  forget(block: number): void {
    const pending = this.#pending.get(block);
    if (pending === undefined) return;
    this.#pending.delete(block);
    if (!pending.frozen) this.#free.push(pending.bytes);
  }

  /** Is the newest content in memory? */
  inMemory(block: number): boolean {
    return this.#pending.has(block) || this.#directOf(block) !== undefined;
  }

  #directOf(block: number): DirectWrite | undefined {
    for (const write of this.#direct) {
      if (block >= write.block && block < write.block + write.count) return write;
    }
    return undefined;
  }

  /** Copies a block from memory; false if it is only in the file. */
  #fromMemory(block: number, into: Uint8Array, at: number): boolean {
    const pending = this.#pending.get(block);
    if (pending !== undefined) {
      into.set(pending.bytes, at);
      return true;
    }
    if (this.#direct.size === 0) return false;
    const write = this.#directOf(block);
    if (write === undefined) return false;
    const from = (block - write.block) * BLOCK_SIZE;
    into.set(write.bytes.subarray(from, from + BLOCK_SIZE), at);
    return true;
  }

  /** Runs of `blocks` that must come from the file: index of the first, block, count; the rest is copied. */
  #fileRuns(blocks: Uint32Array, into: Buffer): [index: number, block: number, count: number][] {
    const runs: [number, number, number][] = [];
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!;
      if (this.#fromMemory(block, into, i * BLOCK_SIZE)) continue;
      const last = runs.at(-1);
      if (last && last[0] + last[2] === i && last[1] + last[2] === block) last[2]++;
      else runs.push([i, block, 1]);
    }
    return runs;
  }

  /** Fills `into` with the blocks' newest content, unchecked. */
  readSync(blocks: Uint32Array, into: Buffer): void {
    for (const [index, block, count] of this.#fileRuns(blocks, into)) {
      const part = into.subarray(index * BLOCK_SIZE, (index + count) * BLOCK_SIZE);
      this.file.readSync(part, block * BLOCK_SIZE);
    }
  }

  /** The same with a promise; content as of the call. */
  read(blocks: Uint32Array, into: Buffer): Promise<void> {
    const parts = this.#fileRuns(blocks, into).map(([index, block, count]) =>
      this.file.read(
        into.subarray(index * BLOCK_SIZE, (index + count) * BLOCK_SIZE),
        block * BLOCK_SIZE,
      ),
    );
    const number = ++this.#lastRead;
    const done = Promise.all(parts).then(() => undefined);
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

  /** Starts a large write; the bytes come from `bounce`. Resolves when it is durable. */
  async startDirect(write: DirectWrite): Promise<void> {
    this.#direct.add(write);
    await this.file.writeDurable(write.bytes, write.block * BLOCK_SIZE);
    this.#direct.delete(write);
    if (this.#bounce.length < BOUNCE_KEPT) this.#bounce.push(write.bytes);
  }

  /** Memory for one direct write. */
  bounce(): Buffer {
    const bytes = this.#bounce.pop();
    // What was cut to the size of its write is whole again.
    return bytes === undefined ? alignedBuffer(DIRECT_MAX) : Buffer.from(bytes.buffer);
  }

  /** Takes what is pending now as the checkpoint's; later changes get memory of their own. */
  freeze(): void {
    this.#frozen = [...this.#pending];
    for (const [, pending] of this.#frozen) pending.frozen = true;
  }

  /** Waits until nobody reads what is about to be overwritten. */
  async drainReads(): Promise<void> {
    await Promise.allSettled(this.#reads.values());
  }

  /** Writes the frozen blocks to the file; stable on return. */
  async applyFrozen(): Promise<void> {
    if (this.#frozen.length === 0) return;
    const entries = this.#frozen.sort(([a], [b]) => a - b);
    let next = 0;
    const worker = async () => {
      const staging = this.#staging.pop() ?? alignedBuffer(APPLY_CHUNK);
      while (next < entries.length) {
        const [first] = entries[next]!;
        let count = 0;
        while (count < APPLY_CHUNK / BLOCK_SIZE && entries[next]?.[0] === first + count) {
          staging.set(entries[next++]![1].bytes, count++ * BLOCK_SIZE);
        }
        await this.file.write(staging.subarray(0, count * BLOCK_SIZE), first * BLOCK_SIZE);
      }
      this.#staging.push(staging);
    };
    const workers = Math.min(APPLY_PARALLEL, Math.ceil(entries.length / 16));
    await Promise.all(Array.from({ length: workers }, worker));
    await this.file.sync();
  }

  /** The checkpoint counts: the frozen blocks are read from the file from now on. */
  dropFrozen(): void {
    for (const [block, pending] of this.#frozen) {
      if (this.#pending.get(block) === pending) this.#pending.delete(block);
      this.#free.push(pending.bytes);
    }
    this.#frozen = [];
    // Memory for the common case is kept, a burst's is let go.
    if (this.#free.length > SLAB_BLOCKS * 64) this.#free.length = SLAB_BLOCKS * 16;
  }

  /** One block from wherever its newest content is, unchecked. */
  block(block: number): Buffer {
    const out = Buffer.allocUnsafe(BLOCK_SIZE);
    this.readSync(Uint32Array.of(block), out);
    return out;
  }
}
