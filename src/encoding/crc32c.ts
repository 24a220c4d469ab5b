/**
 * CRC-32C (Castagnoli) with Ceph's convention: the caller gives the running register, nothing is inverted
 * at either end. Frames seed with 0 or 0xffffffff, object maps with 0, full maps with 0xffffffff.
 *
 * Short inputs stay in JavaScript (a native call costs about 100 ns); longer ones use the processor's
 * instruction through @node-rs/crc32 where its prebuilt module loads, and the tables where it does not.
 * ceph: src/include/crc32c.h, src/common/sctp_crc32.c
 */

import { createRequire } from "node:module";

const POLYNOMIAL = 0x82f63b78; // reflected

/** Slicing-by-8 tables, one after the other. */
const TABLE = new Uint32Array(8 * 256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
  TABLE[n] = c >>> 0;
}
for (let n = 0; n < 256; n++) {
  let c = TABLE[n]!;
  for (let t = 1; t < 8; t++) {
    c = (TABLE[c & 0xff]! ^ (c >>> 8)) >>> 0;
    TABLE[t * 256 + n] = c;
  }
}

/** Bytes below which the tables beat a native call. */
const NATIVE_MIN = 256;

type NativeCrc32c = (input: Uint8Array, initial?: number) => number;

/** The native routine inverts its register at both ends; undefined where there is no prebuilt module. */
const native: NativeCrc32c | undefined = (() => {
  try {
    const require = createRequire(import.meta.url);
    return (require("@node-rs/crc32") as { crc32c: NativeCrc32c }).crc32c;
  } catch {
    return undefined; // no prebuild for this platform: the tables give the same answer, slower
  }
})();

/** Table-driven CRC; the reference the native one is tested against. */
export function crc32cTable(seed: number, data: Uint8Array, start = 0, end = data.length): number {
  let c = seed >>> 0;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const lo = c ^ (data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24));
    c =
      TABLE[1792 + (lo & 0xff)]! ^
      TABLE[1536 + ((lo >>> 8) & 0xff)]! ^
      TABLE[1280 + ((lo >>> 16) & 0xff)]! ^
      TABLE[1024 + (lo >>> 24)]! ^
      TABLE[768 + data[i + 4]!]! ^
      TABLE[512 + data[i + 5]!]! ^
      TABLE[256 + data[i + 6]!]! ^
      TABLE[data[i + 7]!]!;
  }
  for (; i < end; i++) c = TABLE[(c ^ data[i]!) & 0xff]! ^ (c >>> 8);
  return c >>> 0;
}

/**
 * Continues `seed` over `data[start, end)`.
 * @returns the register as an unsigned 32-bit number
 */
export function crc32c(seed: number, data: Uint8Array, start = 0, end = data.length): number {
  if (native === undefined || end - start < NATIVE_MIN) return crc32cTable(seed, data, start, end);
  const view = start === 0 && end === data.length ? data : data.subarray(start, end);
  return ~native(view, ~seed >>> 0) >>> 0;
}

/** Multiplies two polynomials mod the CRC's, both reflected, as in zlib's combine. */
function multiply(a: number, b: number): number {
  let product = 0;
  let x = b >>> 0;
  for (let m = 0x80000000; m !== 0; m >>>= 1) {
    if (a & m) product ^= x;
    x = x & 1 ? (x >>> 1) ^ POLYNOMIAL : x >>> 1;
  }
  return product >>> 0;
}

/** x^(8 * 2^k) for k = 0, 1, … */
const POWERS: number[] = [0x00800000];
for (let k = 1; k < 48; k++) POWERS.push(multiply(POWERS[k - 1]!, POWERS[k - 1]!));

/** `crc32cZeros` for one length, by table: for sums over many pieces of the same size. */
export class ZerosShift {
  readonly #table = new Uint32Array(4 * 256);

  /** @param length bytes */
  constructor(length: number) {
    for (let byte = 0; byte < 4; byte++) {
      for (let n = 0; n < 256; n++) {
        this.#table[byte * 256 + n] = crc32cZeros((n << (8 * byte)) >>> 0, length);
      }
    }
  }

  /** The register after `length` zero bytes. */
  over(seed: number): number {
    const t = this.#table;
    return (
      (t[seed & 0xff]! ^
        t[256 + ((seed >>> 8) & 0xff)]! ^
        t[512 + ((seed >>> 16) & 0xff)]! ^
        t[768 + (seed >>> 24)]!) >>>
      0
    );
  }
}

/** The register after `length` zero bytes. */
export function crc32cZeros(seed: number, length: number): number {
  let c = seed >>> 0;
  let n = length;
  for (let k = 0; n > 0; k++, n = Math.floor(n / 2)) if (n % 2 === 1) c = multiply(POWERS[k]!, c);
  return c;
}

/**
 * The register over A||B from the register over A, the register over B **seeded 0**, and B's length: a
 * reply's checksum from checksums at rest, without touching the data.
 */
export function crc32cCombine(crcA: number, crcBSeed0: number, lengthB: number): number {
  return (crc32cZeros(crcA, lengthB) ^ crcBSeed0) >>> 0;
}

/** Bytes of a block whose checksum is kept: what a store checks data by. */
export const SUM_BLOCK = 4096;
const overBlock = new ZerosShift(SUM_BLOCK);

/**
 * Continues `seed` over `data[start, end)`, and appends the checksum (seed 0) of each of its whole 4 KiB from
 * `start` to `sums`: one pass over the bytes for two who want to know.
 */
export function crc32cWithSums(
  seed: number,
  data: Uint8Array,
  start: number,
  end: number,
  sums: number[],
): number {
  let crc = seed;
  let at = start;
  for (; at + SUM_BLOCK <= end; at += SUM_BLOCK) {
    const sum = crc32c(0, data, at, at + SUM_BLOCK);
    sums.push(sum);
    crc = (overBlock.over(crc) ^ sum) >>> 0;
  }
  return crc32c(crc, data, at, end);
}
