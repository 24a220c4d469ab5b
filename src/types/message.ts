/**
 * A message as the messenger carries it: a header and three segments whose meaning only `messages` knows.
 * ceph: src/include/msgr.h ceph_msg_header2
 */

import type { BufferList } from "../encoding/index.ts";

/** What came in. The segments are views of a receive buffer: copy what outlives the handling of the message. */
export interface IncomingMessage {
  readonly type: number;
  readonly version: number;
  readonly compatVersion: number;
  readonly priority: number;
  readonly seq: number;
  /** Transaction id: a reply copies its request's. */
  readonly tid: number;
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  /** Payload; one view unless the receiver was given scattered buffers. */
  readonly data: Uint8Array;
  /** crc32c (seed 0) of each whole 4 KiB of the payload, where the connection's mode has them. */
  readonly sums?: readonly number[];
}

/** What goes out. The bytes are the messenger's until it says that they are taken. */
export interface OutgoingMessage {
  readonly type: number;
  readonly version: number;
  readonly compatVersion: number;
  /** @default 127 */
  readonly priority?: number;
  /** @default 0 */
  readonly tid?: number;
  readonly front: Uint8Array;
  readonly middle?: Uint8Array;
  readonly data?: BufferList;
  /** crc32c (seed 0xffffffff) of the data segment, when the sender has it from checksums at rest. */
  readonly dataCrc?: number;
  /** Low bits of the offset the data belongs at, so that a receiver can align it. @default 0 */
  readonly dataOff?: number;
}

/** One message type: how its value lies in the segments. `messages/` has one of these per file. */
export interface MessageType<T> {
  readonly type: number;
  /** Ceph's name, e.g. `"osd_op"`. */
  readonly name: string;
  encode(x: T, tid?: number): OutgoingMessage;
  /** Throws DecodeError on anything malformed. */
  decode(m: IncomingMessage): T;
}
