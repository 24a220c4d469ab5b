/**
 * The peer broke the messenger's rules: its link closes, the process lives.
 * Malformed bytes throw DecodeError (encoding room); this is for well-formed things that may not be.
 */

import { DecodeError } from "../encoding/index.ts";

export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtocolError";
  }
}

/** One side demands connection features (types/features.ts) of which the other knows nothing. */
export class FeatureError extends ProtocolError {
  constructor(message: string) {
    super(message);
    this.name = "FeatureError";
  }
}

/** Is `error` the peer's fault, so that closing its link is all there is to do? */
export function isPeerFault(error: unknown): error is Error {
  return error instanceof DecodeError || error instanceof ProtocolError;
}
