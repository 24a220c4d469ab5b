/**
 * Writes Ceph's little-endian encoding into one growing buffer.
 *
 * `finish()` hands the bytes over; a Writer is used once, or `reset()` and used again by its owner.
 * Large payloads do not pass through here: they travel as BufferList beside the encoded part.
 * ceph: src/include/encoding.h (ENCODE_START and friends)
 */

import { AssertionError, assert } from "../base/index.ts";
import { isByteString } from "./byte-string.ts";

const TWO_32 = 0x1_0000_0000;
const INITIAL_SIZE = 256;
/** Strings up to this long are written by hand: cheaper than a call into C++. */
const SHORT_MAX = 96;

// Made only when it is thrown: a message on every call would cost more than the number.
function outOfRange(type: string, x: number): AssertionError {
  return new AssertionError(`${type} out of range: ${x}`);
}

export class Writer {
  buffer: Buffer;
  /** Bytes written so far. */
  length = 0;

  constructor(size: number = INITIAL_SIZE) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  /** Makes room for `count` more bytes and returns where they begin; the caller fills them. */
  reserve(count: number): number {
    const at = this.length;
    const need = at + count;
    if (need > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, this.buffer.length * 2));
      this.buffer.copy(grown, 0, 0, at);
      this.buffer = grown;
    }
    this.length = need;
    return at;
  }

  u8(x: number): void {
    const at = this.reserve(1);
    this.buffer[at] = x;
  }

  bool(x: boolean): void {
    this.u8(x ? 1 : 0);
  }

  u16(x: number): void {
    const at = this.reserve(2);
    this.buffer.writeUInt16LE(x, at);
  }

  u32(x: number): void {
    const at = this.reserve(4);
    const b = this.buffer;
    b[at] = x;
    b[at + 1] = x >>> 8;
    b[at + 2] = x >>> 16;
    b[at + 3] = x >>> 24;
  }

  s8(x: number): void {
    this.u8(x & 0xff);
  }

  s16(x: number): void {
    this.u16(x & 0xffff);
  }

  s32(x: number): void {
    this.u32(x >>> 0);
  }

  f32(x: number): void {
    const at = this.reserve(4);
    this.buffer.writeFloatLE(x, at);
  }

  f64(x: number): void {
    const at = this.reserve(8);
    this.buffer.writeDoubleLE(x, at);
  }

  u64(x: bigint): void {
    const at = this.reserve(8);
    this.buffer.writeBigUInt64LE(x, at);
  }

  s64(x: bigint): void {
    const at = this.reserve(8);
    this.buffer.writeBigInt64LE(x, at);
  }

  u64n(x: number): void {
    if (!(Number.isSafeInteger(x) && x >= 0)) throw outOfRange("u64", x);
    this.u32(x % TWO_32);
    this.u32(Math.floor(x / TWO_32));
  }

  s64n(x: number): void {
    if (!Number.isSafeInteger(x)) throw outOfRange("s64", x);
    const hi = Math.floor(x / TWO_32);
    this.u32(x - hi * TWO_32);
    this.u32(hi >>> 0);
  }

  /** Raw bytes, no length. */
  bytes(x: Uint8Array): void {
    const at = this.reserve(x.length);
    this.buffer.set(x, at);
  }

  /** `count` zero bytes. */
  zeros(count: number): void {
    const at = this.reserve(count);
    this.buffer.fill(0, at, at + count);
  }

  /** u32 length and the bytes. */
  blob(x: Uint8Array): void {
    this.u32(x.length);
    this.bytes(x);
  }

  /** u32 length and a byte string (see byte-string.ts). */
  str(x: string): void {
    this.u32(x.length);
    this.chars(x);
  }

  /** A byte string, no length. */
  chars(x: string): void {
    const n = x.length;
    const at = this.reserve(n);
    const b = this.buffer;
    if (n > SHORT_MAX) {
      assert(isByteString(x), "text where a byte string belongs");
      b.write(x, at, n, "latin1");
      return;
    }
    for (let i = 0; i < n; i++) {
      const c = x.charCodeAt(i);
      assert(c <= 0xff, "text where a byte string belongs");
      b[at + i] = c;
    }
  }

  /**
   * Opens a versioned struct.
   * @returns the mark to give to `end`
   */
  begin(v: number, compat: number): number {
    const at = this.reserve(6);
    this.buffer[at] = v;
    this.buffer[at + 1] = compat;
    return at;
  }

  /** Closes the struct opened at `mark` by filling in its length. */
  end(mark: number): void {
    this.buffer.writeUInt32LE(this.length - mark - 6, mark + 2);
  }

  /** The bytes written, as a view of the writer's buffer: the writer is done. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Starts over in the same memory. Only for an owner who has copied or sent what was there. */
  reset(): void {
    this.length = 0;
  }
}
