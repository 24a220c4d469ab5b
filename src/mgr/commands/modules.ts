/**
 * What tools ask about work under way, and about devices, of which there are none.
 * ceph: src/pybind/mgr/progress, src/mgr/MgrCommands.h
 */

import { COMMAND_FLAG, type Command, ok } from "../../mon/index.ts";
import type { MgrContext } from "../context.ts";
import { commandsOf } from "./row.ts";

export const progressCommands = commandsOf<MgrContext>("progress", [
  [
    "progress",
    "r",
    "Show progress of recovery operations",
    (ctx) => {
      const text = ctx.progress.text();
      return text === undefined ? ok("", "Nothing in progress") : ok(text);
    },
  ],
  [
    "progress json",
    "r",
    "Show machine readable progress information",
    (ctx) => ok(`${ctx.progress.json()}\n`),
  ],
  [
    "progress clear",
    "rw",
    "Reset progress tracking",
    async (ctx) => {
      await ctx.progress.clear();
      return ok();
    },
  ],
]);

export const deviceCommands: readonly Command<MgrContext>[] = [
  {
    sig: "device ls",
    help: "list the devices",
    module: "mgr",
    perm: "r",
    flags: COMMAND_FLAG.MGR,
    run: (_ctx, args) =>
      ok(
        args.render(
          () => "DEVICE  HOST:DEV  DAEMONS  WEAR  LIFE EXPECTANCY\n",
          () => [],
        ),
      ),
  },
];
