/**
 * The only door to time. Everything takes a `Clock`, so that a whole cluster can run on a virtual one.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, milliseconds since 1970 (may have a fraction). */
  now(): number;
  /** Milliseconds since some fixed point; never goes back. */
  monotonic(): number;
  /** Calls `fn` once after `delayMs`. A pending timer does not keep the process alive. */
  after(delayMs: number, fn: () => void): Timer;
  /** Calls `fn` every `periodMs` until cancelled. A pending timer does not keep the process alive. */
  every(periodMs: number, fn: () => void): Timer;
  /** Calls `fn` once this turn of the event loop has handled its input. */
  defer(fn: () => void): void;
}

/** Resolves after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** What setTimeout takes; anything longer it takes for 1 ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    let handle: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const part = Math.min(leftMs, TIMER_MAX_MS);
      handle = setTimeout(() => (leftMs > part ? wait(leftMs - part) : fn()), part);
      handle.unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, fn) {
    const handle = setInterval(fn, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
  defer(fn) {
    setImmediate(fn);
  },
};
