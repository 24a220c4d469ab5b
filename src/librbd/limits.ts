/**
 * How calls on images end before they are done: by a signal, or for want of time.
 *
 * What only reads is given up at once. What changes something is not cut off in the middle of a request, as its
 * outcome decides what comes next: a change of data that was not begun is not begun any more, one that was is
 * waited for by `flush` and `close`; an operation in many steps ends between two of them, in the way in which a
 * progress callback that throws ends it, and its image is what an interrupted librbd leaves.
 */

import type { Clock } from "../base/index.ts";
import { bounded, type CallOptions, type Subject } from "../rados/index.ts";
import { endedBy, type Progress } from "../rbd/index.ts";

/** Of a long operation: how far it is, and what ends it. */
export interface ProgressOptions extends CallOptions {
  /** What it throws ends the operation, between two steps. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Longest wait, milliseconds, for an operation to come to the end of its steps once it is to end. */
const ENDING_MS = 5_000;

/**
 * Runs what takes few requests: rejects at once when a limit is reached.
 * @param work given a signal that is aborted when the call ends early; undefined: it has no limits
 */
export function within<T>(
  clock: Clock,
  limits: CallOptions,
  subject: () => Subject,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs = 0 } = limits;
  if (signal === undefined && timeoutMs === 0) return work(undefined);
  return withinLimits(clock, limits, subject, work);
}

async function withinLimits<T>(
  clock: Clock,
  { signal, timeoutMs = 0 }: CallOptions,
  subject: () => Subject,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const end = new AbortController();
  try {
    return await bounded(clock, { signal, timeoutMs }, subject, work(end.signal));
  } catch (error) {
    end.abort(error);
    throw error;
  }
}

/**
 * Runs what takes many steps: when a limit is reached it ends after those under way, gives back what it holds, and
 * then rejects; before that only if this takes too long, as the cluster does not answer.
 */
export async function stepwise<T>(
  clock: Clock,
  { signal, timeoutMs = 0, onProgress = () => undefined }: ProgressOptions,
  subject: () => Subject,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const end = new AbortController();
  const progress = endedBy(end.signal, (done, total) => {
    // At once, though those who wait for it are told a little later.
    signal?.throwIfAborted();
    onProgress(done, total);
  });
  const working = work(progress);
  try {
    return await bounded(clock, { signal, timeoutMs }, subject, working);
  } catch (error) {
    end.abort(error);
    const ending = working.then(
      () => undefined,
      () => undefined, // the caller has heard of what came first
    );
    await bounded(clock, { timeoutMs: ENDING_MS }, subject, ending).catch(() => undefined);
    throw error;
  }
}
