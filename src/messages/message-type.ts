/**
 * Message types whose front is one table: all but those of the data path.
 *
 * A message carries the version it was written at and the oldest decoder that may read it. We write the
 * version of 16.2 and read from `oldest` on; bytes after the fields we know are ignored, as upstream does,
 * because that is how newer releases add some.
 * ceph: src/msg/Message.h
 */

import {
  type BufferList,
  type Codec,
  DecodeError,
  fixed,
  Reader,
  s16,
  u64,
  u64n,
  Writer,
} from "../encoding/index.ts";
import type { IncomingMessage, MessageType, OutgoingMessage } from "../types/index.ts";

/** The value type of a message type. */
export type MessageValue<M> = M extends MessageType<infer T> ? T : never;

export interface MessageHead {
  readonly type: number;
  /** Ceph's name of the message, as its logs print it. */
  readonly name: string;
  /** Version we write. @default 1 */
  readonly version?: number;
  /** Oldest decoder that may read what we write. @default version */
  readonly compatVersion?: number;
  /** Oldest version we read. @default version */
  readonly oldest?: number;
}

/** What the peer may have sent is checked before any byte is read. */
export function checkVersion(m: IncomingMessage, name: string, newest: number, oldest: number) {
  if (m.compatVersion > newest) {
    throw new DecodeError(name, 0, `version ${m.version} needs a decoder of ${m.compatVersion}`);
  }
  if (m.version < oldest) {
    throw new DecodeError(name, 0, `version ${m.version} is older than ${oldest}`);
  }
}

interface FrontCodec<T> {
  encode(w: Writer, x: T): void;
  decode(r: Reader, version: number): T;
}

/** A message that is all front. `front.decode` gets the version the peer wrote. */
export function message<T extends object>(head: MessageHead, front: FrontCodec<T>): MessageType<T> {
  const version = head.version ?? 1;
  const compatVersion = head.compatVersion ?? version;
  const oldest = head.oldest ?? version;
  return {
    type: head.type,
    name: head.name,
    encode(x, tid = 0): OutgoingMessage {
      const w = new Writer();
      front.encode(w, x);
      return { type: head.type, version, compatVersion, tid, front: w.finish() };
    },
    decode(m) {
      checkVersion(m, head.name, version, oldest);
      return front.decode(new Reader(m.front), m.version);
    },
  };
}

/** What a message carries beside its front: a command's input or output. A view of the frame. */
export interface WithData {
  data: Uint8Array;
}

/** A message with a front of fields and a data segment of bytes. */
export function messageWithData<T extends object>(
  head: MessageHead,
  front: FrontCodec<T>,
): MessageType<T & WithData> {
  const plain = message(head, front);
  return {
    type: plain.type,
    name: plain.name,
    encode(x, tid) {
      const data: BufferList = x.data.length === 0 ? [] : [x.data];
      return { ...plain.encode(x, tid), data };
    },
    decode: (m) => ({ ...plain.decode(m), data: m.data }),
  };
}

/**
 * What every message of a monitor's service begins with: the version of the service's state that the
 * sender has seen (in replies, the one the answer comes from), and two fields that are history.
 * ceph: src/messages/PaxosServiceMessage.h
 */
export const PAXOS_FIELDS = {
  version: u64n,
  deprecatedSessionMon: fixed(s16, -1),
  deprecatedSessionMonTid: fixed(u64, 0n),
} as const;

/**
 * A versioned struct kept as its bytes, header included: for what this room does not take apart.
 * Decodes to a view of the frame.
 */
export function opaqueStruct(name: string): Codec<Uint8Array> {
  return {
    name,
    minSize: 6,
    encode: (w, x) => w.bytes(x),
    decode(r) {
      const start = r.offset;
      // Any compat is acceptable: the owner of the bytes checks it.
      r.begin(name, 0xff);
      r.finish();
      return r.buffer.subarray(start, r.offset);
    },
  };
}
