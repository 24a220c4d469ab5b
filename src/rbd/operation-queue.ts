/**
 * Operations on one image that need its lock to stay while they run, and what gives it back: one at a time, in the
 * order of their calls.
 */
import { Turns } from "../base/index.ts";

export class OperationQueue {
  readonly #check: () => void;
  readonly #turns = new Turns();

  /** @param check throws why no operation can be begun any more */
  constructor(check: () => void) {
    this.#check = check;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.#check();
    return await this.#turns.take(operation);
  }

  /** Runs the last one, behind which none may be begun. */
  async runLast(operation: () => Promise<void>): Promise<void> {
    await this.#turns.take(operation);
  }
}
