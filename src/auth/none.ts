/**
 * Method none: the peer is who it says it is, and may do everything.
 *
 * Only crc mode is possible, for there is no secret to key anything with. A global id is believed only
 * if it was given out before, so that a stray claim cannot collide with a later client's id.
 * ceph: src/auth/none/, src/mon/Monitor.cc (handle_auth_request)
 */

import { assert, ERRNO } from "../base/index.ts";
import { type Codec, encodeToBytes, Reader, record, u8 } from "../encoding/index.ts";
import type { AuthEntity } from "../types/index.ts";
import {
  type AcceptorStep,
  AUTH_METHOD,
  type AuthAcceptor,
  type AuthInitiator,
  type AuthSecrets,
  CON_MODE,
} from "./auth-method.ts";
import { AUTH_MODE, MonRequest } from "./cephx/protocol.ts";
import { ALLOW_ALL_CAPS, type GlobalIds } from "./identity.ts";

const EMPTY = new Uint8Array(0);
const NO_SECRETS: AuthSecrets = Object.freeze({ sessionKey: EMPTY, connectionSecret: EMPTY });

/** Mode, entity and global id: the whole request, towards monitors and services alike. */
const Request: Codec<{ mode: number; who: MonRequest }> = record("auth none request", {
  mode: u8,
  who: MonRequest,
});

/**
 * An acceptor for a monitor (`globalIds` given: it hands out ids) or for a service.
 * @param mode the connection mode that was chosen; anything but crc is refused with -EOPNOTSUPP
 */
export function createNoneAcceptor(
  mode: number,
  kind: { globalIds: GlobalIds } | "service",
): AuthAcceptor {
  return {
    next(blob): AcceptorStep {
      if (mode !== CON_MODE.CRC) return { kind: "bad", errno: -ERRNO.EOPNOTSUPP };
      if (blob.length === 0) return { kind: "bad", errno: -ERRNO.EACCES };
      const { mode: authMode, who } = Request.decode(new Reader(blob));
      const expected = kind === "service" ? AUTH_MODE.AUTHORIZER : AUTH_MODE.MON;
      if (authMode !== expected) return { kind: "bad", errno: -ERRNO.EACCES };
      let globalId = who.globalId;
      if (kind !== "service" && !(globalId !== 0n && kind.globalIds.wasAllocated(globalId))) {
        const allocated = kind.globalIds.allocate();
        if (allocated === undefined) return { kind: "bad", errno: -ERRNO.EBUSY };
        globalId = allocated;
      }
      const identity = { entity: who.entity, globalId, caps: ALLOW_ALL_CAPS };
      return { kind: "done", blob: EMPTY, identity, secrets: NO_SECRETS };
    },
  };
}

/** The client's side: towards a monitor, or (with the id a monitor gave) towards a service. */
export function createNoneInitiator(
  entity: AuthEntity,
  target: { peer: "mon"; globalId?: bigint } | { peer: "service"; globalId: bigint },
): AuthInitiator {
  return {
    method: AUTH_METHOD.NONE,
    modes: [CON_MODE.CRC],
    begin() {
      const mode = target.peer === "mon" ? AUTH_MODE.MON : AUTH_MODE.AUTHORIZER;
      return encodeToBytes(Request, { mode, who: { entity, globalId: target.globalId ?? 0n } });
    },
    more: () => EMPTY,
    done(_blob, _globalId, mode) {
      assert(mode === CON_MODE.CRC, "method none has no key for secure mode");
      return NO_SECRETS;
    },
  };
}
