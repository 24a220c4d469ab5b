/**
 * What the messenger needs from authentication: a conversation of opaque blobs that ends in an identity,
 * a session key and (in secure mode) a connection secret. One side each for acceptor and initiator.
 * ceph: src/auth/AuthServer.h, src/auth/AuthClient.h
 */

import type { AuthEntity } from "../types/index.ts";
import type { EntityCaps } from "./caps.ts";

/** Method numbers on the wire.  ceph: src/include/ceph_fs.h CEPH_AUTH_* */
export const AUTH_METHOD = { NONE: 1, CEPHX: 2 } as const;
/** Connection modes on the wire.  ceph: src/include/msgr.h CEPH_CON_MODE_* */
export const CON_MODE = { CRC: 1, SECURE: 2 } as const;

/** Who the peer turned out to be. */
export interface AuthIdentity {
  readonly entity: AuthEntity;
  readonly globalId: bigint;
  /** What the entity may do on this service. */
  readonly caps: EntityCaps;
}

/** What a finished conversation yields, both sides alike. */
export interface AuthSecrets {
  /** HMAC key of the signatures; empty with method none (signatures are then zeros). */
  readonly sessionKey: Uint8Array;
  /** 64 bytes in secure mode, else empty. */
  readonly connectionSecret: Uint8Array;
}

/** The acceptor's next step. `bad` closes the link after AUTH_BAD_METHOD with `errno` (negative). */
export type AcceptorStep =
  | { kind: "more"; blob: Uint8Array }
  | { kind: "done"; blob: Uint8Array; identity: AuthIdentity; secrets: AuthSecrets }
  | { kind: "bad"; errno: number };

/** One peer's conversation on the accepting side. */
export interface AuthAcceptor {
  /** Answers AUTH_REQUEST's or AUTH_REQUEST_MORE's blob. Malformed input: DecodeError or `bad`. */
  next(blob: Uint8Array): AcceptorStep;
}

/** Authentication of one listening entity (a monitor, or a service that reads tickets). */
export interface AuthServer {
  /** Methods we take, most wanted first. */
  readonly methods: readonly number[];
  /** Connection modes we take, most wanted first. */
  readonly modes: readonly number[];
  /** A new conversation. `mode` is what was chosen from the peer's list. */
  accept(method: number, mode: number): AuthAcceptor;
}

/** The initiator's side of a conversation. */
export interface AuthInitiator {
  readonly method: number;
  /** Modes in order of preference. */
  readonly modes: readonly number[];
  /** Blob of AUTH_REQUEST. */
  begin(): Uint8Array;
  /** Answers AUTH_REPLY_MORE with AUTH_REQUEST_MORE's blob. Throws if the peer is not who it should be. */
  more(blob: Uint8Array): Uint8Array;
  /** Takes AUTH_DONE. Throws if the peer cannot prove itself. */
  done(blob: Uint8Array, globalId: bigint, mode: number): AuthSecrets;
}
