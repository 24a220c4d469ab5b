/**
 * Central configuration: options by who they are for (`global`, `client`, `client.glance`, `osd/class:ssd`),
 * durable, with a history that `config log` shows. Clients get the options that apply to them when they
 * connect and again when something changes.
 * ceph: src/mon/ConfigMonitor.cc, src/mon/ConfigMap.cc
 */

import { type Clock, Turns } from "../../base/index.ts";
import {
  type AuthEntity,
  entityTypeName,
  entityTypeOf,
  formatUtime,
  utimeFromMs,
} from "../../types/index.ts";
import {
  type Change,
  keyOf,
  type MonStore,
  numberKey,
  put,
  remove,
  textOfKey,
} from "../mon-store.ts";

/** Where an option applies, taken apart: `client.glance/host:a` → section and mask. */
export interface ConfigTarget {
  /** `global`, `client`, `client.glance`. */
  readonly section: string;
  /** `host:a`, `class:ssd` or "". */
  readonly mask: string;
}

export interface ConfigEntry extends ConfigTarget {
  readonly name: string;
  readonly value: string;
}

/** What an option is to be; undefined: not set. */
export interface ConfigSetting {
  readonly target: ConfigTarget;
  readonly name: string;
  readonly value: string | undefined;
}

export interface ConfigChange {
  readonly target: string;
  readonly name: string;
  readonly previous: string | undefined;
  readonly value: string | undefined;
}

export interface ConfigHistory {
  readonly version: number;
  readonly stamp: string;
  readonly note: string;
  readonly changes: readonly ConfigChange[];
}

/** More options than Ceph has, so nobody real reaches it. */
export const CONFIG_ENTRIES_MAX = 10_000;
const HISTORY_MAX = 100;
const ENTITY_TYPES = new Set(["mon", "osd", "mds", "mgr", "client"]);

/** Reads a target; undefined if there can be no such one. */
export function parseTarget(who: string): ConfigTarget | undefined {
  const [first = "", ...rest] = who.split("/");
  const masks: string[] = [];
  let section = "global";
  for (const [i, part] of [first, ...rest].entries()) {
    if (part.includes(":")) {
      if (!/^(?:class|host|root|rack|datacenter):[A-Za-z0-9._-]+$/.test(part)) return undefined;
      masks.push(part);
    } else if (i === 0) {
      section = part === "*" ? "global" : part;
    } else {
      return undefined;
    }
  }
  if (masks.length > 1) return undefined;
  const dot = section.indexOf(".");
  const type = dot < 0 ? section : section.slice(0, dot);
  if (section !== "global" && !ENTITY_TYPES.has(type)) return undefined;
  if (dot >= 0 && section.length === dot + 1) return undefined;
  return { section, mask: masks[0] ?? "" };
}

export function formatTarget(target: ConfigTarget): string {
  return target.mask === "" ? target.section : `${target.section}/${target.mask}`;
}

/** How specific an entry is: later ones win. */
function rank(entry: ConfigEntry): number {
  const depth = entry.section === "global" ? 0 : entry.section.split(".").length;
  return 2 * depth + (entry.mask === "" ? 0 : 1);
}

export class ConfigService {
  readonly #store: MonStore;
  readonly #clock: Clock;
  /** By target, then option. */
  readonly #entries = new Map<string, Map<string, ConfigEntry>>();
  readonly #history: ConfigHistory[] = [];
  readonly #listeners = new Set<() => void>();
  /** A change is compared with what is stored when all before it is. */
  readonly #turns = new Turns();
  #version = 1;

  constructor(store: MonStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    for (const [key, value] of store.entries("config")) {
      const text = Buffer.from(value).toString("utf8");
      if (key.startsWith("e/")) {
        const [target = "", name = ""] = textOfKey(key.slice(2)).split("\0");
        this.#put(target, name, text);
      } else if (key.startsWith("h/")) {
        const item = JSON.parse(text) as ConfigHistory;
        this.#history.push(item);
        this.#version = item.version;
      }
    }
  }

  get version(): number {
    return this.#version;
  }

  get size(): number {
    let n = 0;
    for (const options of this.#entries.values()) n += options.size;
    return n;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #put(targetText: string, name: string, value: string | undefined): void {
    const target = parseTarget(targetText);
    if (target === undefined) return;
    const options = this.#entries.get(targetText) ?? new Map<string, ConfigEntry>();
    if (value === undefined) options.delete(name);
    else options.set(name, { ...target, name, value });
    this.#entries.set(targetText, options);
  }

  get(target: ConfigTarget, name: string): string | undefined {
    return this.#entries.get(formatTarget(target))?.get(name)?.value;
  }

  /** All entries: global first, then by section; options in order of their names. */
  dump(): ConfigEntry[] {
    const section = (e: ConfigEntry) => (e.section === "global" ? "" : e.section);
    const order = ["", "mon", "mgr", "osd", "mds", "client"];
    const typeOf = (e: ConfigEntry) => order.indexOf(section(e).split(".")[0] ?? "");
    const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.#entries.values()]
      .flatMap((options) => [...options.values()])
      .sort(
        (a, b) =>
          Number(section(a).includes(".")) - Number(section(b).includes(".")) ||
          typeOf(a) - typeOf(b) ||
          compare(section(a), section(b)) ||
          compare(a.name, b.name) ||
          compare(a.mask, b.mask),
      );
  }

  /** The options that apply to an entity on a host, the most specific of each. */
  resolve(entity: AuthEntity, host: string): Map<string, ConfigEntry> {
    // What is said of client.a holds for client.a.b, too.
    const parts = [entityTypeName(entity.type), ...entity.id.split(".")];
    const sections = new Set(parts.map((_, i) => parts.slice(0, i + 1).join(".")));
    sections.add("global");
    const found = new Map<string, ConfigEntry>();
    for (const entry of this.dump()) {
      if (!sections.has(entry.section)) continue;
      if (entry.mask !== "" && entry.mask !== `host:${host}`) continue;
      const other = found.get(entry.name);
      if (other === undefined || rank(entry) >= rank(other)) found.set(entry.name, entry);
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * Sets (or, with an undefined value, removes) options together, as one step of the history. Resolves when they
   * are durable.
   */
  apply(wanted: readonly ConfigSetting[], note = ""): Promise<void> {
    return this.#turns.take(() => this.#apply(wanted, note));
  }

  async #apply(wanted: readonly ConfigSetting[], note: string): Promise<void> {
    const changes: ConfigChange[] = wanted
      .map(({ target, name, value }) => ({
        target: formatTarget(target),
        name,
        previous: this.get(target, name),
        value,
      }))
      .filter((change) => change.previous !== change.value);
    if (changes.length === 0) return;
    const version = this.#version + 1;
    const stamp = formatUtime(utimeFromMs(this.#clock.now()));
    const item: ConfigHistory = { version, stamp, note, changes };
    const writes: Change[] = changes.map((change) => {
      const key = `e/${keyOf(`${change.target}\0${change.name}`)}`;
      return change.value === undefined ? remove("config", key) : put("config", key, change.value);
    });
    writes.push(put("config", numberKey("h/", version), JSON.stringify(item)));
    const oldest = this.#history.length >= HISTORY_MAX ? this.#history[0] : undefined;
    if (oldest !== undefined) writes.push(remove("config", numberKey("h/", oldest.version)));
    await this.#store.commit(writes);
    this.#version = version;
    this.#history.push(item);
    if (oldest !== undefined) this.#history.shift();
    for (const change of changes) this.#put(change.target, change.name, change.value);
    for (const listener of this.#listeners) listener();
  }

  /** Newest first; the last is the state before there were options, unless older ones are forgotten. */
  history(count: number): ConfigHistory[] {
    const first = { version: 1, stamp: "0.000000", note: "", changes: [] };
    const all = this.#history[0]?.version === 2 || this.#history.length === 0;
    return [...(all ? [first] : []), ...this.#history].reverse().slice(0, count);
  }
}

/** The entity of `config get`'s argument; undefined if there can be no such one. */
export function parseConfigEntity(who: string): AuthEntity | undefined {
  const dot = who.indexOf(".");
  const type = entityTypeOf(dot < 0 ? who : who.slice(0, dot));
  if (type === undefined || type === 32) return undefined;
  return { type, id: dot < 0 ? "" : who.slice(dot + 1) };
}
