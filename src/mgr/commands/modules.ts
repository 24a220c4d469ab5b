/**
 * What tools ask of manager modules that have nothing to do here: lists are empty.
 * ceph: src/pybind/mgr/balancer, progress, crash, devicehealth
 */

import {
  type Args,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  ok,
} from "../../mon/index.ts";
import type { MgrContext } from "../context.ts";

/** The formats modules answer in whatever was asked for. */
function answer(text: (args: Args) => string, status = "") {
  return (_ctx: CommandContext, args: Args): CommandReply => ok(text(args), status);
}

type Row = readonly [
  sig: string,
  perm: "r" | "w" | "rw",
  help: string,
  run: Command<MgrContext>["run"],
];

const ROWS: readonly Row[] = [
  [
    "balancer status",
    "r",
    "show what the balancer does",
    answer((args) =>
      args.json({
        active: false,
        last_optimize_duration: "",
        last_optimize_started: "",
        mode: "none",
        optimize_result: "",
        plans: [],
      }),
    ),
  ],
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
  ["crash ls", "r", "list crashes of daemons", answer(() => "")],
  ["crash ls-new", "r", "list crashes nobody has looked at", answer(() => "")],
  [
    "device ls",
    "r",
    "list the devices",
    answer(() => "DEVICE  HOST:DEV  DAEMONS  WEAR  LIFE EXPECTANCY\n"),
  ],
];

export const moduleCommands: readonly Command<MgrContext>[] = ROWS.map(
  ([sig, perm, help, run]) => ({ sig, help, module: "mgr", perm, flags: COMMAND_FLAG.MGR, run }),
);
