/**
 * `config show`: what a running daemon goes by, and where it has it from.
 * ceph: src/mgr/DaemonServer.cc
 */

import { TextTable } from "../../base/index.ts";
import { type Setting, type SettingLayer, Settings } from "../../config/index.ts";
import {
  type Args,
  COMMAND_FLAG,
  type Command,
  type CommandReply,
  ok,
  optionsFor,
  parseConfigEntity,
  refused,
} from "../../mon/index.ts";
import { type AuthEntity, ENTITY_TYPE } from "../../types/index.ts";
import type { MgrContext } from "../context.ts";

/** What the daemon of this name goes by, if there is such a one; otherwise the refusal. */
function settingsOf(ctx: MgrContext, who: string): Settings | CommandReply {
  if (!who.includes(".")) return refused("EINVAL", "invalid daemon name: use <type>.<id>");
  const entity = parseConfigEntity(who);
  const settings = entity === undefined ? undefined : findSettings(ctx, entity);
  return settings ?? refused("ENOENT", `no config state for daemon ${who}`);
}

function findSettings(ctx: MgrContext, entity: AuthEntity): Settings | undefined {
  const { state } = ctx;
  const { type, id } = entity;
  switch (type) {
    case ENTITY_TYPE.MON:
      return id === state.name ? state.settings : undefined;
    case ENTITY_TYPE.MGR: {
      const { available, activeName } = state.mgrMap();
      return available && id === activeName ? ctx.settings : undefined;
    }
    case ENTITY_TYPE.OSD: {
      if (!/^\d+$/.test(id) || state.osdMetadata(Number(id)) === undefined) return undefined;
      const settings = new Settings();
      settings.load(optionsFor(state.config, entity, state.host));
      const overrides = state.stats.osd(Number(id))?.overrides ?? new Map<string, string>();
      for (const [name, value] of overrides) settings.set(name, value);
      return settings;
    }
    default:
      return undefined;
  }
}

/** The layer that counts; where there is none, the default does. */
function shown({ layers, value }: Setting): SettingLayer {
  return layers.at(-1) ?? { source: "default", value };
}

/** Layers that do not count, in parentheses where they say the same as the one that does. */
function overridden({ layers, value }: Setting): string {
  return layers
    .slice(0, -1)
    .map((layer) => {
      const text = `${layer.source}[${layer.value}]`;
      return layer.value === value ? `(${text})` : text;
    })
    .reverse()
    .join(",");
}

function table(settings: readonly Setting[]): string {
  const out = new TextTable();
  for (const name of ["NAME", "VALUE", "SOURCE", "OVERRIDES", "IGNORES"]) {
    out.column(name, "left", "left");
  }
  for (const setting of settings) {
    const { source, value } = shown(setting);
    out.row(setting.option.name, value, source, overridden(setting), "");
  }
  return out.toString();
}

function json(setting: Setting) {
  const { source, value } = shown(setting);
  const overrides = setting.layers
    .slice(0, -1)
    .map((layer) => ({ source: layer.source, value: layer.value }));
  const name = setting.option.name;
  return { name, value, source, overrides: overrides.length > 0 ? overrides : undefined };
}

function show(ctx: MgrContext, args: Args): CommandReply {
  const settings = settingsOf(ctx, args.text("who") ?? "");
  if ("r" in settings) return settings;
  const all = settings.all();
  const key = args.text("key");
  if (key !== undefined) {
    const found = all.find(({ option }) => option.name === key);
    return found === undefined ? refused("ENOENT", "") : ok(`${found.value}\n`);
  }
  const isAll = args.prefix === "config show-with-defaults";
  const rows = all.filter(({ layers }) => isAll || layers.length > 0);
  return ok(
    args.render(
      () => table(rows),
      () => rows.map(json),
    ),
  );
}

const common = {
  module: "mgr",
  perm: "r",
  flags: COMMAND_FLAG.MGR,
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
