/**
 * Files that images and differences between their revisions are kept in.
 *
 *   diff       banner, then records: tag, in version 2 its length, its body; 'e' ends them
 *   'f' from   name of the snapshot that it starts from        string
 *   't' to     name of the snapshot that it leads to           string
 *   'p'        that one is protected (version 2)               u8
 *   's' size   of the image                                    u64
 *   'w' write  where, how much, and the data                   u64 u64 bytes
 *   'z' zero   where, how much                                 u64 u64
 *
 *   image of version 2: banner, records of what it is ('O' order, 'T' features, 'U' stripe unit, 'C' stripe
 *   count, 'M' metadata), 'E'; banner, number of diffs, the diffs of version 2, oldest first
 *
 * Numbers are little-endian; a string is its length, u32, and its bytes.
 * ceph: doc/dev/rbd-diff.rst, doc/dev/rbd-export.rst
 */

import { CephError, ERRNO } from "../../base/index.ts";
import type { Source } from "../client/index.ts";

export const DIFF_BANNER = { 1: "rbd diff v1\n", 2: "rbd diff v2\n" } as const;
export const IMAGE_BANNER = "rbd image v2\n";
export const IMAGE_DIFFS_BANNER = "rbd image diffs v2\n";

export type DiffVersion = 1 | 2;

/** Bytes of data that are in memory at a time. */
export const PIECE_BYTES = 4 * 1024 * 1024;
/** A name that is longer is none. */
export const NAME_MAX = 4096;

/** Reads exactly as much as is asked for, of whatever comes in pieces. */
export class ExactReader {
  readonly #pieces: AsyncGenerator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  /** Bytes that were read. */
  position = 0;

  constructor(source: Source) {
    this.#pieces = source.pieces(1024 * 1024);
  }

  /** @throws CephError EDOM if it ends before */
  async exact(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#held.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) {
          throw new CephError(-ERRNO.EDOM, { op: "read", target: "a file that ends too early" });
        }
        this.#held = next.value;
      }
      const part = this.#held.subarray(0, missing);
      this.#held = this.#held.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    this.position += length;
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; left -= PIECE_BYTES) {
      await this.exact(Math.min(left, PIECE_BYTES));
    }
  }

  async tag(): Promise<string> {
    return (await this.exact(1)).toString("latin1");
  }

  /** @throws CephError EOVERFLOW: more than fits */
  async u64(): Promise<number> {
    const value = Number((await this.exact(8)).readBigUInt64LE());
    if (Number.isSafeInteger(value)) return value;
    throw new CephError(-ERRNO.EOVERFLOW, { op: "read", target: "a number" });
  }

  /** @throws CephError EINVAL: longer than it may be */
  async string(longest: number): Promise<Buffer> {
    const length = (await this.exact(4)).readUInt32LE();
    if (length > longest) throw new CephError(-ERRNO.EINVAL, { op: "read", target: "a string" });
    return await this.exact(length);
  }
}

/** Records on their way into a file. */
export class RecordWriter {
  readonly #version: DiffVersion;
  readonly #parts: Buffer[] = [];

  constructor(version: DiffVersion) {
    this.#version = version;
  }

  text(text: string): this {
    this.#parts.push(Buffer.from(text, "latin1"));
    return this;
  }

  u64(value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.#parts.push(bytes);
    return this;
  }

  u8(value: number): this {
    this.#parts.push(Buffer.of(value));
    return this;
  }

  string(bytes: Buffer): this {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    this.#parts.push(length, bytes);
    return this;
  }

  /** The start of a record. @param length of its body, which only version 2 says */
  tag(tag: string, length: number): this {
    this.text(tag);
    return this.#version === 2 ? this.u64(length) : this;
  }

  /** The start of a range; of data the bytes themselves come behind it. */
  range(tag: "w" | "z", offset: number, length: number): this {
    return this.tag(tag, 16 + (tag === "w" ? length : 0))
      .u64(offset)
      .u64(length);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

export function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, data.length);
    if (ZEROS.compare(data, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}

/** Splits data where it turns from zeros to something else, by units of so many bytes; 0: not at all. */
export function* runsOf(
  data: Buffer,
  unit: number,
): Generator<{ readonly start: number; readonly end: number; readonly isZero: boolean }> {
  const step = unit === 0 ? Math.max(data.length, 1) : unit;
  for (let start = 0; start < data.length; ) {
    const kind = unit > 0 && isZero(data.subarray(start, start + step));
    let end = Math.min(start + step, data.length);
    while (end < data.length && isZero(data.subarray(end, end + step)) === kind) {
      end = Math.min(end + step, data.length);
    }
    yield { start, end, isZero: kind };
    start = end;
  }
}
