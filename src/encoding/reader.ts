/**
 * Reads Ceph's little-endian encoding out of one contiguous buffer.
 *
 * The reader keeps a stack of struct ends, so nesting allocates nothing. Reading past an end throws
 * `DecodeError`; no method ever returns `undefined`. Every count is checked against the bytes left
 * before anything is allocated.
 * ceph: src/include/encoding.h (DECODE_START and friends)
 */

/** The peer (or the disk) is at fault: which type, where, why. */
export class DecodeError extends Error {
  constructor(what: string, offset: number, why: string) {
    super(`cannot decode ${what} at byte ${offset}: ${why}`);
    this.name = "DecodeError";
  }
}

/** Deepest nesting of versioned structs we follow; real ones stay below 10. */
const DEPTH_MAX = 64;
const TWO_32 = 0x1_0000_0000;
/** Strings up to this long are decoded by hand: cheaper than a call into C++. */
const SHORT_MAX = 24;

export class Reader {
  readonly buffer: Buffer;
  /** Next byte to read. */
  offset: number;
  /** One past the last byte of the innermost open struct. */
  end: number;
  // A plain array that grows on the first struct: a typed one costs half a microsecond per message.
  readonly #ends: number[] = [];
  readonly #names: string[] = [];
  #depth = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  fail(why: string): DecodeError {
    return new DecodeError(this.#names[this.#depth - 1] ?? "message", this.offset, why);
  }

  /** Moves past `count` bytes and returns where they began. */
  advance(count: number): number {
    const at = this.offset;
    if (count < 0 || at + count > this.end) {
      throw this.fail(`${count} bytes wanted, ${this.end - at} left`);
    }
    this.offset = at + count;
    return at;
  }

  u8(): number {
    const at = this.offset;
    if (at >= this.end) throw this.fail("1 byte wanted, 0 left");
    this.offset = at + 1;
    return this.buffer[at]!;
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.advance(2));
  }

  u32(): number {
    const at = this.advance(4);
    const b = this.buffer;
    return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
  }

  s8(): number {
    return (this.u8() << 24) >> 24;
  }

  s16(): number {
    return this.buffer.readInt16LE(this.advance(2));
  }

  s32(): number {
    return this.u32() | 0;
  }

  f32(): number {
    return this.buffer.readFloatLE(this.advance(4));
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.advance(8));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.advance(8));
  }

  s64(): bigint {
    return this.buffer.readBigInt64LE(this.advance(8));
  }

  /** An unsigned 64-bit value that must fit a number exactly. */
  u64n(): number {
    const at = this.advance(8);
    const lo = this.buffer.readUInt32LE(at);
    const hi = this.buffer.readUInt32LE(at + 4);
    if (hi > 0x1fffff) {
      this.offset = at;
      throw this.fail("value beyond 2^53-1");
    }
    return hi * TWO_32 + lo;
  }

  /** A signed 64-bit value that must fit a number exactly. */
  s64n(): number {
    const at = this.advance(8);
    const lo = this.buffer.readUInt32LE(at);
    const hi = this.buffer.readInt32LE(at + 4);
    // -2^53 itself is out too: it is not a safe integer, so the writer would not take it back.
    if (hi > 0x1fffff || hi < -0x200000 || (hi === -0x200000 && lo === 0)) {
      this.offset = at;
      throw this.fail("value beyond 53 bits");
    }
    return hi * TWO_32 + lo;
  }

  /** `count` bytes as a view of the frame. Copy what outlives the request. */
  view(count: number): Buffer {
    const at = this.advance(count);
    return this.buffer.subarray(at, at + count);
  }

  /** u32 length and that many bytes, as a view. */
  blob(): Buffer {
    return this.view(this.u32());
  }

  /** u32 length and that many bytes as a byte string (see byte-string.ts). */
  str(): string {
    const length = this.u32();
    const at = this.advance(length);
    const b = this.buffer;
    if (length > SHORT_MAX) return b.toString("latin1", at, at + length);
    let s = "";
    for (let i = at; i < at + length; i++) s += String.fromCharCode(b[i]!);
    return s;
  }

  /** A u32 element count, refused if even the smallest elements could not fit in what is left. */
  count(minSize: number): number {
    const n = this.u32();
    if (n * minSize > this.end - this.offset) {
      throw this.fail(`${n} elements claimed, ${this.end - this.offset} bytes left`);
    }
    return n;
  }

  /**
   * Opens a versioned struct: u8 version, u8 compat, u32 length.
   * @param supported the newest version we understand; a struct whose compat is above it is refused
   * @returns the version it was written at
   */
  begin(name: string, supported: number): number {
    if (this.#depth === DEPTH_MAX) throw this.fail("nested too deeply");
    this.#names[this.#depth] = name;
    this.#ends[this.#depth++] = this.end;
    const v = this.u8();
    const compat = this.u8();
    const length = this.u32();
    if (compat > supported) {
      throw this.fail(`version ${v} needs a decoder of ${compat}, this one is ${supported}`);
    }
    if (length > this.end - this.offset) {
      throw this.fail(`struct of ${length} bytes, ${this.end - this.offset} left`);
    }
    this.end = this.offset + length;
    return v;
  }

  /** Closes the innermost struct, skipping a tail that a newer writer added. */
  finish(): void {
    this.offset = this.end;
    this.end = this.#ends[--this.#depth]!;
  }
}
