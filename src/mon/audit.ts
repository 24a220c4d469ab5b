/**
 * The cluster log's channel `audit`: who has asked for which command.
 * ceph: src/mon/Monitor.cc handle_command, src/mon/Monitor.h C_Command, src/mgr/DaemonServer.cc
 */

import type { AuthIdentity } from "../auth/index.ts";
import {
  type AddrVec,
  type EntityName,
  formatAddrVec,
  formatAuthEntity,
  formatEntityName,
} from "../types/index.ts";

/** Commands whose arguments are secrets. `config-key put` is another word for `config-key set`. */
const SECRET = new Set(["config set", "config-key set", "config-key put", "injectargs"]);

/** Somebody who asks, and what, in the words it came in. */
export interface AuditRequest {
  readonly peerName: EntityName;
  readonly peerAddrs: AddrVec;
  readonly identity: AuthIdentity;
  readonly prefix: string;
  readonly cmd: readonly string[];
}

/** What has become of it. The space is upstream's. */
export type AuditEvent = "dispatch" | "finished" | " access denied";

/** One line; undefined if it must not be written down. */
export function auditLine(request: AuditRequest, what: AuditEvent): string | undefined {
  if (SECRET.has(request.prefix)) return undefined;
  const { peerName, peerAddrs, identity, cmd } = request;
  const from = `from='${formatEntityName(peerName)} ${formatAddrVec(peerAddrs)}'`;
  const text = `[${cmd.join(",")}]`;
  const quoted = what === "finished" ? `'${text}'` : text;
  return `${from} entity='${formatAuthEntity(identity.entity)}' cmd=${quoted}: ${what}`;
}
