/**
 * The structs cephx sends, under upstream's names.
 *
 * Version bytes are checked exactly where upstream ignores them: every bit that a client sends to prove
 * itself then matters, and no supported release writes another value.
 * ceph: src/auth/cephx/CephxProtocol.h, src/auth/Auth.h
 */

import type { Random } from "../../base/index.ts";
import {
  blob,
  bool,
  type Codec,
  type Infer,
  type Reader,
  record,
  s32,
  u16,
  u32,
  u64,
  type Writer,
} from "../../encoding/index.ts";
import { AuthEntity, ENTITY_TYPE, Utime } from "../../types/index.ts";
import { CryptoKey, decrypt, proofOf, writeEncrypted } from "../crypto-key.ts";

/** Request types of CephXRequestHeader. */
export const CEPHX_REQUEST = {
  GET_AUTH_SESSION_KEY: 0x0100,
  GET_PRINCIPAL_SESSION_KEY: 0x0200,
  GET_ROTATING_KEY: 0x0400,
} as const;

/** What a thing is encrypted for; `aes` keys do not care.  ceph: CEPHX_KEY_USAGE_* */
export const KEY_USAGE = {
  /** The secret of a secure connection to a monitor, under the AUTH session key. */
  CONNECTION_SECRET: 0x03,
  /** What a client learns of its ticket, under its own key or the AUTH session key. */
  TICKET_SESSION_KEY: 0x04,
  /** A ticket itself on its way, under the session key of the one that it replaces. */
  TICKET_BLOB: 0x05,
  /** Authorizer, challenge and reply, under the ticket's session key. */
  AUTHORIZE: 0x10,
  AUTHORIZE_CHALLENGE: 0x11,
  AUTHORIZE_REPLY: 0x12,
  /** The secrets of a service, under a daemon's own key. */
  ROTATING_SECRET: 0x20,
} as const;

/** First byte of AUTH_REQUEST's blob: what the client is after.  ceph: src/auth/Auth.h AUTH_MODE_* */
export const AUTH_MODE = { AUTHORIZER: 1, MON: 10 } as const;

/** Services that tickets are issued for. AUTH stands for the monitor's ticket-granting part. */
export const TICKET_SERVICES: readonly number[] = [
  ENTITY_TYPE.MON,
  ENTITY_TYPE.MDS,
  ENTITY_TYPE.OSD,
  ENTITY_TYPE.MGR,
];

/** Bytes of a connection secret in secure mode: a key, two nonces, 20 spare.  ceph: src/auth/Auth.h */
export const CONNECTION_SECRET_LEN = 64;
/** Tickets are about 200 bytes plus cap texts; a blob beyond this is not one. */
export const TICKET_LEN_MAX = 64 * 1024;

/** A leading version byte that must have exactly this value. */
function exactly(v: number): Codec<void> {
  return {
    name: `u8=${v}`,
    minSize: 1,
    encode: (w: Writer) => w.u8(v),
    decode: (r: Reader) => {
      const got = r.u8();
      if (got !== v) throw r.fail(`version ${got}, not ${v}`);
    },
  };
}
const v1 = exactly(1);
const v2 = exactly(2);

/** A struct behind one version byte that is checked. */
function versioned<T>(version: Codec<void>, body: Codec<T>): Codec<T> {
  return {
    name: body.name,
    minSize: 1 + body.minSize,
    encode(w, x) {
      version.encode(w, undefined);
      body.encode(w, x);
    },
    decode(r) {
      version.decode(r);
      return body.decode(r);
    },
  };
}

/** What opens AUTH_REQUEST towards a monitor. */
export const MonRequest = record("AUTH_MODE_MON request", { entity: AuthEntity, globalId: u64 });
export type MonRequest = Infer<typeof MonRequest>;

export const ServerChallenge = versioned(
  v1,
  record("CephXServerChallenge", { serverChallenge: u64 }),
);

/** Plaintext of the proof that a client has its key. */
export const ChallengeBlob = record("CephXChallengeBlob", {
  serverChallenge: u64,
  clientChallenge: u64,
});
export type ChallengeBlob = Infer<typeof ChallengeBlob>;

export const ResponseHeader = record("CephXResponseHeader", { requestType: u16, status: s32 });

/** The secrets of a service, when there are none.  ceph: src/auth/Auth.h RotatingSecrets */
export const NoRotatingSecrets = versioned(
  v1,
  record("RotatingSecrets", { count: u32, newest: u64 }),
);

/** A ticket as its holder keeps it: opaque bytes and the id of the secret that opens them. */
export const TicketBlob = versioned(v1, record("CephXTicketBlob", { secretId: u64, blob }));
export type TicketBlob = Infer<typeof TicketBlob>;
export const EMPTY_TICKET: TicketBlob = Object.freeze({ secretId: 0n, blob: new Uint8Array(0) });

/** The client's answer to the challenge. */
export interface Authenticate {
  clientChallenge: bigint;
  /** The proof: see challengeProof. */
  key: bigint;
  oldTicket: TicketBlob;
  /** Services to grant tickets for at once; 0 from clients older than Nautilus. */
  otherKeys: number;
}
/*
 * u8 version; u64 client challenge; u64 key; CephXTicketBlob old ticket; since 2: u32 other keys.
 * Version 3 has the layout of 2 and promises an old ticket wherever one is needed, which we ask of all.
 * compat: Linux 5.11 to 5.12 writes 2. A tail is a newer client's, and is skipped.
 */
export const Authenticate: Codec<Authenticate> = {
  name: "CephXAuthenticate",
  minSize: 30,
  encode(w, x) {
    w.u8(3);
    w.u64(x.clientChallenge);
    w.u64(x.key);
    TicketBlob.encode(w, x.oldTicket);
    w.u32(x.otherKeys);
  },
  decode(r) {
    const v = r.u8();
    if (v === 0) throw r.fail("CephXAuthenticate of version 0");
    const clientChallenge = r.u64();
    const key = r.u64();
    const oldTicket = TicketBlob.decode(r);
    return { clientChallenge, key, oldTicket, otherKeys: v >= 2 ? r.u32() : 0 };
  },
};

/** What a client learns about its ticket, encrypted for it alone. `validity` is a duration. */
export const ServiceTicket = versioned(
  v1,
  record("CephXServiceTicket", { sessionKey: CryptoKey, validity: Utime }),
);

export const ServiceTicketRequest = versioned(
  v1,
  record("CephXServiceTicketRequest", { keys: u32 }),
);

/** The open part of an authorizer. */
export const AuthorizerHead = versioned(
  v1,
  record("CephXAuthorizer", { globalId: u64, service: u32, ticket: TicketBlob }),
);
export type AuthorizerHead = Infer<typeof AuthorizerHead>;

/** The encrypted part of an authorizer: proof that its sender has the ticket's session key. */
export const Authorize = versioned(
  v2,
  record("CephXAuthorize", { nonce: u64, haveChallenge: bool, serverChallengePlusOne: u64 }),
);
export type Authorize = Infer<typeof Authorize>;

export const AuthorizeChallenge = versioned(
  v1,
  record("CephXAuthorizeChallenge", { serverChallenge: u64 }),
);

export interface AuthorizeReply {
  noncePlusOne: bigint;
  /** Empty unless the connection is to be secure; its presence makes the struct version 2. */
  connectionSecret: Uint8Array;
}
export const AuthorizeReply: Codec<AuthorizeReply> = {
  name: "CephXAuthorizeReply",
  minSize: 9,
  encode(w, x) {
    w.u8(x.connectionSecret.length > 0 ? 2 : 1);
    w.u64(x.noncePlusOne);
    if (x.connectionSecret.length > 0) w.blob(x.connectionSecret);
  },
  decode(r) {
    const v = r.u8();
    const noncePlusOne = r.u64();
    return {
      noncePlusOne,
      connectionSecret: v >= 2 ? Uint8Array.from(r.blob()) : new Uint8Array(0),
    };
  },
};

/** One ticket on its way to a client. */
export interface TicketGrant {
  service: number;
  sessionKey: CryptoKey;
  validity: Utime;
  ticket: TicketBlob;
}

/**
 * Appends a ticket reply: for each ticket {u32 service; u8 1; enc{session key, validity} under `key`;
 * u8 encrypted; the ticket blob, itself encrypted under `ticketKey` if that is given}.
 */
export function writeTicketReply(
  w: Writer,
  grants: readonly TicketGrant[],
  random: Random,
  key: CryptoKey,
  ticketKey?: CryptoKey,
): void {
  w.u8(1);
  w.u32(grants.length);
  for (const grant of grants) {
    w.u32(grant.service);
    w.u8(1);
    writeEncrypted(w, ServiceTicket, grant, key, { usage: KEY_USAGE.TICKET_SESSION_KEY, random });
    w.bool(ticketKey !== undefined);
    if (ticketKey === undefined) {
      boxedTicket.encode(w, grant.ticket);
    } else {
      const usage = KEY_USAGE.TICKET_BLOB;
      writeEncrypted(w, boxedTicket, grant.ticket, ticketKey, { usage, random });
    }
  }
}

const boxedTicket: Codec<TicketBlob> = {
  name: "boxed<CephXTicketBlob>",
  minSize: 4,
  encode(w, x) {
    const at = w.reserve(4);
    TicketBlob.encode(w, x);
    w.buffer.writeUInt32LE(w.length - at - 4, at);
  },
  decode(r) {
    const length = r.u32();
    if (length > TICKET_LEN_MAX || length > r.remaining) throw r.fail(`ticket of ${length} bytes`);
    const outer = r.end;
    r.end = r.offset + length;
    const { secretId, blob } = TicketBlob.decode(r);
    r.offset = r.end;
    r.end = outer;
    // The holder keeps it for hours: never a view of the frame.
    return { secretId, blob: Uint8Array.from(blob) };
  },
};

/**
 * Reads a ticket reply made under `key`. `ticketKeyOf` gives the session key a client already holds for a
 * service, for blobs that are encrypted under it. Undefined if any part does not decrypt.
 */
export function readTicketReply(
  r: Reader,
  key: CryptoKey,
  ticketKeyOf: (service: number) => CryptoKey | undefined,
): TicketGrant[] | undefined {
  v1.decode(r);
  const count = r.count(14);
  const grants: TicketGrant[] = [];
  for (let i = 0; i < count; i++) {
    const service = r.u32();
    v1.decode(r);
    const mine = decrypt(ServiceTicket, r.blob(), key, KEY_USAGE.TICKET_SESSION_KEY);
    if (mine === undefined) return undefined;
    let ticket: TicketBlob | undefined;
    if (r.bool()) {
      const ticketKey = ticketKeyOf(service);
      const sealed = r.blob();
      ticket =
        ticketKey === undefined
          ? undefined
          : decrypt(boxedTicket, sealed, ticketKey, KEY_USAGE.TICKET_BLOB);
    } else {
      ticket = boxedTicket.decode(r);
    }
    if (ticket === undefined) return undefined;
    grants.push({ service, sessionKey: mine.sessionKey, validity: mine.validity, ticket });
  }
  return grants;
}

/** The proof that a client has `key`, made of both challenges. */
export function challengeProof(challenges: ChallengeBlob, key: CryptoKey): bigint {
  return proofOf(ChallengeBlob, challenges, key);
}
