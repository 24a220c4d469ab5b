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
 *
 * Where the file system has no room for what 3 writes, because others have filled it, the checkpoint waits until
 * there is some: the journal has it all, and meanwhile the store takes nothing that would make it longer.
 *
 * Between checkpoints pending blocks go home whenever their memory is wanted: steps 1 to 3 without the
 * table.
 */

import { DiskFullError } from "../disk/disk.ts";
import type { Committer } from "./committer.ts";
import type { StoreParts } from "./parts.ts";
import type { Space } from "./space.ts";
import { type Manifest, writeManifest } from "./superblock.ts";

/** Shares of the store's memory: pending blocks go home at this one, */
const PENDING_SHARE = 1 / 12;
/** a checkpoint is due when the index's table has this one, */
const TABLE_SHARE = 1 / 8;
/** and small writes had better wait when what is pending has this one. */
const CONGESTED_SHARE = 1 / 4;
/** From this part of the way to a checkpoint on, its work is begun: */
const AHEAD_FROM = 7 / 8;
/** so many shards of block maps whenever transactions have become durable. */
const AHEAD_SHARDS = 64;
/** What found no room is tried again when one of these looks at the file system finds more, */
const ROOM_LOOK_MS = 1000;
/** and after so many of them: the room of a quota shows only then. */
const ROOM_LOOKS = 30;
/** Memory of a changed object that the next checkpoint will put into the index, about. */
const DIRTY_BYTES = 1024;

export class Checkpointer {
  readonly #parts: StoreParts;
  readonly #committer: Committer;
  readonly #lastSeq: () => number;
  readonly #space: Space;
  #generation: number;
  #running: Promise<void> | undefined;
  #merging: Promise<void> = Promise.resolve();
  #failed: Error | undefined;
  /** Whether to wait for room: not while the store is opened or closed, which somebody waits for. */
  #isPatient = false;
  #wake: () => void = () => {};
  /** Blocks that lost their owner may not be reused right now. */
  applying = false;
  /** Transaction up to which the manifest in force has everything. */
  #saved: number;

  constructor(options: {
    parts: StoreParts;
    committer: Committer;
    space: Space;
    lastSeq: () => number;
  }) {
    this.#parts = options.parts;
    this.#committer = options.committer;
    this.#lastSeq = options.lastSeq;
    this.#space = options.space;
    this.#generation = options.parts.manifest.generation;
    this.#saved = options.parts.manifest.journal.seq - 1;
  }

  /** Would a checkpoint give back a part of the journal that others need? */
  get wouldHelp(): boolean {
    return this.#running === undefined && this.#parts.journal.isLong && this.#space.isSpent;
  }

  /** Has enough gathered? */
  get due(): "checkpoint" | "home" | undefined {
    if (this.#running !== undefined) return undefined;
    const { state, memoryBytes } = this.#parts;
    if (this.#fill >= 1) return "checkpoint";
    return state.blocks.pending.openBytes >= memoryBytes * PENDING_SHARE ? "home" : undefined;
  }

  /** How far it is to the next checkpoint: 1 is there. */
  get #fill(): number {
    const { journal, kv, state, memoryBytes } = this.#parts;
    const tableBytes = kv.tableBytes + state.dirtyCount * DIRTY_BYTES;
    return Math.max(journal.fill, tableBytes / (memoryBytes * TABLE_SHARE));
  }

  /** Does a little of the work of a checkpoint that is near. */
  prepare(): void {
    if (this.#fill >= AHEAD_FROM) this.#parts.state.saveShards(AHEAD_SHARDS);
  }

  /** Do small writes come faster than they get home? */
  get isBehind(): boolean {
    const { journal, state, memoryBytes } = this.#parts;
    return journal.isCrowded || state.blocks.pending.bytes >= memoryBytes * CONGESTED_SHARE;
  }

  /** The store is open: from now on what finds no room is tried again. */
  opened(): void {
    this.#isPatient = true;
  }

  /** The store is about to be closed: whoever waits for room waits no more. */
  hurry(): void {
    this.#isPatient = false;
    this.#wake();
  }

  /** Does it again while there is no room for it. @throws DiskFullError in a hurry */
  async #untilRoom<T>(work: () => Promise<T> | T): Promise<T> {
    for (let isTold = false; ; isTold = true) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DiskFullError) || !this.#isPatient) throw error;
        if (!isTold) {
          const { log } = this.#parts;
          log.error("no room in the file system, waiting for some", { why: error.message });
        }
      }
      await this.#moreRoom();
    }
  }

  /** What is tried takes the last byte for a moment, which others may need as well: not while it is likely to fail. */
  async #moreRoom(): Promise<void> {
    const { disk, clock } = this.#parts;
    const { available } = disk.space();
    for (let looks = 0; looks < ROOM_LOOKS && this.#isPatient; looks++) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        clock.after(ROOM_LOOK_MS, resolve);
      });
      if (disk.space().available > available) return;
    }
  }

  /**
   * Runs a checkpoint of everything submitted so far (one after the other). A failure stops the store, but for a full
   * file system while it is opened or closed.
   */
  run(): Promise<void> {
    return this.#alone(() => this.#checkpoint());
  }

  /** Brings pending blocks home, without a checkpoint. A failure stops the store. */
  bringHome(): Promise<void> {
    return this.#alone(() => {
      this.#freezePending();
      return this.#bringHome(this.#lastSeq());
    });
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failed !== undefined) throw this.#failed;
    this.#running = work();
    try {
      await this.#running;
    } catch (error) {
      this.#failed = error as Error;
      // Who is patient has waited for room wherever that may be done: what has failed then was to be durable at once.
      const isGivenUp = error instanceof DiskFullError && !this.#isPatient;
      if (!isGivenUp) this.#committer.stop(this.#failed);
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  async #checkpoint(): Promise<void> {
    const { disk, superblock, journal, kv } = this.#parts;
    const aside = await this.#untilRoom(() => this.#setAside());
    await this.#bringHome(aside.verified);
    await this.#untilRoom(() => kv.writeFrozen());
    const manifest: Manifest = {
      ...aside,
      generation: this.#generation + 1,
      nextRun: kv.nextRun,
      runs: kv.runs,
    };
    writeManifest(disk, superblock.nonce, manifest);
    this.#generation = manifest.generation;
    this.#saved = aside.verified;
    const isShort = this.#space.isSpent;
    journal.free(aside.journal.segment, isShort);
    // What is cut off waits for a newer batch, and where room is short perhaps nobody may write one.
    if (isShort) this.#committer.forceBatch();
    // Nothing has been waited for: what a merge makes obsolete from here on, this manifest still names.
    await kv.dropObsolete();
    this.#merge();
  }

  /** Fixes the state as of now. @throws DiskFullError if there is no room for the journal to go on elsewhere */
  #setAside(): Omit<Manifest, "generation" | "nextRun" | "runs"> {
    const { journal, kv, state } = this.#parts;
    journal.prepareRotation();
    this.#committer.sealAll();
    const start = journal.rotate();
    state.saveDirty();
    kv.freeze();
    this.#freezePending();
    const { nextObjectId, nextCollectionId } = state;
    return { journal: start, verified: this.#lastSeq(), nextObjectId, nextCollectionId };
  }

  /** At once with the look at the last transaction: what a later one brings is not to go home before that is durable. */
  #freezePending(): void {
    this.#parts.state.blocks.pending.freeze();
    this.applying = true;
  }

  /** @param seq the last transaction submitted when the pending blocks were frozen */
  async #bringHome(seq: number): Promise<void> {
    const { blocks } = this.#parts.state;
    await this.#committer.whenWatermark(seq);
    await blocks.drainReads();
    await this.#untilRoom(() => blocks.pending.applyFrozen());
    blocks.pending.dropFrozen();
    this.applying = false;
  }

  /** Merges runs in the background, one merge at a time. */
  #merge(): void {
    // A failure has stopped the store.
    this.#afterMerges(() => this.#parts.kv.merge(this.#room)).catch(() => undefined);
  }

  readonly #room = () => this.#space.spare;

  #afterMerges<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#merging.then(work);
    this.#merging = done.then(
      () => undefined,
      (error: Error) => this.#committer.stop(error),
    );
    return done;
  }

  /** Leaves the index in one run. @returns false if there is no room for it beside the old ones */
  compact(): Promise<boolean> {
    return this.#afterMerges(async () => {
      // Whoever asked would wait until others have made room.
      if (this.#space.spare < 0) return false;
      try {
        await this.run();
        const done = await this.#parts.kv.mergeAll(this.#room);
        // The next manifest names what has come of the merge, and what went into it goes.
        if (done) await this.run();
        return done;
      } catch (error) {
        // The store is closed while a checkpoint waits for room.
        if (error instanceof DiskFullError) return false;
        throw error;
      }
    });
  }

  /** Merges that are under way may bring about others. */
  async #merged(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#merging; ) {
      last = this.#merging;
      await last;
    }
  }

  /** Resolves when nothing is under way any more, whatever has come of it. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    await this.#merged();
  }

  /** Leaves a store that opens without replay. */
  async finish(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#saved < this.#lastSeq()) await this.run();
    await this.#merged();
  }
}
