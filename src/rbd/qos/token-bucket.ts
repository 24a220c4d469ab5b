/**
 * Lets so much through in a second, and more for a while where that is allowed: a bucket into which tokens come at a
 * steady rate, and out of which who comes first is served first.
 *
 *   remain     what has been saved up, at most `burst x burstSeconds`
 *   available  what of that may be taken now, at most `burst`; it grows at the burst's rate
 *
 * ceph: src/common/Throttle.cc TokenBucketThrottle
 */

import type { Clock } from "../../base/index.ts";

export interface RateLimit {
  /** Tokens a second. */
  readonly limit: number;
  /** Tokens a second as long as there is anything saved up. @default the limit */
  readonly burst?: number;
  /** How long such a burst may be. @default 1 */
  readonly burstSeconds?: number;
}

interface Waiter {
  /** Tokens that it still lacks. */
  need: number;
  readonly serve: () => void;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #burst: number;
  readonly #capacity: number;
  /** Milliseconds between fillings, at least. */
  readonly #tickMs: number;
  readonly #waiters: Waiter[] = [];
  #remain: number;
  #available = 0;
  #filledMs: number;
  /** Somebody is to be looked after at the next tick. */
  #isTicking = false;

  /** @param tickMs rbd_qos_schedule_tick_min */
  constructor(clock: Clock, { limit, burst = 0, burstSeconds = 1 }: RateLimit, tickMs = 50) {
    this.#clock = clock;
    this.#limit = limit;
    // compat: a burst below the limit is none.
    this.#burst = Math.max(limit, burst);
    this.#capacity = this.#burst * Math.max(1, burstSeconds);
    this.#tickMs = Math.max(1, tickMs, 1000 / limit);
    this.#remain = this.#capacity;
    this.#filledMs = clock.monotonic();
  }

  /** Resolves once so many have been taken. @throws the signal's reason if it is aborted before */
  async take(tokens: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal?.reason as Error);
      };
      const serve = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const waiter: Waiter = { need: tokens, serve };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const tokens = ((now - this.#filledMs) / 1000) * this.#limit;
    this.#filledMs = now;
    this.#remain = Math.min(this.#capacity, this.#remain + tokens);
    const ratio = this.#burst / this.#limit;
    this.#available = Math.min(this.#burst, this.#remain, this.#available + tokens * ratio);
  }

  #serve(): void {
    this.#fill();
    for (;;) {
      const [first] = this.#waiters;
      if (first === undefined) return;
      // What there is goes to who comes first, however much that wants: or it would never have it.
      const got = Math.min(first.need, this.#available);
      first.need -= got;
      this.#available -= got;
      this.#remain -= got;
      if (first.need > 0) break;
      this.#waiters.shift();
      first.serve();
    }
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#clock.after(this.#tickMs, () => {
      this.#isTicking = false;
      this.#serve();
    });
  }
}
