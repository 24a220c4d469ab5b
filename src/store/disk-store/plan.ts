/**
 * What a transaction will need, found before anything of it is done: blocks, bytes of its record, and
 * the old content of blocks that it changes in part. A full store, a transaction too large for the
 * journal and a block that cannot be read all show here, while nothing has changed yet.
 */

import { listLength } from "../../encoding/index.ts";
import type { HObject } from "../../types/index.ts";
import { objectKey } from "../object-key.ts";
import type { StoreOp, Transaction } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import type { Onode } from "./onode.ts";
import type { StoreState } from "./state.ts";

/** Fixed part of any change in a record, generously. */
const CHANGE_BYTES = 64;
/** Of a large write: a crc per block, and a header per piece if every block were apart. */
const DIRECT_BYTES_PER_BLOCK = 20;

const ADDING = new Set<StoreOp["op"]>([
  "create-collection",
  "touch",
  "clone",
  "set-attr",
  "omap-set",
  "omap-header",
]);
const FREEING = new Set<StoreOp["op"]>([
  "remove-collection",
  "remove",
  "zero",
  "truncate",
  "omap-remove-range",
  "omap-clear",
]);

export interface Plan {
  /** Blocks that data of writes and copies may take at most. */
  dataBlocks: number;
  /** Blocks that patched edges of zeroed ranges may take at most: even a full store has these. */
  edgeBlocks: number;
  /** Bytes of data that it brings. */
  writtenBytes: number;
  /** A few bytes that whoever owns the store keeps of it: never refused, unless as data. */
  isRecord: boolean;
  /** Without data: bytes that the index grows by, about, with objects, attributes and omap; 0 if it gives space back. */
  addedBytes: number;
  /** Bytes of the record at most. */
  recordBytes: number;
  /** Longest run of bytes whose data rides in the record. */
  inlineMax: number;
  /** Room is short: blocks that are the object's own are overwritten. */
  inPlace: boolean;
}

/** An object that will have (some of) another's data when its turn comes. */
interface Alias {
  to: string;
  from: HObject;
  /** Offset in `to` minus offset in `from`. */
  shift: number;
}

export class Planner {
  readonly #state: StoreState;
  readonly #readBlock: (o: Onode, index: number) => Uint8Array;
  readonly #isRoomy: () => boolean;
  readonly #inlineMax: number;
  readonly #inlineTransactionMax: number;
  #aliases: Alias[] = [];
  #shares = false;
  /** Ends of what writes before a copy bring to objects, by their keys. */
  readonly #reached = new Map<string, number>();
  /** Something in it takes blocks from objects: what they own now, a write behind it may not find. */
  #unmaps = false;
  #transaction!: Transaction;

  constructor(options: {
    state: StoreState;
    /** Reads and checks a block, and keeps it for the transaction. */
    readBlock: (o: Onode, index: number) => Uint8Array;
    /** Is there so much free that a small write may take a fresh block? */
    isRoomy: () => boolean;
    inlineMax: number;
    inlineTransactionMax: number;
  }) {
    this.#state = options.state;
    this.#readBlock = options.readBlock;
    this.#isRoomy = options.isRoomy;
    this.#inlineMax = options.inlineMax;
    this.#inlineTransactionMax = options.inlineTransactionMax;
  }

  /** @throws CorruptionError if a block that must be read first cannot be */
  plan(transaction: Transaction): Plan {
    this.#transaction = transaction;
    this.#aliases = [];
    this.#reached.clear();
    this.#shares = transaction.ops.some((op) => op.op === "clone" || op.op === "clone-range");
    this.#unmaps = transaction.ops.some(
      ({ op }) => op === "remove" || op === "zero" || op === "truncate" || op === "move",
    );
    const plan: Plan = {
      dataBlocks: 0,
      edgeBlocks: 0,
      writtenBytes: 0,
      isRecord: false,
      addedBytes: 0,
      recordBytes: 0,
      inlineMax: this.#inlineMax,
      inPlace: !this.#isRoomy(),
    };
    for (const op of transaction.ops) {
      if (op.op === "write") plan.writtenBytes += listLength(op.data);
    }
    if (plan.writtenBytes > this.#inlineTransactionMax) plan.inlineMax = 0;
    for (const op of transaction.ops) this.#op(op, plan);
    const hasData = plan.dataBlocks > 0 || plan.writtenBytes > 0;
    plan.isRecord = !hasData && transaction.isRecord === true;
    if (!hasData) plan.addedBytes = addedBytes(transaction.ops);
    return plan;
  }

  #op(op: StoreOp, plan: Plan): void {
    plan.recordBytes += CHANGE_BYTES * 4;
    if (op.op === "create-collection" || op.op === "remove-collection") {
      plan.recordBytes += op.collection.length;
      return;
    }
    if (op.op === "move") {
      for (const object of op.objects) plan.recordBytes += nameBytes(object);
      return;
    }
    plan.recordBytes += nameBytes(op.object);
    switch (op.op) {
      case "write":
        this.#write(op.object, op.offset, listLength(op.data), plan);
        this.#reach(op.object, op.offset + listLength(op.data));
        break;
      case "zero":
        this.#edges(op.object, op.offset, op.length, plan);
        break;
      case "truncate":
        this.#edges(op.object, op.size, 0, plan);
        this.#reach(op.object, op.size);
        break;
      case "clone":
        plan.recordBytes += nameBytes(op.to);
        this.#aliases.push({ to: objectKey(op.to), from: op.object, shift: 0 });
        break;
      case "clone-range":
        this.#cloneRange(op, plan);
        break;
      default:
        plan.recordBytes += payloadBytes(op);
    }
  }

  #reach(object: HObject, end: number): void {
    if (!this.#shares) return;
    const key = objectKey(object);
    this.#reached.set(key, Math.max(this.#reached.get(key) ?? 0, end));
  }

  #find(object: HObject): Onode | undefined {
    const c = this.#state.collections.get(this.#transaction.collection);
    return c && this.#state.find(c, objectKey(object));
  }

  #write(object: HObject, offset: number, length: number, plan: Plan): void {
    if (length === 0) return;
    const first = Math.floor(offset / BLOCK_SIZE);
    const last = Math.floor((offset + length - 1) / BLOCK_SIZE);
    const count = last - first + 1;
    this.#checkEdge(object, offset);
    this.#checkEdge(object, offset + length);
    const inline = length <= plan.inlineMax + 2 * BLOCK_SIZE;
    plan.recordBytes += (inline ? count : 2) * (BLOCK_SIZE + CHANGE_BYTES);
    plan.recordBytes += count * DIRECT_BYTES_PER_BLOCK;
    // Whole blocks that go straight to the file take fresh ones, however short the write.
    const whole = Math.floor((offset + length) / BLOCK_SIZE) - Math.ceil(offset / BLOCK_SIZE);
    const isInline = whole * BLOCK_SIZE <= plan.inlineMax;
    const owned = isInline && plan.inPlace && !this.#shares && !this.#unmaps;
    plan.dataBlocks += owned ? this.#notOwn(object, first, count) : count;
  }

  /** Blocks of a range that cannot be overwritten where they are. */
  #notOwn(object: HObject, first: number, count: number): number {
    const o = this.#find(object);
    if (o === undefined) return count;
    let n = 0;
    for (let i = first; i < first + count; i++) {
      const block = o.at(i) - 1;
      if (block < 0 || this.#state.allocator.extraRefs(block) > 0) n++;
    }
    return n;
  }

  #edges(object: HObject, offset: number, length: number, plan: Plan): void {
    this.#checkEdge(object, offset);
    this.#checkEdge(object, offset + length);
    plan.recordBytes += 2 * (BLOCK_SIZE + CHANGE_BYTES);
    for (const at of [offset, offset + length]) {
      const index = Math.floor(at / BLOCK_SIZE);
      const owned = plan.inPlace && !this.#shares && this.#notOwn(object, index, 1) === 0;
      const needs = at % BLOCK_SIZE !== 0 && !owned;
      if (needs) plan.edgeBlocks++;
    }
  }

  #cloneRange(op: StoreOp & { op: "clone-range" }, plan: Plan): void {
    const { object, to, offset, toOffset } = op;
    plan.recordBytes += nameBytes(to);
    // A source that has been copied to by this very transaction may be of any size: all of the range counts.
    const source = this.#find(object);
    const reached = this.#reached.get(objectKey(object));
    const size = Math.max(source?.size ?? 0, reached ?? 0);
    const length =
      this.#aliases.length > 0 ? op.length : Math.max(0, Math.min(op.length, size - offset));
    this.#edges(to, toOffset, length, plan);
    // Where it has data is known only if the transaction has not touched it.
    const known = this.#aliases.length === 0 && reached === undefined ? source : undefined;
    const blocks = Math.ceil(length / BLOCK_SIZE) + 2;
    const shared = offset % BLOCK_SIZE === toOffset % BLOCK_SIZE && offset % BLOCK_SIZE === 0;
    if (!shared) {
      for (let at = offset; at < offset + length; at += BLOCK_SIZE) this.#check(object, at);
    }
    this.#check(object, offset + length - 1);
    // Copied like writes, one for each run of data: short ones ride in the record with patched edges.
    const copied = shared ? 2 : blocks * 2;
    const inline =
      known === undefined || shared ? copied : inlineBlocks(known, offset, length, plan.inlineMax);
    plan.dataBlocks += copied;
    plan.recordBytes += inline * (BLOCK_SIZE + CHANGE_BYTES) + blocks * DIRECT_BYTES_PER_BLOCK;
    this.#aliases.push({ to: objectKey(to), from: object, shift: toOffset - offset });
  }

  #checkEdge(object: HObject, offset: number): void {
    if (offset % BLOCK_SIZE !== 0) this.#check(object, offset);
  }

  /** The block at this offset can be read, in the object and in all that it will be made of. */
  #check(object: HObject, offset: number): void {
    if (offset < 0) return;
    const o = this.#find(object);
    const index = Math.floor(offset / BLOCK_SIZE);
    if (o !== undefined && o.at(index) !== 0) this.#readBlock(o, index);
    if (this.#aliases.length === 0) return;
    const key = objectKey(object);
    const aliases = this.#aliases;
    for (const [i, alias] of aliases.entries()) {
      if (alias.to !== key) continue;
      this.#aliases = aliases.slice(0, i);
      // Unaligned, two source blocks meet in one.
      this.#check(alias.from, offset - alias.shift);
      if (alias.shift % BLOCK_SIZE !== 0) {
        this.#check(alias.from, offset - alias.shift - BLOCK_SIZE);
        this.#check(alias.from, offset - alias.shift + BLOCK_SIZE);
      }
    }
    this.#aliases = aliases;
  }
}

/** Blocks that ride in the record when the runs of data in a range are written elsewhere, unaligned. */
function inlineBlocks(o: Onode, offset: number, length: number, inlineMax: number): number {
  const last = Math.floor((offset + length - 1) / BLOCK_SIZE);
  let total = 0;
  for (let index = Math.floor(offset / BLOCK_SIZE); index <= last; index++) {
    if (o.at(index) === 0) continue;
    let run = 1;
    while (index + run <= last && o.at(index + run) !== 0) run++;
    total += run * BLOCK_SIZE <= inlineMax + 2 * BLOCK_SIZE ? run + 2 : 4;
    index += run;
  }
  return total;
}

function addedBytes(ops: readonly StoreOp[]): number {
  let bytes = 0;
  for (const op of ops) {
    if (FREEING.has(op.op)) return 0;
    if (ADDING.has(op.op)) bytes += CHANGE_BYTES * 4 + payloadBytes(op);
  }
  return bytes;
}

/** Bytes of a record that name an object, at most: every byte may be escaped, the name comes twice. */
function nameBytes(object: HObject): number {
  return 64 + 2 * (object.nspace.length + object.key.length + 2 * object.oid.length);
}

function payloadBytes(op: StoreOp): number {
  switch (op.op) {
    case "set-attr":
      return op.name.length + op.value.length;
    case "remove-attr":
      return op.name.length;
    case "omap-set": {
      let n = 0;
      for (const [key, value] of op.entries) n += key.length + value.length + 8;
      return n;
    }
    case "omap-remove": {
      let n = 0;
      for (const key of op.keys) n += key.length + 4;
      return n;
    }
    case "omap-remove-range":
      return op.from.length + op.to.length;
    case "omap-header":
      return op.header.length;
    default:
      return 0;
  }
}
