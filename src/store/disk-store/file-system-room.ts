/**
 * How much more the store may take of the file system, which it may have to share.
 *
 * ENOSPC from a write would be final almost everywhere, so the store must not come to it. Of what the file
 * system has free it leaves a reserve, for index runs and for a journal that grows while a checkpoint is late,
 * and it counts what it already owes: blocks of small writes that are still in memory and holes in the file,
 * what the index's next run will have, and the rest of segments that a growing journal has begun. Nothing is
 * gained by what the file has and no object uses, as the next block may come from a hole as well; that has to
 * be punched out first. When room is tight, `Space` punches all of it.
 */

import type { Clock } from "../../base/index.ts";
import type { Disk } from "../disk/disk.ts";
import { type Allocator, BLOCK_SIZE } from "./allocator.ts";
import type { BlockFile } from "./block-file.ts";
import type { Journal } from "./journal.ts";
import type { RunKv } from "./kv.ts";

const RESERVE_MAX = 64 << 20;
const RESERVE_SHARE = 1 / 16;
/** Room for a journal that grows, in segments, however small the file system is. */
const RESERVE_SEGMENTS = 3;
/** How long a look at the file system counts, at most, and how fast others may eat up what it has found. */
const LOOK_MS = 1000;
const OTHERS_BYTES_PER_MS = 1 << 20;
/** Room is tight below this share of the store's size, and below this many bytes. */
const TIGHT_SHARE = 1 / 8;
const TIGHT_BYTES = 1 << 30;

export interface RoomOptions {
  readonly allocator: Allocator;
  readonly file: BlockFile;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly index: RunKv;
}

export class FileSystemRoom {
  readonly #allocator: Allocator;
  readonly #file: BlockFile;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #index: RunKv;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Bytes above the reserve as of the last look, less what has been taken since. */
  #left = 0;
  #reserve = 0;
  /** Bytes that the file has and nobody uses. */
  slack = 0;
  /** False: the file system takes nothing back. Then blocks that the file has for certain are used again first. */
  punchable = true;

  constructor(options: RoomOptions) {
    this.#allocator = options.allocator;
    this.#file = options.file;
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#journal = options.journal;
    this.#index = options.index;
  }

  look(): void {
    const { total, available } = this.#disk.space();
    const floor = RESERVE_SEGMENTS * this.#journal.segmentSize;
    this.#reserve = Math.min(RESERVE_MAX, Math.max(total * RESERVE_SHARE, floor));
    const { pending, direct, file } = this.#file;
    const surplus = file.allocated() - this.#allocator.used * BLOCK_SIZE;
    // No more than there is in memory: a file system that compresses has less in the file for other reasons.
    const onItsWay = pending.bytes + direct.bytes;
    // Where the file is as large as it was, what it has and nobody uses may lie anywhere.
    const homecoming = this.punchable ? Math.min(onItsWay, Math.max(0, -surplus)) : onItsWay;
    const owed = homecoming + this.#journal.owedBytes + this.#index.unsavedBytes;
    this.slack = Math.max(0, surplus);
    this.#left = available - this.#reserve - owed + this.#allocator.reusable * BLOCK_SIZE;
    this.#lookedAt = this.#clock.monotonic();
  }

  /**
   * Has the index so much that it could not be merged any more if it grew? What data has will be free before
   * all of it is needed: who makes room begins with that. The reserve is for an index that is small.
   */
  get isIndexLarge(): boolean {
    if (this.#isOld) this.look();
    const index = this.#index.diskBytes + this.#index.unsavedBytes;
    return index > Math.max(this.#reserve, this.#left + this.#allocator.used * BLOCK_SIZE);
  }

  /** Takes so many bytes if they are there. @param share of the reserve that they may come from */
  take(bytes: number, share: number): boolean {
    // What the journal takes is taken for good only where it grows: near the end it pays to look again.
    if (this.#isOld || this.#left < bytes * 4) this.look();
    if (this.#left + this.#reserve * share < bytes) return false;
    this.#left -= bytes;
    return true;
  }

  get #isOld(): boolean {
    const age = this.#clock.monotonic() - this.#lookedAt;
    return age > Math.min(LOOK_MS, this.#left / OTHERS_BYTES_PER_MS);
  }

  get isTight(): boolean {
    if (this.#isOld) this.look();
    const size = this.#allocator.blocks * BLOCK_SIZE;
    return this.#left < Math.min(TIGHT_BYTES, size * TIGHT_SHARE);
  }

  /** Bytes above the reserve right now: below zero, some of the reserve is in use. */
  get left(): number {
    this.look();
    return this.#left;
  }

  /** Bytes that data may still take, once slack is given back. */
  get available(): number {
    return Math.max(0, this.#left + (this.punchable ? this.slack : 0));
  }
}
