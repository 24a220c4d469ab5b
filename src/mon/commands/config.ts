/**
 * `config …`: options that clients get from here on top of their files.
 * ceph: src/mon/ConfigMonitor.cc
 */

import { TextTable } from "../../base/index.ts";
import {
  type ConfigOption,
  canonicalName,
  findOption,
  isBootstrapOption,
  optionNames,
  parseOptionValue,
} from "../../config/index.ts";
import { type Json } from "../../encoding/index.ts";
import { formatAddrVec } from "../../types/index.ts";
import {
  CONFIG_ENTRIES_MAX,
  type ConfigEntry,
  type ConfigHistory,
  type ConfigSetting,
  type ConfigTarget,
  parseConfigEntity,
  parseTarget,
} from "../services/config.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

function level(name: string): string {
  return findOption(name)?.level ?? "unknown";
}

function isRuntime(name: string): boolean {
  return findOption(name)?.runtime === true;
}

async function set(ctx: CommandContext, args: Args): Promise<CommandReply> {
  // compat: with dashes it is none; a client's configuration takes those.
  const name = args.text("name") ?? "";
  const who = args.text("who") ?? "";
  const text = args.text("value") ?? "";
  const option = findOption(name);
  let value = text;
  if (!args.flag("force")) {
    if (option === undefined) return refused("EINVAL", `unrecognized config option '${name}'`);
    const parsed = parseOptionValue(option, text);
    if (typeof parsed !== "string")
      return refused("EINVAL", `error parsing value: ${parsed.error}`);
    value = parsed;
  }
  const target = parseTarget(who);
  if (target === undefined) return refused("EINVAL", `unrecognized config target '${who}'`);
  if (isBootstrapOption(name)) {
    return refused("EINVAL", `${name} is special and cannot be stored by the mon`);
  }
  if (ctx.state.config.size >= CONFIG_ENTRIES_MAX) {
    return refused("ENOSPC", `there are ${CONFIG_ENTRIES_MAX} options set already`);
  }
  await ctx.state.config.apply([{ target, name, value }]);
  return ok();
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const who = args.text("who") ?? "";
  const target = parseTarget(who);
  if (target === undefined) return refused("EINVAL", `unrecognized config target '${who}'`);
  const name = args.text("name") ?? "";
  await ctx.state.config.apply([{ target, name, value: undefined }]);
  return ok();
}

function entryTable(entries: readonly ConfigEntry[], indent: boolean): string {
  const table = new TextTable()
    .column("WHO", "left", "left")
    .column("MASK", "left", "left")
    .column("LEVEL", "left", "left")
    .column("OPTION", "left", "left")
    .column("VALUE", "left", "left")
    .column("RO", "left", "left");
  for (const entry of entries) {
    const depth = !indent || entry.section === "global" ? 0 : entry.section.includes(".") ? 2 : 1;
    const who = "  ".repeat(depth) + entry.section;
    const readOnly = isRuntime(entry.name) ? "" : "*";
    table.row(who, entry.mask, level(entry.name), entry.name, entry.value, readOnly);
  }
  return table.toString();
}

function maskJson(mask: string): Record<string, string> {
  const [kind = "", value = ""] = mask.split(":");
  if (mask === "") return {};
  return kind === "class"
    ? { device_class: value }
    : { location_type: kind, location_value: value };
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  const entries = ctx.state.config.dump();
  return ok(
    args.render(
      () => entryTable(entries, true),
      () =>
        entries.map((entry) => ({
          section: entry.section,
          name: entry.name,
          value: entry.value,
          level: level(entry.name),
          can_update_at_runtime: isRuntime(entry.name),
          mask: entry.mask,
          ...maskJson(entry.mask),
        })),
    ),
  );
}

function get(ctx: CommandContext, args: Args): CommandReply {
  const who = args.text("who") ?? "";
  const entity = parseConfigEntity(who);
  if (entity === undefined) return refused("EINVAL", `unrecognized entity '${who}'`);
  const found = ctx.state.config.resolve(entity, "");
  const key = args.text("key");
  if (key !== undefined) {
    const entry = found.get(key);
    const option = findOption(key);
    if (key === "fsid") return ok(`${ctx.state.fsid}\n`);
    if (entry === undefined && option === undefined) {
      return refused("ENOENT", `unrecognized key '${key}'`);
    }
    return ok(`${entry?.value ?? option?.fallback ?? ""}\n`);
  }
  return ok(
    args.render(
      () => entryTable([...found.values()], false),
      () =>
        new Map(
          [...found].map(([name, entry]): [string, Json] => [
            name,
            {
              value: entry.value,
              section: entry.section,
              mask: maskJson(entry.mask),
              can_update_at_runtime: isRuntime(name),
            },
          ]),
        ),
    ),
  );
}

/** A value of an option in JSON. */
function typed({ type, fallback }: ConfigOption): Json {
  if (type === "bool") return fallback === "true";
  const isNumber = ["int", "uint", "float"].includes(type) && fallback !== "";
  return isNumber ? Number(fallback) : fallback;
}

function helpText(option: ConfigOption): string {
  const [least, most] = option.range;
  const hasRange = least !== "" || most !== "";
  return [
    option.name,
    `  (${option.type}, ${option.level})`,
    `  Default: ${option.fallback}`,
    ...(hasRange ? [`  Minimum: ${least}`, `  Maximum: ${most}`] : []),
    ...(option.choices === undefined ? [] : [`  Possible values:  ${option.choices.join(" ")}`]),
    `  Can update at runtime: ${option.runtime}`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** What an option is for, and who reads it, is upstream's to say: the sentences are not here. */
function help(_ctx: CommandContext, args: Args): CommandReply {
  const option = findOption(canonicalName(args.text("key") ?? ""));
  if (option === undefined) return refused("ENOENT", "");
  return ok(
    args.render(
      () => helpText(option),
      () => ({
        name: option.name,
        type: option.type,
        level: option.level,
        default: typed(option),
        min: option.range[0],
        max: option.range[1],
        enum_values: option.choices,
        can_update_at_runtime: option.runtime,
      }),
    ),
  );
}

function ls(_ctx: CommandContext, args: Args): CommandReply {
  const names = optionNames();
  return ok(
    args.render(
      () => names.map((name) => `${name}\n`).join(""),
      () => names,
    ),
  );
}

function historyText(item: ConfigHistory): string {
  const note = item.note === "" ? "" : ` ${item.note} ---`;
  const lines = item.changes.flatMap((change) => [
    ...(change.previous === undefined
      ? []
      : [`- ${change.target}/${change.name} = ${change.previous}\n`]),
    ...(change.value === undefined
      ? []
      : [`+ ${change.target}/${change.name} = ${change.value}\n`]),
  ]);
  return `--- ${item.version} --- ${item.stamp} ---${note}\n${lines.join("")}`;
}

/** compat: a negative count asks for all. */
function historyOf(ctx: CommandContext, count: number): ConfigHistory[] {
  return ctx.state.config.history(count < 0 ? Number.MAX_SAFE_INTEGER : count);
}

function log(ctx: CommandContext, args: Args): CommandReply {
  const items = historyOf(ctx, args.number("num") ?? 10);
  return ok(
    args.render(
      () => items.map(historyText).join(""),
      () =>
        items.map((item) => ({
          version: item.version,
          timestamp: item.stamp,
          name: item.note,
          changes: item.changes.map((change) => ({
            name: `${change.target}/${change.name}`,
            previous_value: change.previous,
            new_value: change.value,
          })),
        })),
    ),
  );
}

async function reset(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const to = args.number("num") ?? 0;
  const { config } = ctx.state;
  const history = config.history(Number.MAX_SAFE_INTEGER);
  const newer = history.filter((item) => item.version > to);
  // Before the first there was nothing, either.
  const known = history.some(({ version }) => version === Math.max(to, 1));
  if (to > config.version || !known) {
    return refused(
      "EINVAL",
      "must specify a valid historical version to revert to; see 'ceph config log' for a list of avialable configuration historical versions",
    );
  }
  const undo = new Map<string, ConfigSetting>();
  // Newest first: the oldest change of an option has the last word.
  for (const item of newer) {
    for (const { target: text, name, previous } of item.changes) {
      const target = parseTarget(text);
      if (target !== undefined) undo.set(`${text}/${name}`, { target, name, value: previous });
    }
  }
  await config.apply([...undo.values()], `reset to ${to}`);
  return ok();
}

/** Sections and options of a file, in byte order; or the number of the line that is none. */
function parseConf(text: string): Map<string, Map<string, string>> | number {
  const sections = new Map<string, Map<string, string>>();
  let section = "global";
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.replace(/(^|\s)[#;].*$/, "").trim();
    if (line === "") continue;
    const heading = /^\[(.+)\]$/.exec(line);
    if (heading !== null) {
      section = heading[1]?.trim() ?? "global";
      continue;
    }
    const at = line.indexOf("=");
    if (at < 0) return i + 1;
    const options = sections.get(section) ?? new Map<string, string>();
    options.set(canonicalName(line.slice(0, at)), line.slice(at + 1).trim());
    sections.set(section, options);
  }
  const inOrder = <V>(map: Map<string, V>) =>
    new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  return inOrder(new Map([...sections].map(([name, options]) => [name, inOrder(options)])));
}

async function assimilate(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const { config } = ctx.state;
  const sections = parseConf(Buffer.from(args.input).toString("utf8"));
  if (typeof sections === "number") {
    return refused("EINVAL", `parse error: expected '<eoi>' in line ${sections} at position 1\n`);
  }
  const wanted: { target: ConfigTarget; name: string; value: string }[] = [];
  // What cannot be stored goes back, to be kept in the file.
  let rest = "";
  let isLastBad = false;
  for (const [section, options] of sections) {
    const target = parseTarget(section);
    let left = "";
    for (const [name, text] of options) {
      const option = findOption(name);
      const value =
        option === undefined || target === undefined || isBootstrapOption(name)
          ? undefined
          : parseOptionValue(option, text);
      if (value !== undefined) isLastBad = typeof value !== "string";
      const known = target === undefined ? undefined : config.get(target, name);
      const isOther = known !== undefined && known !== value;
      if (typeof value !== "string" || target === undefined || isOther) {
        left += `\t${name} = ${text}\n`;
      } else if (known === undefined) wanted.push({ target, name, value });
    }
    if (left !== "") rest += `\n[${section}]\n${left}`;
  }
  if (config.size + wanted.length > CONFIG_ENTRIES_MAX) {
    return refused("ENOSPC", `there may be ${CONFIG_ENTRIES_MAX} options set`);
  }
  await config.apply(wanted);
  // compat: a value that is none shows in the result only if it was the last, and nothing was stored.
  return isLastBad && wanted.length === 0 ? refused("EINVAL", "", rest) : ok(rest);
}

function minimalConf(ctx: CommandContext): CommandReply {
  const { fsid, monMap } = ctx.state;
  const hosts = monMap.ranks.map((rank) =>
    formatAddrVec(monMap.monInfo.get(rank)?.publicAddrs ?? []),
  );
  return ok(
    `# minimal ceph.conf for ${fsid}\n[global]\n\tfsid = ${fsid}\n\tmon_host = ${hosts.join(" ")}\n`,
  );
}

export const configCommands: readonly MonCommand[] = [
  {
    sig: "config set name=who,type=CephString name=name,type=CephString name=value,type=CephString name=force,type=CephBool,req=false",
    help: "set an option for some clients or daemons",
    module: "config",
    perm: "rw",
    run: set,
  },
  {
    sig: "config rm name=who,type=CephString name=name,type=CephString",
    help: "take an option back",
    module: "config",
    perm: "rw",
    run: rm,
  },
  {
    sig: "config get name=who,type=CephString name=key,type=CephString,req=false",
    help: "show what an entity gets",
    module: "config",
    perm: "r",
    run: get,
  },
  {
    sig: "config dump",
    help: "show all options that are set",
    module: "mon",
    perm: "r",
    run: dump,
  },
  {
    sig: "config help name=key,type=CephString",
    help: "say what is known of an option",
    module: "config",
    perm: "r",
    run: help,
  },
  { sig: "config ls", help: "list all options there are", module: "config", perm: "r", run: ls },
  {
    sig: "config assimilate-conf",
    help: "take over the options of a file (-i); gives back what has to stay there (-o)",
    module: "config",
    perm: "rw",
    run: assimilate,
  },
  {
    sig: "config log name=num,type=CephInt,req=false",
    help: "show recent changes of options",
    module: "config",
    perm: "r",
    run: log,
  },
  {
    sig: "config reset name=num,type=CephInt,range=0",
    help: "go back to an earlier state of the options (see config log)",
    module: "config",
    perm: "rw",
    run: reset,
  },
  {
    sig: "config generate-minimal-conf",
    help: "print the least a client's ceph.conf needs",
    module: "config",
    perm: "r",
    run: minimalConf,
  },
];
