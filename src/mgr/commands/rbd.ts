/**
 * Commands of the rbd_support module.
 * ceph: src/pybind/mgr/rbd_support/module.py
 */

import { type Args, type Command, type CommandReply, ok, refused } from "../../mon/index.ts";
import type { MgrContext } from "../context.ts";
import { ModuleError } from "../rbd-support/errors.ts";
import type { ScheduleCommands } from "../rbd-support/scheduler.ts";
import type { MigrationStep } from "../rbd-support/tasks.ts";
import { commandsOf } from "./row.ts";

type Body = (ctx: MgrContext, args: Args) => Promise<string | void>;

/** Runs a command's body; its expected failures become the reply. */
function answered(body: Body): Command<MgrContext>["run"] {
  return async (ctx, args): Promise<CommandReply> => {
    try {
      return ok(line((await body(ctx, args)) ?? ""));
    } catch (error) {
      if (error instanceof ModuleError) return refused(error.errno, error.message);
      throw error;
    }
  };
}

/** Output ends its last line. */
export function line(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function argument(args: Args, name: string): string {
  return args.text(name) ?? "";
}

type Row = readonly [sig: string, perm: "r" | "w", help: string, body: Body];

const IMAGE = "name=image_spec,type=CephString";
const LEVEL = "name=level_spec,type=CephString";
const POOL = "name=pool_spec,type=CephString,req=false";
const SORT =
  "name=sort_by,type=CephChoices,strings=write_ops|write_bytes|write_latency|read_ops|read_bytes|read_latency,req=false";
const START = "name=start_time,type=CephString,req=false";

const MIGRATION_HELP: Readonly<Record<MigrationStep, string>> = {
  execute: "Execute an image migration asynchronously in the background",
  commit: "Commit an executed migration asynchronously in the background",
  abort: "Abort a prepared migration asynchronously in the background",
};

/** The commands of one kind of schedule. */
function scheduleRows(what: string, scheduler: (ctx: MgrContext) => ScheduleCommands): Row[] {
  const level = (args: Args) => argument(args, "level_spec");
  const start = (args: Args) => args.text("start_time");
  return [
    [
      `${what} schedule add ${LEVEL} name=interval,type=CephString ${START}`,
      "w",
      `Add ${what} schedule`,
      (ctx, args) => scheduler(ctx).add(level(args), argument(args, "interval"), start(args)),
    ],
    [
      `${what} schedule remove ${LEVEL} name=interval,type=CephString,req=false ${START}`,
      "w",
      `Remove ${what} schedule`,
      (ctx, args) => scheduler(ctx).remove(level(args), args.text("interval"), start(args)),
    ],
    [
      `${what} schedule list ${LEVEL},req=false`,
      "r",
      `List ${what} schedule`,
      (ctx, args) => scheduler(ctx).list(level(args)),
    ],
    [
      `${what} schedule status ${LEVEL},req=false`,
      "r",
      `Show ${what} schedule status`,
      (ctx, args) => scheduler(ctx).status(level(args)),
    ],
  ];
}

const ROWS: readonly Row[] = [
  [
    `rbd task add flatten ${IMAGE}`,
    "w",
    "Flatten a cloned image asynchronously in the background",
    (ctx, args) => ctx.rbd.tasks.addFlatten(argument(args, "image_spec"), ctx.authorized),
  ],
  [
    `rbd task add remove ${IMAGE}`,
    "w",
    "Remove an image asynchronously in the background",
    (ctx, args) => ctx.rbd.tasks.addRemove(argument(args, "image_spec"), ctx.authorized),
  ],
  [
    "rbd task add trash remove name=image_id_spec,type=CephString",
    "w",
    "Remove an image from the trash asynchronously in the background",
    (ctx, args) => ctx.rbd.tasks.addTrashRemove(argument(args, "image_id_spec"), ctx.authorized),
  ],
  ...(["execute", "commit", "abort"] as const).map(
    (step): Row => [
      `rbd task add migration ${step} ${IMAGE}`,
      "w",
      MIGRATION_HELP[step],
      (ctx, args) => ctx.rbd.tasks.addMigration(step, argument(args, "image_spec"), ctx.authorized),
    ],
  ),
  [
    "rbd task cancel name=task_id,type=CephString",
    "r",
    "Cancel a pending or running asynchronous task",
    (ctx, args) => ctx.rbd.tasks.cancel(argument(args, "task_id"), ctx.authorized),
  ],
  [
    "rbd task list name=task_id,type=CephString,req=false",
    "r",
    "List pending or running asynchronous tasks",
    (ctx, args) => ctx.rbd.tasks.list(args.text("task_id"), ctx.authorized),
  ],
  [
    `rbd perf image stats ${POOL} ${SORT}`,
    "r",
    "Retrieve current RBD IO performance stats",
    (ctx, args) => ctx.rbd.perf.stats(args.text("pool_spec"), args.text("sort_by"), ctx.authorized),
  ],
  [
    `rbd perf image counters ${POOL} ${SORT}`,
    "r",
    "Retrieve current RBD IO performance counters",
    (ctx, args) =>
      ctx.rbd.perf.counters(args.text("pool_spec"), args.text("sort_by"), ctx.authorized),
  ],
  ...scheduleRows("rbd trash purge", (ctx) => ctx.rbd.trashPurge),
  ...scheduleRows("rbd mirror snapshot", (ctx) => ctx.rbd.mirrorSnapshots.schedule),
];

export const rbdCommands = commandsOf<MgrContext>(
  "rbd_support",
  ROWS.map(([sig, perm, help, body]) => [sig, perm, help, answered(body)]),
);
