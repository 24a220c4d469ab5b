/**
 * `mgr module …`: which of the manager's modules are on.
 * ceph: src/mon/MgrMonitor.cc preprocess_command, prepare_command
 */

import { type JsonObject, textOf } from "../../encoding/index.ts";
import type { MgrModuleInfo } from "../../maps/index.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import { type MonCommand, replyOf } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** A module as the map has it: what can be set for it is not in the map here. */
export function moduleJson({ name, canRun, errorString }: MgrModuleInfo): JsonObject {
  return { name, can_run: canRun, error_string: errorString, module_options: {} };
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const { modules, availableModules, alwaysOnModules } = ctx.state.mgrMap();
  const always = [...alwaysOnModules.values()].flatMap((names) => [...names]);
  const isOff = ({ name }: MgrModuleInfo) => !modules.has(name) && !always.includes(name);
  return ok(
    args.json({
      always_on_modules: always,
      enabled_modules: [...modules].map(textOf),
      disabled_modules: availableModules.filter(isOff).map(moduleJson),
    }),
  );
}

function said(result: string | Refusal): CommandReply {
  return result instanceof Refusal ? replyOf(result) : ok("", result);
}

async function enable(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("module") ?? "";
  if (name === "") return refused("EINVAL", "");
  return said(await ctx.state.modules.enable(name, args.text("force") === "--force"));
}

async function disable(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("module") ?? "";
  if (name === "") return refused("EINVAL", "");
  return said(await ctx.state.modules.disable(name));
}

export const mgrModuleCommands: readonly MonCommand[] = [
  { sig: "mgr module ls", help: "list the manager's modules", module: "mgr", perm: "r", run: ls },
  {
    sig: "mgr module enable name=module,type=CephString name=force,type=CephChoices,strings=--force,req=false",
    help: "switch a module of the manager on",
    module: "mgr",
    perm: "rw",
    run: enable,
  },
  {
    sig: "mgr module disable name=module,type=CephString",
    help: "switch a module of the manager off",
    module: "mgr",
    perm: "rw",
    run: disable,
  },
];
