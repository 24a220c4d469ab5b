/**
 * Keeping the process while something is wanted of it. Clocks let a process end that has nothing but timers left;
 * whoever waits for a server to come back has nothing else.
 */

import { MessageChannel } from "node:worker_threads";

/** The process does not end by itself before `release` is called. */
export function holdProcess(): { readonly release: () => void } {
  const { port1 } = new MessageChannel();
  port1.ref();
  return { release: () => port1.close() };
}

/** Holds the process until the work is done, and resolves as that does. */
export async function stayAwake<T>(work: Promise<T>): Promise<T> {
  const { release } = holdProcess();
  try {
    return await work;
  } finally {
    release();
  }
}
