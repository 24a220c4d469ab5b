/**
 * cephx at a service (OSD, manager): takes an authorizer, challenges its sender once, then lets it in.
 *
 *     AUTH_REQUEST       u8 1, u64 global id, u32 service, ticket, enc{nonce}
 *     AUTH_REPLY_MORE    enc{challenge}  (bare ciphertext, no length)
 *     AUTH_REQUEST_MORE  the same with enc{nonce, challenge + 1}
 *     AUTH_DONE          enc{nonce + 1, connection secret in secure mode}
 *
 * Everything encrypted is under the ticket's session key. The second authorizer must name the same ticket
 * and nonce as the first; a recorded one is worthless, for the challenge is new each time.
 * ceph: src/auth/cephx/CephxProtocol.cc (cephx_verify_authorizer)
 */

import { type Clock, ERRNO, type Random, randomU64 } from "../../base/index.ts";
import { bytesEqual, Reader, Writer } from "../../encoding/index.ts";
import { type AcceptorStep, type AuthAcceptor, CON_MODE } from "../auth-method.ts";
import { decrypt, encrypt, proofsEqual, writeEncrypted } from "../crypto-key.ts";
import {
  type Authorize,
  AuthorizeChallenge,
  Authorize as AuthorizeCodec,
  AuthorizeReply,
  AuthorizerHead,
  CONNECTION_SECRET_LEN,
  KEY_USAGE,
} from "./protocol.ts";
import type { SecretLookup } from "./rotating-secrets.ts";
import { openTicket, type Ticket } from "./ticket.ts";

/** What a service's side of cephx works with. */
export interface CephxServiceContext {
  /** ENTITY_TYPE of the service: only tickets for it are taken. */
  readonly serviceType: number;
  readonly secrets: SecretLookup;
  readonly clock: Clock;
  readonly random: Random;
}

const DENIED: AcceptorStep = Object.freeze({ kind: "bad", errno: -ERRNO.EACCES });

/** The first authorizer, and what was asked in return. */
interface Challenged {
  readonly head: AuthorizerHead;
  readonly nonce: bigint;
  readonly challenge: bigint;
}

export class CephxServiceAcceptor implements AuthAcceptor {
  readonly #context: CephxServiceContext;
  readonly #mode: number;
  #challenged: Challenged | undefined;
  #isFinished = false;

  constructor(context: CephxServiceContext, mode: number) {
    this.#context = context;
    this.#mode = mode;
  }

  next(bytes: Uint8Array): AcceptorStep {
    if (bytes.length === 0 || this.#isFinished) return DENIED;
    const r = new Reader(bytes);
    const head = AuthorizerHead.decode(r);
    const ticket = this.#check(head);
    const authorize =
      ticket === undefined
        ? undefined
        : decrypt(AuthorizeCodec, r.blob(), ticket.sessionKey, KEY_USAGE.AUTHORIZE);
    if (ticket === undefined || authorize === undefined || r.remaining > 0) {
      this.#isFinished = true;
      return DENIED;
    }
    if (this.#challenged === undefined) return this.#challenge(head, ticket, authorize);
    this.#isFinished = true;
    return this.#isAnswer(this.#challenged, head, authorize)
      ? this.#accept(ticket, authorize)
      : DENIED;
  }

  /** The ticket, if it is one of ours, for this service and this global id, and still good. */
  #check(head: AuthorizerHead): Ticket | undefined {
    const { serviceType, secrets, clock } = this.#context;
    if (head.service !== serviceType) return undefined;
    const ticket = openTicket(head.ticket, serviceType, secrets);
    if (ticket === undefined || ticket.globalId !== head.globalId) return undefined;
    return ticket.expiresMs > clock.now() ? ticket : undefined;
  }

  #challenge(head: AuthorizerHead, ticket: Ticket, authorize: Authorize): AcceptorStep {
    const { random } = this.#context;
    const challenge = randomU64(random);
    const { secretId, blob } = head.ticket;
    // Copied: the frame it is a view of will be gone.
    const kept = { ...head, ticket: { secretId, blob: Uint8Array.from(blob) } };
    this.#challenged = { head: kept, nonce: authorize.nonce, challenge };
    const asked = { serverChallenge: challenge };
    const sealing = { usage: KEY_USAGE.AUTHORIZE_CHALLENGE, random };
    const bytes = encrypt(AuthorizeChallenge, asked, ticket.sessionKey, sealing);
    return { kind: "more", blob: bytes };
  }

  #isAnswer(asked: Challenged, head: AuthorizerHead, authorize: Authorize): boolean {
    const expected = BigInt.asUintN(64, asked.challenge + 1n);
    return (
      authorize.haveChallenge &&
      proofsEqual(authorize.serverChallengePlusOne, expected) &&
      authorize.nonce === asked.nonce &&
      head.ticket.secretId === asked.head.ticket.secretId &&
      bytesEqual(head.ticket.blob, asked.head.ticket.blob)
    );
  }

  #accept(ticket: Ticket, authorize: Authorize): AcceptorStep {
    const isSecure = this.#mode === CON_MODE.SECURE;
    const connectionSecret = isSecure
      ? this.#context.random.bytes(CONNECTION_SECRET_LEN)
      : new Uint8Array(0);
    const noncePlusOne = BigInt.asUintN(64, authorize.nonce + 1n);
    const w = new Writer();
    const sealing = { usage: KEY_USAGE.AUTHORIZE_REPLY, random: this.#context.random };
    const reply = { noncePlusOne, connectionSecret };
    writeEncrypted(w, AuthorizeReply, reply, ticket.sessionKey, sealing);
    const { entity, globalId, caps } = ticket;
    return {
      kind: "done",
      blob: w.finish(),
      identity: { entity, globalId, caps },
      secrets: { sessionKey: ticket.sessionKey.secret, connectionSecret },
    };
  }
}
