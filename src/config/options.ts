/**
 * What options there are and which values they take.
 * ceph: src/common/options.cc, src/common/config_values.h Option::parse_value
 */

import { parseTimespan } from "../base/index.ts";
import { CONFIG_OPTIONS_TEXT } from "./options-table.ts";

export interface ConfigOption {
  readonly name: string;
  /** `bool`, `int`, `uint`, `float`, `size`, `secs`, `str`, … */
  readonly type: string;
  readonly level: "basic" | "advanced" | "dev";
  readonly runtime: boolean;
  /** As text; "" for none. */
  readonly fallback: string;
  /** The only values there are; undefined: any. */
  readonly choices: readonly string[] | undefined;
  /** Least and most, as text; "" for no bound. */
  readonly range: readonly [least: string, most: string];
  /** Does `config ls` name it? */
  readonly isListed: boolean;
}

/**
 * Subsystems by how much they log and keep: each has a `debug_` option that upstream's list of options leaves out.
 * ceph: src/common/subsys.h
 */
const SUBSYSTEMS: Readonly<Record<string, string>> = {
  "0/0": "ms refs",
  "0/1": "lockdep context buffer timer filer striper objecter",
  "0/10": "monc",
  "0/5":
    "none rados rbd rbd_mirror rbd_replay rbd_pwl journaler objectcacher immutable_obj_cache client optracker objclass tp test cephfs_mirror cephsqlite",
  "1/1": "crush finisher reserver throttle",
  "1/10": "civetweb",
  "1/3": "filestore journal bdev",
  "1/5":
    "mds mds_balancer mds_locker mds_log mds_log_expire mds_migrator osd mon paxos auth crypto heartbeatmap perfcounter rgw rgw_sync javaclient asok compressor bluestore bluefs kstore fuse mgrc dpdk eventtrace prioritycache",
  "4/5": "rocksdb leveldb memdb",
  "2/5": "mgr",
};
/** Options of later releases that we have: nobody finds them in 16.2's list. */
const LATER: Readonly<Record<string, readonly [type: string, fallback: string]>> = {
  // Since 19.2.6 and 20.2.4; the default follows auth_allowed_ciphers (mon/services/key-policy.ts).
  mon_auth_allow_insecure_key: ["bool", "true"],
};

/** Option names are told with blanks or dashes too. */
export function canonicalName(name: string): string {
  return name.trim().replaceAll(/[ -]/g, "_");
}

const DEBUG_LEVEL = /^\d{1,2}(?:\/\d{1,2})?$/;

const LEVELS = { b: "basic", a: "advanced", d: "dev" } as const;
/** A client needs these before it can ask anybody. */
const BOOTSTRAP = new Set([
  "mon_host",
  "mon_host_override",
  "mon_dns_srv_name",
  "keyring",
  "keyfile",
  "key",
  "fsid",
  "no_mon_config",
  "monmap",
]);

let options: Map<string, ConfigOption> | undefined;

/** Built on first use: most runs never ask. */
function table(): Map<string, ConfigOption> {
  if (options !== undefined) return options;
  options = new Map();
  for (const line of CONFIG_OPTIONS_TEXT.split("\n")) {
    const [name = "", type = "", bits = "", ...rest] = line.split(" ");
    if (name === "") continue;
    options.set(name, {
      name,
      type,
      level: LEVELS[bits[0] as keyof typeof LEVELS],
      runtime: bits[1] === "r",
      fallback: rest.join(" "),
      choices: /^..\{(.*)\}$/.exec(bits)?.[1]?.split(","),
      range: rangeOf(bits),
      isListed: true,
    });
  }
  for (const [name, [type, fallback]] of Object.entries(LATER)) {
    const rest = { fallback, choices: undefined, range: ["", ""], isListed: false } as const;
    options.set(name, { name, type, level: "advanced", runtime: true, ...rest });
  }
  for (const [fallback, subsystems] of Object.entries(SUBSYSTEMS)) {
    for (const subsystem of subsystems.split(" ")) {
      const name = `debug_${subsystem}`;
      const rest = { fallback, choices: undefined, range: ["", ""], isListed: false } as const;
      options.set(name, { name, type: "str", level: "advanced", runtime: true, ...rest });
    }
  }
  return options;
}

function rangeOf(bits: string): ConfigOption["range"] {
  const [, least = "", most = ""] = /^..\[(.*),(.*)\]$/.exec(bits) ?? [];
  return [least, most];
}

export function findOption(name: string): ConfigOption | undefined {
  return table().get(name);
}

/** Those that `config ls` names. */
export function optionNames(): string[] {
  return [...table().values()].filter((option) => option.isListed).map(({ name }) => name);
}

/** All of them, in order of their names. */
export function allOptions(): ConfigOption[] {
  return [...table().values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The default in the form that a running daemon shows: numbers as C++ writes them. */
export function defaultValue({ type, fallback }: ConfigOption): string {
  return type === "float" && fallback !== "" ? Number(fallback).toFixed(6) : fallback;
}

/** May not be stored: who reads it could not have come this far without it. */
export function isBootstrapOption(name: string): boolean {
  return BOOTSTRAP.has(name);
}

const UNITS = ["", "K", "M", "G", "T", "P", "E"];
const U64_MAX = (1n << 64n) - 1n;

function parseFloatValue(text: string): string | { error: string } {
  const isDecimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text);
  if (!isDecimal && !/^\s*0[xX][0-9a-fA-F]+\s*$/.test(text)) {
    return { error: `strict_strtod: expected double, got: '${text}'` };
  }
  // compat: as std::to_string writes it.
  return Number(text).toFixed(6);
}

/** ceph: src/common/strtol.cc strict_si_cast, strict_iec_cast; src/common/options.cc */
function parseNumber(type: string, text: string): string | { error: string } {
  const isSize = type === "size";
  const reader = isSize ? "strict_iecstrtoll" : "strict_sistrtoll";
  if (text === "") return { error: `${reader}: value not specified` };
  const match = /^\s*([+-]?\d+)\s*([KMGTPE]?)(?:i?B?)?$/.exec(text);
  if (match === null) {
    return { error: `${isSize ? reader : "strict_si_cast"}: unit prefix not recognized` };
  }
  const power = UNITS.indexOf(match[2] ?? "");
  const value = BigInt(match[1] ?? 0) * (isSize ? 1024n : 1000n) ** BigInt(power);
  if (value < 0n && type !== "int") return { error: `${reader}: value should not be negative` };
  if (value > U64_MAX || value < -U64_MAX) {
    return { error: `The option value '${text}' seems to be invalid` };
  }
  return String(value);
}

/** Features by the names that an option takes, in order of their bits.  ceph: src/librbd/Features.cc */
const RBD_FEATURES =
  "layering,striping,exclusive-lock,object-map,fast-diff,deep-flatten,journaling,data-pool,operations,migrating,non-primary";

/** All up to deep-flatten, but striping. */
const RBD_FEATURES_DEFAULT = "61";

/** Names or bits of features of images: always kept as a number. */
function parseRbdFeatures(text: string): string | { error: string } {
  if (text === "") return RBD_FEATURES_DEFAULT;
  const names = RBD_FEATURES.split(",");
  const all = (1 << names.length) - 1;
  if (/^\d+$/.test(text)) {
    // compat: upstream says no more.
    return Number(text) <= all ? String(Number(text)) : { error: "" };
  }
  let bits = 0;
  for (const word of text.split(",")) {
    const bit = names.indexOf(word.trim());
    if (bit < 0) return { error: "" };
    bits |= 1 << bit;
  }
  return String(bits);
}

/** The value in its canonical text, or what is wrong with it. */
export function parseOptionValue(option: ConfigOption, text: string): string | { error: string } {
  const { choices, range } = option;
  if (choices !== undefined && !choices.includes(text)) {
    return { error: `'${text}' is not one of the permitted values: ${choices.join(", ")}` };
  }
  const value = parseTyped(option, text);
  if (typeof value !== "string") return value;
  const [least, most] = range;
  const number = Number.parseFloat(value);
  if (least !== "" && number < Number(least)) {
    return { error: `Value '${value}' is below minimum ${least}` };
  }
  if (most !== "" && number > Number(most)) {
    return { error: `Value '${value}' exceeds maximum ${most}` };
  }
  return value;
}

function parseTyped(option: ConfigOption, text: string): string | { error: string } {
  switch (option.type) {
    case "bool": {
      const word = text.trim().toLowerCase();
      if (["true", "yes", "on", "1"].includes(word)) return "true";
      if (["false", "no", "off", "0"].includes(word)) return "false";
      if (/^[+-]?\d+$/.test(word)) return "true";
      return { error: `Expected option value to be integer, got '${text}'` };
    }
    case "int":
    case "uint":
    case "size":
      return parseNumber(option.type, text);
    case "float":
      return parseFloatValue(text);
    case "secs": {
      const seconds = parseTimespan(text);
      return typeof seconds === "number" ? String(seconds) : seconds;
    }
    case "millisecs":
      return /^\s*\d+\s*$/.test(text) ? text.trim() : { error: "invalid argument" };
    default:
      if (option.name === "rbd_default_features") return parseRbdFeatures(text);
      if (option.name.startsWith("debug_") && !DEBUG_LEVEL.test(text)) {
        return { error: "value must take the form N or N/M, where N and M are integers" };
      }
      return option.name.startsWith("debug_") && !text.includes("/") ? `${text}/${text}` : text;
  }
}
