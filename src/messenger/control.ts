/**
 * Payloads of the control frames. Each is one segment; a reader ignores bytes after what it knows.
 * ceph: src/msg/async/frames_v2.h (HelloFrame and after)
 */

import {
  blob,
  bool,
  bytes,
  type Codec,
  encodeToBytes,
  type Infer,
  list,
  record,
  s32,
  s64,
  u8,
  u32,
  u64,
} from "../encoding/index.ts";
import { AddrVec, EntityAddr } from "../types/index.ts";
import { TAG, type Tag } from "./preamble.ts";

/** Bytes of an AUTH_SIGNATURE: HMAC-SHA256. */
export const SIGNATURE_SIZE = 32;
/** Session flag: a broken link ends the session (CEPH_MSG_CONNECT_LOSSY). */
export const FLAG_LOSSY = 1n;

/** Our entity type, and the peer's address as we see it. */
export const Hello = record("HELLO", { entityType: u8, peerAddr: EntityAddr });

export const AuthRequest = record("AUTH_REQUEST", {
  method: u32,
  preferredModes: list(u32),
  payload: blob,
});

export const AuthBadMethod = record("AUTH_BAD_METHOD", {
  method: u32,
  /** Negative Linux error number. */
  result: s32,
  allowedMethods: list(u32),
  allowedModes: list(u32),
});

export const AuthReplyMore = record("AUTH_REPLY_MORE", { payload: blob });
export const AuthRequestMore = record("AUTH_REQUEST_MORE", { payload: blob });
export const AuthDone = record("AUTH_DONE", { globalId: u64, mode: u32, payload: blob });
export const AuthSignature = record("AUTH_SIGNATURE", { signature: bytes(SIGNATURE_SIZE) });

export const ClientIdent = record("CLIENT_IDENT", {
  addrs: AddrVec,
  /** The address the client dialled: one of the server's, or the client is at the wrong door. */
  target: EntityAddr,
  /** Global id; -1 towards monitors before the client has one. */
  gid: s64,
  globalSeq: u64,
  supported: u64,
  required: u64,
  flags: u64,
  /** Names the session for a later reconnect; 0 in lossy sessions. */
  cookie: u64,
});
export type ClientIdent = Infer<typeof ClientIdent>;

export const ServerIdent = record("SERVER_IDENT", {
  addrs: AddrVec,
  /** Monitor rank, OSD id or the manager's global id. */
  gid: s64,
  globalSeq: u64,
  supported: u64,
  required: u64,
  flags: u64,
  cookie: u64,
});
export type ServerIdent = Infer<typeof ServerIdent>;

export const IdentMissingFeatures = record("IDENT_MISSING_FEATURES", { features: u64 });

export const SessionReconnect = record("SESSION_RECONNECT", {
  addrs: AddrVec,
  clientCookie: u64,
  serverCookie: u64,
  globalSeq: u64,
  connectSeq: u64,
  /** Last message the client has received. */
  messageSeq: u64,
});

/** `full`: the client's own side of the session is void too. */
export const SessionReset = record("SESSION_RESET", { full: bool });
export const SessionRetry = record("SESSION_RETRY", { connectSeq: u64 });
export const SessionRetryGlobal = record("SESSION_RETRY_GLOBAL", { globalSeq: u64 });
export const SessionReconnectOk = record("SESSION_RECONNECT_OK", { messageSeq: u64 });
export const Wait = record("WAIT", {});

const Stamp = { sec: u32, nsec: u32 };
/** The sender's time, to be sent back. */
export const Keepalive2 = record("KEEPALIVE2", Stamp);
export const Keepalive2Ack = record("KEEPALIVE2_ACK", Stamp);
/** Last message received. Lossless sessions only. */
export const Ack = record("ACK", { seq: u64 });

/** Every control frame's codec. */
export const CONTROL = {
  [TAG.HELLO]: Hello,
  [TAG.AUTH_REQUEST]: AuthRequest,
  [TAG.AUTH_BAD_METHOD]: AuthBadMethod,
  [TAG.AUTH_REPLY_MORE]: AuthReplyMore,
  [TAG.AUTH_REQUEST_MORE]: AuthRequestMore,
  [TAG.AUTH_DONE]: AuthDone,
  [TAG.AUTH_SIGNATURE]: AuthSignature,
  [TAG.CLIENT_IDENT]: ClientIdent,
  [TAG.SERVER_IDENT]: ServerIdent,
  [TAG.IDENT_MISSING_FEATURES]: IdentMissingFeatures,
  [TAG.SESSION_RECONNECT]: SessionReconnect,
  [TAG.SESSION_RESET]: SessionReset,
  [TAG.SESSION_RETRY]: SessionRetry,
  [TAG.SESSION_RETRY_GLOBAL]: SessionRetryGlobal,
  [TAG.SESSION_RECONNECT_OK]: SessionReconnectOk,
  [TAG.WAIT]: Wait,
  [TAG.KEEPALIVE2]: Keepalive2,
  [TAG.KEEPALIVE2_ACK]: Keepalive2Ack,
  [TAG.ACK]: Ack,
} as const satisfies Record<Exclude<Tag, typeof TAG.MESSAGE>, object>;

export type ControlTag = keyof typeof CONTROL;
/** The value a control frame carries. */
export type ControlValue<T extends ControlTag> = Infer<(typeof CONTROL)[T]>;

/** The payload of one control frame. */
export function encodeControl<T extends ControlTag>(tag: T, value: ControlValue<T>): Buffer {
  return encodeToBytes(CONTROL[tag] as unknown as Codec<ControlValue<T>>, value);
}
