/**
 * Finds who holds up others: a session with answers that the network does not get rid of, while somebody else
 * waits for the memory they are in. A client that is stopped, or does not want to read, would keep it for good.
 * Its link is closed; when it goes on it comes back and asks again, as after any lost link.
 *
 * A slow client is not a stalled one: a single byte that its network takes between two looks is enough.
 */

import type { Clock } from "../base/index.ts";
import type { Session } from "./session.ts";

/** Between two looks, milliseconds. */
const LOOK_MS = 1000;
/** Looks in a row that find it as it was. */
export const STALLED_LOOKS = 5;

export interface StallHost {
  readonly clock: Clock;
  sessions(): Iterable<Session>;
  /** Who waits for memory. */
  waiting(): ReadonlySet<Session>;
}

export class StallWatch {
  readonly #host: StallHost;
  #isOn = false;
  /** What its network had taken at the first of how many looks that found it so. */
  readonly #seen = new Map<Session, { takenBytes: number; looks: number }>();

  constructor(host: StallHost) {
    this.#host = host;
  }

  /** Somebody waits: looks now and then, until nobody does. */
  begin(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#next();
  }

  #next(): void {
    this.#host.clock.after(LOOK_MS, () => {
      const waiting = this.#host.waiting();
      if (waiting.size === 0) {
        this.#isOn = false;
        this.#seen.clear();
        return;
      }
      this.#look(waiting);
      this.#next();
    });
  }

  #look(waiting: ReadonlySet<Session>): void {
    const stalled: Session[] = [];
    for (const session of this.#host.sessions()) {
      const { takenBytes, queuedBytes } = session.connection;
      const seen = this.#seen.get(session);
      if (queuedBytes === 0) this.#seen.delete(session);
      else if (seen?.takenBytes !== takenBytes) this.#seen.set(session, { takenBytes, looks: 1 });
      else if (++seen.looks >= STALLED_LOOKS) stalled.push(session);
    }
    for (const session of stalled) {
      const isAlone = waiting.size === 1 && waiting.has(session);
      if (isAlone) continue;
      this.#seen.delete(session);
      session.connection.close("it takes no answers, and others wait for the memory they are in");
    }
  }
}
