/**
 * What an OSD knows about one connected client: what it may do, which watches it holds, which map it has
 * been sent, how much of its data is in flight.
 */

import { type OsdCap, parseOsdCap } from "../auth/index.ts";
import type { Connection } from "../messenger/index.ts";
import type { Watch, WatchSession } from "./watch.ts";

export class Session implements WatchSession {
  readonly connection: Connection;
  /** Undefined: no caps for OSDs, or caps that do not parse. Nothing is allowed then. */
  readonly cap: OsdCap | undefined;
  readonly watches = new Set<Watch>();
  /** Newest map epoch that the client is known to have. */
  knownEpoch = 0;
  /** Bytes of its requests that are not answered yet; kept by the admission. */
  inFlightBytes = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    this.cap = parseOsdCap(connection.identity?.caps["osd"] ?? "");
  }
}
