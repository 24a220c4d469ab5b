/**
 * A map in key order: byte strings to values.
 *
 * Keys lie in chunks of at most CHUNK_MAX, the chunks in one array: a look-up is two binary searches and
 * an insertion moves at most one chunk's worth of references. Iteration survives changes made meanwhile:
 * it continues at the first key after the last one it gave.
 */

const CHUNK_MAX = 128;

interface Chunk<V> {
  keys: string[];
  values: V[];
}

/** Index of the first key >= `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let lo = 0;
  let hi = keys.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (keys[mid]! < key) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export class SortedMap<V> {
  #chunks: Chunk<V>[] = [];
  #size = 0;
  /** Counts changes of the key set, for iterators. */
  #version = 0;
  /** The key looked up last, at which version, and where it is: whoever looks often changes next. */
  #soughtKey: string | undefined;
  #soughtVersion = 0;
  #at = 0;
  #i = 0;

  get size(): number {
    return this.#size;
  }

  /** Index of the only chunk that may hold `key`: the last whose first key is <= it, or the first. */
  #chunkIndex(key: string): number {
    const chunks = this.#chunks;
    let lo = 0;
    let hi = chunks.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (chunks[mid]!.keys[0]! <= key) lo = mid + 1;
      else hi = mid;
    }
    return lo === 0 ? 0 : lo - 1;
  }

  /** Where `key` is, or would be: sets `#at` and `#i`. The same key asked for again costs nothing. */
  #find(key: string): boolean {
    if (key !== this.#soughtKey || this.#soughtVersion !== this.#version) {
      this.#at = this.#chunkIndex(key);
      const chunk = this.#chunks[this.#at];
      this.#i = chunk === undefined ? 0 : lowerBound(chunk.keys, key);
      this.#soughtKey = key;
      this.#soughtVersion = this.#version;
    }
    return this.#chunks[this.#at]?.keys[this.#i] === key;
  }

  get(key: string): V | undefined {
    return this.#find(key) ? this.#chunks[this.#at]!.values[this.#i] : undefined;
  }

  has(key: string): boolean {
    return this.#find(key);
  }

  set(key: string, value: V): void {
    const isKnown = this.#find(key);
    const chunk = this.#chunks[this.#at];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [key], values: [value] });
    } else if (isKnown) {
      chunk.values[this.#i] = value;
      return;
    } else {
      chunk.keys.splice(this.#i, 0, key);
      chunk.values.splice(this.#i, 0, value);
      if (chunk.keys.length > CHUNK_MAX) this.#split(this.#at, chunk);
    }
    this.#size++;
    this.#version++;
  }

  #split(at: number, chunk: Chunk<V>): void {
    // Ascending insertion is the common case: leave full chunks behind, not half-full ones.
    const keep = at === this.#chunks.length - 1 ? CHUNK_MAX : CHUNK_MAX / 2;
    const next = { keys: chunk.keys.splice(keep), values: chunk.values.splice(keep) };
    this.#chunks.splice(at + 1, 0, next);
  }

  /** True if it was there. */
  delete(key: string): boolean {
    if (!this.#find(key)) return false;
    const chunk = this.#chunks[this.#at]!;
    chunk.keys.splice(this.#i, 1);
    chunk.values.splice(this.#i, 1);
    if (chunk.keys.length === 0) this.#chunks.splice(this.#at, 1);
    this.#size--;
    this.#version++;
    return true;
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
    this.#version++;
  }

  /** Entries with keys >= `from` (and < `to`), ascending. */
  *entries(from = "", to?: string): IterableIterator<[string, V]> {
    let at = this.#chunkIndex(from);
    let chunk = this.#chunks[at];
    let i = chunk === undefined ? 0 : lowerBound(chunk.keys, from);
    let version = this.#version;
    for (;;) {
      if (chunk === undefined) return;
      if (i === chunk.keys.length) {
        chunk = this.#chunks[++at];
        i = 0;
        continue;
      }
      const key = chunk.keys[i]!;
      if (to !== undefined && key >= to) return;
      yield [key, chunk.values[i]!];
      if (version === this.#version) {
        i++;
        continue;
      }
      version = this.#version;
      at = this.#chunkIndex(key);
      chunk = this.#chunks[at];
      i = chunk === undefined ? 0 : lowerBound(chunk.keys, key);
      if (chunk?.keys[i] === key) i++;
    }
  }

  /** Walks from the first key >= `from`; good only while the map does not change. */
  cursor(from = ""): SortedMapCursor<V> {
    const at = this.#chunkIndex(from);
    const chunk = this.#chunks[at];
    return new SortedMapCursor(
      this.#chunks,
      at,
      chunk === undefined ? 0 : lowerBound(chunk.keys, from),
    );
  }

  *keys(from = "", to?: string): IterableIterator<string> {
    for (const [key] of this.entries(from, to)) yield key;
  }
}

export class SortedMapCursor<V> {
  readonly #chunks: readonly Chunk<V>[];
  #at: number;
  #i: number;
  #chunk: Chunk<V> | undefined;
  key: string | undefined;

  constructor(chunks: readonly Chunk<V>[], at: number, i: number) {
    this.#chunks = chunks;
    this.#at = at;
    this.#i = i;
    this.#chunk = chunks[at];
    this.#settle();
  }

  /** Onto the next chunk where this one ends. */
  #settle(): void {
    if (this.#chunk !== undefined && this.#i === this.#chunk.keys.length) {
      this.#chunk = this.#chunks[++this.#at];
      this.#i = 0;
    }
    this.key = this.#chunk?.keys[this.#i];
  }

  get value(): V {
    return this.#chunk!.values[this.#i]!;
  }

  next(): void {
    this.#i++;
    this.#settle();
  }
}
