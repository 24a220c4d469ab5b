/**
 * Capabilities: what an entity may do, per service, in Ceph's grammar. Each service checks its own text.
 * ceph: src/mon/AuthMonitor.cc (valid_caps)
 */

import { parseMgrCap } from "./caps/mgr-cap.ts";
import { parseMonCap } from "./caps/mon-cap.ts";
import { parseOsdCap } from "./caps/osd-cap.ts";

/** Cap texts by service ("mon", "osd", "mgr", "mds"), as `auth get-or-create` was given them. */
export type EntityCaps = Readonly<Record<string, string>>;

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  mon: parseMonCap,
  osd: parseOsdCap,
  mgr: parseMgrCap,
  // There is no MDS here: its caps are kept for the day the entity moves to a cluster that has one.
  mds: (text) => text,
};

/** Would upstream's monitor take this cap text for this service? Unknown services: no. */
export function isValidCap(service: string, text: string): boolean {
  return Object.hasOwn(PARSERS, service) && PARSERS[service]?.(text) !== undefined;
}
