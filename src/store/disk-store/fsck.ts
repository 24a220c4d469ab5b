/**
 * The proof that a store is sound: every block has exactly the owners that the allocation map says, every
 * piece of the index belongs to an object, the counters are true; deep, also that all data matches its
 * checksums and that nothing lies behind an object's end. Changes nothing.
 */

import type { Disk } from "../disk/disk.ts";
import { FileDisk } from "../disk/file.ts";
import { formatObject, objectOfKey } from "../object-key.ts";
import { BLOCK_SIZE, REGION_BLOCKS } from "./allocator.ts";
import { blockCrc } from "./block-file.ts";
import { objectPrefix, prefixEnd, readU64be } from "./keys.ts";
import type { CollectionState, Onode } from "./onode.ts";
import { recover } from "./open.ts";
import type { StoreState } from "./state.ts";
import { readSuperblock } from "./superblock.ts";

/** Memory for the index's caches while checking. */
const MEMORY_BYTES = 64 << 20;
/** Faults told at most: a store that is ruined is ruined after these. */
const FAULTS_MAX = 1000;

export interface FsckReport {
  /** One line each; empty: the store is sound. */
  readonly faults: string[];
  readonly collections: number;
  readonly objects: number;
  /** Bytes of blocks in use, shared ones once. */
  readonly data: number;
}

class Checker {
  readonly #state: StoreState;
  readonly #deep: boolean;
  readonly faults: string[] = [];
  objects = 0;
  /** Owners of each block, by region. */
  readonly #owners = new Map<number, Uint32Array>();
  readonly #ids = new Map<number, Onode>();

  constructor(state: StoreState, deep: boolean) {
    this.#state = state;
    this.#deep = deep;
  }

  #fault(line: string): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push(line);
  }

  run(): void {
    for (const c of this.#state.collections.values()) this.#collection(c);
    this.#orphans("B", "a block map shard");
    this.#orphans("M", "an omap entry");
    this.#allocation();
  }

  #collection(c: CollectionState): void {
    const prefix = objectPrefix(c.id);
    let objects = 0;
    let blocks = 0;
    for (const [name] of this.#state.kv.entries(prefix, prefixEnd(prefix))) {
      const o = this.#state.find(c, name.slice(prefix.length));
      if (o === undefined) continue;
      objects++;
      if (this.#ids.has(o.id)) this.#fault(`object id ${o.id} is used twice`);
      this.#ids.set(o.id, o);
      blocks += this.#object(o);
    }
    this.objects += objects;
    if (objects !== c.objects) {
      this.#fault(`collection ${c.name}: ${objects} objects, ${c.objects} counted`);
    }
    if (blocks !== c.blocks) {
      this.#fault(`collection ${c.name}: ${blocks} blocks, ${c.blocks} counted`);
    }
  }

  /** @returns blocks seen for the first time */
  #object(o: Onode): number {
    const what = `${o.collection.name} ${formatObject(objectOfKey(o.key))}`;
    let fresh = 0;
    for (const [base, shard] of o.sortedShards()) {
      const slots = shard.map.length / 2;
      let count = 0;
      for (let i = 0; i < slots; i++) {
        const block = shard.map[i]! - 1;
        if (block < 0) continue;
        count++;
        if (block >= this.#state.allocator.blocks) {
          this.#fault(`${what}: block ${block} is past the end of the store`);
          continue;
        }
        if ((base + i) * BLOCK_SIZE >= o.size) {
          this.#fault(`${what}: block ${block} is past the end of the object`);
        }
        if (this.#own(block)) fresh++;
        if (this.#deep) this.#content(o, base + i, block, what);
      }
      if (count !== shard.count)
        this.#fault(`${what}: ${count} blocks in a shard of ${shard.count}`);
    }
    return fresh;
  }

  /** True for the first owner. */
  #own(block: number): boolean {
    const index = Math.floor(block / REGION_BLOCKS);
    let region = this.#owners.get(index);
    if (region === undefined) {
      region = new Uint32Array(REGION_BLOCKS);
      this.#owners.set(index, region);
    }
    return ++region[block % REGION_BLOCKS]! === 1;
  }

  #content(o: Onode, index: number, block: number, what: string): void {
    const bytes = this.#state.blocks.block(block);
    if (blockCrc(bytes) !== o.crc(index)) {
      this.#fault(`${what}: block ${block} at ${index * BLOCK_SIZE} does not match its checksum`);
      return;
    }
    const inside = o.size - index * BLOCK_SIZE;
    if (inside < BLOCK_SIZE && bytes.subarray(Math.max(0, inside)).some((x) => x !== 0)) {
      this.#fault(`${what}: bytes behind the end are not zero`);
    }
  }

  #orphans(letter: string, what: string): void {
    for (const [key] of this.#state.kv.entries(letter, prefixEnd(letter))) {
      const id = readU64be(key, 1);
      const o = this.#ids.get(id);
      if (o === undefined) this.#fault(`${what} belongs to no object (${id})`);
      else if (letter === "M" && !o.hasOmap) this.#fault(`object ${id} does not know of its omap`);
    }
  }

  #allocation(): void {
    const { allocator } = this.#state;
    let used = 0;
    for (let index = 0; index < allocator.regionCount; index++) {
      const owners = this.#owners.get(index);
      if (owners === undefined && allocator.region(index) === undefined) continue;
      for (let i = 0; i < REGION_BLOCKS; i++) {
        const block = index * REGION_BLOCKS + i;
        const count = owners?.[i] ?? 0;
        if (count > 0) used++;
        if (allocator.isUsed(block) !== count > 0) {
          this.#fault(`block ${block} has ${count} owners and is marked otherwise`);
        } else if (allocator.extraRefs(block) !== Math.max(0, count - 1)) {
          this.#fault(
            `block ${block} has ${count} owners, ${allocator.extraRefs(block) + 1} counted`,
          );
        }
      }
    }
    if (used !== allocator.used) this.#fault(`${used} blocks in use, ${allocator.used} counted`);
  }
}

/** Checks the state of an open store, or of one just recovered. */
export function checkState(state: StoreState, deep: boolean): FsckReport {
  const checker = new Checker(state, deep);
  checker.run();
  return {
    faults: checker.faults,
    collections: state.collections.size,
    objects: checker.objects,
    data: state.allocator.used * BLOCK_SIZE,
  };
}

/**
 * Checks the store in a directory, as opening it would find it. Writes nothing but the lock.
 * @throws what opening would throw
 */
export function fsck(directory: string, options: { deep?: boolean; disk?: Disk } = {}): FsckReport {
  const disk = options.disk ?? new FileDisk(directory);
  readSuperblock(disk);
  const unlock = disk.lock();
  try {
    const found = recover(disk, MEMORY_BYTES);
    try {
      return checkState(found.state, options.deep ?? false);
    } finally {
      found.close();
    }
  } finally {
    unlock();
  }
}
