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
import { type Allocator, BLOCK_SIZE, REGION_BLOCKS } from "./allocator.ts";
import type { BlockFile } from "./block-file.ts";
import { FileSystemRoom, type RoomOptions } from "./file-system-room.ts";
import type { Plan } from "./plan.ts";

/** Shorter runs are not punched: the file system would only get crumbs. */
const PUNCH_MIN = 256;
/** What is free this long, without anything taken from its region, is punched. */
const PUNCH_DELAY_MS = 2000;
/** Bytes that are worth a punching of everything. */
const SLACK_MIN = 1 << 20;

/** Part of the file system's reserve that what replaces data may take. */
const OVERWRITE_SHARE = 1 / 2;
/** The same of what gives space back, which takes some first. The rest is for what has been counted too low. */
const REMOVAL_SHARE = 7 / 8;

interface Held {
  seq: number;
  /** Reads up to this one may still be looking at the blocks. */
  read: number;
  blocks: number[];
}

export class Space {
  readonly #allocator: Allocator;
  readonly #file: BlockFile;
  readonly #room: FileSystemRoom;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #indexShare: number;
  #held: Held[] = [];
  heldBlocks = 0;
  /** Regions that blocks were freed in, with how often something had been taken from them by then. */
  readonly #freed = new Map<number, number>();
  #punchTimer = false;
  #punching: Promise<void> | undefined;
  #punchingAll: Promise<void> | undefined;
  /** What the last punching of everything could not give back. */
  #slackLeft = 0;
  #closed = false;
  /** Blocks that writes leave alone, so that what frees space always finds some. */
  readonly reserve: number;

  constructor(options: RoomOptions & { readonly log: Logger; readonly indexShare: number }) {
    this.#indexShare = options.indexShare;
    this.#log = options.log;
    this.#allocator = options.allocator;
    this.#file = options.file;
    this.#room = new FileSystemRoom(options);
    this.#clock = options.clock;
    this.reserve = Math.min(1024, Math.ceil(options.allocator.blocks / 64));
  }

  /** Is there room for a transaction? */
  fits(plan: Plan): boolean {
    const { dataBlocks, edgeBlocks, writtenBytes, addedBytes, recordBytes } = plan;
    const need = dataBlocks + edgeBlocks;
    const kept = dataBlocks > 0 ? this.reserve : 0;
    if (need > 0 && this.#allocator.free < need + kept) return false;
    if (plan.isRecord) return true;
    let fits: boolean;
    if (dataBlocks > 0 || writtenBytes > 0) {
      const share = dataBlocks > 0 ? 0 : OVERWRITE_SHARE;
      fits = this.#room.take(need * BLOCK_SIZE + recordBytes, share);
    } else if (addedBytes > 0) {
      fits = !this.#room.isIndexLarge && this.#room.take(addedBytes, this.#indexShare);
    } else {
      fits = this.#room.take(recordBytes, REMOVAL_SHARE);
    }
    if (!fits) this.#punchAllWhenTight();
    return fits;
  }

  /** Is there so much free that a small write may take a fresh block? Else it overwrites. */
  get isRoomy(): boolean {
    return this.#allocator.isRoomy && !this.#room.isTight;
  }

  /** Bytes of the file system above the reserve: below zero, some of the reserve is in use. */
  get spare(): number {
    const { left } = this.#room;
    this.#punchAllWhenTight();
    return left;
  }

  /** Is nothing left of the file system but the reserve, or less? */
  get isSpent(): boolean {
    return this.#room.left < 0;
  }

  /** Bytes that a client may still write. */
  get available(): number {
    this.#room.look();
    this.#punchAllWhenTight();
    // Whoever is refused waits until the store is told to be full, and for somebody to make room.
    if (this.#room.isIndexLarge) return 0;
    const blocks = this.#allocator.free + this.heldBlocks - this.reserve;
    return Math.max(0, Math.min(blocks * BLOCK_SIZE, this.#room.available));
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
    if (this.#freed.size === 0 || this.#punchTimer || !this.#room.punchable || this.#closed) return;
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
      if (this.#closed || !this.#room.punchable) return;
      if (this.#allocator.takenFrom(region) !== taken) continue;
      await this.#punchRegion(region, PUNCH_MIN);
    }
  }

  /** Gives back what the file has and nobody uses, to the last block: it is needed. */
  #punchAllWhenTight(): void {
    const { isTight, slack, punchable } = this.#room;
    this.#slackLeft = Math.min(this.#slackLeft, slack);
    const worthwhile = isTight && slack > this.#slackLeft + SLACK_MIN;
    if (!worthwhile || !punchable || this.#punchingAll !== undefined || this.#closed) return;
    this.#punchingAll = this.#punchAll().finally(() => {
      this.#punchingAll = undefined;
      this.#room.look();
      this.#slackLeft = this.#room.slack;
    });
  }

  async #punchAll(): Promise<void> {
    for (let region = 0; region < this.#allocator.regionCount; region++) {
      if (this.#closed || !this.#room.punchable) return;
      await this.#punchRegion(region, 1);
    }
  }

  async #punchRegion(region: number, min: number): Promise<void> {
    // What is being punched is not there for a moment: a store that is nearly full would refuse a write.
    if (this.#allocator.free < 4 * REGION_BLOCKS + this.reserve) return;
    for (const [start, count] of this.#allocator.reserveRuns(region, min)) {
      const done = await this.#file.file.punch(start * BLOCK_SIZE, count * BLOCK_SIZE);
      this.#allocator.unreserve(start, count);
      if (done || !this.#room.punchable) continue;
      this.#room.punchable = false;
      this.#allocator.preferWritten();
      this.#log.warn(
        "the file system does not take space back: its files stay as large as they were",
      );
    }
  }

  /** Ends the punching: what is left is free all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#punching;
    await this.#punchingAll;
  }
}
