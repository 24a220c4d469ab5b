/**
 * Blocks between two owners, and how full the store may get.
 *
 * A block that lost its last owner is held back until a crash can no longer bring the owner back: until
 * the transaction is durable and a batch on disk says so (else recovery could find the block's new
 * content where it checks the old one's). Then it is free. Long runs that stay free for a while are punched
 * out of the file, which gives the space back to the file system; a writer who overwrites an image all the
 * time takes them again before that, and spares the file system the work.
 */

import type { Clock, Logger } from "../../base/index.ts";
import { type Disk, SECTOR_SIZE } from "../disk/disk.ts";
import { type Allocator, BLOCK_SIZE, REGION_BLOCKS } from "./allocator.ts";
import type { BlockFile } from "./block-file.ts";

/** Shorter runs are not punched: the file system would only get crumbs. */
const PUNCH_MIN = 256;
/** What is free this long, without anything taken from its region, is punched. */
const PUNCH_DELAY_MS = 2000;
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
  readonly #log: Logger;
  #held: Held[] = [];
  heldBlocks = 0;
  /** Regions that blocks were freed in, with how often something had been taken from them by then. */
  readonly #freed = new Map<number, number>();
  #punchTimer = false;
  #punching: Promise<void> | undefined;
  #punchable = true;
  #fileSystemFree = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Blocks that writes leave alone, so that what frees space always finds some. */
  readonly reserve: number;

  constructor(options: {
    allocator: Allocator;
    file: BlockFile;
    disk: Disk;
    clock: Clock;
    log: Logger;
  }) {
    this.#log = options.log;
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
    const blocks = this.#allocator.free + this.heldBlocks - this.reserve;
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
      for (const block of held.blocks) {
        this.#allocator.release(block);
        const region = Math.floor(block / REGION_BLOCKS);
        this.#freed.set(region, this.#allocator.takenFrom(region));
      }
    }
    if (count === 0) return;
    this.#held.splice(0, count);
    this.#punchLater();
  }

  #punchLater(): void {
    if (this.#freed.size === 0 || this.#punchTimer || !this.#punchable || this.#closed) return;
    this.#punchTimer = true;
    // What is freed until then waits for the next time.
    const regions = new Map(this.#freed);
    this.#freed.clear();
    this.#clock.after(PUNCH_DELAY_MS, () => {
      this.#punching = this.#punch(regions).finally(() => {
        this.#punchTimer = false;
        this.#punchLater();
      });
    });
  }

  async #punch(regions: ReadonlyMap<number, number>): Promise<void> {
    for (const [region, taken] of [...regions].sort(([a], [b]) => a - b)) {
      if (this.#closed || !this.#punchable) return;
      if (this.#allocator.takenFrom(region) !== taken) continue;
      // What is being punched is not there for a moment: a store that is nearly full would refuse a write.
      if (this.#allocator.free < 4 * REGION_BLOCKS + this.reserve) return;
      for (const [start, count] of this.#allocator.reserveRuns(region, PUNCH_MIN)) {
        const done = await this.#file.file.punch(start * BLOCK_SIZE, count * BLOCK_SIZE);
        this.#allocator.unreserve(start, count);
        if (done || !this.#punchable) continue;
        this.#punchable = false;
        this.#log.warn(
          "the file system does not take space back: its files stay as large as they were",
        );
      }
    }
  }

  /** Ends the punching: what is left is free all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#punching;
  }
}
