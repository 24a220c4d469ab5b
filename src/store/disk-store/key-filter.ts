/**
 * Which keys a run may have: a Bloom filter, asked before any of its blocks is read.
 *
 * Most keys that are looked up are in one run of several, or, when an object is made, in none. With ten bits
 * for a key and six of them set, one lookup in a hundred goes to a run in vain.
 */

const BITS_PER_KEY = 10;
const PROBES = 6;

/** Two independent 32-bit hashes of a key, kept here rather than returned: lookups make no objects. */
export class KeyHash {
  a = 0;
  b = 0;

  of(key: string): this {
    let a = 0x811c_9dc5;
    let b = 0x9747_b28c;
    for (let i = 0; i < key.length; i++) {
      const c = key.charCodeAt(i);
      a = Math.imul(a ^ c, 0x0100_0193);
      b = Math.imul(b ^ c, 0x5bd1_e995);
      b ^= b >>> 15;
    }
    this.a = mix(a);
    this.b = mix(b) | 1;
    return this;
  }
}

function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class KeyFilter {
  readonly words: Uint32Array;

  /** @param words as `words` of the filter that was saved */
  constructor(words: Uint32Array) {
    this.words = words;
  }

  /** An empty one for so many keys. */
  static forKeys(count: number): KeyFilter {
    return new KeyFilter(new Uint32Array(Math.max(1, Math.ceil((count * BITS_PER_KEY) / 32))));
  }

  add({ a, b }: KeyHash): void {
    const bits = this.words.length * 32;
    for (let i = 0; i < PROBES; i++) {
      const bit = ((a + Math.imul(i, b)) >>> 0) % bits;
      this.words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  /** False: the key was not added, for certain. */
  mayHave({ a, b }: KeyHash): boolean {
    const bits = this.words.length * 32;
    for (let i = 0; i < PROBES; i++) {
      const bit = ((a + Math.imul(i, b)) >>> 0) % bits;
      if ((this.words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}
