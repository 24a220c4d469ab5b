/** Time that moves when told to; deferred calls run on the real loop. */

import type { Clock, Timer } from "../../src/base/index.ts";

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; fn: () => void; period: number | undefined }>();

  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(delayMs: number, fn: () => void): Timer {
    return this.#add(delayMs, fn, undefined);
  }
  every(periodMs: number, fn: () => void): Timer {
    return this.#add(periodMs, fn, periodMs);
  }
  defer(fn: () => void): void {
    setImmediate(fn);
  }
  /** Timers that wait: what a test finds here at its end has leaked. */
  get timers(): number {
    return this.#timers.size;
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      if (timer.period === undefined) this.#timers.delete(timer);
      else timer.at = this.#now + timer.period;
      timer.fn();
    }
  }
  #add(delayMs: number, fn: () => void, period: number | undefined): Timer {
    const timer = { at: this.#now + delayMs, fn, period };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
}

/** Lets what is deferred run until `condition` holds. */
export async function until(condition: () => boolean, turns = 2000): Promise<void> {
  for (let i = 0; i < turns && !condition(); i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (!condition()) throw new Error("what the test waits for did not happen");
}
