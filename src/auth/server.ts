/**
 * Authentication of one listening entity: which methods and modes it takes, and who answers for each.
 *
 * Method none is only for links in crc mode, as it has no secret; its acceptor refuses anything else.
 * ceph: src/auth/AuthRegistry.cc, src/auth/AuthServer.h
 */

import { assert, type Clock, ERRNO, type Random } from "../base/index.ts";
import {
  AUTH_METHOD,
  type AuthAcceptor,
  type AuthIdentity,
  type AuthServer,
  CON_MODE,
} from "./auth-method.ts";
import { CephxMonAcceptor } from "./cephx/mon-acceptor.ts";
import { type AuthReply, renewTickets } from "./cephx/renewal.ts";
import type { RotatingSecrets, SecretLookup } from "./cephx/rotating-secrets.ts";
import { CephxServiceAcceptor } from "./cephx/service-acceptor.ts";
import type { GlobalIds, KeyLookup } from "./identity.ts";
import { createNoneAcceptor } from "./none.ts";

/** What both kinds of server are told. */
interface CommonOptions {
  /** Methods taken, most wanted first. @default cephx only */
  readonly methods?: readonly number[];
  /** Connection modes taken, most wanted first. @default crc and secure */
  readonly modes?: readonly number[];
  readonly clock: Clock;
  readonly random: Random;
}

export interface MonAuthServerOptions extends CommonOptions {
  readonly keys: KeyLookup;
  readonly secrets: RotatingSecrets;
  readonly globalIds: GlobalIds;
}

export interface ServiceAuthServerOptions extends CommonOptions {
  /** ENTITY_TYPE of the service. Caps of an identity are those on this service. */
  readonly serviceType: number;
  readonly secrets: SecretLookup;
}

/** A monitor's authentication: also renews tickets inside sessions. */
export interface MonAuthServer extends AuthServer {
  /**
   * Answers an MAuth message of an authenticated session.
   * @param identity the very object the session's conversation ended with
   */
  renew(identity: AuthIdentity, blob: Uint8Array): AuthReply;
}

const DEFAULT_METHODS = [AUTH_METHOD.CEPHX];
const DEFAULT_MODES = [CON_MODE.CRC, CON_MODE.SECURE];

function createServer(
  options: CommonOptions,
  acceptors: Readonly<Record<number, (mode: number) => AuthAcceptor>>,
): AuthServer {
  const methods = options.methods ?? DEFAULT_METHODS;
  const modes = options.modes ?? DEFAULT_MODES;
  assert(methods.length > 0 && modes.length > 0, "no authentication method or mode");
  assert(
    methods.every((method) => acceptors[method] !== undefined),
    "unknown authentication method",
  );
  return {
    methods,
    modes,
    accept(method, mode) {
      const create = methods.includes(method) ? acceptors[method] : undefined;
      if (create === undefined || !modes.includes(mode)) {
        return { next: () => ({ kind: "bad", errno: -ERRNO.EOPNOTSUPP }) };
      }
      return create(mode);
    },
  };
}

/** Authentication of a monitor: by key, giving out global ids and tickets. */
export function createMonAuthServer(options: MonAuthServerOptions): MonAuthServer {
  /** The conversation behind each living session: renewals go on with its challenge. */
  const conversations = new WeakMap<AuthIdentity, CephxMonAcceptor>();
  const server = createServer(options, {
    [AUTH_METHOD.NONE]: (mode) => createNoneAcceptor(mode, { globalIds: options.globalIds }),
    [AUTH_METHOD.CEPHX]: (mode) => {
      const acceptor = new CephxMonAcceptor(options, mode);
      return {
        next(blob) {
          const step = acceptor.next(blob);
          if (step.kind === "done") conversations.set(step.identity, acceptor);
          return step;
        },
      };
    },
  });
  return {
    ...server,
    renew(identity, blob) {
      const acceptor = conversations.get(identity);
      if (acceptor === undefined) return { errno: -ERRNO.EINVAL, blob: new Uint8Array(0) };
      return renewTickets(options, acceptor, identity, blob);
    },
  };
}

/** Authentication of an OSD or manager: by ticket. */
export function createServiceAuthServer(options: ServiceAuthServerOptions): AuthServer {
  return createServer(options, {
    [AUTH_METHOD.NONE]: (mode) => createNoneAcceptor(mode, "service"),
    [AUTH_METHOD.CEPHX]: (mode) => new CephxServiceAcceptor(options, mode),
  });
}
