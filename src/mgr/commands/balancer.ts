/**
 * `balancer …`: its settings, kept as upstream keeps them. It never has anything to do: groups stay where CRUSH
 * puts them.
 * ceph: src/pybind/mgr/balancer/module.py
 */

import { PRETTY, pythonJson } from "../../base/index.ts";
import { byteString } from "../../encoding/index.ts";
import { poolByName } from "../../maps/index.ts";
import {
  type Args,
  type CommandContext,
  type CommandReply,
  ok,
  poolName,
  refused,
} from "../../mon/index.ts";
import { moduleAnswer } from "./module-answer.ts";
import { moduleOption, setModuleOption } from "./module-options.ts";
import { commandsOf } from "./row.ts";

function isActive(ctx: CommandContext): boolean {
  return moduleOption(ctx, "balancer", "active") === "true";
}

function status(ctx: CommandContext): CommandReply {
  const value = {
    active: isActive(ctx),
    last_optimize_duration: "",
    last_optimize_started: "",
    mode: moduleOption(ctx, "balancer", "mode"),
    no_optimization_needed: false,
    optimize_result: "",
    plans: [],
  };
  return moduleAnswer(pythonJson(value, PRETTY));
}

async function mode(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const value = args.text("mode") ?? "";
  if (!["none", "crush-compat", "upmap"].includes(value)) {
    return refused("EINVAL", `unknown mode '${value}'`);
  }
  await setModuleOption(ctx, "balancer", { mode: value });
  return ok();
}

async function turn(ctx: CommandContext, args: Args): Promise<CommandReply> {
  await setModuleOption(ctx, "balancer", { active: String(args.prefix === "balancer on") });
  return ok();
}

/** Pools that are balanced, by id; none stands for all. */
function poolIds(ctx: CommandContext): number[] {
  const text = moduleOption(ctx, "balancer", "pool_ids");
  return text === "" ? [] : text.split(",").map(Number);
}

function poolLs(ctx: CommandContext): CommandReply {
  const { map } = ctx.state.maps;
  const names = poolIds(ctx).filter((id) => map.pools.has(id));
  if (names.length === 0) return ok();
  return moduleAnswer(pythonJson(names.map((id) => poolName(map, id)).sort(), PRETTY));
}

async function changePools(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const { map } = ctx.state.maps;
  const names = args.list("pools");
  const isAdding = args.prefix === "balancer pool add";
  const found = names.map((name) => poolByName(map, byteString(name)));
  const unknown = names.filter((_, i) => found[i] === undefined);
  if (isAdding && unknown.length > 0) {
    const list = unknown.map((name) => `'${name}'`).join(", ");
    return refused("EINVAL", `pool(s) [${list}] not found`);
  }
  const given = new Set(found.filter((id) => id !== undefined));
  const old = poolIds(ctx);
  const ids = isAdding ? [...new Set([...old, ...given])] : old.filter((id) => !given.has(id));
  await setModuleOption(ctx, "balancer", { pool_ids: ids.join(",") });
  return ok();
}

/** Nobody can make a plan. */
function noPlan(_ctx: CommandContext, args: Args): CommandReply {
  return refused("ENOENT", `plan ${args.text("plan") ?? ""} not found`);
}

const PLAN = "name=plan,type=CephString";
const POOLS = "name=pools,type=CephString,n=N";

export const balancerCommands = commandsOf<CommandContext>("balancer", [
  ["balancer status", "r", "show what the balancer is set to", status],
  [
    "balancer mode name=mode,type=CephChoices,strings=none|crush-compat|upmap",
    "rw",
    "set how the balancer would work",
    mode,
  ],
  ["balancer on", "rw", "turn the balancer on", turn],
  ["balancer off", "rw", "turn the balancer off", turn],
  ["balancer pool ls", "r", "list the pools to balance", poolLs],
  [`balancer pool add ${POOLS}`, "rw", "balance pools", changePools],
  [`balancer pool rm ${POOLS}`, "rw", "balance pools no more", changePools],
  ["balancer ls", "r", "list the plans", () => moduleAnswer("[]")],
  [`balancer show ${PLAN}`, "r", "show a plan", noPlan],
  [`balancer dump ${PLAN}`, "r", "show a plan in full", noPlan],
]);
