/**
 * The options that the monitor goes by itself, and the manager: fed with what the monitor has for them.
 * ceph: src/mon/ConfigMonitor.cc load_config
 */

import { observedBy, Settings, type SettingsOptions } from "../../config/index.ts";
import type { AuthEntity } from "../../types/index.ts";
import type { ConfigService } from "./config.ts";

export const MON_SETTINGS: SettingsOptions = {
  observed: observedBy("mon"),
  // Ours: a cluster to develop with lets pools go unless it is told not to.
  defaults: { mon_allow_pool_delete: "true" },
};

/** What a daemon of this process goes by, following what the monitor has for it. */
export function daemonSettings(
  config: ConfigService,
  entity: AuthEntity,
  host: string,
  options: SettingsOptions,
): Settings {
  const settings = new Settings(options);
  const load = () => settings.load(optionsFor(config, entity, host));
  load();
  config.onChange(load);
  return settings;
}

/** The options that the monitor has for a daemon. */
export function optionsFor(
  config: ConfigService,
  entity: AuthEntity,
  host: string,
): (readonly [name: string, value: string])[] {
  return [...config.resolve(entity, host)].map(([name, { value }]) => [name, value] as const);
}
