/**
 * Connection modes by number.
 * ceph: src/include/msgr.h (CEPH_CON_MODE_*)
 */

import { type AuthSecrets, CON_MODE } from "../auth/index.ts";
import { crcOnWire } from "./crc-on-wire.ts";
import type { OnWire } from "./on-wire.ts";
import { ProtocolError } from "./protocol-error.ts";
import { SecureOnWire } from "./secure-on-wire.ts";

/** Which end of the link we are. */
export type Role = "acceptor" | "initiator";

/** A connection's frames from AUTH_SIGNATURE on. @throws ProtocolError for a mode that does not exist */
export function createOnWire(mode: number, secrets: AuthSecrets, role: Role): OnWire {
  if (mode === CON_MODE.CRC) return crcOnWire;
  if (mode === CON_MODE.SECURE) return new SecureOnWire(secrets.connectionSecret, role);
  throw new ProtocolError(`connection mode ${mode}`);
}
