/**
 * ceph_msg_header2, the first segment of a message:
 *
 *      0  u64  seq, from 1, per direction and session
 *      8  u64  tid
 *     16  u16  type
 *     18  u16  priority
 *     20  u16  version
 *     22  u32  data_pre_padding_len, 0
 *     26  u16  data_off: low bits of the offset the data belongs at
 *     28  u64  ack_seq: the sender has handled the receiver's messages up to here
 *     36  u8   flags, always 3
 *     37  u16  compat_version
 *     39  u16  reserved, 0
 *
 * ceph: src/include/msgr.h
 */

import { DecodeError } from "../encoding/index.ts";
import type { OutgoingMessage } from "../types/index.ts";
import { HEADER2_SIZE } from "./preamble.ts";

/** CEPH_MSG_PRIO_DEFAULT */
const PRIORITY_DEFAULT = 127;
/** CEPH_MSG_DATA_CRC-style footer flags (complete, no crc left out): what every sender of 16.2 writes. */
const FLAGS = 3;
const TWO_32 = 0x1_0000_0000;

function readU64(header: Buffer, at: number): number {
  const high = header.readUInt32LE(at + 4);
  if (high > 0x1fffff) throw new DecodeError("ceph_msg_header2", at, "value beyond 2^53-1");
  return high * TWO_32 + header.readUInt32LE(at);
}

function writeU64(header: Buffer, at: number, x: number): void {
  header.writeUInt32LE(x % TWO_32, at);
  header.writeUInt32LE(Math.floor(x / TWO_32), at + 4);
}

/** Fills `header` (41 bytes) for one message. */
export function writeHeader(
  header: Buffer,
  message: OutgoingMessage,
  seq: number,
  ackSeq: number,
): void {
  writeU64(header, 0, seq);
  writeU64(header, 8, message.tid ?? 0);
  header.writeUInt16LE(message.type, 16);
  header.writeUInt16LE(message.priority ?? PRIORITY_DEFAULT, 18);
  header.writeUInt16LE(message.version, 20);
  header.writeUInt32LE(0, 22);
  header.writeUInt16LE((message.dataOff ?? 0) & 0xffff, 26);
  writeU64(header, 28, ackSeq);
  header[36] = FLAGS;
  header.writeUInt16LE(message.compatVersion, 37);
  header.writeUInt16LE(0, 39);
}

export interface MessageHeader {
  seq: number;
  tid: number;
  type: number;
  priority: number;
  version: number;
  compatVersion: number;
  ackSeq: number;
}

/**
 * Reads the header at `at` of `bytes`.
 * @throws DecodeError if a 64-bit value does not fit a number
 */
export function readHeader(bytes: Buffer, at: number): MessageHeader {
  return {
    seq: readU64(bytes, at),
    tid: readU64(bytes, at + 8),
    type: bytes.readUInt16LE(at + 16),
    priority: bytes.readUInt16LE(at + 18),
    version: bytes.readUInt16LE(at + 20),
    compatVersion: bytes.readUInt16LE(at + 37),
    ackSeq: readU64(bytes, at + 28),
  };
}

export function createHeader(): Buffer {
  return Buffer.alloc(HEADER2_SIZE);
}
