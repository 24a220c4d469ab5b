/**
 * The only door to randomness. Keys, nonces and ids come from here, so that a seed can replay a run.
 */

import { randomFillSync } from "node:crypto";

export interface Random {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
}

/** Bytes that the system is asked for at a time: the call costs a hundred times what four bytes do. */
const STOCK_BYTES = 4096;
const stock = new Uint8Array(STOCK_BYTES);
let used = STOCK_BYTES;

export const systemRandom: Random = {
  bytes(count) {
    if (count > STOCK_BYTES / 16) return randomFillSync(new Uint8Array(count));
    if (used + count > STOCK_BYTES) {
      randomFillSync(stock);
      used = 0;
    }
    const bytes = stock.slice(used, used + count);
    // Nobody finds here later what may have become a key.
    stock.fill(0, used, used + count);
    used += count;
    return bytes;
  },
};

/** A reproducible generator for tests and simulation (xorshift128). Never for keys. */
export function seededRandom(seed: number): Random & { u32(): number; below(n: number): number } {
  let a = seed >>> 0 || 1;
  let b = (seed ^ 0x9e3779b9) >>> 0;
  let c = (seed ^ 0x85ebca6b) >>> 0;
  let d = (seed ^ 0xc2b2ae35) >>> 0;
  const u32 = () => {
    let t = a ^ (a << 11);
    t ^= t >>> 8;
    a = b;
    b = c;
    c = d;
    d = (d ^ (d >>> 19) ^ t) >>> 0;
    return d;
  };
  for (let i = 0; i < 16; i++) u32();
  return {
    u32,
    below: (n) => u32() % n,
    bytes(count) {
      const out = new Uint8Array(count);
      for (let i = 0; i < count; i++) out[i] = u32();
      return out;
    },
  };
}

/** A random unsigned 32-bit number. */
export function randomU32(random: Random): number {
  const b = random.bytes(4);
  return new DataView(b.buffer, b.byteOffset, 4).getUint32(0, true);
}

/** A random unsigned 64-bit number. */
export function randomU64(random: Random): bigint {
  const b = random.bytes(8);
  return new DataView(b.buffer, b.byteOffset, 8).getBigUint64(0, true);
}
