/**
 * The client's side of cephx: one entity, its key, and the tickets it holds.
 *
 * `CephxClient` lives as long as the client: it keeps its global id across monitor sessions, so that a
 * reconnect reclaims it, and tells when tickets want renewal. `monInitiator` and `serviceInitiator` make
 * the conversations of single links. Nothing a peer sends is believed before it decrypts under a key that
 * only the right peer has; then CephError EACCES is thrown.
 * ceph: src/auth/cephx/CephxClientHandler.cc, src/auth/cephx/CephxProtocol.cc
 */

import { CephError, type Clock, ERRNO, type Random, randomU64 } from "../../base/index.ts";
import { blob as blobCodec, Reader, Writer } from "../../encoding/index.ts";
import { type AuthEntity, ENTITY_TYPE, formatAuthEntity, utimeToMs } from "../../types/index.ts";
import { AUTH_METHOD, type AuthInitiator, type AuthSecrets, CON_MODE } from "../auth-method.ts";
import type { ClientAuth } from "../client.ts";
import { type CryptoKey, decrypt, writeEncrypted } from "../crypto-key.ts";
import {
  AUTH_MODE,
  Authenticate,
  Authorize,
  AuthorizeChallenge,
  AuthorizeReply,
  AuthorizerHead,
  CEPHX_REQUEST,
  CONNECTION_SECRET_LEN,
  challengeProof,
  EMPTY_TICKET,
  KEY_USAGE,
  MonRequest,
  ResponseHeader,
  readTicketReply,
  ServerChallenge,
  ServiceTicketRequest,
  type TicketGrant,
} from "./protocol.ts";

const EMPTY = new Uint8Array(0);
/** All a block-storage client asks for: AUTH, MGR, OSD and MON, as librados does. */
export const CLIENT_KEYS = ENTITY_TYPE.AUTH | ENTITY_TYPE.MGR | ENTITY_TYPE.OSD | ENTITY_TYPE.MON;

/** Of its validity, when a ticket wants renewal. */
const RENEWAL_AGE = 3 / 4;

/** A ticket we hold, and when it came: by the wall clock, and by the one that never goes back. */
interface HeldTicket extends TicketGrant {
  /** 0: for ever. */
  readonly validityMs: number;
  readonly sinceMs: number;
  readonly sinceMonotonicMs: number;
}

export interface CephxClientOptions {
  readonly entity: AuthEntity;
  /** A function is asked at each login: the key may have been rotated. */
  readonly key: CryptoKey | (() => CryptoKey);
  readonly clock: Clock;
  readonly random: Random;
  /** Mask of services to hold tickets for. @default CLIENT_KEYS */
  readonly keys?: number;
  /** Connection modes with monitors, most wanted first. @default secure, then crc */
  readonly monModes?: readonly number[];
  /** Connection modes with services, most wanted first. @default crc, then secure */
  readonly serviceModes?: readonly number[];
}

export class CephxClient implements ClientAuth {
  readonly entity: AuthEntity;
  readonly method = AUTH_METHOD.CEPHX;
  readonly #currentKey: () => CryptoKey;
  /** The one of the last login, which its answer is sealed under. */
  #key: CryptoKey;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keys: number;
  readonly #monModes: readonly number[];
  readonly #serviceModes: readonly number[];
  readonly #tickets = new Map<number, HeldTicket>();
  /** Of the last handshake with a monitor: renewals of the AUTH ticket answer it again. */
  #serverChallenge = 0n;
  #globalId = 0n;

  constructor(options: CephxClientOptions) {
    this.entity = options.entity;
    const { key } = options;
    this.#currentKey = typeof key === "function" ? key : () => key;
    this.#key = this.#currentKey();
    this.#clock = options.clock;
    this.#random = options.random;
    this.#monModes = options.monModes ?? [CON_MODE.SECURE, CON_MODE.CRC];
    this.#serviceModes = options.serviceModes ?? [CON_MODE.CRC, CON_MODE.SECURE];
    this.#keys = (options.keys ?? CLIENT_KEYS) | ENTITY_TYPE.AUTH;
  }

  /** Given by the first monitor session; 0 before. */
  get globalId(): bigint {
    return this.#globalId;
  }

  another(): CephxClient {
    return new CephxClient({
      entity: this.entity,
      key: this.#key,
      clock: this.#clock,
      random: this.#random,
      keys: this.#keys,
      monModes: this.#monModes,
      serviceModes: this.#serviceModes,
    });
  }

  /** Is there a ticket for the service that has not expired? */
  hasTicket(service: number): boolean {
    const held = this.#tickets.get(service);
    return held !== undefined && this.#ageOf(held) < 1;
  }

  /**
   * Of its validity: 0 when it came, 1 when it expires. By the clock that has gone further: one stands still while the
   * machine sleeps, the other may have been wrong and put back.
   */
  #ageOf({ validityMs, sinceMs, sinceMonotonicMs }: HeldTicket): number {
    if (validityMs === 0) return 0;
    const clock = this.#clock;
    return Math.max(clock.now() - sinceMs, clock.monotonic() - sinceMonotonicMs) / validityMs;
  }

  /** Forgets a service's ticket after it was refused, so that a new one gets asked for. */
  dropTicket(service: number): void {
    this.#tickets.delete(service);
  }

  /**
   * Forgets tickets and global id: the next session is a new client. For a monitor that has lost the
   * secrets of our tickets and so refuses a reclaim; only where nothing hangs on the old id any more.
   */
  forget(): void {
    this.#tickets.clear();
    this.#globalId = 0n;
  }

  /** Mask of the services whose tickets are missing or in their last quarter. */
  get needed(): number {
    let mask = 0;
    for (let service = 1; service <= this.#keys; service <<= 1) {
      if ((this.#keys & service) === 0) continue;
      const held = this.#tickets.get(service);
      if (held === undefined || this.#ageOf(held) >= RENEWAL_AGE) mask |= service;
    }
    return mask;
  }

  /** Starts a conversation with a monitor, in one of `modes` (most wanted first). */
  monInitiator(modes: readonly number[] = this.#monModes): AuthInitiator {
    return {
      method: AUTH_METHOD.CEPHX,
      modes,
      begin: () => {
        const w = new Writer();
        w.u8(AUTH_MODE.MON);
        MonRequest.encode(w, { entity: this.entity, globalId: this.#globalId });
        return w.finish();
      },
      more: (blob) => {
        this.#serverChallenge = ServerChallenge.decode(new Reader(blob)).serverChallenge;
        return this.#authenticate(this.#keys);
      },
      done: (blob, globalId, mode) => this.#takeSession(new Reader(blob), globalId, mode),
    };
  }

  /** Starts a conversation with a service whose ticket we hold. */
  serviceInitiator(service: number, modes: readonly number[] = this.#serviceModes): AuthInitiator {
    const held = this.#tickets.get(service);
    if (held === undefined) throw this.#denied("no ticket for the service");
    const nonce = randomU64(this.#random);
    const authorizer = (challenge?: bigint) => {
      const serverChallengePlusOne = challenge === undefined ? 0n : challenge + 1n;
      return this.#authorizer(held, {
        nonce,
        haveChallenge: challenge !== undefined,
        serverChallengePlusOne: BigInt.asUintN(64, serverChallengePlusOne),
      });
    };
    return {
      method: AUTH_METHOD.CEPHX,
      modes,
      begin: () => authorizer(),
      more: (blob) => {
        const usage = KEY_USAGE.AUTHORIZE_CHALLENGE;
        const challenge = decrypt(AuthorizeChallenge, blob, held.sessionKey, usage);
        if (challenge === undefined) throw this.#denied("challenge is not under our session key");
        return authorizer(challenge.serverChallenge);
      },
      done: (blob, _globalId, mode) => {
        const sealed = new Reader(blob).blob();
        const reply = decrypt(AuthorizeReply, sealed, held.sessionKey, KEY_USAGE.AUTHORIZE_REPLY);
        if (reply?.noncePlusOne !== BigInt.asUintN(64, nonce + 1n)) {
          throw this.#denied("service cannot read our ticket");
        }
        return this.#secrets(held.sessionKey, reply.connectionSecret, mode);
      },
    };
  }

  /** MAuth's blob that renews what is `needed`; undefined if nothing is. */
  buildRenewal(): Uint8Array | undefined {
    const keys = this.needed;
    const auth = this.#tickets.get(ENTITY_TYPE.AUTH);
    if (keys === 0 || auth === undefined) return undefined;
    if ((keys & ENTITY_TYPE.AUTH) !== 0) return this.#authenticate(keys);
    const w = new Writer();
    w.u16(CEPHX_REQUEST.GET_PRINCIPAL_SESSION_KEY);
    const proof = { nonce: randomU64(this.#random), haveChallenge: false };
    w.bytes(this.#authorizer(auth, { ...proof, serverChallengePlusOne: 0n }));
    ServiceTicketRequest.encode(w, { keys });
    return w.finish();
  }

  /** Takes MAuthReply's result and blob. Throws CephError if the monitor refused or is not ours. */
  takeRenewal(errno: number, blob: Uint8Array): void {
    if (errno !== 0) {
      throw new CephError(errno, { op: "renew tickets", target: formatAuthEntity(this.entity) });
    }
    const r = new Reader(blob);
    const { requestType } = ResponseHeader.decode(r);
    const auth = this.#tickets.get(ENTITY_TYPE.AUTH);
    if (requestType === CEPHX_REQUEST.GET_AUTH_SESSION_KEY) {
      this.#takeAuthReply(r);
    } else if (requestType === CEPHX_REQUEST.GET_PRINCIPAL_SESSION_KEY && auth !== undefined) {
      this.#takeTickets(r, auth.sessionKey);
    } else {
      throw this.#denied("reply to a request we did not make");
    }
  }

  #authenticate(otherKeys: number): Uint8Array {
    this.#key = this.#currentKey();
    const clientChallenge = randomU64(this.#random);
    const serverChallenge = this.#serverChallenge;
    const w = new Writer();
    w.u16(CEPHX_REQUEST.GET_AUTH_SESSION_KEY);
    Authenticate.encode(w, {
      clientChallenge,
      key: challengeProof({ serverChallenge, clientChallenge }, this.#key),
      oldTicket: this.#tickets.get(ENTITY_TYPE.AUTH)?.ticket ?? EMPTY_TICKET,
      otherKeys,
    });
    return w.finish();
  }

  #authorizer(held: TicketGrant, proof: Authorize): Uint8Array {
    const { service, ticket } = held;
    const w = new Writer();
    AuthorizerHead.encode(w, { globalId: this.#globalId, service, ticket });
    const sealing = { usage: KEY_USAGE.AUTHORIZE, random: this.#random };
    writeEncrypted(w, Authorize, proof, held.sessionKey, sealing);
    return w.finish();
  }

  #takeSession(r: Reader, globalId: bigint, mode: number): AuthSecrets {
    const { requestType, status } = ResponseHeader.decode(r);
    if (requestType !== CEPHX_REQUEST.GET_AUTH_SESSION_KEY || status !== 0) {
      throw this.#denied(`monitor answered status ${status}`);
    }
    const { sessionKey, connectionSecret } = this.#takeAuthReply(r);
    this.#globalId = globalId;
    return this.#secrets(sessionKey, connectionSecret, mode);
  }

  #takeAuthReply(r: Reader): { sessionKey: CryptoKey; connectionSecret: Uint8Array } {
    this.#takeTickets(r, this.#key);
    const auth = this.#tickets.get(ENTITY_TYPE.AUTH);
    if (auth === undefined) throw this.#denied("monitor gave no AUTH ticket");
    const { sessionKey } = auth;
    if (r.remaining === 0) return { sessionKey, connectionSecret: EMPTY };
    const sealed = r.blob();
    const extra = r.blob();
    if (extra.length > 0) this.#takeTickets(new Reader(extra), sessionKey);
    if (sealed.length === 0) return { sessionKey, connectionSecret: EMPTY };
    const usage = KEY_USAGE.CONNECTION_SECRET;
    const secret = decrypt(blobCodec, new Reader(sealed).blob(), sessionKey, usage);
    if (secret === undefined) throw this.#denied("connection secret is not under our key");
    return { sessionKey, connectionSecret: Uint8Array.from(secret) };
  }

  #takeTickets(r: Reader, key: CryptoKey): void {
    const grants = readTicketReply(r, key, (service) => this.#tickets.get(service)?.sessionKey);
    if (grants === undefined) throw this.#denied("tickets are not under our key");
    const came = { sinceMs: this.#clock.now(), sinceMonotonicMs: this.#clock.monotonic() };
    for (const grant of grants) {
      const validityMs = utimeToMs(grant.validity);
      this.#tickets.set(grant.service, { ...grant, ...came, validityMs });
    }
  }

  #secrets(key: CryptoKey, connectionSecret: Uint8Array, mode: number): AuthSecrets {
    const expected = mode === CON_MODE.SECURE ? CONNECTION_SECRET_LEN : 0;
    if (connectionSecret.length < expected) throw this.#denied("no connection secret");
    return { sessionKey: key.secret, connectionSecret };
  }

  #denied(why: string): CephError {
    const target = formatAuthEntity(this.entity);
    return new CephError(ERRNO.EACCES, { op: "authenticate", target, cause: why });
  }
}
