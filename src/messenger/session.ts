/**
 * An established session: message numbers, acknowledgements, keepalives.
 *
 * Sequence numbers start at 1 in each direction and belong to the session. Lossy sessions send no ACK
 * frames, though every message header says how far its sender has read. A number seen before is a replay
 * and is dropped; a gap is what a sender leaves that gave up a message, and is let pass.
 * ceph: src/msg/async/ProtocolV2.cc (handle_message, handle_keepalive2, handle_message_ack)
 */

import { decodeFromBytes } from "../encoding/index.ts";
import type { IncomingMessage, OutgoingMessage, Utime } from "../types/index.ts";
import { Ack, encodeControl, Keepalive2, Keepalive2Ack } from "./control.ts";
import { createHeader, readHeader, writeHeader } from "./message-header.ts";
import type { OnWire } from "./on-wire.ts";
import type { OutQueue } from "./out-queue.ts";
import { TAG, tagName } from "./preamble.ts";
import { ProtocolError } from "./protocol-error.ts";

const EMPTY_LIST: readonly Uint8Array[] = [];

export class Session {
  readonly #out: OutQueue;
  readonly #wire: OnWire;
  readonly #acksWanted: boolean;
  readonly #header = createHeader();
  /** Last message sent, last received, last acknowledged. */
  #outSeq = 0;
  #inSeq = 0;
  #ackedSeq = 0;

  constructor(out: OutQueue, wire: OnWire, acksWanted: boolean) {
    this.#out = out;
    this.#wire = wire;
    this.#acksWanted = acksWanted;
  }

  send(message: OutgoingMessage): void {
    writeHeader(this.#header, message, ++this.#outSeq, this.#inSeq);
    const rest = [
      [message.front],
      message.middle ? [message.middle] : EMPTY_LIST,
      message.data ?? EMPTY_LIST,
    ];
    this.#wire.seal(this.#out, TAG.MESSAGE, this.#header, rest, message.dataCrc);
  }

  keepAlive(now: Utime): void {
    this.#wire.seal(this.#out, TAG.KEEPALIVE2, encodeControl(TAG.KEEPALIVE2, now), []);
  }

  /** The message of a frame; undefined if it has been received before. */
  receive(
    bytes: Buffer,
    headerAt: number,
    front: Uint8Array,
    middle: Uint8Array,
    data: Uint8Array,
    sums: readonly number[],
  ): IncomingMessage | undefined {
    const { seq, tid, type, priority, version, compatVersion } = readHeader(bytes, headerAt);
    if (seq <= this.#inSeq) return undefined;
    this.#inSeq = seq;
    return { type, version, compatVersion, priority, seq, tid, front, middle, data, sums };
  }

  /** A control frame of the session. @throws ProtocolError for one that belongs elsewhere */
  onControl(tag: number, payload: Buffer): void {
    switch (tag) {
      case TAG.KEEPALIVE2: {
        const echo = encodeControl(TAG.KEEPALIVE2_ACK, decodeFromBytes(Keepalive2, payload));
        this.#wire.seal(this.#out, TAG.KEEPALIVE2_ACK, echo, []);
        return;
      }
      case TAG.KEEPALIVE2_ACK:
        decodeFromBytes(Keepalive2Ack, payload);
        return;
      case TAG.ACK:
        // We keep nothing to resend: a lossy session has no use for it.
        decodeFromBytes(Ack, payload);
        return;
      default:
        throw new ProtocolError(`${tagName(tag)} in an established session`);
    }
  }

  /** A read has been handled: acknowledges it to a peer that waits for that. */
  onBatchEnd(): void {
    if (!this.#acksWanted || this.#ackedSeq === this.#inSeq) return;
    this.#ackedSeq = this.#inSeq;
    const ack = encodeControl(TAG.ACK, { seq: BigInt(this.#inSeq) });
    this.#wire.seal(this.#out, TAG.ACK, ack, []);
  }
}
