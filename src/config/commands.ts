/**
 * What every daemon can be asked and told about its options: `ceph tell osd.0 config …` and `injectargs`, and the
 * same over its admin socket.
 * ceph: src/common/ceph_context.cc _do_command, src/common/config_obs_mgr.h for_each_change
 */

import { ERRNO, errnoText } from "../base/index.ts";
import { injectArguments } from "./inject-args.ts";
import type { ConfigOption } from "./options.ts";
import type { Setting, Settings } from "./settings.ts";

/** What a command prints, by name. */
export interface ConfigJson {
  readonly [name: string]: string | number | boolean | ConfigJson;
}

/** What a command prints and says, or why it does not. */
export type ConfigOutcome =
  | { readonly value: ConfigJson; readonly status?: string }
  | { readonly errno: ConfigErrno; readonly status: string };

type ConfigErrno = "ENOENT" | "EPERM" | "EINVAL";

/** Arguments: words by name, none of which may be left out. */
export type ConfigTexts = ReadonlyMap<string, readonly string[]>;

/** The daemon that is asked. */
export interface ConfiguredDaemon {
  /** `osd.0` */
  readonly name: string;
  readonly settings: Settings;
}

export interface ConfigCommand {
  readonly prefix: string;
  readonly help: string;
  /** Arguments in their order; the last may be several words. */
  readonly texts: readonly { readonly name: string; readonly many?: boolean }[];
  readonly run: (daemon: ConfiguredDaemon, texts: ConfigTexts) => ConfigOutcome;
}

function failed(errno: ConfigErrno, what: string): ConfigOutcome {
  return { errno, status: `error ${what}: ${errnoText(ERRNO[errno])}` };
}

/** `osd_max_backfills = '3' `: what an option is now. Of how much is logged nothing is told. */
function told(settings: Settings, name: string): string {
  const setting = settings.get(name);
  if (setting === undefined || isLogLevel(setting.option)) return "";
  const hint = settings.isObserved(name) ? "" : "(not observed, change may require restart) ";
  return `${name} = '${setting.value}' ${hint}`;
}

/** compat: `debug_osd` and its like are no options in upstream's sense. */
function isLogLevel({ isListed }: ConfigOption): boolean {
  return !isListed;
}

function word(texts: ConfigTexts, name: string): string {
  return (texts.get(name) ?? []).join(" ");
}

function get({ settings }: ConfiguredDaemon, texts: ConfigTexts): ConfigOutcome {
  const name = word(texts, "var");
  const setting = settings.get(name);
  if (setting === undefined) return failed("ENOENT", `getting '${name}'`);
  return { value: { [name]: setting.value } };
}

function set({ settings }: ConfiguredDaemon, texts: ConfigTexts): ConfigOutcome {
  const name = word(texts, "var");
  const text = word(texts, "val");
  const value = settings.check(name, text);
  if (typeof value !== "string") return failed(value.errno, `setting '${name}' to '${text}'`);
  const option = settings.get(name)?.option.name ?? name;
  return { value: { success: settings.set(option, value) ? told(settings, option) : "" } };
}

function unset({ settings }: ConfiguredDaemon, texts: ConfigTexts): ConfigOutcome {
  const name = word(texts, "var");
  // compat: here the name has to be exact, and upstream knows no better errno.
  if (settings.get(name)?.option.name !== name) return failed("EINVAL", `unsetting '${name}'`);
  return { value: {}, status: settings.unset(name) ? told(settings, name) : "" };
}

function show({ name, settings }: ConfiguredDaemon): ConfigOutcome {
  const options = settings.all().map(({ option, value }) => [option.name, value] as const);
  return { value: { name, cluster: "ceph", ...Object.fromEntries(options) } };
}

/** Truths and numbers are not text here; sizes are. */
function typed({ type }: ConfigOption, text: string): string | number | boolean {
  if (type === "bool") return text === "true";
  return ["int", "uint", "float"].includes(type) && text !== "" ? Number(text) : text;
}

function diffOf({ option, layers, value }: Setting): ConfigJson {
  return {
    default: typed(option, option.fallback),
    ...Object.fromEntries(layers.map((layer) => [layer.source, typed(option, layer.value)])),
    final: typed(option, value),
  };
}

function diff({ settings }: ConfiguredDaemon): ConfigOutcome {
  const changed = settings.all().filter(({ layers }) => layers.length > 0);
  const entries = changed.map((setting) => [setting.option.name, diffOf(setting)] as const);
  return { value: { diff: Object.fromEntries(entries) } };
}

function inject({ settings }: ConfiguredDaemon, texts: ConfigTexts): ConfigOutcome {
  const { changed, complaints, errno } = injectArguments(settings, word(texts, "injected_args"));
  const news = [...changed].sort().map((name) => told(settings, name));
  const status = complaints + news.join("");
  return errno === undefined ? { value: {}, status } : { errno, status };
}

const VAR = { name: "var" } as const;

export const CONFIG_COMMANDS: readonly ConfigCommand[] = [
  { prefix: "config get", help: "show what an option is", texts: [VAR], run: get },
  {
    prefix: "config set",
    help: "set an option until the daemon ends",
    texts: [VAR, { name: "val", many: true }],
    run: set,
  },
  { prefix: "config unset", help: "take back what was set", texts: [VAR], run: unset },
  { prefix: "config show", help: "show all options", texts: [], run: show },
  {
    prefix: "config diff",
    help: "show the options that are not as they are by default",
    texts: [],
    run: diff,
  },
  // compat: upstream shows all of them here, too.
  {
    prefix: "config diff get",
    help: "show the options that are not as they are by default",
    texts: [VAR],
    run: diff,
  },
  {
    prefix: "injectargs",
    help: "set options until the daemon ends",
    texts: [{ name: "injected_args", many: true }],
    run: inject,
  },
];
