/** How the commands of manager modules are written down: a row each. None of them answers in XML. */

import { COMMAND_FLAG, type Command } from "../../mon/index.ts";

export type CommandRow<C> = readonly [
  sig: string,
  perm: "r" | "w" | "rw",
  help: string,
  run: Command<C>["run"],
];

/** @param pythonModule that upstream has them in */
export function commandsOf<C>(
  pythonModule: string,
  rows: readonly CommandRow<C>[],
): readonly Command<C>[] {
  const common = { module: "mgr", pythonModule, flags: COMMAND_FLAG.MGR };
  return rows.map(([sig, perm, help, run]) => ({ ...common, sig, perm, help, run }));
}
