/** Work on one thing, piece after piece in the order in which it came, each when the one before has come to its end. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves, or rejects, as `work` does. */
  take<T>(work: () => T | Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }
}
