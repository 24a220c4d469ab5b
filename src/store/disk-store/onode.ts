/**
 * What the store knows of one object: size, attributes, and where each of its blocks lies.
 *
 * The block map is kept in shards of 64 blocks (256 KiB of the object), each one array: 64 times the block
 * number plus one (0: a hole), then 64 times the crc32c (seed 0) of the block's 4 KiB. A shard is the unit
 * of saving, so a small write to a large object rewrites a few hundred bytes of metadata. Checksums live
 * here, away from the data: a block that was misdirected, lost or read from elsewhere does not match.
 */

import { EMPTY, Reader, Writer } from "../../encoding/index.ts";
import type { CollectionId } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { omapPrefix } from "./keys.ts";

/** Blocks of one shard. */
export const SHARD_BLOCKS = 64;
export const SHARD_SIZE = SHARD_BLOCKS * BLOCK_SIZE;

/** Memory of an object with its maps, of a shard, and of an attribute besides its bytes. */
const ONODE_BYTES = 900;
export const SHARD_BYTES = SHARD_BLOCKS * 8 + 350;
const ATTR_BYTES = 250;

export interface Shard {
  readonly map: Uint32Array;
  /** Blocks that are not holes. */
  count: number;
  dirty: boolean;
}

/** A collection as the store keeps it. */
export interface CollectionState {
  readonly name: CollectionId;
  readonly id: number;
  objects: number;
  /** Blocks in use, shared ones once. */
  blocks: number;
  /** Bytes that the objects hold, each for itself, holes left out: see Onode.stored. */
  stored: number;
  dirty: boolean;
  /** Known objects by key: all that are dirty, and those looked at lately. */
  readonly onodes: Map<string, Onode>;
}

export class Onode {
  collection: CollectionState;
  /** Order-preserving name within the collection (object-key.ts). */
  readonly key: string;
  readonly id: number;
  /** What the keys of its omap begin with in the index. */
  readonly omapPrefix: string;
  size = 0;
  hasOmap = false;
  omapHeader: Uint8Array = EMPTY;
  readonly attrs = new Map<string, Uint8Array>();
  readonly shards = new Map<number, Shard>();
  /** The part of its collection's `stored` that is this object's, as of the last count. */
  stored = 0;
  /** Differs from the index (its shards have flags of their own). */
  dirty = false;
  /** Looked at since the cache last made room. */
  recent = true;

  constructor(collection: CollectionState, key: string, id: number) {
    this.collection = collection;
    this.key = key;
    this.id = id;
    this.omapPrefix = omapPrefix(id);
  }

  /** Block number plus one; 0: a hole. */
  at(index: number): number {
    const shard = this.shards.get(Math.floor(index / SHARD_BLOCKS));
    return shard === undefined ? 0 : shard.map[index % SHARD_BLOCKS]!;
  }

  crc(index: number): number {
    const shard = this.shards.get(Math.floor(index / SHARD_BLOCKS));
    return shard === undefined ? 0 : shard.map[SHARD_BLOCKS + (index % SHARD_BLOCKS)]!;
  }

  /** Bytes it holds now: its blocks, less what of the last one is behind its end. */
  get storedBytes(): number {
    let blocks = 0;
    for (const shard of this.shards.values()) blocks += shard.count;
    const tail = this.size % BLOCK_SIZE;
    const isPartial = tail !== 0 && this.at(Math.floor(this.size / BLOCK_SIZE)) !== 0;
    return blocks * BLOCK_SIZE - (isPartial ? BLOCK_SIZE - tail : 0);
  }

  /** Shards by the index of their first block, ascending. */
  sortedShards(): [first: number, shard: Shard][] {
    return [...this.shards]
      .map(([index, shard]): [number, Shard] => [index * SHARD_BLOCKS, shard])
      .sort(([a], [b]) => a - b);
  }

  /** Memory it takes, about: measured with a hundred thousand of them. */
  get bytes(): number {
    let n = ONODE_BYTES + this.key.length + this.shards.size * SHARD_BYTES;
    for (const [name, value] of this.attrs) n += name.length + value.length + ATTR_BYTES;
    return n + this.omapHeader.length;
  }
}

/** What the two below return is a view of its memory, good until the next of them is called. */
const scratch = new Writer(4096);

/** u64 id, u64 size, u8 has omap, blob omap header, u32 n, n times {str name, blob value}. */
export function encodeOnode(o: Onode): Uint8Array {
  const w = scratch;
  w.reset();
  w.u64n(o.id);
  w.u64n(o.size);
  w.bool(o.hasOmap);
  w.blob(o.omapHeader);
  w.u32(o.attrs.size);
  for (const [name, value] of o.attrs) {
    w.str(name);
    w.blob(value);
  }
  return w.finish();
}

export function decodeOnode(collection: CollectionState, key: string, value: Uint8Array): Onode {
  const r = new Reader(value);
  const o = new Onode(collection, key, r.u64n());
  o.size = r.u64n();
  o.hasOmap = r.u8() !== 0;
  o.omapHeader = Uint8Array.from(r.view(r.u32()));
  for (let n = r.count(8); n > 0; n--) {
    const name = r.str();
    o.attrs.set(name, Uint8Array.from(r.view(r.u32())));
  }
  return o;
}

/** u8 runs, per run {u8 first, u8 blocks, u32 block number}, then a u32 crc per block, in order. */
export function encodeShard(shard: Shard): Uint8Array {
  const { map } = shard;
  const w = scratch;
  w.reset();
  w.u8(0);
  let runs = 0;
  for (let i = 0; i < SHARD_BLOCKS; i++) {
    if (map[i] === 0) continue;
    const first = i;
    while (i + 1 < SHARD_BLOCKS && map[i + 1] === map[i]! + 1) i++;
    w.u8(first);
    w.u8(i + 1 - first);
    w.u32(map[first]! - 1);
    runs++;
  }
  w.buffer[0] = runs;
  for (let i = 0; i < SHARD_BLOCKS; i++) if (map[i] !== 0) w.u32(map[SHARD_BLOCKS + i]!);
  return w.finish();
}

export function decodeShard(value: Uint8Array): Shard {
  const r = new Reader(value);
  const map = new Uint32Array(2 * SHARD_BLOCKS);
  let count = 0;
  for (let n = r.u8(); n > 0; n--) {
    const first = r.u8();
    const blocks = r.u8();
    if (first + blocks > SHARD_BLOCKS) throw r.fail("a run past the end of its shard");
    const block = r.u32();
    for (let i = 0; i < blocks; i++) map[first + i] = block + i + 1;
    count += blocks;
  }
  for (let i = 0; i < SHARD_BLOCKS; i++) if (map[i] !== 0) map[SHARD_BLOCKS + i] = r.u32();
  return { map, count, dirty: false };
}
