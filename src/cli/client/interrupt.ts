/**
 * Ctrl-C for commands that have something to give back (locks, watches) before they end. Others need nothing:
 * the signal ends them.
 */

import process from "node:process";
import { CommandFailure } from "./failure.ts";

/** Linux's numbers: a shell says 128 and the number. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Aborted when the process is told to end; the second time it ends at once.
 * @returns the signal, and what stops listening
 */
export function interruptible(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const listeners = Object.entries(SIGNALS).map(([name, number]) => {
    const onSignal = () => {
      release();
      controller.abort(new CommandFailure("", 128 + number));
    };
    process.on(name, onSignal);
    return () => process.off(name, onSignal);
  });
  const release = () => {
    for (const stop of listeners) stop();
  };
  return { signal: controller.signal, release };
}
