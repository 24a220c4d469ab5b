/**
 * Keeps the process until its work is done. Clocks let a process end that has nothing but timers left, which is
 * right for a library; a command that waits for a monitor to come back has nothing else.
 */

import { MessageChannel } from "node:worker_threads";

/** Resolves as `work` does. */
export async function stayAwake<T>(work: Promise<T>): Promise<T> {
  const { port1 } = new MessageChannel();
  port1.ref();
  try {
    return await work;
  } finally {
    port1.close();
  }
}
