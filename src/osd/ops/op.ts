/**
 * The form of an op: its code, what it does to the object, its body.
 *
 * A body reads through the context, stages changes in it and puts output into its slot. It returns the
 * op's result: 0 or a positive code, or a negative errno. It never sends, locks or logs. Validation comes
 * first, staging after: a body that fails has staged nothing that matters, for the whole request is dropped.
 */

import type { OpContext, OpSlot } from "../op-context.ts";

/** What an op does: decides the caps it needs and whether a request is a write. */
export type OpMode = "read" | "write" | "by-argument";

export type OpBody = (ctx: OpContext, slot: OpSlot) => number;

export interface OpSpec {
  readonly mode: OpMode;
  readonly run: OpBody;
}

export function readOp(run: OpBody): OpSpec {
  return { mode: "read", run };
}

/**
 * What a body returns that succeeds without a result of its own: that of the op before it stands.
 * compat: a comparison answers 1, and so do all such ops after it.
 */
export const AS_BEFORE: number = Number.MAX_SAFE_INTEGER;

/** A read without a result of its own. */
export function quietReadOp(run: OpBody): OpSpec {
  return readOp((ctx, slot) => run(ctx, slot) || AS_BEFORE);
}

export function writeOp(run: OpBody): OpSpec {
  return { mode: "write", run };
}

/**
 * An op whose argument decides: a class call by its method, a watch by its sub-op. One that changes what
 * clients see says so itself.
 */
export function argumentOp(run: OpBody): OpSpec {
  return { mode: "by-argument", run };
}

/** Known to upstream, not offered here: answered with EOPNOTSUPP, logged and counted by the executor. */
export const unsupported = "unsupported";
