/** Tables with a call of every method of a class, where one that is missing does not compile, and what comes of a call. */
import type { CallOptions } from "../../src/librados/index.ts";

type Methods<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => unknown
    ? K extends symbol
      ? never
      : K
    : never;
}[keyof T];

/** How each method of T is called with limits, but those named in Not. */
export type Table<T, Not extends string> = Record<
  Exclude<Methods<T>, Not>,
  (on: T, options: CallOptions) => Promise<unknown>
>;

/** All that there is of an iterator. */
export async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** What a call comes to. */
export function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
}

/** Of signals that are aborted. */
export const REASON = { reason: "somebody has changed their mind" };
