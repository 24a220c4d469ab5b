/**
 * The object store in memory: the model that the durable store is compared with, and the store of
 * simulations that do not care about the disk.
 *
 * Data lies in immutable blocks of BLOCK_SIZE: a write replaces blocks, so a clone shares them and what a
 * read returned never changes. Bytes past an object's end inside its last block are zero, always.
 */

import { type Clock, systemClock } from "../base/index.ts";
import { type BufferList, EMPTY, slice } from "../encoding/index.ts";
import type { HObject } from "../types/index.ts";
import { objectKey, objectOfKey } from "./object-key.ts";
import {
  type CollectionId,
  type CollectionUsage,
  NoSpaceError,
  type ObjectInfo,
  type ObjectStore,
  type StoreOp,
  type StoreStatfs,
  type Transaction,
  type TransactionSeq,
} from "./object-store.ts";
import { SortedMap } from "./sorted-map.ts";
import { type StoreView, validateTransaction } from "./validate.ts";

const BLOCK_SIZE = 4096;
const CAPACITY_DEFAULT = 2 ** 40;
const ZEROS = new Uint8Array(65536);

interface Block {
  readonly bytes: Uint8Array;
  refs: number;
}

interface MemObject {
  size: number;
  blocks: Map<number, Block>;
  attrs: SortedMap<Uint8Array>;
  omap: SortedMap<Uint8Array>;
  omapHeader: Uint8Array;
}

interface Collection {
  readonly objects: SortedMap<MemObject>;
  /** Blocks, shared ones counted once: no block is in two collections. */
  blocks: number;
}

function emptyObject(): MemObject {
  return {
    size: 0,
    blocks: new Map(),
    attrs: new SortedMap(),
    omap: new SortedMap(),
    omapHeader: EMPTY,
  };
}

function copyMap(map: SortedMap<Uint8Array>): SortedMap<Uint8Array> {
  const copy = new SortedMap<Uint8Array>();
  for (const [key, value] of map.entries()) copy.set(key, value);
  return copy;
}

function putBlock(c: Collection, o: MemObject, index: number, bytes: Uint8Array): void {
  const old = o.blocks.get(index);
  if (old === undefined || --old.refs > 0) c.blocks++;
  o.blocks.set(index, { bytes, refs: 1 });
}

function dropBlock(c: Collection, o: MemObject, index: number): void {
  const block = o.blocks.get(index);
  if (block === undefined) return;
  o.blocks.delete(index);
  if (--block.refs === 0) c.blocks--;
}

/** A changed copy of one block: bytes `[from, from + part.length)` replaced. */
function patched(o: MemObject, index: number, from: number, part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOCK_SIZE);
  const old = o.blocks.get(index);
  if (old !== undefined) bytes.set(old.bytes);
  bytes.set(part, from);
  return bytes;
}

function writeData(c: Collection, o: MemObject, offset: number, data: BufferList): void {
  let at = offset;
  for (const chunk of data) {
    for (let done = 0; done < chunk.length; ) {
      const index = Math.floor(at / BLOCK_SIZE);
      const from = at % BLOCK_SIZE;
      const part = chunk.subarray(done, done + BLOCK_SIZE - from);
      putBlock(c, o, index, patched(o, index, from, part));
      at += part.length;
      done += part.length;
    }
  }
  if (at > o.size && at > offset) o.size = at;
}

/** Zeros a range inside the object: blocks that hold nothing else go, the others are patched. */
function zeroData(c: Collection, o: MemObject, offset: number, length: number): void {
  const end = Math.min(offset + length, o.size);
  for (const index of o.blocks.keys()) {
    const start = index * BLOCK_SIZE;
    const blockEnd = Math.min(start + BLOCK_SIZE, o.size);
    const from = Math.max(offset, start);
    const to = Math.min(end, blockEnd);
    if (from >= to) continue;
    if (from === start && to === blockEnd) dropBlock(c, o, index);
    else putBlock(c, o, index, patched(o, index, from - start, ZEROS.subarray(0, to - from)));
  }
}

function truncateData(c: Collection, o: MemObject, size: number): void {
  if (size < o.size) zeroData(c, o, size, o.size - size);
  o.size = size;
}

function cloneObject(from: MemObject): MemObject {
  for (const block of from.blocks.values()) block.refs++;
  return {
    size: from.size,
    blocks: new Map(from.blocks),
    attrs: copyMap(from.attrs),
    omap: copyMap(from.omap),
    omapHeader: from.omapHeader,
  };
}

/** How often each block that has more than one owner occurs in these objects, and how many others there are. */
function blocksOf(objects: Iterable<MemObject>): { shared: Map<Block, number>; others: number } {
  const shared = new Map<Block, number>();
  let others = 0;
  for (const { blocks } of objects) {
    for (const block of blocks.values()) {
      if (block.refs === 1) others++;
      else shared.set(block, (shared.get(block) ?? 0) + 1);
    }
  }
  return { shared, others };
}

function readData(o: MemObject, offset: number, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  const end = Math.min(offset + length, o.size);
  for (let at = offset; at < end; ) {
    const from = at % BLOCK_SIZE;
    const count = Math.min(BLOCK_SIZE - from, end - at);
    const bytes = o.blocks.get((at - from) / BLOCK_SIZE)?.bytes ?? ZEROS;
    out.push(bytes.subarray(from, from + count));
    at += count;
  }
  return out;
}

/** Source ranges that hold data are copied, holes become holes; sharing is by whole aligned blocks. */
function cloneRange(
  c: Collection,
  from: MemObject,
  to: MemObject,
  range: { offset: number; length: number; toOffset: number },
): void {
  const length = Math.max(0, Math.min(range.length, from.size - range.offset));
  if (length === 0) return;
  const shift = range.toOffset - range.offset;
  const end = range.offset + length;
  if (range.toOffset + length > to.size) to.size = range.toOffset + length;
  zeroData(c, to, range.toOffset, length);
  for (let at = range.offset; at < end; ) {
    const index = Math.floor(at / BLOCK_SIZE);
    const count = Math.min((index + 1) * BLOCK_SIZE, end) - at;
    const block = from.blocks.get(index);
    const target = at + shift;
    if (block !== undefined) {
      // A short last block may be shared if nothing of the target lies behind it: past the end is zero.
      const whole = count === BLOCK_SIZE || (end === from.size && target + count === to.size);
      if (at % BLOCK_SIZE === 0 && target % BLOCK_SIZE === 0 && whole) {
        dropBlock(c, to, target / BLOCK_SIZE);
        block.refs++;
        to.blocks.set(target / BLOCK_SIZE, block);
      } else {
        writeData(c, to, target, readData(from, at, count));
      }
    }
    at += count;
  }
}

export class MemStore implements ObjectStore {
  onDurable: (seq: TransactionSeq) => void = () => {};
  onFatal: (error: Error) => void = () => {};
  onRelief: () => void = () => {};
  readonly isCongested = false;
  lastSubmitted: TransactionSeq = 0;
  lastDurable: TransactionSeq = 0;

  readonly #collections = new Map<CollectionId, Collection>();
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #view: StoreView;
  #scheduled = false;
  #waiters: { seq: TransactionSeq; resolve: () => void }[] = [];

  /** @param options.capacityBytes where NoSpaceError begins @default 1 TiB */
  constructor(options: { clock?: Clock; capacityBytes?: number } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#capacity = options.capacityBytes ?? CAPACITY_DEFAULT;
    this.#view = {
      hasCollection: (id) => this.#collections.has(id),
      objectCount: (id) => this.#collections.get(id)?.objects.size ?? 0,
      exists: (id, object) => this.#find(id, object) !== undefined,
      sharesOutside: (id, objects) => {
        const found = objects.flatMap((object) => this.#find(id, object) ?? []);
        return [...blocksOf(found).shared].some(([block, count]) => count !== block.refs);
      },
    };
  }

  submit(transaction: Transaction): TransactionSeq {
    validateTransaction(this.#view, transaction);
    this.#checkSpace(transaction);
    for (const op of transaction.ops) this.#apply(transaction.collection, op);
    const seq = ++this.lastSubmitted;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#clock.defer(() => this.#commit());
    }
    return seq;
  }

  #commit(): void {
    this.#scheduled = false;
    if (this.lastDurable === this.lastSubmitted) return;
    this.lastDurable = this.lastSubmitted;
    this.onDurable(this.lastDurable);
    const ready = this.#waiters.filter((w) => w.seq <= this.lastDurable);
    this.#waiters = this.#waiters.filter((w) => w.seq > this.lastDurable);
    for (const waiter of ready) waiter.resolve();
  }

  #checkSpace(transaction: Transaction): void {
    let need = 0;
    for (const op of transaction.ops) {
      if (op.op === "write") {
        for (const chunk of op.data) need += chunk.length + BLOCK_SIZE;
      } else if (op.op === "clone-range") need += op.length;
    }
    if (need > 0 && need > this.statfs().available) throw new NoSpaceError();
  }

  #apply(id: CollectionId, op: StoreOp): void {
    if (op.op === "create-collection") {
      this.#collections.set(op.collection, { objects: new SortedMap(), blocks: 0 });
      return;
    }
    if (op.op === "remove-collection") {
      this.#collections.delete(op.collection);
      return;
    }
    const c = this.#collections.get(id)!;
    if (op.op === "move") return this.#move(c, op);
    const present = c.objects.get(objectKey(op.object));
    switch (op.op) {
      case "touch":
        this.#make(c, op.object);
        break;
      case "write":
        writeData(c, this.#make(c, op.object), op.offset, op.data);
        break;
      case "zero":
        if (present) zeroData(c, present, op.offset, op.length);
        break;
      case "truncate":
        truncateData(c, this.#make(c, op.object), op.size);
        break;
      case "remove":
        this.#remove(c, op.object);
        break;
      case "set-attr":
        this.#make(c, op.object).attrs.set(op.name, Uint8Array.from(op.value));
        break;
      case "remove-attr":
        present?.attrs.delete(op.name);
        break;
      case "clone": {
        const copy = cloneObject(present!);
        this.#remove(c, op.to);
        c.objects.set(objectKey(op.to), copy);
        break;
      }
      case "clone-range":
        cloneRange(c, present!, this.#make(c, op.to), op);
        break;
      default:
        this.#applyOmap(c, present, op);
    }
  }

  #move(c: Collection, { objects, to }: StoreOp & { op: "move" }): void {
    const target = this.#collections.get(to)!;
    const keys = objects.map(objectKey);
    const { shared, others } = blocksOf(keys.map((key) => c.objects.get(key)!));
    for (const key of keys) {
      target.objects.set(key, c.objects.get(key)!);
      c.objects.delete(key);
    }
    c.blocks -= shared.size + others;
    target.blocks += shared.size + others;
  }

  #applyOmap(
    c: Collection,
    present: MemObject | undefined,
    op: StoreOp & { op: `omap-${string}` },
  ): void {
    switch (op.op) {
      case "omap-set": {
        const { omap } = this.#make(c, op.object);
        for (const [key, value] of op.entries) omap.set(key, Uint8Array.from(value));
        break;
      }
      case "omap-remove":
        for (const key of op.keys) present?.omap.delete(key);
        break;
      case "omap-remove-range":
        if (!present) break;
        for (const key of present.omap.keys(op.from, op.to)) present.omap.delete(key);
        break;
      case "omap-clear":
        if (!present) break;
        present.omap.clear();
        present.omapHeader = EMPTY;
        break;
      case "omap-header":
        this.#make(c, op.object).omapHeader = Uint8Array.from(op.header);
        break;
    }
  }

  #make(c: Collection, object: HObject): MemObject {
    const key = objectKey(object);
    let o = c.objects.get(key);
    if (o === undefined) {
      o = emptyObject();
      c.objects.set(key, o);
    }
    return o;
  }

  #remove(c: Collection, object: HObject): void {
    const key = objectKey(object);
    const o = c.objects.get(key);
    if (o === undefined) return;
    for (const index of o.blocks.keys()) dropBlock(c, o, index);
    c.objects.delete(key);
  }

  #find(id: CollectionId, object: HObject): MemObject | undefined {
    return this.#collections.get(id)?.objects.get(objectKey(object));
  }

  compact(): Promise<void> {
    return this.flush();
  }

  flush(): Promise<void> {
    if (this.lastDurable === this.lastSubmitted) return Promise.resolve();
    const seq = this.lastSubmitted;
    return new Promise((resolve) => {
      this.#waiters.push({ seq, resolve });
    });
  }

  collections(): CollectionId[] {
    return [...this.#collections.keys()].sort();
  }

  hasCollection(collection: CollectionId): boolean {
    return this.#collections.has(collection);
  }

  stat(collection: CollectionId, object: HObject): ObjectInfo | undefined {
    const o = this.#find(collection, object);
    return o && { size: o.size };
  }

  read(collection: CollectionId, object: HObject, offset: number, length: number): BufferList {
    return this.readSync(collection, object, offset, length);
  }

  readSync(collection: CollectionId, object: HObject, offset: number, length: number): BufferList {
    const o = this.#find(collection, object);
    return o ? slice(readData(o, offset, length), 0, length) : [];
  }

  checksum(): undefined {
    return undefined; // never without looking
  }

  extents(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): [offset: number, length: number][] {
    const o = this.#find(collection, object);
    const out: [number, number][] = [];
    if (!o) return out;
    const end = Math.min(offset + length, o.size);
    for (const index of [...o.blocks.keys()].sort((a, b) => a - b)) {
      const from = Math.max(offset, index * BLOCK_SIZE);
      const to = Math.min(end, (index + 1) * BLOCK_SIZE);
      if (from >= to) continue;
      const last = out.at(-1);
      if (last && last[0] + last[1] === from) last[1] += to - from;
      else out.push([from, to - from]);
    }
    return out;
  }

  getAttr(collection: CollectionId, object: HObject, name: string): Uint8Array | undefined {
    return this.#find(collection, object)?.attrs.get(name);
  }

  getAttrs(collection: CollectionId, object: HObject): [string, Uint8Array][] {
    return [...(this.#find(collection, object)?.attrs.entries() ?? [])];
  }

  omapHeader(collection: CollectionId, object: HObject): Uint8Array {
    return this.#find(collection, object)?.omapHeader ?? EMPTY;
  }

  omapGet(collection: CollectionId, object: HObject, key: string): Uint8Array | undefined {
    return this.#find(collection, object)?.omap.get(key);
  }

  *omapEntries(
    collection: CollectionId,
    object: HObject,
    after?: string,
  ): Iterable<[string, Uint8Array]> {
    const omap = this.#find(collection, object)?.omap;
    if (!omap) return;
    // The least key above `after` is `after` with a zero byte behind it.
    yield* omap.entries(after === undefined ? "" : `${after}\x00`);
  }

  list(
    collection: CollectionId,
    from: HObject,
    max: number,
  ): { objects: HObject[]; next: HObject | undefined } {
    const objects: HObject[] = [];
    const c = this.#collections.get(collection);
    for (const key of c?.objects.keys(objectKey(from)) ?? []) {
      if (objects.length === max) return { objects, next: objectOfKey(key) };
      objects.push(objectOfKey(key));
    }
    return { objects, next: undefined };
  }

  usage(collection: CollectionId): CollectionUsage {
    const c = this.#collections.get(collection);
    let stored = 0;
    for (const [, { size, blocks }] of c?.objects.entries() ?? []) {
      for (const index of blocks.keys()) stored += Math.min(BLOCK_SIZE, size - index * BLOCK_SIZE);
    }
    return { objects: c?.objects.size ?? 0, allocated: (c?.blocks ?? 0) * BLOCK_SIZE, stored };
  }

  statfs(): StoreStatfs {
    let blocks = 0;
    for (const c of this.#collections.values()) blocks += c.blocks;
    const data = blocks * BLOCK_SIZE;
    const total = this.#capacity;
    const available = Math.max(0, total - data);
    return { total, available, data, internal: 0, fileSystem: { total, available } };
  }

  async close(): Promise<void> {
    await this.flush();
  }
}
