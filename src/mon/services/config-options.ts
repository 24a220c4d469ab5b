/**
 * What options there are and which values they take.
 * ceph: src/common/options.cc, src/common/config_values.h Option::parse_value
 */

import { CONFIG_OPTIONS_TEXT } from "./config-options-table.ts";

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
}

/** Subsystems: each has a `debug_` option that upstream's list of options leaves out.  ceph: src/common/subsys.h */
const SUBSYSTEMS =
  "lockdep context crush mds mds_balancer mds_locker mds_log mds_log_expire mds_migrator buffer timer filer striper objecter rados rbd rbd_mirror rbd_replay rbd_pwl journaler objectcacher immutable_obj_cache client osd optracker objclass filestore journal ms mon monc paxos tp auth crypto finisher reserver heartbeatmap perfcounter rgw rgw_sync civetweb javaclient asok throttle refs compressor bluestore bluefs bdev kstore rocksdb leveldb memdb fuse mgr mgrc dpdk eventtrace prioritycache test cephfs_mirror cephsqlite";
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
    });
  }
  for (const subsystem of SUBSYSTEMS.split(" ")) {
    const name = `debug_${subsystem}`;
    const rest = { fallback: "0/0", choices: undefined, range: ["", ""] } as const;
    options.set(name, { name, type: "str", level: "advanced", runtime: true, ...rest });
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

export function optionNames(): string[] {
  return [...table().keys()];
}

/** May not be stored: who reads it could not have come this far without it. */
export function isBootstrapOption(name: string): boolean {
  return BOOTSTRAP.has(name);
}

const UNITS = ["", "K", "M", "G", "T", "P", "E"];

function parseNumber(type: string, text: string): string | { error: string } {
  if (type === "float") {
    const ok = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text);
    return ok ? String(Number(text)) : { error: `strict_strtod: expected double, got: '${text}'` };
  }
  const match = /^([+-]?\d+)([KMGTPE]?)(?:i?B?)?$/.exec(text.trim());
  if (match === null) {
    return { error: `Expected option value to be integer, got '${text}'` };
  }
  const power = UNITS.indexOf(match[2] ?? "");
  const value = BigInt(match[1] ?? 0) * (type === "size" ? 1024n : 1000n) ** BigInt(power);
  if (value < 0n && type !== "int") return { error: `value must be >= 0, got '${text}'` };
  return String(value);
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
    case "float":
      return parseNumber(option.type, text);
    case "secs":
    case "millisecs":
      return /^\s*\d+\s*[a-z]*\s*$/.test(text) ? text.trim() : { error: "invalid argument" };
    default:
      if (option.name.startsWith("debug_") && !DEBUG_LEVEL.test(text)) {
        return { error: "value must take the form N or N/M, where N and M are integers" };
      }
      return text;
  }
}
