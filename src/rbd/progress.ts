/**
 * Long operations: how far they are, and many objects at a time.
 * ceph: src/librbd/AsyncObjectThrottle.cc
 */

/**
 * Told how far an operation is; throws (ECANCELED) to end it. So it ends between two steps, and gives back what it
 * holds; what it has done by then stays done.
 */
export interface Progress {
  (done: number, total: number): void;
  /** Aborted: the next call throws. For an operation that waits, and has nothing to tell meanwhile. */
  readonly signal?: AbortSignal;
}

export const noProgress: Progress = () => undefined;

/** A progress that ends its operation with the signal's reason, too. */
export function endedBy(signal: AbortSignal, progress: Progress): Progress {
  const told = (done: number, total: number): void => {
    signal.throwIfAborted();
    progress(done, total);
  };
  return Object.assign(told, { signal });
}

/** Objects worked on at a time.  ceph: rbd_concurrent_management_ops */
export const CONCURRENT = 10;

/**
 * Runs `work` for every object of [start, end), several at a time. The first failure ends it, once what is
 * under way is done.
 */
export async function forEachObject(
  range: { start: number; end: number },
  progress: Progress,
  work: (objectNo: number) => Promise<void>,
): Promise<void> {
  let next = range.start;
  let failure: unknown;
  const worker = async (): Promise<void> => {
    while (failure === undefined && next < range.end) {
      const objectNo = next++;
      try {
        await work(objectNo);
        progress(objectNo, range.end);
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  if (failure !== undefined) throw failure;
}

/** The results of `work` for every item, in order, at most `limit` at a time. The first failure ends it. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const [only] = items;
  // As most reads and writes of an image are.
  if (items.length === 1) return [await work(only as T)];
  const results: R[] = [];
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (failure === undefined && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}
