/**
 * CRUSH's hash: Robert Jenkins' 32-bit mix over two to four words.
 *
 * The state is kept in module variables, so that mixing allocates nothing; each round names its words
 * by position, as upstream's macro does.
 * ceph: src/crush/hash.c
 */

const SEED = 1315423911;
const X = 231232;
const Y = 1232;

let p = 0;
let q = 0;
let h = 0;

/** One mix of (p, q, h). */
function mix(): void {
  p = ((p - q - h) | 0) ^ (h >>> 13);
  q = ((q - h - p) | 0) ^ (p << 8);
  h = ((h - p - q) | 0) ^ (q >>> 13);
  p = ((p - q - h) | 0) ^ (h >>> 12);
  q = ((q - h - p) | 0) ^ (p << 16);
  h = ((h - p - q) | 0) ^ (q >>> 5);
  p = ((p - q - h) | 0) ^ (h >>> 3);
  q = ((q - h - p) | 0) ^ (p << 10);
  h = ((h - p - q) | 0) ^ (q >>> 15);
}

/** Hash of two words, unsigned. */
export function crushHash32x2(a: number, b: number): number {
  h = SEED ^ a ^ b;
  p = a | 0;
  q = b | 0;
  mix();
  const a1 = p;
  const b1 = q;
  p = X;
  q = a1;
  mix();
  p = b1;
  q = Y;
  mix();
  return h >>> 0;
}

/** Hash of three words, unsigned. */
export function crushHash32x3(a: number, b: number, c: number): number {
  h = SEED ^ a ^ b ^ c;
  p = a | 0;
  q = b | 0;
  mix();
  const a1 = p;
  const b1 = q;
  p = c | 0;
  q = X;
  mix();
  const c1 = p;
  const x1 = q;
  p = Y;
  q = a1;
  mix();
  const y1 = p;
  p = b1;
  q = x1;
  mix();
  p = y1;
  q = c1;
  mix();
  return h >>> 0;
}

/** Hash of four words, unsigned. */
export function crushHash32x4(a: number, b: number, c: number, d: number): number {
  h = SEED ^ a ^ b ^ c ^ d;
  p = a | 0;
  q = b | 0;
  mix();
  const a1 = p;
  const b1 = q;
  p = c | 0;
  q = d | 0;
  mix();
  const c1 = p;
  const d1 = q;
  p = a1;
  q = X;
  mix();
  const x1 = q;
  p = Y;
  q = b1;
  mix();
  const y1 = p;
  p = c1;
  q = x1;
  mix();
  p = y1;
  q = d1;
  mix();
  return h >>> 0;
}
