/**
 * Tickets: who someone is, until when, with which caps and session key, sealed so that only we can read or
 * make one. Upstream's format is readable by any service; a ticket is opaque to clients, so ours need not be.
 *
 *     12 bytes  nonce, random
 *     n bytes   AES-256-GCM of the Ticket struct under a rotating secret
 *     16 bytes  tag; it also covers the format version, the service and the secret id
 *
 * So no bit of a ticket, nor of the id beside it, can change without the ticket being refused, and a
 * ticket for one service is nothing to another.
 * ceph: src/auth/cephx/CephxProtocol.h (CephXServiceTicketInfo), src/auth/Auth.h (AuthTicket)
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Clock, Random } from "../../base/index.ts";
import {
  byteString,
  encodeToBytes,
  f64,
  map,
  str,
  struct,
  textOf,
  u64,
  Writer,
} from "../../encoding/index.ts";
import { AuthEntity, utimeFromMs } from "../../types/index.ts";
import type { EntityCaps } from "../caps.ts";
import { CryptoKey, decodeOr, generateKey } from "../crypto-key.ts";
import { TICKET_LEN_MAX, type TicketBlob, type TicketGrant } from "./protocol.ts";
import type { RotatingSecrets, SecretLookup } from "./rotating-secrets.ts";

const NONCE_LEN = 12;
const TAG_LEN = 16;
const FORMAT_VERSION = 1;

export interface Ticket {
  readonly entity: AuthEntity;
  readonly globalId: bigint;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Caps on the service the ticket is for; none in an AUTH ticket. */
  readonly caps: EntityCaps;
  readonly sessionKey: CryptoKey;
}

const TicketBody = struct(
  "spirula ticket",
  { v: FORMAT_VERSION },
  {
    entity: AuthEntity,
    globalId: u64,
    createdMs: f64,
    expiresMs: f64,
    caps: map(str, str),
    sessionKey: CryptoKey,
  },
);

function boundData(service: number, secretId: bigint): Buffer {
  const w = new Writer(16);
  w.u8(FORMAT_VERSION);
  w.u32(service);
  w.u64(secretId);
  return w.finish();
}

/** Seals a ticket for `service` under the secret `id`. */
export function sealTicket(
  ticket: Ticket,
  options: { service: number; id: bigint; key: Uint8Array; random: Random },
): TicketBlob {
  const caps = new Map(
    Object.entries(ticket.caps).map(([service, text]) => [service, byteString(text)]),
  );
  const plain = encodeToBytes(TicketBody, { ...ticket, caps });
  const nonce = options.random.bytes(NONCE_LEN);
  const cipher = createCipheriv("aes-256-gcm", options.key, nonce);
  cipher.setAAD(boundData(options.service, options.id));
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { secretId: options.id, blob: sealed };
}

/** Opens a ticket for `service`; undefined if we did not make it, or its secret or its holder's key is gone. Says nothing of expiry. */
export function openTicket(
  blob: TicketBlob,
  service: number,
  secrets: SecretLookup,
): Ticket | undefined {
  const key = secrets.find(service, blob.secretId);
  const sealed = blob.blob;
  if (key === undefined || sealed.length < NONCE_LEN + TAG_LEN || sealed.length > TICKET_LEN_MAX) {
    return undefined;
  }
  const nonce = sealed.subarray(0, NONCE_LEN);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_LEN });
  decipher.setAAD(boundData(service, blob.secretId));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_LEN));
  let plain: Buffer;
  try {
    plain = Buffer.concat([
      decipher.update(sealed.subarray(NONCE_LEN, sealed.length - TAG_LEN)),
      decipher.final(),
    ]);
  } catch {
    return undefined; // the tag does not fit: not ours, or altered
  }
  const body = decodeOr(TicketBody, plain);
  if (body === undefined || secrets.isRevoked(body.entity, body.createdMs)) return undefined;
  const caps = Object.fromEntries([...body.caps].map(([name, text]) => [name, textOf(text)]));
  return { ...body, caps };
}

/**
 * Makes a session key and a ticket for one service, to go to the client. `caps` are that service's only.
 * @param subject its `keyType` is the session key's: one that the client has shown that it speaks
 */
export function issueTicket(
  subject: { entity: AuthEntity; globalId: bigint; caps: EntityCaps; keyType: number },
  service: number,
  from: { secrets: RotatingSecrets; clock: Clock; random: Random },
): TicketGrant {
  const { clock, random } = from;
  const secret = from.secrets.forIssue(service);
  const now = clock.now();
  const ticket: Ticket = {
    entity: subject.entity,
    globalId: subject.globalId,
    createdMs: now,
    expiresMs: now + secret.ttlMs,
    caps: subject.caps,
    sessionKey: generateKey(random, now, subject.keyType),
  };
  return {
    service,
    sessionKey: ticket.sessionKey,
    validity: utimeFromMs(secret.ttlMs),
    ticket: sealTicket(ticket, { service, id: secret.id, key: secret.key, random }),
  };
}
