/** How verbs tell of what the cluster refuses. */

import { CephError } from "../../base/index.ts";
import { CommandFailure, cppStrerror, errnoOf } from "../client/index.ts";

/** Ends with a line and the errno as the exit code. */
export function failed(what: string, error: unknown): CommandFailure {
  const errno = errnoOf(error);
  return new CommandFailure(`${what}: ${cppStrerror(errno)}`, Math.abs(errno), error);
}

/**
 * Runs it; what the cluster, or the file system, refuses is told in the verb's words.
 * @param what `rbd: create error`, or what makes the failure
 */
export async function orFail<T>(
  work: Promise<T>,
  what: string | ((error: CephError) => Error | undefined),
  otherwise?: string,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (typeof what === "string") throw failed(what, error);
    const own = error instanceof CephError ? what(error) : undefined;
    if (own !== undefined) throw own;
    throw otherwise === undefined ? error : failed(otherwise, error);
  }
}

/** A failure of which the original leaves the reason to its library's log: with that. */
export function withReason(error: CephError): CommandFailure {
  const { cause, message } = error;
  return saying(`rbd: ${message}${typeof cause === "string" ? `: ${cause}` : ""}`, error);
}

/** A failure that is said in other words than its errno's. */
export function saying(message: string, error: CephError): CommandFailure {
  return new CommandFailure(message, Math.abs(error.errno), error);
}
