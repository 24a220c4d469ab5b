/**
 * How long tickets are good: the monitor's options auth_mon_ticket_ttl and auth_service_ticket_ttl, in seconds.
 * A changed value holds for new tickets at once, and for the secrets under them from the next that is made or,
 * if it is lower, from the monitor's next start.
 * ceph: src/auth/cephx/CephxKeyServer.cc (_rotate_secret, _build_session_auth_info)
 */

import { AUTH_TICKET_TTL_MS, SERVICE_TICKET_TTL_MS } from "../../auth/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import type { ConfigService } from "./config.ts";

/** Upstream spins on 0; less than a second is a slip, for renewals alone take as long. */
const TTL_MIN_MS = 1000;

/** The ttl of a service's tickets, for `RotatingSecrets`, by the options of monitor `id` on `host`. */
export function ticketTtl(
  config: ConfigService,
  id: string,
  host: string,
): (service: number) => number {
  const read = () => {
    const options = config.resolve({ type: ENTITY_TYPE.MON, id }, host);
    const ttlMs = (name: string, defaultMs: number): number => {
      const text = options.get(name)?.value;
      return text === undefined ? defaultMs : Math.max(Number(text) * 1000, TTL_MIN_MS);
    };
    return {
      authMs: ttlMs("auth_mon_ticket_ttl", AUTH_TICKET_TTL_MS),
      serviceMs: ttlMs("auth_service_ticket_ttl", SERVICE_TICKET_TTL_MS),
    };
  };
  let ttl = read();
  config.onChange(() => {
    ttl = read();
  });
  return (service) => (service === ENTITY_TYPE.AUTH ? ttl.authMs : ttl.serviceMs);
}
