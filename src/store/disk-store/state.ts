/**
 * The store's state as of the last transaction: collections, objects, allocation, index.
 *
 * These are the elementary changes; a live transaction and the replay of its record call the same ones
 * with the same arguments, which is what makes recovery exact. Changed objects stay in memory until a
 * checkpoint puts them into the index (`saveDirty`); their keys are in the index from the start, so that
 * listings need only look there.
 */

import { assert, must } from "../../base/index.ts";
import { EMPTY } from "../../encoding/index.ts";
import type { CollectionId } from "../object-store.ts";
import { KEY_MAX } from "../validate.ts";
import { Allocator, encodeRegion } from "./allocator.ts";
import type { BlockFile } from "./block-file.ts";
import {
  collectionKey,
  decodeCollection,
  encodeCollection,
  objectPrefix,
  prefixEnd,
  readU32be,
  regionKey,
  shardKey,
  shardPrefix,
} from "./keys.ts";
import type { Kv } from "./kv.ts";
import {
  type CollectionState,
  decodeOnode,
  decodeShard,
  encodeOnode,
  encodeShard,
  Onode,
  SHARD_BLOCKS,
  SHARD_BYTES,
  SHARD_SIZE,
  type Shard,
} from "./onode.ts";

/** Up to so many shards are looked up each for itself: cheaper than a walk through every run. */
const SHARDS_ONE_BY_ONE = 4;
/** Stands in the index for an object whose first checkpoint is still to come. */
const PLACEHOLDER = new Uint8Array(0);

export class StoreState {
  readonly kv: Kv;
  readonly blocks: BlockFile;
  readonly allocator: Allocator;
  readonly collections = new Map<CollectionId, CollectionState>();
  readonly #byId = new Map<number, CollectionState>();
  #onodeBytes = 0;
  readonly #onodeBytesMax: number;
  /** Size at which room is made next: above the limit while much of it is dirty. */
  #makeRoomAt: number;
  #dirty = new Set<Onode>();
  /** Shards that differ from the index, each as its object and its index there; the first `saved` no longer. */
  readonly #dirtyShards = { owners: [] as Onode[], indexes: [] as number[], saved: 0 };
  /** Have the bytes that objects hold been counted since the last change? */
  #isCounted = true;
  nextObjectId: number;
  nextCollectionId: number;
  /** Blocks that lost their last owner since somebody looked. */
  freed: number[] = [];

  constructor(options: {
    kv: Kv;
    blocks: BlockFile;
    allocator: Allocator;
    nextObjectId: number;
    nextCollectionId: number;
    onodeBytesMax: number;
  }) {
    this.kv = options.kv;
    this.blocks = options.blocks;
    this.allocator = options.allocator;
    this.nextObjectId = options.nextObjectId;
    this.nextCollectionId = options.nextCollectionId;
    this.#onodeBytesMax = options.onodeBytesMax;
    this.#makeRoomAt = options.onodeBytesMax;
    this.#load();
  }

  #load(): void {
    for (const [key, value] of this.kv.entries("C", "D")) {
      this.#addCollection(decodeCollection(key.slice(1), value));
    }
    for (const [key, value] of this.kv.entries("F", "G")) {
      this.allocator.load(readU32be(key, 1), value);
    }
  }

  #addCollection(c: CollectionState): void {
    this.collections.set(c.name, c);
    this.#byId.set(c.id, c);
  }

  /** Objects changed since the last checkpoint. */
  get dirtyCount(): number {
    return this.#dirty.size;
  }

  collectionById(id: number): CollectionState {
    return must(this.#byId.get(id), "collection of a record");
  }

  createCollection(name: CollectionId, id: number): void {
    const c: CollectionState = {
      name,
      id,
      objects: 0,
      blocks: 0,
      stored: 0,
      dirty: false,
      onodes: new Map(),
    };
    this.#addCollection(c);
    this.kv.put(collectionKey(name), encodeCollection(c));
    this.nextCollectionId = Math.max(this.nextCollectionId, id + 1);
  }

  removeCollection(name: CollectionId): void {
    const c = must(this.collections.get(name), "collection to remove");
    this.collections.delete(name);
    this.#byId.delete(c.id);
    this.kv.delete(collectionKey(name));
  }

  find(c: CollectionState, key: string): Onode | undefined {
    const known = c.onodes.get(key);
    if (known !== undefined) {
      known.recent = true;
      return known;
    }
    const name = objectPrefix(c.id) + key;
    const value = this.kv.get(name);
    if (value === undefined) return undefined;
    const o = decodeOnode(c, key, value);
    this.#loadShards(o);
    o.stored = o.storedBytes;
    this.#remember(o);
    return o;
  }

  #loadShards(o: Onode): void {
    const count = Math.ceil(o.size / SHARD_SIZE);
    if (count <= SHARDS_ONE_BY_ONE) {
      for (let index = 0; index < count; index++) {
        const shard = this.kv.get(shardKey(o.id, index));
        if (shard !== undefined) o.shards.set(index, decodeShard(shard));
      }
      return;
    }
    const prefix = shardPrefix(o.id);
    for (const [name, shard] of this.kv.entries(prefix, prefixEnd(prefix))) {
      o.shards.set(readU32be(name, prefix.length), decodeShard(shard));
    }
  }

  #remember(o: Onode): void {
    o.collection.onodes.set(o.key, o);
    this.#onodeBytes += o.bytes;
    if (this.#onodeBytes > this.#makeRoomAt) this.#makeRoom(o);
  }

  /** Forgets clean objects, those not looked at lately first. */
  #makeRoom(keep: Onode): void {
    const limit = this.#onodeBytesMax * 0.9;
    let bytes = 0;
    for (const c of this.collections.values()) for (const o of c.onodes.values()) bytes += o.bytes;
    for (let pass = 0; pass < 2; pass++) {
      for (const c of this.collections.values()) {
        for (const [key, o] of c.onodes) {
          if (bytes <= limit) break;
          if (o.dirty || o === keep) continue;
          if (o.recent) {
            o.recent = false;
            continue;
          }
          c.onodes.delete(key);
          bytes -= o.bytes;
        }
      }
    }
    this.#onodeBytes = bytes;
    this.#makeRoomAt = Math.max(this.#onodeBytesMax, bytes * 1.2);
  }

  create(c: CollectionState, key: string, id: number): Onode {
    const name = objectPrefix(c.id) + key;
    const o = new Onode(c, key, id);
    this.kv.put(name, PLACEHOLDER);
    this.#touch(o);
    this.#remember(o);
    c.objects++;
    c.dirty = true;
    this.nextObjectId = Math.max(this.nextObjectId, id + 1);
    return o;
  }

  #touch(o: Onode): void {
    this.#isCounted = false;
    if (o.dirty) return;
    o.dirty = true;
    this.#dirty.add(o);
  }

  remove(o: Onode): void {
    for (const [index, shard] of o.shards) {
      for (let i = 0; i < SHARD_BLOCKS; i++) this.#drop(o, shard.map[i]!);
      this.kv.delete(shardKey(o.id, index));
    }
    // The queue of dirty shards may know the object until the next checkpoint, not its maps.
    o.shards.clear();
    this.omapClear(o);
    const name = objectPrefix(o.collection.id) + o.key;
    this.kv.delete(name);
    o.collection.onodes.delete(o.key);
    this.#dirty.delete(o);
    o.collection.objects--;
    o.collection.stored -= o.stored;
    o.collection.dirty = true;
  }

  /** Brings `stored` of the collections up to date: counted when asked for, not at every write. */
  countStored(): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    for (const o of this.#dirty) this.#count(o);
  }

  #count(o: Onode): void {
    const stored = o.storedBytes;
    if (stored === o.stored) return;
    o.collection.stored += stored - o.stored;
    o.collection.dirty = true;
    o.stored = stored;
  }

  /** Counts everything anew, for a store whose format did not. */
  recountStored(): void {
    this.#isCounted = true;
    for (const c of this.collections.values()) {
      c.stored = 0;
      c.dirty = true;
      for (const o of c.onodes.values()) o.stored = 0;
      const prefix = objectPrefix(c.id);
      for (const [name] of this.kv.entries(prefix, prefixEnd(prefix))) {
        const o = must(this.find(c, name.slice(prefix.length)), "object of a listing");
        o.stored = o.storedBytes;
        c.stored += o.stored;
      }
    }
  }

  /** One owner less of a block (its number plus one; 0: nothing). */
  #drop(o: Onode, block1: number): void {
    if (block1 === 0) return;
    if (!this.allocator.drop(block1 - 1)) return;
    this.blocks.pending.forget(block1 - 1);
    this.freed.push(block1 - 1);
    o.collection.blocks--;
    o.collection.dirty = true;
  }

  setSize(o: Onode, size: number): void {
    o.size = size;
    this.#touch(o);
  }

  /** Block `index` of the object is now `block`, taken or shared by the caller (or the same as before). */
  #setBlock(o: Onode, index: number, block: number, crc: number): void {
    const shardIndex = Math.floor(index / SHARD_BLOCKS);
    const slot = index % SHARD_BLOCKS;
    let shard = o.shards.get(shardIndex);
    if (shard === undefined) {
      shard = { map: new Uint32Array(2 * SHARD_BLOCKS), count: 0, dirty: false };
      o.shards.set(shardIndex, shard);
      this.#onodeBytes += SHARD_BYTES;
    }
    const old = shard.map[slot]!;
    if (old === 0) shard.count++;
    else if (old !== block + 1) this.#drop(o, old);
    shard.map[slot] = block + 1;
    shard.map[SHARD_BLOCKS + slot] = crc;
    this.#touchShard(o, shardIndex, shard);
  }

  #touchShard(o: Onode, index: number, shard: Shard): void {
    this.#touch(o);
    if (shard.dirty) return;
    shard.dirty = true;
    this.#dirtyShards.owners.push(o);
    this.#dirtyShards.indexes.push(index);
  }

  /** New content for a block: in place if the object owns `block` there already, else freshly taken. */
  mapOwn(o: Onode, index: number, block: number, crc: number): void {
    if (o.at(index) !== block + 1) o.collection.blocks++;
    this.#setBlock(o, index, block, crc);
    o.collection.dirty = true;
  }

  /** The object becomes one more owner of a block in use. */
  mapShared(o: Onode, index: number, block: number, crc: number): void {
    assert(this.allocator.isUsed(block), `block ${block} is shared but not in use`);
    this.allocator.share(block);
    this.#setBlock(o, index, block, crc);
  }

  unmap(o: Onode, first: number, count: number): void {
    const end = first + count;
    // The shards there are, not the range asked for: a sparse object may be huge.
    for (const [shardIndex, shard] of o.shards) {
      const base = shardIndex * SHARD_BLOCKS;
      const from = Math.max(first, base);
      const to = Math.min(end, base + SHARD_BLOCKS);
      for (let index = from; index < to; index++) {
        const slot = index - base;
        if (shard.map[slot] === 0) continue;
        this.#drop(o, shard.map[slot]!);
        shard.map[slot] = 0;
        shard.map[SHARD_BLOCKS + slot] = 0;
        shard.count--;
        this.#touchShard(o, shardIndex, shard);
      }
    }
  }

  /** The value is copied. */
  setAttr(o: Onode, name: string, value: Uint8Array): void {
    put(o.attrs, name, value);
    this.#touch(o);
  }

  removeAttr(o: Onode, name: string): void {
    if (o.attrs.delete(name)) this.#touch(o);
  }

  /** The value is copied. */
  omapSet(o: Onode, key: string, value: Uint8Array): void {
    this.kv.put(o.omapPrefix + key, value);
    if (o.hasOmap) return;
    o.hasOmap = true;
    this.#touch(o);
  }

  omapRemove(o: Onode, key: string): void {
    // Nor has it a longer one; the index could not even say that it has not.
    if (o.hasOmap && key.length <= KEY_MAX) this.kv.delete(o.omapPrefix + key);
  }

  omapRemoveRange(o: Onode, from: string, to: string): void {
    if (!o.hasOmap || from >= to) return;
    const prefix = o.omapPrefix;
    for (const [key] of this.kv.entries(prefix + from, prefix + to)) this.kv.delete(key);
  }

  omapClear(o: Onode): void {
    if (o.hasOmap) {
      const prefix = o.omapPrefix;
      for (const [key] of this.kv.entries(prefix, prefixEnd(prefix))) this.kv.delete(key);
      o.hasOmap = false;
    }
    o.omapHeader = EMPTY;
    this.#touch(o);
  }

  setOmapHeader(o: Onode, header: Uint8Array): void {
    o.omapHeader = header;
    this.#touch(o);
  }

  /** The blocks of these objects: those with one owner counted, of the others how often each occurs in them. */
  #blocksOf(objects: Iterable<Onode>): { shared: Map<number, number>; others: number } {
    const shared = new Map<number, number>();
    let others = 0;
    for (const o of objects) {
      for (const { map, count } of o.shards.values()) {
        for (let i = 0, left = count; left > 0; i++) {
          if (map[i] === 0) continue;
          left--;
          const block = map[i]! - 1;
          if (this.allocator.extraRefs(block) === 0) others++;
          else shared.set(block, (shared.get(block) ?? 0) + 1);
        }
      }
    }
    return { shared, others };
  }

  /** Is a block of one of these objects another one's as well? */
  sharesOutside(objects: Iterable<Onode>): boolean {
    for (const [block, count] of this.#blocksOf(objects).shared) {
      if (count !== this.allocator.extraRefs(block) + 1) return true;
    }
    return false;
  }

  /** Objects of one collection, which share blocks with no others, go to another one with all that is theirs. */
  move(objects: readonly Onode[], to: CollectionState): void {
    const { shared, others } = this.#blocksOf(objects);
    const from = must(objects[0], "object to move").collection;
    from.blocks -= shared.size + others;
    to.blocks += shared.size + others;
    from.dirty = true;
    to.dirty = true;
    for (const o of objects) {
      this.#count(o);
      this.kv.delete(objectPrefix(from.id) + o.key);
      // Its maps and its omap are kept by its id, and stay where they are.
      this.kv.put(objectPrefix(to.id) + o.key, o.dirty ? PLACEHOLDER : encodeOnode(o));
      from.onodes.delete(o.key);
      to.onodes.set(o.key, o);
      o.collection = to;
      from.objects--;
      to.objects++;
      from.stored -= o.stored;
      to.stored += o.stored;
    }
  }

  /** A new object with everything of `from`; its blocks are shared. */
  clone(from: Onode, key: string, id: number): Onode {
    const o = this.create(from.collection, key, id);
    o.size = from.size;
    o.omapHeader = from.omapHeader;
    for (const [name, value] of from.attrs) o.attrs.set(name, new Uint8Array(value));
    for (const [index, shard] of from.shards) {
      if (shard.count === 0) continue;
      for (let i = 0; i < SHARD_BLOCKS; i++) {
        if (shard.map[i] !== 0) this.allocator.share(shard.map[i]! - 1);
      }
      const copy = { map: shard.map.slice(), count: shard.count, dirty: false };
      o.shards.set(index, copy);
      this.#touchShard(o, index, copy);
    }
    this.#onodeBytes += o.bytes;
    if (from.hasOmap) {
      const prefix = from.omapPrefix;
      for (const [name, value] of this.kv.entries(prefix, prefixEnd(prefix))) {
        this.omapSet(o, name.slice(prefix.length), value);
      }
    }
    return o;
  }

  /**
   * Puts up to `max` changed shards into the index. All of them at once, when the checkpoint comes, would keep
   * everybody waiting; what changes again until then is put once more.
   */
  saveShards(max: number): void {
    const queue = this.#dirtyShards;
    const end = Math.min(queue.saved + max, queue.owners.length);
    for (; queue.saved < end; queue.saved++) {
      const o = queue.owners[queue.saved]!;
      const index = queue.indexes[queue.saved]!;
      const shard = o.shards.get(index);
      if (shard?.dirty !== true) continue; // the object is gone
      shard.dirty = false;
      if (shard.count > 0) {
        this.kv.put(shardKey(o.id, index), encodeShard(shard));
      } else {
        this.kv.delete(shardKey(o.id, index));
        o.shards.delete(index);
      }
    }
  }

  /** Puts everything changed since the last checkpoint into the index. */
  saveDirty(): void {
    this.countStored();
    this.saveShards(Number.POSITIVE_INFINITY);
    this.#dirtyShards.owners.length = 0;
    this.#dirtyShards.indexes.length = 0;
    this.#dirtyShards.saved = 0;
    for (const o of this.#dirty) {
      this.kv.put(objectPrefix(o.collection.id) + o.key, encodeOnode(o));
      o.dirty = false;
    }
    this.#dirty = new Set();
    for (const c of this.collections.values()) {
      if (c.dirty) this.kv.put(collectionKey(c.name), encodeCollection(c));
      c.dirty = false;
    }
    for (const [index, region] of this.allocator.takeDirty()) {
      this.kv.put(regionKey(index), encodeRegion(region));
    }
  }
}

/** Keeps a copy of `value`; one of the same length as before is written over it, for nobody else has that. */
function put(map: Map<string, Uint8Array>, name: string, value: Uint8Array): void {
  const old = map.get(name);
  if (old?.length === value.length) old.set(value);
  else map.set(name, new Uint8Array(value));
}
