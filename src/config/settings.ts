/**
 * The options one daemon goes by, in layers: what it was told itself (`ceph tell … config set`) before what the
 * monitor has for it, before the defaults. Told values are forgotten at its end, as upstream's are.
 * ceph: src/common/config.cc, src/common/config_values.cc
 */

import {
  allOptions,
  type ConfigOption,
  defaultValue,
  findOption,
  parseOptionValue,
} from "./options.ts";

/** Why an option is not set. */
export type SettingRefusal =
  | { readonly errno: "ENOENT" }
  | { readonly errno: "EINVAL" | "EPERM"; readonly why: string };

/** Where a value comes from, by upstream's words. ceph: ceph_conf_level_name */
export type SettingSource = "default" | "mon" | "override";

/** One value that an option was given. */
export interface SettingLayer {
  readonly source: SettingSource;
  readonly value: string;
}

/** An option with all that it was given, and what it is. */
export interface Setting {
  readonly option: ConfigOption;
  /** The last one counts. Empty: it is what upstream ships. */
  readonly layers: readonly SettingLayer[];
  readonly value: string;
}

export interface SettingsOptions {
  /** Options that a change of is acted upon at once; of others upstream says that it may need a restart. */
  readonly observed?: ReadonlySet<string>;
  /** Where this daemon's default is not upstream's: values in canonical form. */
  readonly defaults?: Readonly<Record<string, string>>;
}

/** As a daemon takes a name: blanks for underscores, and no dashes.  ceph: ConfFile::normalize_key_name */
function settingName(name: string): string {
  return name.trim().replaceAll(/\s+/g, "_");
}

export class Settings {
  readonly #observed: ReadonlySet<string>;
  readonly #defaults: ReadonlyMap<string, string>;
  #mon: ReadonlyMap<string, string> = new Map();
  readonly #overrides = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  constructor({ observed = new Set(), defaults = {} }: SettingsOptions = {}) {
    this.#observed = observed;
    this.#defaults = new Map(Object.entries(defaults));
  }

  /** Told whenever a value may have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  isObserved(name: string): boolean {
    return this.#observed.has(name);
  }

  /** What the monitor has for this daemon, all of it. What the option cannot be is passed over. */
  load(options: Iterable<readonly [name: string, value: string]>): void {
    const mon = new Map<string, string>();
    for (const [name, text] of options) {
      const option = findOption(name);
      const value = option === undefined ? undefined : parseOptionValue(option, text);
      if (typeof value === "string") mon.set(name, value);
    }
    this.#mon = mon;
    this.#changed();
  }

  /** What the daemon was told itself, by name. */
  get overrides(): ReadonlyMap<string, string> {
    return this.#overrides;
  }

  /** undefined: there is no such option. */
  get(name: string): Setting | undefined {
    const option = findOption(settingName(name));
    return option === undefined || isModuleOption(option) ? undefined : this.#of(option);
  }

  /** An option that there is, as text. */
  text(name: string): string {
    const setting = this.get(name);
    if (setting === undefined) throw new RangeError(`no option ${name}`);
    return setting.value;
  }

  /** An option that there is and that is a number: of its own unit, a size of bytes. */
  number(name: string): number {
    return Number(this.text(name));
  }

  /** An option that there is and that is a truth. */
  flag(name: string): boolean {
    return this.text(name) === "true";
  }

  /** In order of their names. */
  all(): Setting[] {
    return allOptions().flatMap((option) => (isModuleOption(option) ? [] : [this.#of(option)]));
  }

  /** Its value in canonical form, if the option can be set to it; nothing is set yet. */
  check(name: string, text: string): string | SettingRefusal {
    const setting = this.get(name);
    if (setting === undefined) return { errno: "ENOENT" };
    const { option } = setting;
    const value = parseOptionValue(option, text);
    if (typeof value !== "string") return { errno: "EINVAL", why: value.error };
    // compat: what is no change may be set at any time.
    if (!option.runtime && !this.isObserved(option.name) && value !== setting.value) {
      return {
        errno: "EPERM",
        why: `Configuration option '${option.name}' may not be modified at runtime`,
      };
    }
    return value;
  }

  /**
   * @param value as `check` gave it
   * @returns was it told anything new? What it is may be the same as before.
   */
  set(name: string, value: string): boolean {
    const key = settingName(name);
    if (this.#overrides.get(key) === value) return false;
    this.#overrides.set(key, value);
    this.#changed();
    return true;
  }

  /** Was it set? */
  unset(name: string): boolean {
    const wasSet = this.#overrides.delete(name);
    if (wasSet) this.#changed();
    return wasSet;
  }

  #of(option: ConfigOption): Setting {
    const layers: SettingLayer[] = [];
    const put = (source: SettingSource, value: string | undefined) => {
      if (value !== undefined) layers.push({ source, value });
    };
    put("default", this.#defaults.get(option.name));
    put("mon", this.#mon.get(option.name));
    put("override", this.#overrides.get(option.name));
    return { option, layers, value: layers.at(-1)?.value ?? defaultValue(option) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Those of the manager's modules are no daemon's. */
function isModuleOption({ name }: ConfigOption): boolean {
  return name.startsWith("mgr/");
}
