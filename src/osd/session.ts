/**
 * What an OSD knows about one connected client: what it may do, which watches it holds, which map it has
 * been sent, how much of its data is in flight.
 */

import { type OsdCap, parseOsdCap } from "../auth/index.ts";
import type { Connection } from "../messenger/index.ts";
import { SESSION_BYTES_MAX } from "./limits.ts";
import type { Watch, WatchSession } from "./watch.ts";

export class Session implements WatchSession {
  readonly connection: Connection;
  /** Undefined: no caps for OSDs, or caps that do not parse. Nothing is allowed then. */
  readonly cap: OsdCap | undefined;
  readonly watches = new Set<Watch>();
  /** Newest map epoch that the client is known to have. */
  knownEpoch = 0;
  #inFlightBytes = 0;
  #paused = false;

  constructor(connection: Connection) {
    this.connection = connection;
    this.cap = parseOsdCap(connection.identity?.caps["osd"] ?? "");
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Takes `bytes` of a request in; too many stop the reading from the socket. */
  begin(bytes: number): void {
    this.#inFlightBytes += bytes;
    if (!this.#paused && this.#inFlightBytes > SESSION_BYTES_MAX) {
      this.#paused = true;
      this.connection.pause();
    }
  }

  end(bytes: number): void {
    this.#inFlightBytes -= bytes;
    if (this.#paused && this.#inFlightBytes < SESSION_BYTES_MAX / 2) {
      this.#paused = false;
      this.connection.resume();
    }
  }
}
