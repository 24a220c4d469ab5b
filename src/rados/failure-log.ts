/** Why a server is not reached: at the debug level, but for what no further attempt will change. */

import type { Logger } from "../base/index.ts";
import { FeatureError } from "../messenger/index.ts";

export class FailureLog {
  readonly #log: Logger;
  readonly #event: string;
  #told = "";

  constructor(log: Logger, event: string) {
    this.#log = log;
    this.#event = event;
  }

  /** @param who by its kind, as the log has it: `{ monitor: "[v2:10.0.0.1:3300/0]" }` */
  note(who: Readonly<Record<string, string>>, error: unknown): void {
    const why = (error as Error).message;
    const fields = { ...who, why };
    if (!(error instanceof FeatureError)) return this.#log.debug(this.#event, fields);
    // Whoever waits has to hear of it, once.
    if (why !== this.#told) this.#log.warn(this.#event, fields);
    this.#told = why;
  }
}
