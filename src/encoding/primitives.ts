/**
 * Codecs of scalars and containers.
 *
 * 64-bit values: `u64n`/`s64n` are numbers and refuse anything past 2^53-1 (offsets, lengths, tids,
 * versions); `u64`/`s64` are bigints (snap ids, feature masks, hashes, anything with an all-ones sentinel).
 * Maps and sets keep Ceph's order on the wire whatever order they were filled in.
 */

import { assert } from "../base/index.ts";
import { compareBytes } from "./byte-string.ts";
import type { Codec } from "./codec.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

type Method =
  | "u8"
  | "bool"
  | "u16"
  | "u32"
  | "s8"
  | "s16"
  | "s32"
  | "f32"
  | "f64"
  | "u64n"
  | "s64n";

function scalar<T>(method: Method | "u64" | "s64" | "str" | "blob", minSize: number): Codec<T> {
  type Access = Record<string, (x?: unknown) => unknown>;
  return {
    name: method,
    minSize,
    encode: (w, x) => void (w as unknown as Access)[method]!(x),
    decode: (r) => (r as unknown as Access)[method]!() as T,
    inline: {
      encode: (w, x) => `${w}.${method}(${x})`,
      decode: (r) => `${r}.${method}()`,
    },
  };
}

export const u8: Codec<number> = scalar("u8", 1);
export const bool: Codec<boolean> = scalar("bool", 1);
export const u16: Codec<number> = scalar("u16", 2);
export const u32: Codec<number> = scalar("u32", 4);
export const s8: Codec<number> = scalar("s8", 1);
export const s16: Codec<number> = scalar("s16", 2);
export const s32: Codec<number> = scalar("s32", 4);
export const f32: Codec<number> = scalar("f32", 4);
export const f64: Codec<number> = scalar("f64", 8);
export const u64: Codec<bigint> = scalar("u64", 8);
export const s64: Codec<bigint> = scalar("s64", 8);
export const u64n: Codec<number> = scalar("u64n", 8);
export const s64n: Codec<number> = scalar("s64n", 8);
/** A byte string with its length (see byte-string.ts). */
export const str: Codec<string> = scalar("str", 4);
/** Bytes with their length; decodes to a view of the frame. */
export const blob: Codec<Uint8Array> = scalar("blob", 4);

/** Exactly `size` raw bytes; decodes to a view of the frame. */
export function bytes(size: number): Codec<Uint8Array> {
  return {
    name: `bytes[${size}]`,
    minSize: size,
    encode(w, x) {
      if (x.length !== size) throw new RangeError(`${size} bytes wanted, ${x.length} given`);
      w.bytes(x);
    },
    decode: (r) => r.view(size),
  };
}

/** A list, vector or anything else that is a count and its items in order. */
export function list<T>(item: Codec<T>): Codec<T[]> {
  assert(item.minSize > 0, `a count of ${item.name} would have no bound`);
  return {
    name: `list<${item.name}>`,
    minSize: 4,
    encode(w, x) {
      w.u32(x.length);
      for (const value of x) item.encode(w, value);
    },
    decode(r) {
      const n = r.count(item.minSize);
      const out: T[] = [];
      for (let i = 0; i < n; i++) out.push(item.decode(r));
      return out;
    },
  };
}

export type Compare<T> = (a: T, b: T) => number;

/** The order of keys that are numbers, bigints or byte strings. */
export function naturalOrder<T>(a: T, b: T): number {
  return typeof a === "string" && typeof b === "string"
    ? compareBytes(a, b)
    : a < b
      ? -1
      : a > b
        ? 1
        : 0;
}

/** The same for entries of a map: by key. */
export function byKey<K>(a: readonly [K, unknown], b: readonly [K, unknown]): number {
  return naturalOrder(a[0], b[0]);
}

/** A std::set: sorted on the wire. */
export function set<T>(item: Codec<T>, compare: Compare<T> = naturalOrder): Codec<Set<T>> {
  const items = list(item);
  return {
    name: `set<${item.name}>`,
    minSize: 4,
    encode: (w, x) => items.encode(w, [...x].sort(compare)),
    decode: (r) => new Set(items.decode(r)),
  };
}

/**
 * A std::map with scalar keys: sorted by key on the wire. Of a key that comes twice the first counts, as in
 * upstream's.  ceph: src/include/denc.h maplike_details
 */
export function map<K, V>(
  key: Codec<K>,
  value: Codec<V>,
  compare: Compare<K> = naturalOrder,
): Codec<Map<K, V>> {
  return {
    name: `map<${key.name},${value.name}>`,
    minSize: 4,
    encode(w, x) {
      w.u32(x.size);
      for (const [k, v] of [...x].sort((a, b) => compare(a[0], b[0]))) {
        key.encode(w, k);
        value.encode(w, v);
      }
    },
    decode(r) {
      const n = r.count(key.minSize + value.minSize);
      const out = new Map<K, V>();
      for (let i = 0; i < n; i++) {
        const k = key.decode(r);
        const v = value.decode(r);
        if (!out.has(k)) out.set(k, v);
      }
      return out;
    },
  };
}

/** A map whose keys are structs: kept as pairs, in the order given (encode them sorted). */
export function pairs<K, V>(key: Codec<K>, value: Codec<V>): Codec<[K, V][]> {
  return {
    ...list<[K, V]>({
      name: `pair<${key.name},${value.name}>`,
      minSize: key.minSize + value.minSize,
      encode(w, [k, v]) {
        key.encode(w, k);
        value.encode(w, v);
      },
      decode(r) {
        const k = key.decode(r);
        return [k, value.decode(r)];
      },
    }),
  };
}

/** A std::optional: u8 present, then the value. */
export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  return {
    name: `optional<${item.name}>`,
    minSize: 1,
    encode(w, x) {
      w.bool(x !== undefined);
      if (x !== undefined) item.encode(w, x);
    },
    decode: (r) => (r.bool() ? item.decode(r) : undefined),
  };
}

/** A value inside a blob: u32 length, then its encoding. */
export function boxed<T>(item: Codec<T>): Codec<T> {
  return {
    name: `boxed<${item.name}>`,
    minSize: 4,
    encode(w: Writer, x) {
      const at = w.reserve(4);
      item.encode(w, x);
      w.buffer.writeUInt32LE(w.length - at - 4, at);
    },
    decode(r: Reader) {
      const length = r.u32();
      if (length > r.remaining) throw r.fail(`blob of ${length} bytes, ${r.remaining} left`);
      const outer = r.end;
      r.end = r.offset + length;
      const value = item.decode(r);
      r.offset = r.end;
      r.end = outer;
      return value;
    },
  };
}
