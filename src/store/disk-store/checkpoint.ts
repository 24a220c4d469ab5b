/**
 * Checkpoints: the journal's content goes home, and the journal can be used again.
 *
 * At one moment, between two transactions, the state is set aside (`freeze`): journal rotated to a new
 * segment, changed objects put into the index, the index's table and the pending blocks fixed. Then, while
 * new transactions go on:
 *   1. wait until all of it is durable in the journal and the disk says so (watermark): before that, no
 *      block that recovery might check may be overwritten;
 *   2. wait for reads that may be looking at blocks about to be overwritten;
 *   3. write the pending blocks home, sync; write the table as a run, sync;
 *   4. write the manifest (the moment it counts), then free the old segments.
 * A crash before 4 finds the old manifest and replays a journal that repeats what 3 may have torn.
 */

import type { Committer } from "./committer.ts";
import type { StoreParts } from "./parts.ts";
import { type Manifest, writeManifest } from "./superblock.ts";

/** Shares of the store's memory at which a checkpoint is due. */
const PENDING_SHARE = 1 / 4;
const TABLE_SHARE = 1 / 8;
/** Memory of a changed object that the next checkpoint will put into the index, about. */
const DIRTY_BYTES = 1024;

export class Checkpointer {
  readonly #parts: StoreParts;
  readonly #committer: Committer;
  readonly #lastSeq: () => number;
  #generation: number;
  #running: Promise<void> | undefined;
  #merging: Promise<void> = Promise.resolve();
  #failed: Error | undefined;
  /** Blocks that lost their owner may not be reused right now. */
  applying = false;
  /** Transaction up to which the manifest in force has everything. */
  #saved: number;

  constructor(options: { parts: StoreParts; committer: Committer; lastSeq: () => number }) {
    this.#parts = options.parts;
    this.#committer = options.committer;
    this.#lastSeq = options.lastSeq;
    this.#generation = options.parts.manifest.generation;
    this.#saved = options.parts.manifest.journal.seq - 1;
  }

  /** Has enough gathered? */
  get due(): boolean {
    if (this.#running !== undefined) return false;
    const { journal, kv, state, memoryBytes } = this.#parts;
    return (
      journal.bytesSinceRotate >= journal.bytes / 2 ||
      state.blocks.pending.bytes >= memoryBytes * PENDING_SHARE ||
      kv.tableBytes + state.dirtyCount * DIRTY_BYTES >= memoryBytes * TABLE_SHARE
    );
  }

  /** Runs a checkpoint of everything submitted so far (one after the other). A failure stops the store. */
  async run(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failed !== undefined) throw this.#failed;
    this.#running = this.#checkpoint();
    try {
      await this.#running;
    } catch (error) {
      this.#failed = error as Error;
      this.#committer.stop(this.#failed);
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  async #checkpoint(): Promise<void> {
    const { disk, superblock, journal, kv, state } = this.#parts;
    this.#committer.sealAll();
    const start = journal.rotate();
    const seq = this.#lastSeq();
    state.saveDirty();
    kv.freeze();
    state.blocks.pending.freeze();
    const { nextObjectId, nextCollectionId } = state;
    this.applying = true;
    await this.#committer.whenWatermark(seq);
    await state.blocks.drainReads();
    await state.blocks.pending.applyFrozen();
    await kv.writeFrozen();
    const manifest: Manifest = {
      generation: this.#generation + 1,
      journal: start,
      verified: seq,
      nextObjectId,
      nextCollectionId,
      nextRun: kv.nextRun,
      runs: kv.runs,
    };
    writeManifest(disk, superblock.nonce, manifest);
    this.#generation = manifest.generation;
    this.#saved = seq;
    kv.dropObsolete();
    journal.free(start.segment);
    state.blocks.pending.dropFrozen();
    this.applying = false;
    this.#merge();
  }

  /** Merges runs in the background, one merge at a time. */
  #merge(): void {
    this.#merging = this.#merging
      .then(() => this.#parts.kv.merge())
      .catch((error: Error) => this.#committer.stop(error));
  }

  /** Resolves when nothing is under way any more, whatever has come of it. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    await this.#merging;
  }

  /** Leaves a store that opens without replay. */
  async finish(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#saved < this.#lastSeq()) await this.run();
    await this.#merging;
  }
}
