/**
 * The keys of the index, one letter for each kind:
 *
 *   C name                     collection: u32 id, u64 objects, u64 blocks, u64 bytes stored
 *   O u32be collection, key    object (onode.ts); `key` sorts as hobjects do
 *   B u64be object id, u32be   shard of an object's block map
 *   M u64be object id, key     omap entry
 *   F u32be                    region of the allocation map (allocator.ts)
 *
 * An object's id is never used again, so what belongs to a removed object cannot reappear in another.
 */

import { Reader, Writer } from "../../encoding/index.ts";
import type { CollectionState } from "./onode.ts";

function u32be(x: number): string {
  return String.fromCharCode(x >>> 24, (x >>> 16) & 0xff, (x >>> 8) & 0xff, x & 0xff);
}

function u64be(x: number): string {
  return u32be(Math.floor(x / 0x1_0000_0000)) + u32be(x >>> 0);
}

export function readU32be(key: string, at: number): number {
  return (
    key.charCodeAt(at) * 0x100_0000 +
    ((key.charCodeAt(at + 1) << 16) | (key.charCodeAt(at + 2) << 8) | key.charCodeAt(at + 3))
  );
}

export function readU64be(key: string, at: number): number {
  return readU32be(key, at) * 0x1_0000_0000 + readU32be(key, at + 4);
}

export const collectionKey = (name: string): string => `C${name}`;
export const objectPrefix = (collection: number): string => `O${u32be(collection)}`;
export const shardPrefix = (object: number): string => `B${u64be(object)}`;
export const shardKey = (object: number, shard: number): string =>
  `B${u64be(object)}${u32be(shard)}`;
export const omapPrefix = (object: number): string => `M${u64be(object)}`;
export const regionKey = (region: number): string => `F${u32be(region)}`;

/** The least key above all that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const c = prefix.charCodeAt(i);
    if (c < 0xff) return prefix.slice(0, i) + String.fromCharCode(c + 1);
  }
  return "\uffff"; // above every byte string
}

export function encodeCollection(c: CollectionState): Uint8Array {
  const w = new Writer(28);
  w.u32(c.id);
  w.u64n(c.objects);
  w.u64n(c.blocks);
  w.u64n(c.stored);
  return Uint8Array.from(w.finish());
}

export function decodeCollection(name: string, value: Uint8Array): CollectionState {
  const r = new Reader(value);
  return {
    name,
    id: r.u32(),
    objects: r.u64n(),
    blocks: r.u64n(),
    stored: r.remaining > 0 ? r.u64n() : 0, // version 1 did not count: see StoreState.recountStored
    dirty: false,
    onodes: new Map(),
  };
}
