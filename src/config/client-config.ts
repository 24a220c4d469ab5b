/**
 * A client's options: for each the word of whoever stands highest, with the names in it filled in.
 *
 * From the lowest: defaults, what the monitors have for the client, the configuration file (its own section,
 * its type's, `[global]`), the environment, the command line, the program.
 * ceph: src/common/config.cc
 */

import type { IniSection } from "../base/index.ts";
import { canonicalName, defaultValue, findOption, parseOptionValue } from "./options.ts";

/** Who the client is, for `$name` and the like. */
export interface ClientFacts {
  readonly cluster: string;
  /** `client`. */
  readonly type: string;
  /** `admin`. */
  readonly id: string;
  /** Without its domain. */
  readonly host: string;
  readonly pid: number;
  /** The user's home directory; "" if there is none. */
  readonly home: string;
}

/** Where values come from, lowest first. */
export const CONFIG_SOURCES = ["mon", "file", "env", "cmdline", "override"] as const;
export type ConfigSource = (typeof CONFIG_SOURCES)[number];

export class ClientConfig {
  readonly facts: ClientFacts;
  readonly #values = new Map<ConfigSource, Map<string, string>>();

  constructor(facts: ClientFacts) {
    this.facts = facts;
  }

  /**
   * Takes what a source says, in place of what it said before. Options that nobody knows are passed over:
   * they may be another release's.
   * @returns a line for each value that its option cannot have; it does not count
   */
  load(source: ConfigSource, options: Iterable<readonly [name: string, text: string]>): string[] {
    const values = new Map<string, string>();
    const problems: string[] = [];
    for (const [written, text] of options) {
      const option = findOption(canonicalName(written));
      if (option === undefined) continue;
      // A text with names in it is checked when they are filled in.
      const value = text.includes("$") ? text : parseOptionValue(option, text);
      if (typeof value === "string") values.set(option.name, value);
      else problems.push(`parse error setting "${option.name}" to "${text}" (${value.error})`);
    }
    this.#values.set(source, values);
    return problems;
  }

  /** These options, with others that count above all of them; see `load`. */
  with(options: Iterable<readonly [name: string, text: string]>): ClientConfig {
    const copy = new ClientConfig(this.facts);
    for (const [source, values] of this.#values) copy.#values.set(source, values);
    copy.load("override", [...(this.#values.get("override") ?? []), ...options]);
    return copy;
  }

  /** Takes what a configuration file says to this client; see `load`. */
  loadFile(sections: readonly IniSection[]): string[] {
    const { type, id } = this.facts;
    const options: [string, string][] = [];
    for (const name of ["global", type, `${type}.${id}`]) {
      for (const section of sections) {
        if (section.name !== name) continue;
        for (const setting of section.settings) options.push([setting.name, setting.value]);
      }
    }
    return this.load("file", options);
  }

  /** An option's value; "" where it has none. Unknown options have none. */
  get(name: string): string {
    return this.#get(canonicalName(name), []);
  }

  /** As a number; 0 where it is none. */
  getNumber(name: string): number {
    const value = Number(this.get(name));
    return Number.isFinite(value) ? value : 0;
  }

  getBoolean(name: string): boolean {
    return this.get(name) === "true";
  }

  /** Who said it; undefined: nobody, it is the default. */
  sourceOf(name: string): ConfigSource | undefined {
    const key = canonicalName(name);
    return CONFIG_SOURCES.findLast((source) => this.#values.get(source)?.has(key));
  }

  /** Fills in `$name`, `${name}`: what is no name stays as it is written. */
  expand(text: string): string {
    return this.#expand(text, []);
  }

  #get(key: string, asking: readonly string[]): string {
    const option = findOption(key);
    if (option === undefined) return "";
    const source = this.sourceOf(key);
    const text =
      (source === undefined ? undefined : this.#values.get(source)?.get(key)) ??
      defaultValue(option);
    return this.#expand(text, [...asking, key]);
  }

  #expand(text: string, asking: readonly string[]): string {
    return text.replaceAll(
      /\$(?:\{([a-z_]+)\}|([a-z_]+))/g,
      (written: string, braced: string | undefined, plain: string | undefined) =>
        this.#meta(braced ?? plain ?? "", asking) ?? written,
    );
  }

  #meta(name: string, asking: readonly string[]): string | undefined {
    const { cluster, type, id, host, pid, home } = this.facts;
    const known: Readonly<Record<string, string>> = {
      cluster,
      type,
      id,
      num: id,
      name: `${type}.${id}`,
      host,
      pid: String(pid),
      // Several clients of one process are told apart by it; ours is alone with its files.
      cctid: "0",
      home,
    };
    if (Object.hasOwn(known, name)) return known[name];
    // An option that names itself is left as it is written.
    return findOption(name) === undefined || asking.includes(name)
      ? undefined
      : this.#get(name, asking);
  }
}

/** Where a configuration file is looked for, in order, when nothing names one. ceph: CEPH_CONF_FILE_DEFAULT */
export const CONF_PATHS = "/etc/ceph/$cluster.conf, $home/.ceph/$cluster.conf, $cluster.conf";

/** Items of a list of paths. */
export function splitPaths(text: string): string[] {
  return text.split(/[;,]/).flatMap((item) => (item.trim() === "" ? [] : [item.trim()]));
}
