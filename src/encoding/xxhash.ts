/**
 * xxHash in its 32 and 64 bit forms, as a checksum op asks for them.
 * ceph: src/common/Checksummer.h; the algorithm: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 *
 * Nothing on a hot path asks for these, but a client may ask for one of every byte of an object: numbers of 64 bits are
 * two of 32, not bigints, and nothing is allocated for a hash.
 */

import type { Writer } from "./writer.ts";

const [P1, P2, P3, P4, P5] = [
  0x9e3779b1 | 0,
  0x85ebca77 | 0,
  0xc2b2ae3d | 0,
  0x27d4eb2f,
  0x165667b1,
] as const;

function rotate32(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function u32At(data: Uint8Array, at: number): number {
  return data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
}

function round32(lane: number, input: number): number {
  return Math.imul(rotate32((lane + Math.imul(input, P2)) | 0, 13), P1);
}

/** Of `data[start, end)`. */
export function xxhash32(
  seed: number,
  data: Uint8Array,
  start = 0,
  end: number = data.length,
): number {
  let at = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (seed + P1 + P2) | 0;
    let b = (seed + P2) | 0;
    let c = seed | 0;
    let d = (seed - P1) | 0;
    for (; at + 16 <= end; at += 16) {
      a = round32(a, u32At(data, at));
      b = round32(b, u32At(data, at + 4));
      c = round32(c, u32At(data, at + 8));
      d = round32(d, u32At(data, at + 12));
    }
    hash = (rotate32(a, 1) + rotate32(b, 7) + rotate32(c, 12) + rotate32(d, 18)) | 0;
  } else {
    hash = (seed + P5) | 0;
  }
  hash = (hash + end - start) | 0;
  for (; at + 4 <= end; at += 4) {
    hash = (hash + Math.imul(u32At(data, at), P3)) | 0;
    hash = Math.imul(rotate32(hash, 17), P4);
  }
  for (; at < end; at++) {
    hash = (hash + Math.imul(data[at]!, P5)) | 0;
    hash = Math.imul(rotate32(hash, 11), P1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A prime of the 64 bit form: low and high half. */
type Prime = readonly [low: number, high: number];
const Q1: Prime = [0x85ebca87 | 0, 0x9e3779b1 | 0];
const Q2: Prime = [0x27d4eb4f, 0xc2b2ae3d | 0];
const Q3: Prime = [0x9e3779f9 | 0, 0x165667b1];
const Q4: Prime = [0xc2b2ae63 | 0, 0x85ebca77 | 0];
const Q5: Prime = [0x165667c5, 0x27d4eb2f];

/** The 64 bits that the functions below work on. */
let low = 0;
let high = 0;

function add64(otherLow: number, otherHigh: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0);
  low = sum | 0;
  high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
}

function multiply64(otherLow: number, otherHigh: number): void {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = otherLow & 0xffff;
  const b1 = otherLow >>> 16;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const carried = a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16);
  high = (carried + Math.imul(low, otherHigh) + Math.imul(high, otherLow)) | 0;
  low = (middle << 16) | (p00 & 0xffff);
}

/** By less than 32 bits. */
function rotate64(bits: number): void {
  const before = low;
  low = (low << bits) | (high >>> (32 - bits));
  high = (high << bits) | (before >>> (32 - bits));
}

/** What becomes of a lane with the next eight bytes. */
function round64(laneLow: number, laneHigh: number, inputLow: number, inputHigh: number): void {
  low = inputLow;
  high = inputHigh;
  multiply64(Q2[0], Q2[1]);
  add64(laneLow, laneHigh);
  rotate64(31);
  multiply64(Q1[0], Q1[1]);
}

/** Four lanes, the low half of each before its high one. */
const LANES = new Int32Array(8);
const LANE_TURNS = [1, 7, 12, 18] as const;

function startLane(lane: number, seedLow: number, seedHigh: number, ...primes: Prime[]): void {
  low = seedLow;
  high = seedHigh;
  for (const prime of primes) add64(...prime);
  LANES[2 * lane] = low;
  LANES[2 * lane + 1] = high;
}

/** All of `data[start, end)` that comes in blocks of 32 bytes. @returns where the rest begins */
function hashBlocks(
  seedLow: number,
  seedHigh: number,
  data: Uint8Array,
  start: number,
  end: number,
): number {
  const minusQ1: Prime = [-Q1[0], ~Q1[1]];
  startLane(0, seedLow, seedHigh, Q1, Q2);
  startLane(1, seedLow, seedHigh, Q2);
  startLane(2, seedLow, seedHigh);
  startLane(3, seedLow, seedHigh, minusQ1);
  let at = start;
  for (; at + 32 <= end; at += 32) {
    for (let i = 0; i < 8; i += 2) {
      round64(LANES[i]!, LANES[i + 1]!, u32At(data, at + 4 * i), u32At(data, at + 4 * i + 4));
      LANES[i] = low;
      LANES[i + 1] = high;
    }
  }
  let sumLow = 0;
  let sumHigh = 0;
  for (let lane = 0; lane < 4; lane++) {
    low = LANES[2 * lane]!;
    high = LANES[2 * lane + 1]!;
    rotate64(LANE_TURNS[lane]!);
    add64(sumLow, sumHigh);
    sumLow = low;
    sumHigh = high;
  }
  for (let i = 0; i < 8; i += 2) {
    round64(0, 0, LANES[i]!, LANES[i + 1]!);
    low ^= sumLow;
    high ^= sumHigh;
    multiply64(Q1[0], Q1[1]);
    add64(...Q4);
    sumLow = low;
    sumHigh = high;
  }
  return at;
}

/** The hash of `data[start, end)`, in `low` and `high`. */
function hash64(
  seedLow: number,
  seedHigh: number,
  data: Uint8Array,
  start: number,
  end: number,
): void {
  let at = start;
  if (end - start >= 32) {
    at = hashBlocks(seedLow, seedHigh, data, start, end);
  } else {
    low = seedLow;
    high = seedHigh;
    add64(Q5[0], Q5[1]);
  }
  add64(end - start, 0);
  for (; at + 8 <= end; at += 8) {
    const [hashLow, hashHigh] = [low, high];
    round64(0, 0, u32At(data, at), u32At(data, at + 4));
    low ^= hashLow;
    high ^= hashHigh;
    rotate64(27);
    multiply64(Q1[0], Q1[1]);
    add64(Q4[0], Q4[1]);
  }
  if (at + 4 <= end) {
    mix(u32At(data, at), Q1);
    rotate64(23);
    multiply64(Q2[0], Q2[1]);
    add64(Q3[0], Q3[1]);
    at += 4;
  }
  for (; at < end; at++) {
    mix(data[at]!, Q5);
    rotate64(11);
    multiply64(Q1[0], Q1[1]);
  }
  low ^= high >>> 1;
  multiply64(Q2[0], Q2[1]);
  low ^= (low >>> 29) | (high << 3);
  high ^= high >>> 29;
  multiply64(Q3[0], Q3[1]);
  low ^= high;
}

/** Puts a product of 32 bits by a prime into the hash. */
function mix(input: number, prime: Prime): void {
  const hashLow = low;
  const hashHigh = high;
  low = input;
  high = 0;
  multiply64(prime[0], prime[1]);
  low ^= hashLow;
  high ^= hashHigh;
}

export function xxhash64(seed: bigint, data: Uint8Array): bigint {
  const half = (bits: bigint) => Number(BigInt.asIntN(32, bits));
  hash64(half(seed), half(seed >> 32n), data, 0, data.length);
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Writes that of `data[start, end)`. */
export function writeXxhash64(
  w: Writer,
  seedLow: number,
  seedHigh: number,
  data: Uint8Array,
  start: number,
  end: number,
): void {
  hash64(seedLow, seedHigh, data, start, end);
  w.u32(low >>> 0);
  w.u32(high >>> 0);
}
