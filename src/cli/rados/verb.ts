/** A verb of `spirula rados`: how it is called, what it does. */

import type { RadosContext } from "./context.ts";

export interface Verb {
  /** For the help. */
  readonly summary: string;
  /** Its words, as the help shows them: `OBJECT FILE`. */
  readonly arguments: string;
  /** Does its work and prints. @throws CommandFailure */
  run(context: RadosContext): Promise<void>;
}

/** Verbs of one family by their names. */
export type Verbs = Readonly<Record<string, Verb>>;
