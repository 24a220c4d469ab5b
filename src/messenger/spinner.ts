/**
 * Looking for the next request instead of sleeping until it comes, for a moment after a reply.
 *
 * A lone client that waits for each reply sends its next request a fraction of a millisecond later. An
 * event loop that has gone to sleep meanwhile costs the wake-up of a processor, which on a virtual machine is
 * as long as the request's own work. With many requests in flight the loop does not sleep anyway, and what it
 * would spin away is missing elsewhere: so it spins only after reads that brought one or two messages.
 */

import type { Clock } from "../base/index.ts";

/** A read that brought more is not a lone client's. */
const MESSAGES_MAX = 2;

export class Spinner {
  readonly #clock: Clock;
  readonly #windowMs: number;
  #until = 0;
  #isSpinning = false;
  #isLone = false;

  /** @param windowMs how long after a reply; 0: never */
  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** A read brought so many messages. */
  onMessages(count: number): void {
    this.#isLone = count <= MESSAGES_MAX;
    if (!this.#isLone) this.#until = 0;
  }

  /** Something has been sent. */
  onSent(): void {
    if (this.#windowMs === 0 || !this.#isLone) return;
    this.#until = this.#clock.monotonic() + this.#windowMs;
    if (this.#isSpinning) return;
    this.#isSpinning = true;
    this.#turn();
  }

  #turn(): void {
    this.#clock.defer(() => {
      if (this.#clock.monotonic() < this.#until) this.#turn();
      else this.#isSpinning = false;
    });
  }
}
