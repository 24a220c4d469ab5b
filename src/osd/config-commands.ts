/**
 * `ceph tell osd.N config …` and `injectargs`.
 * ceph: src/common/ceph_context.cc do_command, src/common/config.cc injectargs
 */

import { ERRNO, type ErrnoName } from "../base/index.ts";
import { type ConfigOption, canonicalName } from "../config/index.ts";
import type { Command, CommandHost, Outcome } from "./commands.ts";
import type { Setting, Settings } from "./settings.ts";

/** In strerror's words. */
const WORDS = {
  ENOENT: "No such file or directory",
  EPERM: "Operation not permitted",
  EINVAL: "Invalid argument",
} as const;

/**
 * Options that a change of is not lost on: upstream's, by its OSD's observers, and those that ours goes by.
 * ceph: OSD::get_tracked_conf_keys
 */
const OBSERVED = new Set(
  "osd_max_backfills osd_min_recovery_priority osd_max_trimming_pgs osd_op_complaint_time osd_op_log_threshold osd_op_history_size osd_op_history_duration osd_op_history_slow_op_size osd_op_history_slow_op_threshold osd_enable_op_tracker osd_map_cache_size osd_recovery_sleep osd_recovery_sleep_hdd osd_recovery_sleep_ssd osd_recovery_sleep_hybrid osd_recovery_max_active osd_recovery_max_active_hdd osd_recovery_max_active_ssd osd_recovery_delay_start osd_client_message_size_cap osd_client_message_cap osd_heartbeat_min_size osd_heartbeat_interval osd_scrub_min_interval osd_scrub_max_interval osd_max_object_size osd_max_write_size".split(
    " ",
  ),
);

function refuse(errno: keyof typeof WORDS, status: string): Outcome {
  return { r: -ERRNO[errno satisfies ErrnoName], status };
}

function failed(errno: keyof typeof WORDS, what: string): Outcome {
  return refuse(errno, `error ${what}: (${ERRNO[errno]}) ${WORDS[errno]}`);
}

/** `osd_max_backfills = '3' `: what has changed. */
function told(name: string, value: string): string {
  const hint = OBSERVED.has(name) ? "" : "(not observed, change may require restart) ";
  return `${name} = '${value}' ${hint}`;
}

type Texts = ReadonlyMap<string, readonly string[]>;

function word(texts: Texts, name: string): string {
  return (texts.get(name) ?? []).join(" ");
}

function get({ settings }: CommandHost, texts: Texts): Outcome {
  const name = word(texts, "var");
  const setting = settings.get(name);
  if (setting === undefined) return failed("ENOENT", `getting '${name}'`);
  return { value: { [name]: setting.value } };
}

function set({ settings }: CommandHost, texts: Texts): Outcome {
  const name = word(texts, "var");
  const text = word(texts, "val");
  const value = settings.check(name, text);
  if (typeof value !== "string") return failed(value.errno, `setting '${name}' to '${text}'`);
  settings.set(name, value);
  return { value: { success: told(canonicalName(name), value) } };
}

function unset({ settings }: CommandHost, texts: Texts): Outcome {
  const name = word(texts, "var");
  const before = settings.get(name);
  // compat: upstream knows no better errno here.
  if (before === undefined) return failed("EINVAL", `unsetting '${name}'`);
  settings.unset(name);
  const after = settings.get(name)?.value ?? "";
  const status = after === before.value ? "" : told(before.option.name, after);
  return { value: {}, status };
}

function show({ id, settings }: CommandHost): Outcome {
  const options = settings.all().map(({ option, value }) => [option.name, value] as const);
  return { value: { name: `osd.${id}`, cluster: "ceph", ...Object.fromEntries(options) } };
}

/** Truths and numbers are not text here; sizes are. */
function typed({ type }: ConfigOption, text: string): unknown {
  if (type === "bool") return text === "true";
  return ["int", "uint", "float"].includes(type) && text !== "" ? Number(text) : text;
}

function diffOf({ option, mon, override, value }: Setting): Record<string, unknown> {
  return {
    default: typed(option, option.fallback),
    ...(mon === undefined ? {} : { mon: typed(option, mon) }),
    ...(override === undefined ? {} : { override: typed(option, override) }),
    final: typed(option, value),
  };
}

function diff({ settings }: CommandHost): Outcome {
  const changed = settings
    .all()
    .filter(({ mon, override }) => mon !== undefined || override !== undefined);
  const entries = changed.map((setting) => [setting.option.name, diffOf(setting)] as const);
  return { value: { diff: Object.fromEntries(entries) } };
}

/** `--name value`, `--name=value`; what is none of them is left. */
function parseArguments(words: readonly string[], settings: Settings) {
  const found: { name: string; text: string | undefined }[] = [];
  const left: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [, flag = "", , inline] = /^--([^=]+)(=(.*))?$/s.exec(words[i] ?? "") ?? [];
    const name = canonicalName(flag);
    if (flag === "" || settings.get(name) === undefined) left.push(words[i] ?? "");
    else found.push({ name, text: inline ?? words[++i] });
  }
  return { found, left };
}

function injectArgs({ settings }: CommandHost, texts: Texts): Outcome {
  const words = (texts.get("injected_args") ?? []).flatMap((text) => text.trim().split(/\s+/));
  const { found, left } = parseArguments(words, settings);
  const changes = new Map<string, string>();
  for (const { name, text } of found) {
    const bad = (errno: keyof typeof WORDS, why: string) =>
      refuse(errno, `Parse error setting ${name} to '${text ?? ""}' using injectargs (${why}).\n`);
    if (text === undefined) return bad("EINVAL", `Option --${name} requires an argument.\n`);
    const value = settings.check(name, text);
    if (typeof value === "string") changes.set(name, value);
    else if (value.errno === "EINVAL") return bad("EINVAL", value.why);
    else {
      const why = `Configuration option '${name}' may not be modified at runtime`;
      return bad(value.errno, why);
    }
  }
  if (left.length > 0) {
    return refuse("EINVAL", ` failed to parse arguments: ${left.join(",")}\n`);
  }
  const inOrder = [...changes].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of inOrder) settings.set(name, value);
  return { value: {}, status: inOrder.map(([name, value]) => told(name, value)).join("") };
}

const VAR = { name: "var" } as const;

export const CONFIG_COMMANDS: Readonly<Record<string, Command>> = {
  "config get": {
    help: "show what an option is",
    texts: [VAR],
    run: (host, _, texts) => get(host, texts),
  },
  "config set": {
    help: "set an option until the OSD ends",
    texts: [VAR, { name: "val", many: true }],
    run: (host, _, texts) => set(host, texts),
  },
  "config unset": {
    help: "take back what was set",
    texts: [VAR],
    run: (host, _, texts) => unset(host, texts),
  },
  "config show": { help: "show all options", run: show },
  "config diff": { help: "show the options that are not as they are by default", run: diff },
  "config diff get": {
    help: "show the options that are not as they are by default",
    texts: [VAR],
    run: diff,
  },
  injectargs: {
    help: "set options until the OSD ends",
    texts: [{ name: "injected_args", many: true }],
    run: (host, _, texts) => injectArgs(host, texts),
  },
};
