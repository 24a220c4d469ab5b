/**
 * What may be in flight: bytes that clients have sent and that are not answered yet, and bytes that bulk
 * reads will give, from the request to the moment the network has taken them.
 *
 * Whoever has sent too much, or would when all have, is not read from until half of it is done: the
 * socket holds the sender back, not our memory. A client may also ask for hundreds of megabytes in a few
 * hundred bytes: what does not fit waits, and with it everything later of the same session, so that a
 * client's requests keep their order. Sessions that wait take turns. So do they when the store is behind.
 * Whoever asks and does not read keeps nobody waiting for long, see StallWatch.
 */

import type { Clock } from "../base/index.ts";
import { BULK_READ_BYTES_MAX, IN_FLIGHT_BYTES_MAX, SESSION_BYTES_MAX } from "./limits.ts";
import type { Session } from "./session.ts";
import { type StallHost, StallWatch } from "./stall-watch.ts";

/** A request on its way in. */
export interface Admissible {
  readonly session: Session;
  /** Bytes that came with it. */
  readonly dataBytes: number;
  /** Bytes its reads may give, if they are many. */
  readonly readBytes: number;
  readonly run: () => void;
  /** It is not run at once: what it shows of the receive buffer must be kept. */
  readonly keep: () => void;
}

export class Admission {
  readonly #isCongested: () => boolean;
  readonly #clock: Clock;
  #isRetryDue = false;
  #dataBytes = 0;
  #readBytes = 0;
  readonly #paused = new Set<Session>();
  readonly #waiting = new Map<Session, Admissible[]>();
  readonly #stalls: StallWatch;

  /** @param isCongested requests with data wait while this is so, and until `retry` */
  constructor({
    isCongested,
    ...host
  }: Omit<StallHost, "waiting"> & { readonly isCongested: () => boolean }) {
    this.#isCongested = isCongested;
    this.#clock = host.clock;
    this.#stalls = new StallWatch({
      ...host,
      waiting: () => new Set([...this.#waiting.keys(), ...this.#paused]),
    });
  }

  /** Runs the request, now or in its turn. */
  enter(request: Admissible): void {
    const { session, dataBytes } = request;
    this.#dataBytes += dataBytes;
    session.inFlightBytes += dataBytes;
    const behind = this.#waiting.get(session);
    // What has become free is for those who wait for it.
    const isTaken = this.#isRetryDue && request.readBytes > 0;
    if (behind === undefined && !isTaken && this.#fits(request)) {
      this.#run(request);
    } else {
      request.keep();
      if (behind === undefined) this.#waiting.set(session, [request]);
      else behind.push(request);
    }
    const tooMuch =
      this.#dataBytes > IN_FLIGHT_BYTES_MAX ||
      session.inFlightBytes > SESSION_BYTES_MAX ||
      this.#waiting.has(session);
    if (!tooMuch || this.#paused.has(session)) return;
    this.#paused.add(session);
    this.#stalls.begin();
    session.connection.pause();
  }

  /** One that is larger than all there is goes alone. */
  #fits({ dataBytes, readBytes }: Admissible): boolean {
    if (dataBytes > 0 && this.#isCongested()) return false;
    const total = this.#readBytes + readBytes;
    return readBytes === 0 || this.#readBytes === 0 || total <= BULK_READ_BYTES_MAX;
  }

  #run(request: Admissible): void {
    this.#readBytes += request.readBytes;
    request.run();
  }

  /** A request that has run is over. */
  leave({ session, dataBytes, readBytes }: Omit<Admissible, "run" | "keep">): void {
    this.#dataBytes -= dataBytes;
    session.inFlightBytes -= dataBytes;
    this.#readBytes -= readBytes;
    if (readBytes > 0 && this.#waiting.size > 0) this.#retrySoon();
    if (this.#paused.size > 0) this.#resume();
  }

  /** Not at once: a request may end while older ones than those that wait here are being let go, one by one. */
  #retrySoon(): void {
    if (this.#isRetryDue) return;
    this.#isRetryDue = true;
    this.#clock.defer(() => {
      this.#isRetryDue = false;
      this.retry();
      this.#resume();
    });
  }

  /** Runs what waits and can be run now. */
  retry(): void {
    // A read that wants more room than there is comes before the smaller ones behind it, or it would wait for ever.
    let isRoomTaken = false;
    for (const [session, requests] of this.#waiting) {
      const first = requests[0]!;
      if (first.readBytes > 0 && isRoomTaken) continue;
      if (!this.#fits(first)) {
        if (first.readBytes > 0) isRoomTaken = true;
        continue;
      }
      // Its next turn comes after all others'.
      this.#waiting.delete(session);
      this.#run(requests.shift()!);
      while (requests[0]?.readBytes === 0 && this.#fits(requests[0])) this.#run(requests.shift()!);
      if (requests.length > 0) this.#waiting.set(session, requests);
    }
  }

  #resume(): void {
    if (this.#dataBytes > IN_FLIGHT_BYTES_MAX / 2) return;
    for (const session of this.#paused) {
      if (session.inFlightBytes > SESSION_BYTES_MAX / 2 || this.#waiting.has(session)) continue;
      this.#paused.delete(session);
      session.connection.resume();
    }
  }

  /** The session is gone: what waits of it runs now, and finds nobody to answer. */
  drop(session: Session): void {
    this.#paused.delete(session);
    const requests = this.#waiting.get(session) ?? [];
    this.#waiting.delete(session);
    for (const request of requests) this.#run(request);
  }
}
