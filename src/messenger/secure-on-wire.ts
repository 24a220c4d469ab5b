/**
 * The secure mode of msgr2.1: every frame encrypted and authenticated with AES-128-GCM.
 *
 *     block A  preamble, 48 bytes of segment 0 (zero padded), 16 bytes of tag: 96 bytes
 *     block B  rest of segment 0 padded to 16, tag; only if it is longer than 48
 *     block C  segments 1-3 each padded to 16, u8 late status and 15 zeros, tag; only with several segments
 *
 * The 64-byte connection secret holds the key (16 bytes), the initiator's receive nonce (12) and its
 * transmit nonce (12). A nonce is a fixed u32 and a u64 that counts blocks; a direction never uses one
 * twice.
 * ceph: src/msg/async/crypto_onwire.cc, src/msg/async/frames_v2.cc (asm_secure_rev1)
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { type BufferList, DecodeError, listLength } from "../encoding/index.ts";
import { isComplete, LATE_STATUS_COMPLETE, usedSegments } from "./crc-on-wire.ts";
import type { OnWire } from "./on-wire.ts";
import type { OutQueue } from "./out-queue.ts";
import { PREAMBLE_SIZE, type Preamble, readPreamble, writePreamble } from "./preamble.ts";
import { ProtocolError } from "./protocol-error.ts";

const BLOCK_SIZE = 16;
const GCM_TAG_SIZE = 16;
const INLINE_SIZE = 48;
const PLAIN_HEAD_SIZE = PREAMBLE_SIZE + INLINE_SIZE;
const KEY_SIZE = 16;
const NONCE_SIZE = 12;
const SECRET_SIZE = 64;
const ALGORITHM = "aes-128-gcm";
const ZEROS = Buffer.alloc(BLOCK_SIZE);

function padded(length: number): number {
  return Math.ceil(length / BLOCK_SIZE) * BLOCK_SIZE;
}

/** The nonces of one direction, one per block. */
class Nonces {
  readonly #nonce: Buffer;
  #counter: bigint;
  readonly #first: bigint;
  #isUsed = false;

  constructor(initial: Uint8Array) {
    this.#nonce = Buffer.from(initial);
    this.#counter = this.#nonce.readBigUInt64LE(4);
    this.#first = this.#counter;
  }

  /** The nonce of the next block; valid until the next call. */
  next(): Buffer {
    if (this.#isUsed && this.#counter === this.#first) throw new ProtocolError("nonces used up");
    this.#isUsed = true;
    this.#nonce.writeBigUInt64LE(this.#counter, 4);
    this.#counter = BigInt.asUintN(64, this.#counter + 1n);
    return this.#nonce;
  }
}

export class SecureOnWire implements OnWire {
  readonly headSize: number = PLAIN_HEAD_SIZE + GCM_TAG_SIZE;
  readonly tailSize: number = BLOCK_SIZE + GCM_TAG_SIZE;
  readonly #key: Buffer;
  readonly #receive: Nonces;
  readonly #transmit: Nonces;
  /** The head of the frame being opened. */
  #head: Buffer = ZEROS;

  /** @throws ProtocolError if the secret is not 64 bytes */
  constructor(secret: Uint8Array, role: "acceptor" | "initiator") {
    if (secret.length !== SECRET_SIZE) {
      throw new ProtocolError(`connection secret of ${secret.length} bytes`);
    }
    this.#key = Buffer.from(secret.subarray(0, KEY_SIZE));
    const toInitiator = new Nonces(secret.subarray(KEY_SIZE, KEY_SIZE + NONCE_SIZE));
    const toAcceptor = new Nonces(
      secret.subarray(KEY_SIZE + NONCE_SIZE, KEY_SIZE + 2 * NONCE_SIZE),
    );
    this.#receive = role === "initiator" ? toInitiator : toAcceptor;
    this.#transmit = role === "initiator" ? toAcceptor : toInitiator;
  }

  firstSize(length: number): number {
    return length > INLINE_SIZE ? padded(length) - INLINE_SIZE + GCM_TAG_SIZE : 0;
  }

  segmentSize(length: number): number {
    return padded(length);
  }

  openHead(bytes: Buffer, at: number, into: Preamble): void {
    const end = at + PLAIN_HEAD_SIZE;
    const sealed = bytes.subarray(at, end);
    this.#head = this.#open([sealed], bytes.subarray(end, end + GCM_TAG_SIZE))[0]!;
    readPreamble(this.#head, 0, into);
  }

  openFirst(piece: Buffer, length: number): Buffer {
    const inline = this.#head.subarray(PREAMBLE_SIZE);
    if (length <= INLINE_SIZE) return inline.subarray(0, length);
    const end = piece.length - GCM_TAG_SIZE;
    const plain = this.#open([piece.subarray(0, end)], piece.subarray(end))[0]!;
    return Buffer.concat([inline, plain]).subarray(0, length);
  }

  openRest(pieces: Buffer[], lengths: ArrayLike<number>, tail: Buffer): boolean {
    const sealed = [...pieces, tail.subarray(0, BLOCK_SIZE)];
    const plain = this.#open(sealed, tail.subarray(BLOCK_SIZE));
    for (let i = 0; i < pieces.length; i++) pieces[i] = plain[i]!.subarray(0, lengths[i + 1]);
    return isComplete(plain[pieces.length]![0]!);
  }

  /** Opens one block given in pieces. @throws DecodeError if its tag does not fit */
  #open(pieces: readonly Buffer[], tag: Buffer): Buffer[] {
    const decipher = createDecipheriv(ALGORITHM, this.#key, this.#receive.next(), {
      authTagLength: GCM_TAG_SIZE,
    });
    decipher.setAuthTag(tag);
    const plain = pieces.map((piece) => decipher.update(piece));
    try {
      decipher.final();
    } catch {
      // OpenSSL says no more than that the tag is wrong.
      throw new DecodeError("secure frame", 0, "authentication tag mismatch");
    }
    return plain;
  }

  seal(out: OutQueue, tag: number, first: Uint8Array, rest: readonly BufferList[]): void {
    const count = usedSegments(rest);
    const lengths = [first.length, 0, 0, 0];
    for (let i = 1; i < count; i++) lengths[i] = listLength(rest[i - 1]!);
    const head = Buffer.alloc(PLAIN_HEAD_SIZE);
    writePreamble(head, 0, tag, count, lengths);
    head.set(first.subarray(0, INLINE_SIZE), PREAMBLE_SIZE);
    this.#seal(out, [head]);
    if (first.length > INLINE_SIZE) this.#seal(out, [first.subarray(INLINE_SIZE)]);
    if (count === 1) return;
    const block: Uint8Array[] = [];
    for (let i = 1; i < count; i++) {
      block.push(...rest[i - 1]!);
      block.push(ZEROS.subarray(0, padded(lengths[i]!) - lengths[i]!));
    }
    const epilogue = Buffer.alloc(BLOCK_SIZE);
    epilogue[0] = LATE_STATUS_COMPLETE;
    block.push(epilogue);
    this.#seal(out, block);
  }

  /** Seals one block, padding its end, and queues it. */
  #seal(out: OutQueue, pieces: readonly Uint8Array[]): void {
    const cipher = createCipheriv(ALGORITHM, this.#key, this.#transmit.next(), {
      authTagLength: GCM_TAG_SIZE,
    });
    let length = 0;
    for (const piece of pieces) {
      length += piece.length;
      if (piece.length > 0) out.push(cipher.update(piece));
    }
    if (padded(length) > length)
      out.push(cipher.update(ZEROS.subarray(0, padded(length) - length)));
    cipher.final();
    out.push(cipher.getAuthTag());
  }
}
