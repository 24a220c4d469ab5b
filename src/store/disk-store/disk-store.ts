/**
 * The durable object store: one directory, one journal, one block file, one index.
 *
 * `submit` checks a transaction, applies it to the state in memory and writes its record into the open
 * batch; the committer makes batches durable; a checkpoint now and then moves small data home and saves
 * the state, so that the journal can be used again. docs/formats/store.md tells what is written in which
 * order and why.
 */

import { type BufferList, EMPTY } from "../../encoding/index.ts";
import type { HObject } from "../../types/index.ts";
import { DiskFullError } from "../disk/disk.ts";
import { objectKey, objectOfKey } from "../object-key.ts";
import {
  type CollectionId,
  type CollectionUsage,
  NoSpaceError,
  type ObjectInfo,
  type ObjectStore,
  type StoreStatfs,
  TooLargeError,
  type Transaction,
  type TransactionSeq,
} from "../object-store.ts";
import { type StoreView, validateTransaction } from "../validate.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { Applier } from "./apply.ts";
import { Checkpointer } from "./checkpoint.ts";
import { Committer } from "./committer.ts";
import type { DirectWrite } from "./direct-writes.ts";
import { objectPrefix, prefixEnd } from "./keys.ts";
import type { Onode } from "./onode.ts";
import type { StoreParts } from "./parts.ts";
import { type Plan, Planner } from "./plan.ts";
import { ObjectReader } from "./reader.ts";
import { Space } from "./space.ts";
import type { StoreState } from "./state.ts";

/** Longest run of bytes whose data rides in the journal. */
const INLINE_MAX = 64 * 1024;

export class DiskStore implements ObjectStore {
  onDurable: (seq: TransactionSeq) => void = () => {};
  onFatal: (error: Error) => void = () => {};
  onRelief: () => void = () => {};
  lastSubmitted: TransactionSeq;
  lastDurable: TransactionSeq;

  readonly #parts: StoreParts;
  readonly #state: StoreState;
  readonly #view: StoreView;
  readonly #reader: ObjectReader;
  readonly #planner: Planner;
  readonly #applier: Applier;
  readonly #committer: Committer;
  readonly #space: Space;
  readonly #checkpointer: Checkpointer;
  /** Blocks read for the transaction under way, so that they need not be read (and cannot fail) twice. */
  #readBefore: Map<number, Uint8Array> | undefined;
  /** Somebody was told that the store is congested, and not yet that it is no more. */
  #isAwaited = false;
  #fatal: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    const { state, journal, clock, log } = parts;
    this.#parts = parts;
    this.#state = state;
    this.lastSubmitted = parts.lastSeq;
    this.lastDurable = parts.lastSeq;
    this.#view = {
      hasCollection: (id) => state.collections.has(id),
      objectCount: (id) => state.collections.get(id)?.objects ?? 0,
      exists: (id, object) => this.#find(id, object) !== undefined,
      sharesOutside: (id, objects) =>
        state.sharesOutside(objects.flatMap((object) => this.#find(id, object) ?? [])),
    };
    this.#reader = new ObjectReader(state.blocks, log, clock);
    this.#planner = new Planner({
      state,
      readBlock: (o, index) => this.#readEarly(o, index),
      isRoomy: () => this.#space.isRoomy,
      inlineMax: Math.min(INLINE_MAX, journal.segmentSize / 8),
      inlineTransactionMax: journal.segmentSize / 4,
    });
    this.#applier = new Applier({
      state,
      readBlock: (o, index) => this.#readEarly(o, index),
      startDirect: (write, own) => this.#startDirect(write, own),
    });
    this.#committer = new Committer({
      journal,
      blocks: state.blocks,
      clock,
      mode: parts.commit,
      lastSeq: parts.lastSeq,
      onProgress: (durable) => this.#progress(durable),
      onFatal: (error) => this.#fail(error),
    });
    this.#space = new Space({
      allocator: state.allocator,
      file: state.blocks,
      disk: parts.disk,
      clock,
      log,
      journal,
      index: parts.kv,
      indexShare: parts.indexShare,
    });
    this.#checkpointer = new Checkpointer({
      parts,
      committer: this.#committer,
      space: this.#space,
      lastSeq: () => this.lastSubmitted,
    });
  }

  get uuid(): string {
    return this.#parts.superblock.uuid;
  }

  submit(transaction: Transaction): TransactionSeq {
    if (this.#fatal !== undefined) {
      throw new Error("the store has failed", { cause: this.#fatal });
    }
    if (this.#closing !== undefined) throw new Error("the store is closed");
    validateTransaction(this.#view, transaction);
    this.#readBefore = undefined;
    const plan = this.#planner.plan(transaction);
    this.#checkRoom(plan);
    const seq = this.lastSubmitted + 1;
    try {
      const w = this.#parts.journal.beginRecord(seq, plan.recordBytes);
      this.#applier.begin(w, seq, transaction.collection, plan);
      for (const op of transaction.ops) this.#applier.apply(op);
      this.#parts.journal.endRecord();
    } catch (error) {
      // Half a transaction is in memory: this must not go on, and the disk has none of it.
      this.#committer.stop(error as Error);
      throw error;
    } finally {
      this.#readBefore = undefined;
    }
    this.lastSubmitted = seq;
    this.#space.hold(seq, this.#state.freed);
    this.#state.freed = [];
    this.#committer.schedule();
    return seq;
  }

  #checkRoom(plan: Plan): void {
    const { recordMax } = this.#parts.journal;
    if (plan.recordBytes > recordMax) {
      throw new TooLargeError("transaction", plan.recordBytes, recordMax);
    }
    if (this.#space.fits(plan)) return;
    // Nothing may come that would make one due.
    if (this.#checkpointer.wouldHelp) this.#start("checkpoint");
    throw new NoSpaceError();
  }

  /** A block's content before the transaction under way, or what that has made of it. */
  #readEarly(o: Onode, index: number): Uint8Array {
    const block = o.at(index) - 1;
    if (this.#state.blocks.inMemory(block)) return this.#reader.block(o, index);
    let bytes = this.#readBefore?.get(block);
    if (bytes === undefined) {
      bytes = this.#reader.block(o, index);
      this.#readBefore ??= new Map();
      this.#readBefore.set(block, bytes);
    }
    return bytes;
  }

  /** @param own the bytes are the store's to give back, not the caller's */
  #startDirect(write: DirectWrite, own: boolean): void {
    const { blocks } = this.#state;
    blocks.direct.start(write).then(
      () => {
        if (own) blocks.pool.give(write.bytes);
        this.#committer.progress();
      },
      (error: Error) => this.#committer.stop(error),
    );
  }

  #progress(durable: TransactionSeq): void {
    if (durable > this.lastDurable) {
      this.lastDurable = durable;
      this.onDurable(durable);
    }
    this.#releaseSpace();
    if (this.#closing === undefined) this.#keepUp();
    this.#relieve();
  }

  #releaseSpace(): void {
    // What a checkpoint is about to write home may be among the blocks.
    if (!this.#checkpointer.applying) this.#space.release(this.#committer.watermark);
  }

  /** Puts small writes in their place, and starts the journal anew, when it is time. */
  #keepUp(): void {
    this.#checkpointer.prepare();
    const { due } = this.#checkpointer;
    if (due !== undefined) this.#start(due);
  }

  #start(what: "checkpoint" | "home"): void {
    const work = what === "home" ? this.#checkpointer.bringHome() : this.#checkpointer.run();
    work.then(
      () => this.#atHome(),
      // Whoever closes the store meets it again.
      () => undefined,
    );
  }

  /** Recovery is over: from now on the store waits where the file system has no room for it. */
  opened(): void {
    this.#checkpointer.opened();
  }

  /** Whoever has asked for it: small writes are in their place, and nothing else may be under way to say so. */
  #atHome(): void {
    this.#releaseSpace();
    if (this.#closing === undefined) this.#keepUp();
    this.#relieve();
  }

  get isCongested(): boolean {
    const { isBehind } = this.#checkpointer;
    this.#isAwaited ||= isBehind;
    return isBehind;
  }

  /** What is pending may be moot as well, before anything had to go home for it. */
  #relieve(): void {
    if (!this.#isAwaited || this.#checkpointer.isBehind) return;
    this.#isAwaited = false;
    this.onRelief();
  }

  #fail(error: Error): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = error;
    this.#parts.log.error("the store has failed", { error: error.message });
    this.onFatal(error);
  }

  async flush(): Promise<void> {
    const seq = this.lastSubmitted;
    await this.#committer.whenDurable(seq);
    if (this.#space.heldBlocks === 0) return;
    // Space that these transactions have freed can be used from now on.
    await this.#committer.whenWatermark(seq);
    this.#releaseSpace();
  }

  /** Saves the state and empties the journal, as the store does by itself when it is due. */
  async checkpoint(): Promise<void> {
    await this.#checkpointer.run();
    this.#atHome();
  }

  async compact(): Promise<void> {
    if (this.#closing !== undefined) throw new Error("the store is closed");
    const done = await this.#checkpointer.compact();
    this.#atHome();
    if (!done) throw new NoSpaceError();
  }

  collections(): CollectionId[] {
    return [...this.#state.collections.keys()].sort();
  }

  hasCollection(collection: CollectionId): boolean {
    return this.#state.collections.has(collection);
  }

  #find(collection: CollectionId, object: HObject): Onode | undefined {
    const c = this.#state.collections.get(collection);
    return c && this.#state.find(c, objectKey(object));
  }

  stat(collection: CollectionId, object: HObject): ObjectInfo | undefined {
    const o = this.#find(collection, object);
    return o && { size: o.size };
  }

  read(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): BufferList | Promise<BufferList> {
    const o = this.#find(collection, object);
    return o === undefined ? [] : this.#reader.read(o, offset, length, false);
  }

  readSync(collection: CollectionId, object: HObject, offset: number, length: number): BufferList {
    const o = this.#find(collection, object);
    return o === undefined ? [] : (this.#reader.read(o, offset, length, true) as BufferList);
  }

  checksum(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): number | undefined {
    const o = this.#find(collection, object);
    return o && this.#reader.checksum(o, offset, length);
  }

  extents(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): [offset: number, length: number][] {
    const o = this.#find(collection, object);
    const out: [number, number][] = [];
    if (o === undefined) return out;
    const end = Math.min(offset + length, o.size);
    for (const index of mappedBlocks(o, offset, end)) {
      const from = Math.max(offset, index * BLOCK_SIZE);
      const to = Math.min(end, (index + 1) * BLOCK_SIZE);
      const last = out.at(-1);
      if (last && last[0] + last[1] === from) last[1] += to - from;
      else out.push([from, to - from]);
    }
    return out;
  }

  getAttr(collection: CollectionId, object: HObject, name: string): Uint8Array | undefined {
    const value = this.#find(collection, object)?.attrs.get(name);
    return value && new Uint8Array(value);
  }

  getAttrs(collection: CollectionId, object: HObject): [string, Uint8Array][] {
    const attrs = this.#find(collection, object)?.attrs ?? [];
    return [...attrs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, new Uint8Array(value)]);
  }

  omapHeader(collection: CollectionId, object: HObject): Uint8Array {
    return this.#find(collection, object)?.omapHeader ?? EMPTY;
  }

  omapGet(collection: CollectionId, object: HObject, key: string): Uint8Array | undefined {
    const o = this.#find(collection, object);
    const value = o?.hasOmap ? this.#state.kv.get(o.omapPrefix + key) : undefined;
    return value && new Uint8Array(value);
  }

  *omapEntries(
    collection: CollectionId,
    object: HObject,
    after?: string,
  ): Iterable<[string, Uint8Array]> {
    const o = this.#find(collection, object);
    if (!o?.hasOmap) return;
    const prefix = o.omapPrefix;
    // The least key above `after` is `after` with a zero byte behind it.
    const from = after === undefined ? prefix : `${prefix}${after}\x00`;
    for (const [key, value] of this.#state.kv.entries(from, prefixEnd(prefix))) {
      yield [key.slice(prefix.length), new Uint8Array(value)];
    }
  }

  list(
    collection: CollectionId,
    from: HObject,
    max: number,
  ): { objects: HObject[]; next: HObject | undefined } {
    const objects: HObject[] = [];
    const c = this.#state.collections.get(collection);
    if (c === undefined) return { objects, next: undefined };
    const prefix = objectPrefix(c.id);
    for (const [name] of this.#state.kv.entries(prefix + objectKey(from), prefixEnd(prefix))) {
      const object = objectOfKey(name.slice(prefix.length));
      if (objects.length === max) return { objects, next: object };
      objects.push(object);
    }
    return { objects, next: undefined };
  }

  usage(collection: CollectionId): CollectionUsage {
    this.#state.countStored();
    const c = this.#state.collections.get(collection);
    return {
      objects: c?.objects ?? 0,
      allocated: (c?.blocks ?? 0) * BLOCK_SIZE,
      stored: c?.stored ?? 0,
    };
  }

  statfs(): StoreStatfs {
    const data = this.#state.allocator.used * BLOCK_SIZE;
    const { available } = this.#space;
    const capacity = this.#state.allocator.blocks * BLOCK_SIZE;
    return {
      total: Math.min(capacity, data + available + this.#space.reserve * BLOCK_SIZE),
      available,
      data,
      internal: this.#parts.journal.bytes + this.#parts.kv.diskBytes,
      fileSystem: this.#parts.disk.space(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#checkpointer.hurry();
    const { log } = this.#parts;
    try {
      if (this.#fatal === undefined) {
        await this.#committer.whenDurable(this.lastSubmitted);
        await this.#checkpointer.finish();
      }
    } catch (error) {
      const { message: why } = error as Error;
      if (error instanceof DiskFullError) {
        log.warn("closing without a checkpoint: the next start needs room for it", { why });
      } else {
        this.#committer.stop(error as Error);
        log.warn("closing a failed store", { why });
      }
    }
    // Nothing of a failed store may go on, in files that whoever opens it next has written by then; nor does it stay in
    // them: a thread may yet be asked for what is queued now, when another file has the number of a closed one.
    const { blocks } = this.#state;
    await this.#committer.close();
    await this.#checkpointer.idle();
    await blocks.direct.idle();
    await this.#space.close();
    await blocks.drainReads();
    this.#parts.release();
  }
}

/** Blocks of `[offset, end)` that are not holes, ascending. */
function* mappedBlocks(o: Onode, offset: number, end: number): IterableIterator<number> {
  if (offset >= end) return;
  const first = Math.floor(offset / BLOCK_SIZE);
  const last = Math.floor((end - 1) / BLOCK_SIZE);
  // The shards there are, not the range asked for: a sparse object may be huge.
  for (const [base, shard] of o.sortedShards()) {
    for (let i = Math.max(first, base); i <= Math.min(last, base + shard.map.length / 2 - 1); i++) {
      if (shard.map[i - base] !== 0) yield i;
    }
  }
}
