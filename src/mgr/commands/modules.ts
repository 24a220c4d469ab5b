/**
 * What tools ask of manager modules that have nothing to do here: lists are empty.
 * ceph: src/pybind/mgr/progress, devicehealth
 */

import { type Args, type CommandContext, type CommandReply, ok } from "../../mon/index.ts";
import type { MgrContext } from "../context.ts";
import { commandsOf } from "./row.ts";

/** The formats modules answer in whatever was asked for. */
function answer(text: (args: Args) => string, status = "") {
  return (_ctx: CommandContext, args: Args): CommandReply => ok(text(args), status);
}

export const moduleCommands = commandsOf<MgrContext>([
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
  [
    "device ls",
    "r",
    "list the devices",
    answer(() => "DEVICE  HOST:DEV  DAEMONS  WEAR  LIFE EXPECTANCY\n"),
  ],
]);
