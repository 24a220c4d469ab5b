/**
 * The object map's bytes: two bits of state for every object of an image, with checksums.
 *
 *   u32 14; hdr(1,1) {u64 objects}
 *   states, four to a byte, the first in the high bits
 *   u32 footer length; u32 crc of the 14 header bytes; u32 n; n times u32 crc of a 4096-byte block
 *
 * All crcs are crc32c seeded 0. The footer may be empty (length 0): then nothing is checked, as in the
 * answer of object_map_load. Bits of the last byte beyond the count are whatever they were.
 * ceph: src/common/bit_vector.hpp
 */

import {
  type Codec,
  crc32c,
  DecodeError,
  type Reader,
  type Writer,
} from "../../../encoding/index.ts";

/** Bytes before the states. */
export const HEADER_BYTES = 18;
const HEADER_STRUCT_BYTES = 14;
/** Bytes under one crc. */
export const BLOCK_BYTES = 4096;
export const STATES_PER_BYTE = 4;
/** Footer length, header crc and crc count come before the block crcs. */
export const FOOTER_PREFIX_BYTES = 12;

export interface BitVector {
  /** Objects. */
  size: number;
  /** ceil(size / 4) bytes, owned by the holder. */
  data: Buffer;
  /** Write a footer with crcs? */
  crcEnabled: boolean;
}

export function emptyBitVector(): BitVector {
  return { size: 0, data: Buffer.alloc(0), crcEnabled: true };
}

/** Bytes that hold the states of so many objects. */
export function dataBytes(size: number): number {
  return Math.ceil(size / STATES_PER_BYTE);
}

export function stateAt(v: BitVector, index: number): number {
  return ((v.data[index >>> 2] ?? 0) >>> (6 - 2 * (index & 3))) & 3;
}

/** A map of states that are a byte each. */
export function bitVectorOf(states: Uint8Array): BitVector {
  const data = Buffer.alloc(dataBytes(states.length));
  for (const [index, state] of states.entries()) {
    const at = index >>> 2;
    data[at] = (data[at] ?? 0) | ((state & 3) << (6 - 2 * (index & 3)));
  }
  return { size: states.length, data, crcEnabled: true };
}

/** The states of the first `count` objects, a byte each. @param count at most the map's size */
export function statesOf(v: BitVector, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => stateAt(v, index));
}

/** Room for another count of objects; new ones read as state 0 or as old leftover bits. */
export function resizeBitVector(v: BitVector, size: number): void {
  const bytes = dataBytes(size);
  if (bytes > v.data.length) {
    const grown = Buffer.alloc(bytes);
    v.data.copy(grown);
    v.data = grown;
  } else {
    v.data = v.data.subarray(0, bytes);
  }
  v.size = size;
}

/** The byte whose four states are those of `byte`, each sent through `next`. */
export function stateTable(next: (state: number) => number): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let out = 0;
    for (let shift = 6; shift >= 0; shift -= 2) out |= (next((byte >>> shift) & 3) & 3) << shift;
    table[byte] = out;
  }
  return table;
}

/** The bits of states [from, to) of one byte, 0 <= from <= to <= 4. */
function maskOf(from: number, to: number): number {
  return (0xff >>> (2 * from)) & (0xff << (8 - 2 * to)) & 0xff;
}

/**
 * Sends the states [start, end) through a table; `data` begins with the byte of state `base`.
 * @returns whether any changed
 */
export function applyTable(
  data: Uint8Array,
  range: { base: number; start: number; end: number },
  table: Uint8Array,
): boolean {
  const start = range.start - range.base;
  const end = range.end - range.base;
  let changed = 0;
  for (let i = start >>> 2; i * STATES_PER_BYTE < end; i++) {
    const first = i * STATES_PER_BYTE;
    const mask = maskOf(Math.max(0, start - first), Math.min(STATES_PER_BYTE, end - first));
    const before = data[i] ?? 0;
    const after = (before & ~mask) | ((table[before] ?? 0) & mask);
    changed |= before ^ after;
    data[i] = after;
  }
  return changed !== 0;
}

/** Are all the states [start, end) this one? No state is above 3. */
export function isUniform(v: BitVector, start: number, end: number, state: number): boolean {
  if (start >= end) return true;
  if (state > 3) return false;
  const pattern = state * 0b01010101;
  for (let i = start >>> 2; i * STATES_PER_BYTE < end; i++) {
    const first = i * STATES_PER_BYTE;
    const mask = maskOf(Math.max(0, start - first), Math.min(STATES_PER_BYTE, end - first));
    if ((((v.data[i] ?? 0) ^ pattern) & mask) !== 0) return false;
  }
  return true;
}

/** crc of one block, `data` being its bytes. */
export function blockCrc(data: Uint8Array, start = 0, end = data.length): number {
  return crc32c(0, data, start, end);
}

export function blockCount(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES);
}

function encode(w: Writer, x: BitVector): void {
  w.u32(HEADER_STRUCT_BYTES);
  const at = w.length;
  const mark = w.begin(1, 1);
  w.u64n(x.size);
  w.end(mark);
  const headerCrc = crc32c(0, w.buffer, at, at + HEADER_STRUCT_BYTES);
  w.bytes(x.data);
  if (!x.crcEnabled) {
    w.u32(0);
    return;
  }
  const blocks = blockCount(x.data.length);
  w.u32(8 + 4 * blocks);
  w.u32(headerCrc);
  w.u32(blocks);
  for (let i = 0; i < blocks; i++) {
    const from = i * BLOCK_BYTES;
    w.u32(blockCrc(x.data, from, Math.min(from + BLOCK_BYTES, x.data.length)));
  }
}

/** Reads the 18 bytes before the states: how many objects, and the crc of the header. */
export function decodeHeader(r: Reader): { size: number; crc: number } {
  const header = r.u32();
  const at = r.offset;
  if (header > r.remaining) throw r.fail(`header of ${header} bytes, ${r.remaining} left`);
  r.begin("BitVector", 1);
  const size = r.u64n();
  r.finish();
  if (r.offset > at + header) throw r.fail("header longer than it says");
  r.offset = at + header;
  return { size, crc: crc32c(0, r.buffer, at, at + header) };
}

function checkFooter(footer: Buffer, data: Uint8Array, headerCrc: number): void {
  const bad = (why: string) => new DecodeError("BitVector", 0, why);
  if (footer.length < 8) throw bad("footer cut short");
  if (footer.readUInt32LE(0) !== headerCrc) throw bad("header crc");
  const blocks = blockCount(data.length);
  if (footer.length !== 8 + 4 * blocks) throw bad(`footer not of ${blocks} blocks`);
  for (let i = 0; i < blocks; i++) {
    const from = i * BLOCK_BYTES;
    const crc = blockCrc(data, from, Math.min(from + BLOCK_BYTES, data.length));
    if (footer.readUInt32LE(8 + 4 * i) !== crc) throw bad(`crc of block ${i}`);
  }
}

/** BitVector<2>. Decoding copies the states: the vector may be changed and kept. */
export const BitVectorCodec: Codec<BitVector> = {
  name: "ceph::BitVector<2>",
  minSize: HEADER_BYTES + 4,
  encode,
  decode(r) {
    const { size, crc } = decodeHeader(r);
    const data = Buffer.from(r.view(dataBytes(size)));
    const footer = r.blob();
    if (footer.length > 0) checkFooter(footer, data, crc);
    return { size, data, crcEnabled: footer.length > 0 };
  },
};
