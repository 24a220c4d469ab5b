/**
 * Blocks between two owners, and how full the store may get.
 *
 * A block that lost its last owner is held back until a crash can no longer bring the owner back: until
 * the transaction is durable and a batch on disk says so (else recovery could find the block's new
 * content where it checks the old one's). Then long runs are punched out of the file, which gives the
 * space back to the file system, and all become free.
 */

import type { Clock } from "../../base/index.ts";
import { type Disk, SECTOR_SIZE } from "../disk/disk.ts";
import { type Allocator, BLOCK_SIZE } from "./allocator.ts";
import type { BlockFile } from "./block-file.ts";

/** Runs from this many blocks on are punched: each costs a process of its own. */
const PUNCH_MIN = 256;
/** Freed blocks are gathered this long, so that neighbours are punched together. */
const PUNCH_DELAY_MS = 200;
/** File-system space kept for the journal and the index, at most. */
const FILE_SYSTEM_RESERVE = 64 << 20;
/** How long a look at the file system counts. */
const LOOK_MS = 1000;

interface Held {
  seq: number;
  /** Reads up to this one may still be looking at the blocks. */
  read: number;
  blocks: number[];
}

export class Space {
  readonly #allocator: Allocator;
  readonly #file: BlockFile;
  readonly #disk: Disk;
  readonly #clock: Clock;
  #held: Held[] = [];
  heldBlocks = 0;
  #toPunch: number[] = [];
  #punchTimer = false;
  #punching: Promise<void> | undefined;
  #punchable = true;
  #fileSystemFree = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Blocks that writes leave alone, so that what frees space always finds some. */
  readonly reserve: number;

  constructor(options: { allocator: Allocator; file: BlockFile; disk: Disk; clock: Clock }) {
    this.#allocator = options.allocator;
    this.#file = options.file;
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.reserve = Math.min(1024, Math.ceil(options.allocator.blocks / 64));
  }

  /** Is there room for a transaction? */
  fits(dataBlocks: number, edgeBlocks: number): boolean {
    const need = dataBlocks + edgeBlocks;
    if (need === 0) return true;
    const kept = dataBlocks > 0 ? this.reserve : 0;
    if (this.#allocator.free < need + kept) this.#releaseUnpunched();
    if (this.#allocator.free < need + kept) return false;
    return dataBlocks === 0 || this.#fileSystemBlocks(need) >= need;
  }

  /** Blocks the file system has room for beyond those in use, after its own reserve. */
  #fileSystemBlocks(need: number): number {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt > LOOK_MS || this.#fileSystemFree < need * 4 * SECTOR_SIZE) {
      const { total, available } = this.#disk.space();
      const reserve = Math.min(FILE_SYSTEM_RESERVE, total / 16);
      // What the file has of the file system and nobody uses is ours to use again.
      const slack = Math.max(0, this.#file.file.allocated() - this.#allocator.used * BLOCK_SIZE);
      this.#fileSystemFree = available - reserve + slack;
      this.#lookedAt = now;
    }
    this.#fileSystemFree -= need * BLOCK_SIZE;
    return this.#fileSystemFree / BLOCK_SIZE + need;
  }

  /** Bytes that a client may still write. */
  get available(): number {
    const { total, available } = this.#disk.space();
    const reserve = Math.min(FILE_SYSTEM_RESERVE, total / 16);
    const slack = Math.max(0, this.#file.file.allocated() - this.#allocator.used * BLOCK_SIZE);
    const blocks = this.#allocator.free + this.heldBlocks + this.#toPunch.length - this.reserve;
    return Math.max(0, Math.min(blocks * BLOCK_SIZE, available - reserve + slack));
  }

  /** Blocks that transaction `seq` freed. */
  hold(seq: number, blocks: number[]): void {
    if (blocks.length === 0) return;
    this.#held.push({ seq, read: this.#file.lastRead, blocks });
    this.heldBlocks += blocks.length;
  }

  /** Lets go of what was freed up to `watermark`, as far as no read is still at it. */
  release(watermark: number): void {
    let count = 0;
    for (const held of this.#held) {
      if (held.seq > watermark || !this.#file.readsDone(held.read)) break;
      count++;
      this.heldBlocks -= held.blocks.length;
      if (this.#punchable && held.blocks.length >= PUNCH_MIN) {
        for (const block of held.blocks) this.#toPunch.push(block);
      } else {
        for (const block of held.blocks) this.#allocator.release(block);
      }
    }
    if (count > 0) this.#held.splice(0, count);
    if (this.#toPunch.length > 0 && !this.#punchTimer && this.#punching === undefined) {
      this.#punchTimer = true;
      this.#clock.after(PUNCH_DELAY_MS, () => {
        this.#punchTimer = false;
        this.#punching ??= this.#punch().finally(() => {
          this.#punching = undefined;
        });
      });
    }
  }

  #releaseUnpunched(): void {
    for (const block of this.#toPunch) this.#allocator.release(block);
    this.#toPunch = [];
  }

  async #punch(): Promise<void> {
    while (this.#toPunch.length > 0 && !this.#closed) {
      const blocks = this.#toPunch.sort((a, b) => a - b);
      this.#toPunch = [];
      for (let i = 0; i < blocks.length; ) {
        let end = i + 1;
        while (end < blocks.length && blocks[end] === blocks[end - 1]! + 1) end++;
        const run = blocks.slice(i, end);
        if (run.length >= PUNCH_MIN && this.#punchable && !this.#closed) {
          this.#punchable = await this.#file.file.punch(
            run[0]! * BLOCK_SIZE,
            run.length * BLOCK_SIZE,
          );
        }
        for (const block of run) this.#allocator.release(block);
        i = end;
      }
    }
  }

  /** Ends the punching; blocks still in the queue are free in the index anyway. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#punching;
  }
}
