/**
 * Renewal of tickets inside a monitor session: what MAuth asks and MAuthReply answers.
 *
 * 0x0200 asks for service tickets with an AUTH ticket's authorizer (no challenge: the session is proved
 * already), 0x0100 for a new AUTH ticket. 0x0400 asks for the rotating secrets themselves, as everybody with
 * a daemon's name does: ours get them in-process, so for others there are none. They get told so in a good
 * answer: upstream's client trips over an error here when it has just authenticated.
 * ceph: src/auth/cephx/CephxServiceHandler.cc (handle_request), src/mon/AuthMonitor.cc (prep_auth)
 */

import { ERRNO } from "../../base/index.ts";
import { DecodeError, Reader, u16, Writer } from "../../encoding/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import type { AuthIdentity } from "../auth-method.ts";
import { decrypt, writeEncrypted } from "../crypto-key.ts";
import {
  type CephxMonAcceptor,
  type CephxMonContext,
  issueServiceTickets,
} from "./mon-acceptor.ts";
import {
  Authorize,
  AuthorizerHead,
  CEPHX_REQUEST,
  KEY_USAGE,
  NoRotatingSecrets,
  ResponseHeader,
  ServiceTicketRequest,
  writeTicketReply,
} from "./protocol.ts";
import { openTicket } from "./ticket.ts";

/** MAuthReply's result and blob. */
export interface AuthReply {
  /** 0, or a negative errno with an empty blob. */
  readonly errno: number;
  readonly blob: Uint8Array;
}

function refuse(errno: number): AuthReply {
  return { errno: -Math.abs(errno), blob: new Uint8Array(0) };
}

/**
 * Answers MAuth's blob for the session of `identity`, which `acceptor` authenticated.
 * Malformed blobs are answered with -EINVAL.
 */
export function renewTickets(
  context: CephxMonContext,
  acceptor: CephxMonAcceptor,
  identity: AuthIdentity,
  blob: Uint8Array,
): AuthReply {
  const r = new Reader(blob);
  try {
    const type = u16.decode(r);
    switch (type) {
      case CEPHX_REQUEST.GET_AUTH_SESSION_KEY: {
        const reply = acceptor.renewAuthTicket(r);
        return typeof reply === "number" ? refuse(reply) : { errno: 0, blob: reply };
      }
      case CEPHX_REQUEST.GET_PRINCIPAL_SESSION_KEY:
        return renewServiceTickets(context, identity, r);
      case CEPHX_REQUEST.GET_ROTATING_KEY:
        return noRotatingSecrets(context, identity);
      default:
        return refuse(ERRNO.EINVAL);
    }
  } catch (error) {
    if (error instanceof DecodeError) return refuse(ERRNO.EINVAL);
    throw error;
  }
}

function noRotatingSecrets(context: CephxMonContext, identity: AuthIdentity): AuthReply {
  const auth = context.keys(identity.entity);
  const isDaemon = identity.entity.type !== ENTITY_TYPE.CLIENT;
  if (auth === undefined || !isDaemon) return refuse(ERRNO.EACCES);
  const w = new Writer();
  ResponseHeader.encode(w, { requestType: CEPHX_REQUEST.GET_ROTATING_KEY, status: 0 });
  const sealing = { usage: KEY_USAGE.ROTATING_SECRET, random: context.random };
  writeEncrypted(w, NoRotatingSecrets, { count: 0, newest: 0n }, auth.key, sealing);
  return { errno: 0, blob: w.finish() };
}

function renewServiceTickets(
  context: CephxMonContext,
  identity: AuthIdentity,
  r: Reader,
): AuthReply {
  const head = AuthorizerHead.decode(r);
  const sealed = r.blob();
  const { keys } = ServiceTicketRequest.decode(r);
  if (head.service !== ENTITY_TYPE.AUTH) return refuse(ERRNO.EACCES);
  const ticket = openTicket(head.ticket, ENTITY_TYPE.AUTH, context.secrets);
  const isMine =
    ticket !== undefined &&
    ticket.globalId === head.globalId &&
    ticket.globalId === identity.globalId &&
    ticket.entity.type === identity.entity.type &&
    ticket.entity.id === identity.entity.id;
  if (!isMine || ticket.expiresMs <= context.clock.now()) return refuse(ERRNO.EACCES);
  const { sessionKey } = ticket;
  const authorize = decrypt(Authorize, sealed, sessionKey, KEY_USAGE.AUTHORIZE);
  if (authorize === undefined) return refuse(ERRNO.EACCES);
  // Keys and caps are looked up anew: what was taken away meanwhile is not renewed.
  const auth = context.keys(identity.entity);
  if (auth === undefined) return refuse(ERRNO.EACCES);
  const w = new Writer();
  ResponseHeader.encode(w, { requestType: CEPHX_REQUEST.GET_PRINCIPAL_SESSION_KEY, status: 0 });
  // The key may have got another type since; the session goes on with what its client speaks.
  const who = { ...identity, caps: auth.caps, keyType: sessionKey.type };
  const grants = issueServiceTickets(who, keys, context);
  writeTicketReply(w, grants, context.random, sessionKey);
  return { errno: 0, blob: w.finish() };
}
