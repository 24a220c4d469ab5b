/**
 * Operations on one image that need its lock to stay while they run, and what gives it back: one at a time, in the
 * order of their calls.
 */
export class OperationQueue {
  readonly #refusal: () => Error;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @param refusal what an operation hears that comes behind the last */
  constructor(refusal: () => Error) {
    this.#refusal = refusal;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#refusal();
    return await this.#append(operation);
  }

  /** Runs the last one: nothing is begun behind it. */
  async close(last: () => Promise<void>): Promise<void> {
    this.#isClosed = true;
    await this.#append(last);
  }

  async #append<T>(operation: () => Promise<T>): Promise<T> {
    const done = this.#last.then(operation);
    this.#last = done.catch(() => undefined);
    return await done;
  }
}
