/**
 * Large writes on their way to fresh blocks, past the journal.
 *
 * Blocks that the file has had before are overwritten durably, one by one. Into a part of the file that is
 * still a hole the file system must write down where the data went, which costs a commit of its own journal
 * for every durable write: there plain writes share a sync (measured: a quarter to a half faster).
 */

import type { DiskFile } from "../disk/disk.ts";
import { BLOCK_SIZE } from "./allocator.ts";

export interface DirectWrite {
  readonly seq: number;
  readonly block: number;
  readonly count: number;
  /** Aligned; not written to before the write is durable. */
  readonly bytes: Buffer;
  /** The blocks lie where the file has never been written. */
  readonly hole: boolean;
}

export class DirectWrites {
  readonly #file: DiskFile;
  /** A write that fails stays: nothing from it on is durable. */
  readonly #writes = new Set<DirectWrite>();
  readonly #underWay = new Set<Promise<void>>();
  /** The sync that will cover plain writes that are done by now, and the one under way. */
  #nextSync: Promise<void> | undefined;
  #sync: Promise<void> = Promise.resolve();

  constructor(file: DiskFile) {
    this.#file = file;
  }

  /** Sequence number of the oldest on its way; infinite if there is none. */
  get oldest(): number {
    for (const write of this.#writes) return write.seq;
    return Number.POSITIVE_INFINITY;
  }

  get bytes(): number {
    let sum = 0;
    for (const write of this.#writes) sum += write.count * BLOCK_SIZE;
    return sum;
  }

  /** Resolves when it is durable. */
  start(write: DirectWrite): Promise<void> {
    this.#writes.add(write);
    const done = this.#write(write);
    this.#underWay.add(done);
    const forget = () => this.#underWay.delete(done);
    done.then(forget, forget);
    return done;
  }

  async #write(write: DirectWrite): Promise<void> {
    if (write.hole) {
      await this.#file.write(write.bytes, write.block * BLOCK_SIZE);
      await this.#synced();
    } else {
      await this.#file.writeDurable(write.bytes, write.block * BLOCK_SIZE);
    }
    this.#writes.delete(write);
  }

  /** Resolves when nothing is under way, whatever has come of it. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Resolves after a sync that has begun after now. */
  #synced(): Promise<void> {
    this.#nextSync ??= this.#sync.then(() => {
      this.#nextSync = undefined;
      this.#sync = this.#file.sync();
      return this.#sync;
    });
    return this.#nextSync;
  }

  /** The bytes of a block that is on its way. */
  find(block: number): Uint8Array | undefined {
    for (const write of this.#writes) {
      const index = block - write.block;
      if (index < 0 || index >= write.count) continue;
      return write.bytes.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE);
    }
    return undefined;
  }
}
