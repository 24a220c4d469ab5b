/**
 * The index's table in memory: byte-string keys in order, their values one after the other in slabs.
 *
 * A value is a number to the table (where it lies), not an object to the collector: a table lives from
 * one checkpoint to the next, long enough for everything in it to be taken for old and so to stay for long.
 * A value is written over where one of the same length is already; what is replaced otherwise is left behind
 * until the table goes.
 */

import { SortedMap, type SortedMapCursor } from "../sorted-map.ts";
import type { Cursor } from "./cursor.ts";
import { GONE } from "./run.ts";

const SLAB_SIZE = 256 * 1024;
const LENGTH_SIZE = 4;
/** Values begin at multiples of this, so that places are small numbers. */
const ALIGNMENT = 4;
/** The place of a removed key. */
const NOWHERE = -1;
/** What a key takes in memory: string, references. */
const KEY_OVERHEAD = 80;

/** Slabs that a table of before has left: their pages are the process's already. */
export class SlabPool {
  #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_SIZE);
  }

  give(slabs: Iterable<Buffer>): void {
    this.#free.push(...slabs);
  }
}

export class Table {
  readonly #pool: SlabPool;
  readonly #places = new SortedMap<number>();
  #slabs: Buffer[] = [];
  /** Values too large for a slab, by place from -2 down. */
  readonly #large: Uint8Array[] = [];
  /** Where the next value goes, over all slabs. */
  #end = 0;
  /** Memory held, about, in bytes. */
  bytes = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#places.size;
  }

  /** GONE for a removed key; undefined if the table knows nothing of it. Good until the next change. */
  get(key: string): Uint8Array | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#at(place);
  }

  #at(place: number): Uint8Array {
    if (place === NOWHERE) return GONE;
    if (place < NOWHERE) return this.#large[-2 - place]!;
    const at = place * ALIGNMENT;
    const slab = this.#slabs[Math.floor(at / SLAB_SIZE)]!;
    const from = at % SLAB_SIZE;
    const start = from + LENGTH_SIZE;
    return slab.subarray(start, start + slab.readUInt32LE(from));
  }

  /** True unless who is iterating has the new value, too. */
  put(key: string, value: Uint8Array): boolean {
    const old = this.#places.get(key);
    if (old !== undefined && old > NOWHERE) {
      const at = old * ALIGNMENT;
      const slab = this.#slabs[Math.floor(at / SLAB_SIZE)]!;
      if (slab.readUInt32LE(at % SLAB_SIZE) === value.length) {
        slab.set(value, (at % SLAB_SIZE) + LENGTH_SIZE);
        return false;
      }
    }
    return this.#set(key, this.#append(value), old);
  }

  /** The same: the key is gone, which the table remembers. */
  delete(key: string): boolean {
    const old = this.#places.get(key);
    return old !== NOWHERE && this.#set(key, NOWHERE, old);
  }

  #set(key: string, place: number, old: number | undefined): true {
    this.#places.set(key, place);
    if (old === undefined) this.bytes += key.length + KEY_OVERHEAD;
    return true;
  }

  /** @returns its place */
  #append(value: Uint8Array): number {
    const need = LENGTH_SIZE + value.length;
    this.bytes += need;
    if (need > SLAB_SIZE) {
      this.#large.push(new Uint8Array(value));
      return -1 - this.#large.length;
    }
    let from = this.#end % SLAB_SIZE;
    if (this.#slabs.length * SLAB_SIZE - this.#end < need) {
      this.#end = this.#slabs.length * SLAB_SIZE;
      this.#slabs.push(this.#pool.take());
      from = 0;
    }
    const slab = this.#slabs.at(-1)!;
    slab.writeUInt32LE(value.length, from);
    slab.set(value, from + LENGTH_SIZE);
    const place = this.#end / ALIGNMENT;
    this.#end += Math.ceil(need / ALIGNMENT) * ALIGNMENT;
    return place;
  }

  /** From the first key >= `from`; good only while no key comes or goes. */
  cursor(from = ""): Cursor {
    return new TableCursor(this.#places.cursor(from), (place) => this.#at(place));
  }

  /** Nothing of it is needed any more. */
  drop(): void {
    this.#places.clear();
    this.#pool.give(this.#slabs);
    this.#slabs = [];
  }
}

class TableCursor implements Cursor {
  readonly #places: SortedMapCursor<number>;
  readonly #at: (place: number) => Uint8Array;

  constructor(places: SortedMapCursor<number>, at: (place: number) => Uint8Array) {
    this.#places = places;
    this.#at = at;
  }

  get key(): string | undefined {
    return this.#places.key;
  }

  value(): Uint8Array {
    return this.#at(this.#places.value);
  }

  next(): void {
    this.#places.next();
  }
}
