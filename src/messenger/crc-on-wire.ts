/**
 * The crc mode of msgr2.1: plain bytes with checksums against the network's mistakes.
 *
 *     preamble (32)  segment 0  u32 crc if it is not empty
 *     and with more than one segment:
 *     segments 1-3   u8 late status, 3 x u32 crc of segments 1-3
 *
 * Checksums are crc32c seeded 0xffffffff; an empty segment in use has 0xffffffff, an unused one 0.
 * Stateless: one value serves every connection.
 * ceph: src/msg/async/frames_v2.cc (asm_crc_rev1)
 */

import {
  type BufferList,
  crc32c,
  crc32cWithSums,
  DecodeError,
  listLength,
} from "../encoding/index.ts";
import type { OnWire } from "./on-wire.ts";
import type { OutQueue } from "./out-queue.ts";
import { PREAMBLE_SIZE, type Preamble, readPreamble, writePreamble } from "./preamble.ts";

const SEED = 0xffff_ffff;
const CRC_SIZE = 4;
const EPILOGUE_SIZE = 13;
/** The segment of a message's data. */
const DATA = 3;
/** Low nibble of the late status. Only the kernel client ever aborts a frame. */
const LATE_STATUS = { ABORTED: 0x1, COMPLETE: 0xe, MASK: 0xf } as const;

/** Reads a late status byte: true if the frame is complete, false if its sender gave it up. */
export function isComplete(lateStatus: number): boolean {
  const status = lateStatus & LATE_STATUS.MASK;
  if (status === LATE_STATUS.COMPLETE) return true;
  if (status === LATE_STATUS.ABORTED) return false;
  throw new DecodeError("frame epilogue", 0, `late status ${lateStatus}`);
}

export const LATE_STATUS_COMPLETE: number = LATE_STATUS.COMPLETE;

/** Segments in use when those at the end that are empty are left out; segment 0 always counts. */
export function usedSegments(rest: readonly BufferList[]): number {
  let count = rest.length + 1;
  while (count > 1 && listLength(rest[count - 2]!) === 0) count--;
  return count;
}

/** @param sums of the blocks of a segment of data */
function checkCrc(
  segment: number,
  expected: number,
  bytes: Buffer,
  start: number,
  end: number,
  sums?: number[],
) {
  const crc =
    sums === undefined
      ? crc32c(SEED, bytes, start, end)
      : crc32cWithSums(SEED, bytes, start, end, sums);
  if (crc !== expected) {
    throw new DecodeError(`frame segment ${segment}`, end - start, "checksum mismatch");
  }
}

function checkInPlace(
  bytes: Buffer,
  start: number,
  { count, lengths }: Preamble,
  sums: number[],
): boolean {
  const at = start + PREAMBLE_SIZE;
  if (count > 1) {
    const firstSize = lengths[0]! > 0 ? lengths[0]! + CRC_SIZE : 0;
    const epilogueAt = at + firstSize + lengths[1]! + lengths[2]! + lengths[3]!;
    // An aborted frame's segments are filler: only its status is meant.
    if (!isComplete(bytes[epilogueAt]!)) return false;
    let from = at + firstSize;
    for (let i = 1; i < count; i++) {
      const expected = bytes.readUInt32LE(epilogueAt + 1 + (i - 1) * CRC_SIZE);
      checkCrc(i, expected, bytes, from, from + lengths[i]!, i === DATA ? sums : undefined);
      from += lengths[i]!;
    }
  }
  const end = at + lengths[0]!;
  if (end > at) checkCrc(0, bytes.readUInt32LE(end), bytes, at, end);
  return true;
}

function seal(
  out: OutQueue,
  tag: number,
  first: Uint8Array,
  rest: readonly BufferList[],
  lastCrc?: number,
): void {
  const count = usedSegments(rest);
  const lengths = [first.length, 0, 0, 0];
  for (let i = 1; i < count; i++) lengths[i] = listLength(rest[i - 1]!);
  const start = out.reserve(PREAMBLE_SIZE + (first.length > 0 ? first.length + CRC_SIZE : 0));
  writePreamble(out.slab, start, tag, count, lengths);
  if (first.length > 0) {
    out.slab.set(first, start + PREAMBLE_SIZE);
    const crcAt = start + PREAMBLE_SIZE + first.length;
    out.slab.writeUInt32LE(crc32c(SEED, first), crcAt);
  }
  if (count === 1) return;
  const crcs = [0, 0, 0];
  for (let i = 1; i < count; i++) {
    let crc = SEED;
    const known = i === DATA ? lastCrc : undefined;
    for (const chunk of rest[i - 1]!) {
      if (known === undefined) crc = crc32c(crc, chunk);
      out.push(chunk);
    }
    crcs[i - 1] = known ?? crc;
  }
  const at = out.reserve(EPILOGUE_SIZE);
  out.slab[at] = LATE_STATUS.COMPLETE;
  for (let i = 0; i < 3; i++) out.slab.writeUInt32LE(crcs[i]!, at + 1 + i * CRC_SIZE);
}

export const crcOnWire: OnWire = {
  headSize: PREAMBLE_SIZE,
  tailSize: EPILOGUE_SIZE,
  firstSize: (length) => (length > 0 ? length + CRC_SIZE : 0),
  segmentSize: (length) => length,
  openHead: readPreamble,
  checkInPlace,
  openFirst(piece, length) {
    if (length > 0) checkCrc(0, piece.readUInt32LE(length), piece, 0, length);
    return piece.subarray(0, length);
  },
  openRest(pieces, _lengths, tail, sums) {
    if (!isComplete(tail[0]!)) return false;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]!;
      const expected = tail.readUInt32LE(1 + i * CRC_SIZE);
      checkCrc(i + 1, expected, piece, 0, piece.length, i + 1 === DATA ? sums : undefined);
    }
    return true;
  },
  seal,
};
