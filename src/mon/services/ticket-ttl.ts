/**
 * How long tickets are good: the monitor's options auth_mon_ticket_ttl and auth_service_ticket_ttl, in seconds.
 * A changed value holds for new tickets at once, and for the secrets under them from the next that is made or,
 * if it is lower, from the monitor's next start.
 * ceph: src/auth/cephx/CephxKeyServer.cc (_rotate_secret, _build_session_auth_info)
 */

import type { Settings } from "../../config/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";

/** Upstream spins on 0; less than a second is a slip, for renewals alone take as long. */
const TTL_MIN_MS = 1000;
/** Ten years: three of them after now still have a place in the u32 seconds of a ticket's end. */
const TTL_MAX_MS = 10 * 365 * 86_400_000;

/** The ttl of a service's tickets, for `RotatingSecrets`, by the monitor's options. */
export function ticketTtl(settings: Settings): (service: number) => number {
  const read = (name: string) =>
    Math.min(Math.max(settings.number(name) * 1000, TTL_MIN_MS), TTL_MAX_MS);
  return (service) =>
    read(service === ENTITY_TYPE.AUTH ? "auth_mon_ticket_ttl" : "auth_service_ticket_ttl");
}
