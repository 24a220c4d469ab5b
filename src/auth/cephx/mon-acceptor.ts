/**
 * cephx at the monitor: proves a client's key by challenge, gives it a session key, a global id and tickets.
 *
 *     AUTH_REQUEST       u8 10, entity, global id (0, or the old one to reclaim)
 *     AUTH_REPLY_MORE    server challenge
 *     AUTH_REQUEST_MORE  u16 0x0100, CephXAuthenticate
 *     AUTH_DONE          u16 0x0100, s32 0, AUTH ticket under the client's key, connection secret and
 *                        further tickets under the session key
 *
 * An unknown entity gets a challenge too, and fails afterwards like a wrong key. A global id is reclaimed
 * only with an AUTH ticket for it, made for the same entity; there is no insecure reclaim. The same
 * conversation later renews tickets inside the session (MAuth): first the AUTH ticket, by the old challenge.
 * ceph: src/auth/cephx/CephxServiceHandler.cc, src/mon/Monitor.cc (handle_auth_request)
 */

import { type Clock, ERRNO, type Random, randomU64 } from "../../base/index.ts";
import {
  blob as blobCodec,
  DecodeError,
  encodeToBytes,
  Reader,
  u8,
  u16,
  Writer,
} from "../../encoding/index.ts";
import { type AuthEntity, ENTITY_TYPE, entityTypeName } from "../../types/index.ts";
import {
  type AcceptorStep,
  type AuthAcceptor,
  type AuthIdentity,
  CON_MODE,
} from "../auth-method.ts";
import type { EntityCaps } from "../caps.ts";
import { type CryptoKey, proofsEqual, writeEncrypted } from "../crypto-key.ts";
import type { EntityAuth, GlobalIds, KeyLookup } from "../identity.ts";
import {
  AUTH_MODE,
  type Authenticate,
  Authenticate as AuthenticateCodec,
  CEPHX_REQUEST,
  CONNECTION_SECRET_LEN,
  challengeProof,
  KEY_USAGE,
  MonRequest,
  ResponseHeader,
  ServerChallenge,
  TICKET_SERVICES,
  type TicketGrant,
  writeTicketReply,
} from "./protocol.ts";
import type { RotatingSecrets } from "./rotating-secrets.ts";
import { issueTicket, openTicket } from "./ticket.ts";

/** What the monitor's side of cephx works with. */
export interface CephxMonContext {
  readonly keys: KeyLookup;
  readonly secrets: RotatingSecrets;
  readonly globalIds: GlobalIds;
  readonly clock: Clock;
  readonly random: Random;
}

const EMPTY = new Uint8Array(0);
const ACCESS_DENIED = -ERRNO.EACCES;

/** A client whose key and global id have been proved. */
interface Proved {
  readonly auth: EntityAuth;
  readonly request: Authenticate;
  /** Session key of the old ticket, if one was shown: the new AUTH ticket goes out under it. */
  readonly oldSessionKey: CryptoKey | undefined;
}

type State = "start" | "challenged" | "finished";

export class CephxMonAcceptor implements AuthAcceptor {
  readonly #context: CephxMonContext;
  readonly #mode: number;
  #state: State = "start";
  #request: MonRequest = { entity: { type: 0, id: "" }, globalId: 0n };
  #isNewGlobalId = false;
  #serverChallenge = 0n;

  constructor(context: CephxMonContext, mode: number) {
    this.#context = context;
    this.#mode = mode;
  }

  next(bytes: Uint8Array): AcceptorStep {
    if (bytes.length === 0) return this.#bad(ACCESS_DENIED);
    const state = this.#state;
    try {
      switch (state) {
        case "start":
          return this.#begin(new Reader(bytes));
        case "challenged":
          return this.#authenticate(new Reader(bytes));
        case "finished":
          return this.#bad(ACCESS_DENIED);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // compat: a client that finds no key for its name answers the challenge with no more than the request's type,
      // and gives up only if it is told no.
      return this.#bad(state === "challenged" ? -ERRNO.EPERM : ACCESS_DENIED);
    }
  }

  /**
   * Renews the AUTH ticket inside the session: what follows the request type in MAuth.
   * @returns MAuthReply's blob, or a negative errno
   */
  renewAuthTicket(r: Reader): Uint8Array | number {
    const proved = this.#prove(r);
    if (typeof proved === "number") return proved;
    return this.#reply(proved, EMPTY).blob;
  }

  #bad(errno: number): AcceptorStep {
    this.#state = "finished";
    return { kind: "bad", errno };
  }

  #begin(r: Reader): AcceptorStep {
    if (u8.decode(r) !== AUTH_MODE.MON) return this.#bad(ACCESS_DENIED);
    this.#request = MonRequest.decode(r);
    this.#isNewGlobalId = this.#request.globalId === 0n;
    // Zero would mean "no challenge" to upstream's client.
    this.#serverChallenge = randomU64(this.#context.random) || 1n;
    this.#state = "challenged";
    const blob = encodeToBytes(ServerChallenge, { serverChallenge: this.#serverChallenge });
    return { kind: "more", blob };
  }

  #authenticate(r: Reader): AcceptorStep {
    if (u16.decode(r) !== CEPHX_REQUEST.GET_AUTH_SESSION_KEY) return this.#bad(-ERRNO.EINVAL);
    const proved = this.#prove(r);
    if (typeof proved === "number") return this.#bad(proved);
    // Only now: an id is not spent on a stranger.
    if (this.#isNewGlobalId) {
      const globalId = this.#context.globalIds.allocate();
      if (globalId === undefined) return this.#bad(-ERRNO.EBUSY);
      this.#request = { ...this.#request, globalId };
      // From here on, in renewals, the id is one that needs its ticket.
      this.#isNewGlobalId = false;
    }
    const isSecure = this.#mode === CON_MODE.SECURE;
    const connectionSecret = isSecure ? this.#context.random.bytes(CONNECTION_SECRET_LEN) : EMPTY;
    const { blob, sessionKey } = this.#reply(proved, connectionSecret, true);
    this.#state = "finished";
    const { entity, globalId } = this.#request;
    const identity: AuthIdentity = { entity, globalId, caps: proved.auth.caps };
    const secrets = { sessionKey: sessionKey.secret, connectionSecret };
    return { kind: "done", blob, identity, secrets };
  }

  /** Checks key, caps and claim to the global id; a negative errno if any is missing. */
  #prove(r: Reader): Proved | number {
    const { keys, secrets } = this.#context;
    const { entity, globalId } = this.#request;
    const request = AuthenticateCodec.decode(r);
    const auth = keys(entity);
    if (auth === undefined) return ACCESS_DENIED;
    const proof = challengeProof(
      { serverChallenge: this.#serverChallenge, clientChallenge: request.clientChallenge },
      auth.key,
    );
    if (!proofsEqual(proof, request.key)) return ACCESS_DENIED;
    // Upstream does not let anyone in who may do nothing here.
    const monCaps = Object.hasOwn(auth.caps, "mon") ? auth.caps["mon"] : undefined;
    if (monCaps === undefined || monCaps === "") return ACCESS_DENIED;
    if (this.#isNewGlobalId) {
      // A ticket without the id it is for: upstream takes it for a mistake of the client's.
      if (request.oldTicket.blob.length > 0) return -ERRNO.EINVAL;
      return { auth, request, oldSessionKey: undefined };
    }
    // An expired ticket still proves whose id it was: a client may have slept. compat: as upstream.
    const old = openTicket(request.oldTicket, ENTITY_TYPE.AUTH, secrets);
    if (
      old === undefined ||
      old.globalId !== globalId ||
      old.entity.type !== entity.type ||
      old.entity.id !== entity.id
    ) {
      return ACCESS_DENIED;
    }
    return { auth, request, oldSessionKey: old.sessionKey };
  }

  /** AUTH_DONE's blob. Inside a session the connection secret is left out, its blob being empty. */
  #reply(
    { auth, request, oldSessionKey }: Proved,
    connectionSecret: Uint8Array,
    isHandshake = false,
  ): { blob: Uint8Array; sessionKey: CryptoKey } {
    const { entity, globalId } = this.#request;
    const requestType = CEPHX_REQUEST.GET_AUTH_SESSION_KEY;
    const w = new Writer();
    ResponseHeader.encode(w, { requestType, status: 0 });
    const { random } = this.#context;
    const subject = { entity, globalId, caps: {}, keyType: auth.key.type };
    const grant = issueTicket(subject, ENTITY_TYPE.AUTH, this.#context);
    writeTicketReply(w, [grant], random, auth.key, oldSessionKey);
    if (request.otherKeys !== 0) {
      const sealed = new Writer();
      const sealing = { usage: KEY_USAGE.CONNECTION_SECRET, random };
      if (isHandshake)
        writeEncrypted(sealed, blobCodec, connectionSecret, grant.sessionKey, sealing);
      w.blob(sealed.finish());
      const who = { ...this.#request, caps: auth.caps, keyType: auth.key.type };
      const grants = issueServiceTickets(who, request.otherKeys, this.#context);
      const extra = new Writer();
      if (grants.length > 0) writeTicketReply(extra, grants, random, grant.sessionKey);
      w.blob(extra.finish());
    }
    return { blob: w.finish(), sessionKey: grant.sessionKey };
  }
}

/** Tickets for the services in the mask `keys`; others' bits are passed over, as upstream does. */
export function issueServiceTickets(
  who: { entity: AuthEntity; globalId: bigint; caps: EntityCaps; keyType: number },
  keys: number,
  context: CephxMonContext,
): TicketGrant[] {
  return TICKET_SERVICES.filter((service) => (keys & service) !== 0).map((service) => {
    const name = entityTypeName(service);
    const text = Object.hasOwn(who.caps, name) ? who.caps[name] : undefined;
    // A monitor looks caps up by itself; its ticket carries none.
    const caps = text === undefined || service === ENTITY_TYPE.MON ? {} : { [name]: text };
    return issueTicket({ ...who, caps }, service, context);
  });
}
