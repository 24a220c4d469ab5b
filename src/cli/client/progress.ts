/**
 * How far a long operation is, on one line of standard error that is written over.
 * ceph: src/tools/rbd/Utils.cc ProgressContext
 */

import process from "node:process";

export class Progress {
  readonly #operation: string;
  readonly #shown: boolean;
  #percent = 0;

  /** @param operation `Image resize` @param shown false: nothing is said (`--no-progress`) */
  constructor(operation: string, shown = true) {
    this.#operation = operation;
    this.#shown = shown;
  }

  update(done: number, total: number): void {
    const percent = total > 0 ? Math.floor((done * 100) / total) : 0;
    if (percent <= this.#percent) return;
    this.#percent = percent;
    this.#say("");
  }

  finish(): void {
    this.#percent = 100;
    this.#say("done.\n");
  }

  fail(): void {
    this.#say("failed.\n");
  }

  #say(end: string): void {
    if (!this.#shown) return;
    process.stderr.write(`\r${this.#operation}: ${this.#percent}% complete...${end}`);
  }
}
