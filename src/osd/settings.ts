/**
 * The options an OSD goes by: what it was told itself (`ceph tell osd.N config set`) before what the monitor has
 * for it, before the defaults. Told values are forgotten at its end, as upstream's are.
 * ceph: src/common/config.cc
 */

import {
  allOptions,
  type ConfigOption,
  canonicalName,
  defaultValue,
  findOption,
  parseOptionValue,
} from "../config/index.ts";
import { OBJECT_SIZE_MAX, WRITE_SIZE_MAX } from "./limits.ts";

/** osd_max_write_size counts these. */
const MIB = 1 << 20;

/** Why an option is not set. */
export type SettingRefusal =
  | { readonly errno: "ENOENT" | "EPERM" }
  | { readonly errno: "EINVAL"; readonly why: string };

/** An option with all it could be, and what it is. */
export interface Setting {
  readonly option: ConfigOption;
  readonly mon: string | undefined;
  readonly override: string | undefined;
  readonly value: string;
}

export class Settings {
  #mon: ReadonlyMap<string, string> = new Map();
  readonly #overrides = new Map<string, string>();
  #objectSizeMax = OBJECT_SIZE_MAX;
  #writeSizeMax = WRITE_SIZE_MAX;

  /** osd_max_object_size, bytes; never more than what the store is made for. */
  get objectSizeMax(): number {
    return this.#objectSizeMax;
  }

  /** osd_max_write_size, in bytes; never more than what fits in memory. */
  get writeSizeMax(): number {
    return this.#writeSizeMax;
  }

  /** What the monitor has for this OSD, all of it. */
  load(options: Iterable<readonly [name: string, value: string]>): void {
    this.#mon = new Map(options);
    this.#apply();
  }

  /** undefined: there is no such option. */
  get(name: string): Setting | undefined {
    const option = findOption(canonicalName(name));
    return option === undefined || isModuleOption(option) ? undefined : this.#of(option);
  }

  /** In order of their names. */
  all(): Setting[] {
    return allOptions().flatMap((option) => (isModuleOption(option) ? [] : [this.#of(option)]));
  }

  /** Its value in canonical form, if the option can be set to it; nothing is set yet. */
  check(name: string, text: string): string | SettingRefusal {
    const option = this.get(name)?.option;
    if (option === undefined) return { errno: "ENOENT" };
    if (!option.runtime) return { errno: "EPERM" };
    const value = parseOptionValue(option, text);
    return typeof value === "string" ? value : { errno: "EINVAL", why: value.error };
  }

  /** @param value as `check` gave it */
  set(name: string, value: string): void {
    this.#overrides.set(canonicalName(name), value);
    this.#apply();
  }

  /** Was it set? */
  unset(name: string): boolean {
    const wasSet = this.#overrides.delete(canonicalName(name));
    this.#apply();
    return wasSet;
  }

  #of(option: ConfigOption): Setting {
    const mon = this.#mon.get(option.name);
    const override = this.#overrides.get(option.name);
    return { option, mon, override, value: override ?? mon ?? defaultValue(option) };
  }

  #apply(): void {
    const number = (name: string) => Number(this.get(name)?.value);
    this.#objectSizeMax = Math.min(number("osd_max_object_size"), OBJECT_SIZE_MAX);
    this.#writeSizeMax = Math.min(number("osd_max_write_size") * MIB, WRITE_SIZE_MAX);
  }
}

/** Those of the manager's modules are no OSD's. */
function isModuleOption({ name }: ConfigOption): boolean {
  return name.startsWith("mgr/");
}
