/**
 * How a frame's segments lie on the wire: the seat of the connection modes.
 *
 * Every frame is a head (preamble, perhaps some of segment 0), the rest of segment 0, the other segments
 * and, if there are any, a tail. A mode says how long each of those is on the wire and how to open and
 * seal them. The parser collects the pieces and knows nothing else, so that the secure mode differs
 * from the crc mode in this interface only.
 * ceph: src/msg/async/frames_v2.cc (FrameAssembler)
 */

import type { BufferList } from "../encoding/index.ts";
import type { OutQueue } from "./out-queue.ts";
import type { Preamble } from "./preamble.ts";

export interface OnWire {
  /** Bytes that begin every frame. */
  readonly headSize: number;
  /** Bytes that end a frame of more than one segment. */
  readonly tailSize: number;
  /** Bytes of segment 0 that follow the head, for a segment of `length`. */
  firstSize(length: number): number;
  /** Bytes on the wire of any other segment of `length`. */
  segmentSize(length: number): number;

  /**
   * Opens the head of `headSize` bytes at `at` and reads its preamble.
   * @throws DecodeError if it is not what the peer sent, or announces what it may not
   */
  openHead(bytes: Buffer, at: number, into: Preamble): void;
  /**
   * Checks a whole frame whose segments lie plainly at `at`, one after the other as `firstSize` and
   * `segmentSize` say. A mode without it has its frames opened piece by piece.
   * @param sums gets the checksums (crc32c, seed 0) of each whole 4 KiB of segment 3
   * @returns false if the sender gave the frame up half-way: it is to be dropped
   * @throws DecodeError if it is not what the peer sent
   */
  checkInPlace?(bytes: Buffer, at: number, preamble: Preamble, sums: number[]): boolean;
  /**
   * Opens segment 0 from the `firstSize(length)` bytes after the head.
   * @throws DecodeError if it is not what the peer sent
   */
  openFirst(piece: Buffer, length: number): Buffer;
  /**
   * Opens the other segments: `pieces[i]` holds segment `i + 1` of `lengths[i + 1]` bytes, and is replaced
   * by its plain bytes. Called only if there is more than one segment.
   * @param sums may get the checksums of each whole 4 KiB of segment 3: all or none
   * @returns false if the sender gave the frame up half-way: it is to be dropped
   * @throws DecodeError if they are not what the peer sent
   */
  openRest(pieces: Buffer[], lengths: ArrayLike<number>, tail: Buffer, sums: number[]): boolean;

  /**
   * Queues one frame. `rest` are segments 1 and up; empty ones at the end are left out.
   * @param lastCrc checksum (seed 0xffffffff) of segment 3 if the sender knows it
   */
  seal(
    out: OutQueue,
    tag: number,
    first: Uint8Array,
    rest: readonly BufferList[],
    lastCrc?: number,
  ): void;
}
