/**
 * Walks everything a store knows and proves it: every block has exactly the owners that the allocation map
 * says, every piece of the index belongs to an object, the counters are true; deep, also that all data
 * matches its checksums and that nothing lies behind an object's end. Changes nothing.
 *
 * What it keeps in memory, besides the state's own bounded caches: a bit a block, a number a block where
 * clones share, a number an object.
 */

import { AssertionError } from "../../base/index.ts";
import { DecodeError, printable } from "../../encoding/index.ts";
import type { HObject } from "../../types/index.ts";
import { formatObject, objectOfKey } from "../object-key.ts";
import type { CollectionId } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { blockCrc } from "./block-file.ts";
import { prefixEnd, readU32be, readU64be } from "./keys.ts";
import { type CollectionState, type Onode, SHARD_BLOCKS, SHARD_SIZE, type Shard } from "./onode.ts";
import { Owners, type WrongBlocks } from "./owners.ts";
import type { StoreState } from "./state.ts";

/** Faults told at most: a store that is ruined is ruined after these. */
const FAULTS_MAX = 1000;
/** Letters of the index and what stands between them: nothing. */
const NO_KEYS: readonly (readonly [from: string, to: string])[] = [
  ["", "B"],
  ["D", "F"],
  ["G", "M"],
  ["N", "O"],
  ["P", "\uffff"],
];

/** An object as a check shows it to others. */
export interface ObjectSeen {
  readonly collection: CollectionId;
  readonly object: HObject;
  readonly size: number;
  readonly attrs: ReadonlyMap<string, Uint8Array>;
}

/** What a user of the store knows of its objects and the store does not. */
export interface ObjectCheck {
  /** Shown every object, collection by collection, in the order of listings. Returns whole lines. */
  object(seen: ObjectSeen): string[];
  /** After the last one. */
  end(): string[];
}

/** Collects lines, up to a bound. */
export class Faults {
  readonly lines: string[] = [];
  count = 0;

  add(line: string): void {
    this.count++;
    if (this.lines.length < FAULTS_MAX) this.lines.push(line);
  }
}

/** Numbers in a typed array that grows. */
class Numbers {
  #array = new Float64Array(1024);
  length = 0;

  push(x: number): void {
    if (this.length === this.#array.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[this.length++] = x;
  }

  sorted(): Float64Array {
    return this.#array.subarray(0, this.length).sort();
  }
}

/** Index of the last number <= x in a sorted array; -1 if all are above. */
function floor(sorted: Float64Array, x: number): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (sorted[mid]! <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo - 1;
}

function has(sorted: Float64Array, x: number): boolean {
  return sorted[floor(sorted, x)] === x;
}

export class StateChecker {
  readonly #state: StoreState;
  readonly #deep: boolean;
  readonly #check: ObjectCheck | undefined;
  readonly #faults: Faults;
  readonly #owners = new Owners();
  /** Twice each object's id, plus one if it has an omap. */
  readonly #ids = new Numbers();
  readonly #collections = new Map<
    number,
    { c: CollectionState; objects: number; blocks: number; stored: number }
  >();
  readonly #buffer = Buffer.alloc(SHARD_SIZE);
  objects = 0;
  #used = 0;

  constructor(options: {
    state: StoreState;
    faults: Faults;
    deep: boolean;
    check: ObjectCheck | undefined;
  }) {
    this.#state = options.state;
    this.#faults = options.faults;
    this.#deep = options.deep;
    this.#check = options.check;
  }

  #fault(o: string, what: string, offset?: number): void {
    this.#faults.add(offset === undefined ? `${o}: ${what}` : `${o} at ${offset}: ${what}`);
  }

  /** True once all has been looked at. */
  run(): true {
    this.#beginCollections();
    for (const [o, name] of this.#walk((name, what) => this.#fault(name, what))) {
      this.#object(o, name);
      for (const line of this.#check?.object(seenOf(o)) ?? []) this.#faults.add(line);
    }
    for (const line of this.#check?.end() ?? []) this.#faults.add(line);
    this.#endCollections();
    this.#index();
    this.#allocation();
    return true;
  }

  #beginCollections(): void {
    for (const c of this.#state.collections.values()) {
      const other = this.#collections.get(c.id);
      const name = `collection ${printable(c.name)}`;
      if (other !== undefined) this.#fault(name, `has the id of ${printable(other.c.name)}`);
      if (c.id >= this.#state.nextCollectionId)
        this.#fault(name, `id ${c.id} is not given out yet`);
      this.#collections.set(c.id, { c, objects: 0, blocks: 0, stored: 0 });
    }
  }

  /** Every object that can be read, with its name in words; `broken` is told of the others. */
  *#walk(broken: (name: string, what: string) => void): IterableIterator<[Onode, string]> {
    for (const [key] of this.#state.kv.entries("O", "P")) {
      const id = readU32be(key, 1);
      const found = this.#collections.get(id);
      if (found === undefined) {
        broken("index", `an object belongs to no collection (${id})`);
        continue;
      }
      const { c } = found;
      let name = `${c.name} ${printable(key.slice(5))}`;
      let o: Onode | undefined;
      try {
        name = `${c.name} ${formatObject(objectOfKey(key.slice(5)))}`;
        o = this.#state.find(c, key.slice(5));
      } catch (error) {
        if (!(error instanceof DecodeError) && !(error instanceof AssertionError)) throw error;
        broken(name, error.message);
      }
      if (o === undefined) continue;
      yield [o, name];
    }
  }

  #object(o: Onode, name: string): void {
    const sums = this.#collections.get(o.collection.id)!;
    sums.objects++;
    this.objects++;
    this.#ids.push(o.id * 2 + (o.hasOmap ? 1 : 0));
    if (o.id >= this.#state.nextObjectId) this.#fault(name, `id ${o.id} is not given out yet`);
    sums.stored += o.storedBytes;
    for (const [base, shard] of o.sortedShards()) {
      sums.blocks += this.#shard(o, name, base, shard);
      if (this.#deep) this.#content(o, name, base, shard);
    }
  }

  /** @returns blocks seen for the first time */
  #shard(o: Onode, name: string, base: number, shard: Shard): number {
    let fresh = 0;
    let count = 0;
    for (let i = 0; i < SHARD_BLOCKS; i++) {
      const block = shard.map[i]! - 1;
      if (block < 0) continue;
      const offset = (base + i) * BLOCK_SIZE;
      count++;
      if (block >= this.#state.allocator.blocks) {
        this.#fault(name, `block ${block} is past the end of the store`, offset);
        continue;
      }
      if (offset >= o.size) {
        this.#fault(name, `block ${block} is past the end of the object, ${o.size}`, offset);
      }
      if (this.#owners.add(block)) fresh++;
    }
    if (count !== shard.count) {
      const offset = base * BLOCK_SIZE;
      this.#fault(name, `${count} blocks in a shard that counts ${shard.count}`, offset);
    }
    this.#used += fresh;
    return fresh;
  }

  #content(o: Onode, name: string, base: number, shard: Shard): void {
    const slots: number[] = [];
    for (let i = 0; i < SHARD_BLOCKS; i++) {
      const block = shard.map[i]! - 1;
      if (block >= 0 && block < this.#state.allocator.blocks) slots.push(i);
    }
    const blocks = Uint32Array.from(slots, (slot) => shard.map[slot]! - 1);
    const bytes = this.#buffer.subarray(0, slots.length * BLOCK_SIZE);
    const unreadable = this.#read(blocks, bytes);
    for (const [n, slot] of slots.entries()) {
      const index = base + slot;
      const block = blocks[n]!;
      const why =
        unreadable.get(n) ??
        contentFault(o, index, bytes.subarray(n * BLOCK_SIZE, (n + 1) * BLOCK_SIZE));
      if (why !== undefined) this.#fault(name, `block ${block} ${why}`, index * BLOCK_SIZE);
    }
  }

  /** Reads blocks, one by one if the disk refuses one of them; those it refuses, by their place. */
  #read(blocks: Uint32Array, into: Buffer): Map<number, string> {
    const unreadable = new Map<number, string>();
    try {
      this.#state.blocks.readSync(blocks, into);
      return unreadable;
    } catch (error) {
      if (!isDiskError(error)) throw error;
    }
    for (const [n, block] of blocks.entries()) {
      try {
        const part = into.subarray(n * BLOCK_SIZE, (n + 1) * BLOCK_SIZE);
        this.#state.blocks.readSync(Uint32Array.of(block), part);
      } catch (error) {
        if (!isDiskError(error)) throw error;
        unreadable.set(n, `cannot be read: ${error.code}`);
      }
    }
    return unreadable;
  }

  #endCollections(): void {
    for (const { c, objects, blocks, stored } of this.#collections.values()) {
      const name = `collection ${printable(c.name)}`;
      if (objects !== c.objects) this.#fault(name, `${objects} objects, ${c.objects} counted`);
      if (blocks !== c.blocks) this.#fault(name, `${blocks} blocks, ${c.blocks} counted`);
      if (stored !== c.stored) this.#fault(name, `${stored} bytes stored, ${c.stored} counted`);
    }
  }

  #index(): void {
    const ids = this.#ids.sorted();
    for (const [i, x] of ids.entries()) {
      const id = Math.floor(x / 2);
      if (i > 0 && Math.floor(ids[i - 1]! / 2) === id) {
        this.#fault("index", `object id ${id} is used twice`);
      }
    }
    this.#pieces(ids, "B", "a block map");
    this.#pieces(ids, "M", "an omap");
    for (const [from, to] of NO_KEYS) {
      for (const [key] of this.#state.kv.entries(from, to)) {
        this.#fault("index", `an entry of no known kind, ${printable(key.slice(0, 32))}`);
      }
    }
  }

  /** What lies under an object's id must have that object. */
  #pieces(ids: Float64Array, letter: string, what: string): void {
    let last = -1;
    for (const [key] of this.#state.kv.entries(letter, prefixEnd(letter))) {
      const id = readU64be(key, 1);
      if (id === last) continue;
      last = id;
      const withOmap = has(ids, id * 2 + 1);
      if (!withOmap && !has(ids, id * 2)) {
        this.#fault("index", `${what} belongs to no object (${id})`);
      } else if (letter === "M" && !withOmap) {
        this.#fault("index", `object ${id} does not know of its omap`);
      }
    }
  }

  #allocation(): void {
    const { allocator } = this.#state;
    const owned: WrongBlocks[] = [];
    for (const wrong of this.#owners.differences(allocator)) {
      if (wrong.owners > 0 && owned.length < FAULTS_MAX) owned.push(wrong);
      const { first, last, owners, counted } = wrong;
      const which = first === last ? `block ${first} has` : `blocks ${first} to ${last} have`;
      this.#fault("allocation", `${which} ${owners} owners, ${counted} counted`);
    }
    if (this.#used !== allocator.used) {
      this.#fault("allocation", `${this.#used} blocks in use, ${allocator.used} counted`);
    }
    if (owned.length > 0) this.#nameOwners(owned);
  }

  /** Who owns the blocks that the allocation map is wrong about: whoever may lose them. */
  #nameOwners(wrong: readonly WrongBlocks[]): void {
    const starts = Float64Array.from(wrong, ({ first }) => first);
    for (const [o, name] of this.#walk(() => {})) {
      for (const [base, shard] of o.sortedShards()) {
        for (let i = 0; i < SHARD_BLOCKS; i++) {
          const block = shard.map[i]! - 1;
          const found = block < 0 ? undefined : wrong[floor(starts, block)];
          if (found === undefined || block > found.last) continue;
          const what = `block ${block} has ${found.owners} owners, ${found.counted} counted`;
          this.#fault(name, what, (base + i) * BLOCK_SIZE);
        }
      }
    }
  }
}

function seenOf(o: Onode): ObjectSeen {
  return {
    collection: o.collection.name,
    object: objectOfKey(o.key),
    size: o.size,
    attrs: o.attrs,
  };
}

/** What is wrong with one block's bytes. */
function contentFault(o: Onode, index: number, bytes: Buffer): string | undefined {
  if (blockCrc(bytes) !== o.crc(index)) return "does not match its checksum";
  const inside = Math.max(0, o.size - index * BLOCK_SIZE);
  const clean = inside >= BLOCK_SIZE || bytes.subarray(inside).every((x) => x === 0);
  return clean ? undefined : "is not zero behind the object's end";
}

function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}
