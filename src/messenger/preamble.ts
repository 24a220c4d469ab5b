/**
 * The first 32 bytes of every msgr2.1 frame, and the bounds on what they may announce.
 *
 *      0  u8   tag
 *      1  u8   segments used, 1-4; trailing empty ones are not counted
 *      2  4 x { u32 length, u16 alignment }; zeros where unused
 *     26  u8   flags, 0
 *     27  u8   reserved, 0
 *     28  u32  crc32c, seed 0, of bytes 0-27
 *
 * The crc is checked before a length is believed, and a length is bounded before anything is allocated.
 * ceph: src/msg/async/frames_v2.h (preamble_block_t, Tag)
 */

import { crc32c, DecodeError } from "../encoding/index.ts";
import {
  AUTH_FRAME_BYTES_MAX,
  CONTROL_BYTES_MAX,
  DATA_BYTES_MAX,
  FRONT_BYTES_MAX,
  MIDDLE_BYTES_MAX,
} from "./limits.ts";

export const TAG = {
  HELLO: 1,
  AUTH_REQUEST: 2,
  AUTH_BAD_METHOD: 3,
  AUTH_REPLY_MORE: 4,
  AUTH_REQUEST_MORE: 5,
  AUTH_DONE: 6,
  AUTH_SIGNATURE: 7,
  CLIENT_IDENT: 8,
  SERVER_IDENT: 9,
  IDENT_MISSING_FEATURES: 10,
  SESSION_RECONNECT: 11,
  SESSION_RESET: 12,
  SESSION_RETRY: 13,
  SESSION_RETRY_GLOBAL: 14,
  SESSION_RECONNECT_OK: 15,
  WAIT: 16,
  MESSAGE: 17,
  KEEPALIVE2: 18,
  KEEPALIVE2_ACK: 19,
  ACK: 20,
} as const;
export type Tag = (typeof TAG)[keyof typeof TAG];

const TAG_NAMES = new Map<number, string>(
  Object.entries(TAG).map(([name, number]) => [number, name]),
);

export function tagName(tag: number): string {
  return TAG_NAMES.get(tag) ?? `tag ${tag}`;
}

export const PREAMBLE_SIZE = 32;
export const SEGMENTS_MAX = 4;
/** Size of the message header, the first segment of a message (message-header.ts). */
export const HEADER2_SIZE = 41;

const CRC_AT = 28;
/** Alignments a receiver is asked for: 8, and a page for a message's data. */
const ALIGNMENTS = [8, 8, 8, 4096];

/** Segment bounds of a message: header, front, middle, data. */
const MESSAGE_BYTES_MAX = [HEADER2_SIZE, FRONT_BYTES_MAX, MIDDLE_BYTES_MAX, DATA_BYTES_MAX];
const AUTH_TAGS: ReadonlySet<number> = new Set([
  TAG.AUTH_REQUEST,
  TAG.AUTH_REPLY_MORE,
  TAG.AUTH_REQUEST_MORE,
  TAG.AUTH_DONE,
]);

/** What a preamble announces. One object per parser, filled again for each frame. */
export interface Preamble {
  tag: number;
  /** Segments used. */
  count: number;
  /** Bytes of each segment; 0 where unused. */
  readonly lengths: Uint32Array;
}

export function createPreamble(): Preamble {
  return { tag: 0, count: 0, lengths: new Uint32Array(SEGMENTS_MAX) };
}

/** Writes a preamble to `buffer` at `at`; unused segments have length 0. */
export function writePreamble(
  buffer: Buffer,
  at: number,
  tag: number,
  count: number,
  lengths: ArrayLike<number>,
): void {
  buffer[at] = tag;
  buffer[at + 1] = count;
  for (let i = 0; i < SEGMENTS_MAX; i++) {
    const used = i < count;
    buffer.writeUInt32LE(used ? lengths[i]! : 0, at + 2 + i * 6);
    buffer.writeUInt16LE(used ? ALIGNMENTS[i]! : 0, at + 6 + i * 6);
  }
  buffer[at + 26] = 0;
  buffer[at + 27] = 0;
  buffer.writeUInt32LE(crc32c(0, buffer, at, at + CRC_AT), at + CRC_AT);
}

/**
 * Reads and checks the preamble at `at` of `bytes` into `into`.
 * @throws DecodeError on a bad crc, shape, unknown tag or a length over its bound
 */
export function readPreamble(bytes: Buffer, at: number, into: Preamble): void {
  const bad = (offset: number, why: string) => new DecodeError("frame preamble", offset, why);
  const crc = crc32c(0, bytes, at, at + CRC_AT);
  if (crc !== bytes.readUInt32LE(at + CRC_AT)) throw bad(CRC_AT, "checksum mismatch");
  const tag = bytes[at]!;
  const count = bytes[at + 1]!;
  if (!TAG_NAMES.has(tag)) throw bad(0, `unknown tag ${tag}`);
  if (count < 1 || count > SEGMENTS_MAX) throw bad(1, `${count} segments`);
  const isMessage = tag === TAG.MESSAGE;
  if (!isMessage && count !== 1) throw bad(1, `${tagName(tag)} of ${count} segments`);
  for (let i = 0; i < SEGMENTS_MAX; i++) {
    const length = i < count ? bytes.readUInt32LE(at + 2 + i * 6) : 0;
    const max = isMessage
      ? MESSAGE_BYTES_MAX[i]!
      : AUTH_TAGS.has(tag)
        ? AUTH_FRAME_BYTES_MAX
        : CONTROL_BYTES_MAX;
    if (length > max) {
      throw bad(2 + i * 6, `${tagName(tag)} segment ${i} of ${length} bytes, at most ${max}`);
    }
    into.lengths[i] = length;
  }
  if (isMessage && into.lengths[0] !== HEADER2_SIZE) {
    throw bad(2, `message header of ${into.lengths[0]} bytes`);
  }
  if (count > 1 && into.lengths[count - 1] === 0) throw bad(1, "last segment is empty");
  into.tag = tag;
  into.count = count;
}
