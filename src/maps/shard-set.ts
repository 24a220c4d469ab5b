/**
 * Shards of erasure-coded PGs as a set of at most 128: two 64-bit words, each as a variable-length number
 * of seven bits a byte, lowest first, the top bit set in all but the last.
 * ceph: src/common/bitset_set.h, src/include/denc.h denc_varint
 */

import type { Codec, Reader, Writer } from "../encoding/index.ts";

const WORD_BITS = 64;
const WORDS = 2;
/** Bytes of a word with its top bit set. */
const WORD_BYTES_MAX = 10;

function encodeWord(w: Writer, word: bigint): void {
  let left = word;
  for (; left > 0x7fn; left >>= 7n) w.u8(Number(left & 0x7fn) | 0x80);
  w.u8(Number(left));
}

function decodeWord(r: Reader): bigint {
  let word = 0n;
  for (let i = 0; i < WORD_BYTES_MAX; i++) {
    const byte = r.u8();
    word |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return BigInt.asUintN(WORD_BITS, word);
  }
  throw r.fail("a number without end");
}

/** Shards 0 to 127. */
export const ShardSet: Codec<ReadonlySet<number>> = {
  name: "shard_id_set",
  minSize: WORDS,
  encode(w, x) {
    for (let word = 0; word < WORDS; word++) {
      let bits = 0n;
      for (const shard of x) {
        if (Math.floor(shard / WORD_BITS) === word) bits |= 1n << BigInt(shard % WORD_BITS);
      }
      encodeWord(w, bits);
    }
  },
  decode(r) {
    const shards = new Set<number>();
    for (let word = 0; word < WORDS; word++) {
      const bits = decodeWord(r);
      for (let bit = 0; bit < WORD_BITS; bit++) {
        if (((bits >> BigInt(bit)) & 1n) === 1n) shards.add(word * WORD_BITS + bit);
      }
    }
    return shards;
  },
};
