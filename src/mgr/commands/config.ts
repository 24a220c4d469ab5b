/**
 * `config show`: what a running daemon goes by, and where it has it from.
 * ceph: src/mgr/DaemonServer.cc
 */

import { TextTable } from "../../base/index.ts";
import { allOptions, defaultValue } from "../../config/index.ts";
import {
  type Args,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  ok,
  parseConfigEntity,
  refused,
} from "../../mon/index.ts";
import { type AuthEntity, ENTITY_TYPE } from "../../types/index.ts";
import type { MgrContext } from "../context.ts";

/** An option as a daemon has it. */
interface Shown {
  readonly name: string;
  readonly value: string;
  readonly source: "default" | "mon";
}

/** The daemon by its name, if there is such a one; otherwise the refusal. */
function findDaemon(ctx: CommandContext, who: string): AuthEntity | CommandReply {
  if (!who.includes(".")) return refused("EINVAL", "invalid daemon name: use <type>.<id>");
  const unknown = refused("ENOENT", `no config state for daemon ${who}`);
  const entity = parseConfigEntity(who);
  if (entity === undefined) return unknown;
  const { type, id } = entity;
  const { state } = ctx;
  const isThere =
    (type === ENTITY_TYPE.MON && id === state.name) ||
    (type === ENTITY_TYPE.MGR && state.mgrMap().available && id === state.mgrMap().activeName) ||
    (type === ENTITY_TYPE.OSD && /^\d+$/.test(id) && state.osdMetadata(Number(id)) !== undefined);
  return isThere ? entity : unknown;
}

/** In order of their names. */
function optionsOf(ctx: CommandContext, entity: AuthEntity): Shown[] {
  const { config, host } = ctx.state;
  const found = config.resolve(entity, host);
  // Those of the manager's modules are no daemon's.
  const options = allOptions().filter(({ name }) => !name.startsWith("mgr/"));
  return options.map((option) => {
    const entry = found.get(option.name);
    return entry === undefined
      ? { name: option.name, value: defaultValue(option), source: "default" }
      : { name: option.name, value: entry.value, source: "mon" };
  });
}

function table(rows: readonly Shown[]): string {
  const out = new TextTable();
  for (const name of ["NAME", "VALUE", "SOURCE", "OVERRIDES", "IGNORES"]) {
    out.column(name, "left", "left");
  }
  for (const { name, value, source } of rows) out.row(name, value, source, "", "");
  return out.toString();
}

function show(ctx: CommandContext, args: Args): CommandReply {
  const entity = findDaemon(ctx, args.text("who") ?? "");
  if ("r" in entity) return entity;
  const options = optionsOf(ctx, entity);
  const key = args.text("key");
  if (key !== undefined) {
    const found = options.find(({ name }) => name === key);
    return found === undefined ? refused("ENOENT", "") : ok(`${found.value}\n`);
  }
  const isAll = args.prefix === "config show-with-defaults";
  const rows = options.filter(({ source }) => isAll || source !== "default");
  return ok(
    args.render(
      () => table(rows),
      () => rows.map(({ name, value, source }) => ({ name, value, source })),
    ),
  );
}

const common = {
  module: "mgr",
  perm: "r",
  flags: COMMAND_FLAG.MGR,
  xml: { root: "config", items: { config: "value" } },
  run: show,
} as const;

export const configCommands: readonly Command<MgrContext>[] = [
  {
    ...common,
    sig: "config show name=who,type=CephString name=key,type=CephString,req=false",
    help: "show what a running daemon goes by",
  },
  {
    ...common,
    sig: "config show-with-defaults name=who,type=CephString",
    help: "show what a running daemon goes by, and what it has not been told",
  },
];
