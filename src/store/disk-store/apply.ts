/**
 * Turns a transaction's ops into elementary changes: makes each on the state and writes it to the record.
 *
 * By the time this runs the transaction has passed every check (validate.ts, plan.ts): there is room, the
 * blocks that a partial write must read first have been read and were intact. Nothing here may fail.
 *
 * Where data goes: small writes go by way of the journal to fresh blocks, one after the other, so that a
 * checkpoint writes them home in long runs; where there is little room (`inPlace`), or the block is still
 * in memory anyway, the object's own block is overwritten. Runs of whole blocks longer than `inlineMax` go
 * straight to fresh blocks of the file.
 */

import { must } from "../../base/index.ts";
import { type BufferList, flatten, listLength, slice, type Writer } from "../../encoding/index.ts";
import type { HObject } from "../../types/index.ts";
import { isAligned } from "../disk/disk.ts";
import { objectKey } from "../object-key.ts";
import type { CollectionId, StoreOp } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { blockCrc } from "./block-file.ts";
import type { DirectWrite } from "./direct-writes.ts";
import type { CollectionState, Onode } from "./onode.ts";
import type { Plan } from "./plan.ts";
import { CHANGE } from "./record.ts";
import type { StoreState } from "./state.ts";

/** Reads and checks one block of an object. */
export type BlockReader = (o: Onode, index: number) => Uint8Array;

/** Blocks of one direct write at most: what one piece of pooled memory holds. */
const DIRECT_BLOCKS_MAX = (4 << 20) / BLOCK_SIZE;
const NO_SUMS: readonly number[] = [];

/** Starts a large write; `own`: its memory came from the pool and goes back there. */
export type DirectStarter = (write: DirectWrite, own: boolean) => void;

export class Applier {
  readonly #state: StoreState;
  readonly #readBlock: BlockReader;
  readonly #startDirect: DirectStarter;
  #w!: Writer;
  #seq = 0;
  #inlineMax = 0;
  #inPlace = false;
  #collection: CollectionState | undefined;
  #used: Onode | undefined;

  constructor(options: {
    state: StoreState;
    readBlock: BlockReader;
    startDirect: DirectStarter;
  }) {
    this.#state = options.state;
    this.#readBlock = options.readBlock;
    this.#startDirect = options.startDirect;
  }

  /** Begins transaction `seq`, which goes as planned. */
  begin(w: Writer, seq: number, collection: CollectionId, plan: Plan): void {
    this.#w = w;
    this.#seq = seq;
    this.#inlineMax = plan.inlineMax;
    this.#inPlace = plan.inPlace;
    this.#collection = this.#state.collections.get(collection);
    this.#used = undefined;
  }

  apply(op: StoreOp): void {
    const state = this.#state;
    switch (op.op) {
      case "create-collection": {
        const id = state.nextCollectionId;
        this.#w.u8(CHANGE.CREATE_COLLECTION);
        this.#w.u32(id);
        this.#w.str(op.collection);
        state.createCollection(op.collection, id);
        this.#collection ??= state.collections.get(op.collection);
        break;
      }
      case "remove-collection":
        this.#w.u8(CHANGE.REMOVE_COLLECTION);
        this.#w.str(op.collection);
        state.removeCollection(op.collection);
        if (this.#collection?.name === op.collection) this.#collection = undefined;
        break;
      case "touch":
        this.#make(op.object);
        break;
      case "write":
        this.#write(this.#make(op.object), op.offset, op.data, op.sums);
        break;
      case "zero": {
        const o = this.#find(op.object);
        if (o) this.#zero(o, op.offset, op.length);
        break;
      }
      case "truncate":
        this.#truncate(this.#make(op.object), op.size);
        break;
      case "remove":
        this.#remove(must(this.#find(op.object), "object to remove"));
        break;
      case "clone":
        this.#clone(op.object, op.to);
        break;
      case "clone-range":
        this.#cloneRange(op);
        break;
      case "move":
        this.#move(op);
        break;
      default:
        this.#names(op);
    }
  }

  get #c(): CollectionState {
    return must(this.#collection, "collection of a transaction");
  }

  #find(object: HObject): Onode | undefined {
    return this.#state.find(this.#c, objectKey(object));
  }

  #make(object: HObject): Onode {
    const key = objectKey(object);
    const found = this.#state.find(this.#c, key);
    if (found !== undefined) return found;
    const id = this.#state.nextObjectId;
    this.#w.u8(CHANGE.CREATE);
    this.#w.u32(this.#c.id);
    this.#w.str(key);
    this.#w.u64n(id);
    this.#used = this.#state.create(this.#c, key, id);
    return this.#used;
  }

  /** The changes that follow are about this object. */
  #use(o: Onode): void {
    if (this.#used === o) return;
    this.#w.u8(CHANGE.USE);
    this.#w.u32(o.collection.id);
    this.#w.str(o.key);
    this.#used = o;
  }

  #setSize(o: Onode, size: number): void {
    this.#use(o);
    this.#w.u8(CHANGE.SIZE);
    this.#w.u64n(size);
    this.#state.setSize(o, size);
  }

  #unmap(o: Onode, first: number, count: number): void {
    if (count <= 0) return;
    this.#use(o);
    this.#w.u8(CHANGE.UNMAP);
    this.#w.u32(first);
    this.#w.u32(count);
    this.#state.unmap(o, first, count);
  }

  #remove(o: Onode): void {
    this.#use(o);
    this.#w.u8(CHANGE.REMOVE);
    this.#state.remove(o);
    this.#used = undefined;
  }

  #clone(object: HObject, to: HObject): void {
    const source = must(this.#find(object), "source of a clone");
    const old = this.#find(to);
    if (old) this.#remove(old);
    this.#use(source);
    const key = objectKey(to);
    const id = this.#state.nextObjectId;
    this.#w.u8(CHANGE.CLONE);
    this.#w.str(key);
    this.#w.u64n(id);
    this.#used = this.#state.clone(source, key, id);
  }

  #move({ objects, to }: StoreOp & { op: "move" }): void {
    if (objects.length === 0) return;
    const state = this.#state;
    const target = must(state.collections.get(to), "collection to move to");
    const found = objects.map((object) => must(this.#find(object), "object to move"));
    const w = this.#w;
    w.u8(CHANGE.MOVE);
    w.u32(this.#c.id);
    w.u32(target.id);
    w.u32(found.length);
    for (const { key } of found) w.str(key);
    state.move(found, target);
    this.#used = undefined;
  }

  #write(o: Onode, offset: number, data: BufferList, sums: readonly number[] = NO_SUMS): void {
    const length = listLength(data);
    if (length === 0) return;
    const end = offset + length;
    const first = Math.floor(offset / BLOCK_SIZE);
    const wholeFrom = Math.ceil(offset / BLOCK_SIZE);
    const wholeTo = Math.floor(end / BLOCK_SIZE);
    this.#use(o);
    if (wholeFrom > wholeTo) {
      this.#patch(o, first, offset - first * BLOCK_SIZE, flatten(data));
    } else {
      const head = wholeFrom * BLOCK_SIZE - offset;
      const middle = (wholeTo - wholeFrom) * BLOCK_SIZE;
      if (head > 0) this.#patch(o, first, BLOCK_SIZE - head, flatten(slice(data, 0, head)));
      // Only where the data's blocks are the object's.
      const known = head === 0 ? sums : NO_SUMS;
      if (middle > 0) this.#wholeBlocks(o, wholeFrom, slice(data, head, middle), middle, known);
      const tail = length - head - middle;
      if (tail > 0) this.#patch(o, wholeTo, 0, flatten(slice(data, head + middle, tail)));
    }
    if (end > o.size) this.#setSize(o, end);
  }

  /** @param sums of the blocks, as far as they are known */
  #wholeBlocks(
    o: Onode,
    first: number,
    data: BufferList,
    length: number,
    sums: readonly number[],
  ): void {
    if (length > this.#inlineMax) return this.#direct(o, first, data, length, sums);
    const count = length / BLOCK_SIZE;
    const bytes = flatten(data);
    const inline = (at: number, block: number, run: number) =>
      this.#inline(o, first + at, block, bytes.subarray(at * BLOCK_SIZE), run, sums, at);
    for (let done = 0; done < count; ) {
      // Blocks in a row that are overwritten where they are; others are taken together.
      const block = this.#kept(o, first + done);
      let run = 1;
      if (block >= 0) {
        while (done + run < count && this.#kept(o, first + done + run) === block + run) run++;
        inline(done, block, run);
      } else {
        while (done + run < count && this.#kept(o, first + done + run) < 0) run++;
        const taken = this.#state.allocator.allocate(run);
        let at = done;
        for (let i = 0; i < taken.length; i += 2) {
          inline(at, taken[i]!, taken[i + 1]!);
          at += taken[i + 1]!;
        }
      }
      done += run;
    }
  }

  /** The block at `index` that new content is to be put into; -1: a fresh one. */
  #kept(o: Onode, index: number): number {
    const block = o.at(index) - 1;
    if (block < 0 || this.#state.allocator.extraRefs(block) > 0) return -1;
    return this.#inPlace || this.#state.blocks.pending.isOpen(block) ? block : -1;
  }

  /**
   * `count` blocks of data into the record and into pending memory; the blocks are taken already.
   * @param sums of the blocks from `at` on, as far as they are known
   */
  #inline(
    o: Onode,
    first: number,
    block: number,
    bytes: Uint8Array,
    count: number,
    sums: readonly number[],
    at: number,
  ): void {
    const w = this.#w;
    w.u8(CHANGE.INLINE);
    w.u32(first);
    w.u32(block);
    w.u16(count);
    w.bytes(bytes.subarray(0, count * BLOCK_SIZE));
    for (let i = 0; i < count; i++) {
      const staged = this.#state.blocks.pending.stage(block + i);
      staged.set(bytes.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE));
      this.#state.mapOwn(o, first + i, block + i, sums[at + i] ?? blockCrc(staged));
    }
  }

  /** Replaces part of one block. */
  #patch(o: Onode, index: number, from: number, part: Uint8Array): void {
    const bytes = this.#patched(o, index, from, part);
    const kept = this.#kept(o, index);
    const block = kept >= 0 ? kept : this.#state.allocator.allocate(1)[0]!;
    this.#inline(o, index, block, bytes, 1, NO_SUMS, 0);
  }

  #patched(o: Onode, index: number, from: number, part: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(BLOCK_SIZE);
    // Bytes past the object's end are zero: what covers the rest needs no look at the old block.
    const inside = Math.min(BLOCK_SIZE, o.size - index * BLOCK_SIZE);
    const covers = from === 0 && part.length >= inside;
    if (o.at(index) !== 0 && !covers) bytes.set(this.#readBlock(o, index));
    bytes.set(part, from);
    return bytes;
  }

  #direct(
    o: Onode,
    first: number,
    data: BufferList,
    length: number,
    sums: readonly number[],
  ): void {
    const { allocator } = this.#state;
    const taken = allocator.allocate(length / BLOCK_SIZE);
    let at = 0; // blocks done
    for (let i = 0; i < taken.length; i += 2) {
      for (let part = 0; part < taken[i + 1]!; ) {
        const block = taken[i]! + part;
        const count = Math.min(DIRECT_BLOCKS_MAX, taken[i + 1]! - part);
        const { bytes, own } = this.#aligned(slice(data, at * BLOCK_SIZE, count * BLOCK_SIZE));
        this.#mapDirect(o, first + at, block, bytes, sums, at);
        const hole = allocator.takeHole(block);
        this.#startDirect({ seq: this.#seq, block, count, bytes, hole }, own);
        part += count;
        at += count;
      }
    }
  }

  /** The bytes as one piece that direct writes take: as they are where possible, else copied. */
  #aligned(data: BufferList): { bytes: Buffer; own: boolean } {
    const [only] = data;
    if (data.length === 1 && only !== undefined && isAligned(only, 0)) {
      return { bytes: Buffer.from(only.buffer, only.byteOffset, only.length), own: false };
    }
    const bytes = this.#state.blocks.pool.takeOrMake(listLength(data));
    let filled = 0;
    for (const chunk of data) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return { bytes, own: true };
  }

  #mapDirect(
    o: Onode,
    first: number,
    block: number,
    bytes: Buffer,
    sums: readonly number[],
    at: number,
  ): void {
    const w = this.#w;
    const count = bytes.length / BLOCK_SIZE;
    w.u8(CHANGE.DIRECT);
    w.u32(first);
    w.u32(block);
    w.u32(count);
    for (let i = 0; i < count; i++) {
      const crc = sums[at + i] ?? blockCrc(bytes, i * BLOCK_SIZE);
      w.u32(crc);
      this.#state.mapOwn(o, first + i, block + i, crc);
    }
  }

  /** Blocks that hold nothing else become holes, the edges are patched. */
  #zero(o: Onode, offset: number, length: number): void {
    const end = Math.min(offset + length, o.size);
    if (offset >= end) return;
    const first = Math.floor(offset / BLOCK_SIZE);
    const last = Math.floor((end - 1) / BLOCK_SIZE);
    const holeFrom = Math.ceil(offset / BLOCK_SIZE);
    const holeTo = end === o.size ? last + 1 : Math.floor(end / BLOCK_SIZE);
    const zeroIn = (index: number, from: number, to: number) => {
      if (o.at(index) === 0) return;
      this.#use(o);
      this.#patch(o, index, from, new Uint8Array(to - from));
    };
    if (first < holeFrom) {
      const base = first * BLOCK_SIZE;
      zeroIn(first, offset - base, Math.min(BLOCK_SIZE, end - base));
    }
    this.#unmap(o, holeFrom, holeTo - holeFrom);
    if (last >= holeTo && last >= holeFrom) zeroIn(last, 0, end - last * BLOCK_SIZE);
  }

  #truncate(o: Onode, size: number): void {
    if (size < o.size) this.#zero(o, size, o.size - size);
    if (size !== o.size) this.#setSize(o, size);
  }

  /** Data is copied or shared, holes become holes; see MemStore, which must agree. */
  #cloneRange(op: StoreOp & { op: "clone-range" }): void {
    const from = must(this.#find(op.object), "source of a clone-range");
    const to = this.#make(op.to);
    const length = Math.max(0, Math.min(op.length, from.size - op.offset));
    if (length === 0) return;
    const end = op.offset + length;
    const shift = op.toOffset - op.offset;
    if (op.toOffset + length > to.size) this.#setSize(to, op.toOffset + length);
    this.#zero(to, op.toOffset, length);
    for (let at = op.offset; at < end; ) {
      const index = Math.floor(at / BLOCK_SIZE);
      const inBlock = at - index * BLOCK_SIZE;
      const count = Math.min(BLOCK_SIZE - inBlock, end - at);
      const target = at + shift;
      const whole = count === BLOCK_SIZE || (end === from.size && target + count === to.size);
      const aligned = inBlock === 0 && target % BLOCK_SIZE === 0;
      if (from.at(index) !== 0 && aligned && whole) {
        this.#share(from, index, to, target / BLOCK_SIZE);
      } else if (from.at(index) !== 0) {
        // Where the blocks of both lie alike, only the edges are copied.
        const data = this.#dataFrom(from, at, shift % BLOCK_SIZE === 0 ? at + count : end);
        this.#write(to, target, data);
        at += listLength(data);
        continue;
      }
      at += count;
    }
  }

  /** Everything from `at` up to the next hole, or `end`. */
  #dataFrom(o: Onode, at: number, end: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let from = at; from < end; ) {
      const index = Math.floor(from / BLOCK_SIZE);
      if (o.at(index) === 0) break;
      const base = index * BLOCK_SIZE;
      const to = Math.min(base + BLOCK_SIZE, end);
      out.push(this.#readBlock(o, index).subarray(from - base, to - base));
      from = to;
    }
    return out;
  }

  #share(from: Onode, index: number, to: Onode, toIndex: number): void {
    const block = from.at(index) - 1;
    const crc = from.crc(index);
    this.#use(to);
    this.#w.u8(CHANGE.SHARED);
    this.#w.u32(toIndex);
    this.#w.u32(block);
    this.#w.u32(crc);
    this.#state.mapShared(to, toIndex, block, crc);
  }

  #names(op: StoreOp & { op: "set-attr" | "remove-attr" | `omap-${string}` }): void {
    const w = this.#w;
    const state = this.#state;
    const creates = op.op === "set-attr" || op.op === "omap-set" || op.op === "omap-header";
    const o = creates ? this.#make(op.object) : this.#find(op.object);
    if (o === undefined) return; // nothing to remove from
    this.#use(o);
    switch (op.op) {
      case "set-attr":
        w.u8(CHANGE.SET_ATTR);
        w.str(op.name);
        w.blob(op.value);
        state.setAttr(o, op.name, op.value);
        break;
      case "remove-attr":
        w.u8(CHANGE.REMOVE_ATTR);
        w.str(op.name);
        state.removeAttr(o, op.name);
        break;
      case "omap-set":
        w.u8(CHANGE.OMAP_SET);
        w.u32(op.entries.length);
        for (const [key, value] of op.entries) {
          w.str(key);
          w.blob(value);
          state.omapSet(o, key, value);
        }
        break;
      case "omap-remove":
        w.u8(CHANGE.OMAP_REMOVE);
        w.u32(op.keys.length);
        for (const key of op.keys) {
          w.str(key);
          state.omapRemove(o, key);
        }
        break;
      case "omap-remove-range":
        w.u8(CHANGE.OMAP_REMOVE_RANGE);
        w.str(op.from);
        w.str(op.to);
        state.omapRemoveRange(o, op.from, op.to);
        break;
      case "omap-clear":
        w.u8(CHANGE.OMAP_CLEAR);
        state.omapClear(o);
        break;
      case "omap-header":
        w.u8(CHANGE.OMAP_HEADER);
        w.blob(op.header);
        state.setOmapHeader(o, new Uint8Array(op.header));
        break;
    }
  }
}
