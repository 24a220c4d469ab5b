/**
 * What both ends of a handshake share: the link as the handshake sees it, the transcript that gets signed,
 * and the facts a finished handshake leaves behind.
 *
 *     both       banner, HELLO
 *     initiator  AUTH_REQUEST …            acceptor  AUTH_REPLY_MORE … AUTH_DONE
 *     both       AUTH_SIGNATURE (first frame in the negotiated mode)
 *     initiator  CLIENT_IDENT              acceptor  SERVER_IDENT
 *
 * Each end is a table of state and tag to handler; a tag that is not in the table closes the link.
 * ceph: src/msg/async/ProtocolV2.cc
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { AuthIdentity, AuthSecrets } from "../auth/index.ts";
import type { AddrVec, EntityAddr, EntityName } from "../types/index.ts";
import type { BannerFeatures } from "./banner.ts";
import { type ControlTag, type ControlValue, SIGNATURE_SIZE } from "./control.ts";
import { TRANSCRIPT_BYTES_MAX } from "./limits.ts";
import { ProtocolError } from "./protocol-error.ts";

/** What a finished handshake has found out. */
export interface Established {
  peerName: EntityName;
  peerAddrs: AddrVec;
  peerAddr: EntityAddr;
  /** What both sides have. */
  features: bigint;
  /** Who authenticated; undefined on the initiating side. */
  identity: AuthIdentity | undefined;
  /** The peer keeps its messages until we acknowledge them. */
  acksWanted: boolean;
}

/** What a handshake may do to its link. */
export interface HandshakeLink {
  /** The peer as the socket names it: type msgr2, nonce 0. */
  readonly remote: EntityAddr;
  /** Queues raw bytes: the banner. */
  sendBytes(bytes: Uint8Array): void;
  /** Queues a control frame and returns its bytes as they go out. */
  sendControl<T extends ControlTag>(tag: T, value: ControlValue<T>): Uint8Array;
  /** Frames from here on, both ways, are in this mode. */
  useMode(mode: number, secrets: AuthSecrets): void;
  established(facts: Established): void;
  debug(event: string, fields: Record<string, string | number | bigint>): void;
}

/** One end of a handshake. All throw DecodeError or ProtocolError where the peer is at fault. */
export interface Handshake {
  start(): void;
  onBanner(features: BannerFeatures, raw: Uint8Array): void;
  onControl(tag: number, payload: Buffer, raw: Uint8Array): void;
}

/** One direction's bytes from the banner to the last frame before the signatures. */
export class Transcript {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** Copies `bytes`. @throws ProtocolError past the bound */
  record(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > TRANSCRIPT_BYTES_MAX) throw new ProtocolError("handshake is too long");
    this.#chunks.push(Buffer.from(bytes));
  }

  /** Forgets the bytes and returns their signature; zeros where authentication left no key. */
  sign(sessionKey: Uint8Array): Buffer {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (sessionKey.length === 0) return Buffer.alloc(SIGNATURE_SIZE);
    const hmac = createHmac("sha256", sessionKey);
    for (const chunk of chunks) hmac.update(chunk);
    return hmac.digest();
  }
}

/** @throws ProtocolError if the peer saw other bytes than we sent, or has another key */
export function checkSignature(expected: Buffer, given: Uint8Array): void {
  if (!timingSafeEqual(expected, given)) throw new ProtocolError("signature mismatch");
}
