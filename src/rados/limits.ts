/**
 * What ends a wait before its answer comes: the caller's signal, or time.
 *
 * librados waits for ever unless a time-out is configured, and cannot be interrupted; here every call can.
 * Whoever is released early has forgotten what it asked for: it is not sent again, and a late answer is for
 * nobody. What had been sent may have been done all the same.
 * ceph: src/common/options (rados_osd_op_timeout, rados_mon_op_timeout, client_mount_timeout)
 */

import { CephError, type Clock, ERRNO } from "../base/index.ts";

/**
 * What every call of a client takes that waits for the cluster. What was asked for by then may have been done, or
 * may not: a change that has to be known is looked for, or made in such a way that it can be made again.
 */
export interface CallOptions {
  /** Once aborted, the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the call rejects with ETIMEDOUT; 0: never. Of an iterator: until its next item.
   * @default the client's own time-out for each of the requests that the call takes
   */
  readonly timeoutMs?: number | undefined;
}

/** What an error names: the operation, and what it was about. */
export interface Subject {
  readonly op: string;
  readonly target: string;
}

export function timedOut(subject: Subject, cause?: unknown): CephError {
  return new CephError(-ERRNO.ETIMEDOUT, { ...subject, ...(cause === undefined ? {} : { cause }) });
}

type End = (reason: unknown) => void;

interface Waiting {
  readonly ends: Set<End>;
  readonly listener: () => void;
}

/** One listener a signal, however many calls wait on it, and none once none does. */
const waiting = new WeakMap<AbortSignal, Waiting>();

function onAbort(signal: AbortSignal, end: End): () => void {
  let found = waiting.get(signal);
  if (found === undefined) {
    const ends = new Set<End>();
    const listener = () => {
      waiting.delete(signal);
      for (const each of ends) each(signal.reason);
    };
    signal.addEventListener("abort", listener, { once: true });
    waiting.set(signal, (found = { ends, listener }));
  }
  const { ends, listener } = found;
  ends.add(end);
  return () => {
    if (!ends.delete(end) || ends.size > 0 || signal.aborted) return;
    waiting.delete(signal);
    signal.removeEventListener("abort", listener);
  };
}

/**
 * Calls `end` with the reason when the signal is aborted or the time is over, whichever is first.
 * A signal that is aborted already is the caller's to look at: see `throwIfAborted`.
 * @returns what stops the watch; undefined if there is nothing to watch
 */
export function watchLimits(
  clock: Clock,
  { signal, timeoutMs = 0 }: CallOptions,
  subject: () => Subject,
  end: End,
): (() => void) | undefined {
  const timer = timeoutMs > 0 ? clock.after(timeoutMs, () => end(timedOut(subject()))) : undefined;
  const deaf = signal === undefined ? undefined : onAbort(signal, end);
  if (timer === undefined) return deaf;
  return () => {
    timer.cancel();
    deaf?.();
  };
}

/**
 * The work's outcome, or the reason why nobody waits for it any more; then what becomes of the work later
 * is dropped, a failure too.
 */
export function bounded<T>(
  clock: Clock,
  limits: CallOptions,
  subject: () => Subject,
  work: Promise<T>,
): Promise<T> {
  if (limits.signal?.aborted === true) {
    work.catch(() => undefined); // nobody waits for it
    return Promise.reject(limits.signal.reason);
  }
  return new Promise((resolve, reject) => {
    // Whichever is first: nobody waits for the other one any more, and it is let go of.
    const fail = (reason: unknown) => {
      release?.();
      reject(reason);
    };
    const release = watchLimits(clock, limits, subject, fail);
    work.then((value) => {
      release?.();
      resolve(value);
    }, fail);
  });
}

/**
 * Limits of a call that takes several attempts, or steps: each gets the time that is left.
 * @param defaultMs of a call that says no time-out; undefined: then each step has its own
 */
export function shared(clock: Clock, limits: CallOptions, defaultMs?: number): () => CallOptions {
  const { signal, timeoutMs = defaultMs } = limits;
  if (timeoutMs === undefined || timeoutMs === 0) return () => ({ signal, timeoutMs });
  const end = clock.monotonic() + timeoutMs;
  // 0 would be no limit at all.
  return () => ({ signal, timeoutMs: Math.max(1, end - clock.monotonic()) });
}
