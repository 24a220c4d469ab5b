/** Operations on one image that need its lock to stay while they run: one at a time, in the order of their calls. */
export class OperationQueue {
  /** Under way and waiting. */
  #count = 0;
  #last: Promise<unknown> = Promise.resolve();
  #idlers: (() => void)[] = [];

  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.#count++;
    const done = this.#last.then(operation);
    this.#last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#count--;
      if (this.#count === 0) for (const wake of this.#idlers.splice(0)) wake();
    }
  }

  /** Resolves when there is none, be it well or not. */
  async ended(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((wake) => this.#idlers.push(wake));
  }
}
