/** Several requests in flight at a time, of one long operation. */

/** ceph: rbd_concurrent_management_ops */
export const CONCURRENT = 10;

/** Starts work, no more than so much at a time; the first failure comes out of whatever is called next. */
export class Throttle {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit = CONCURRENT) {
    this.#limit = limit;
  }

  /** Resolves when it is started. */
  async start(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#check();
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when all of it is done, or rejects if some has failed. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Runs `start` ahead of `finish`, several at a time; `finish` comes in the order of the items. */
export async function inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  start: (item: T) => Promise<R>,
  finish: (result: R, item: T) => Promise<void>,
): Promise<void> {
  const pending: { item: T; result: Promise<R> }[] = [];
  const next = async () => {
    const first = pending.shift();
    if (first !== undefined) await finish(await first.result, first.item);
  };
  try {
    for await (const item of items) {
      const result = start(item);
      // Heard of in its turn.
      result.catch(() => undefined);
      pending.push({ item, result });
      if (pending.length >= CONCURRENT) await next();
    }
    while (pending.length > 0) await next();
  } finally {
    await Promise.allSettled(pending.map(({ result }) => result));
  }
}
