/**
 * The options that the monitor goes by itself, and the manager: fed with what the monitor has for them.
 * ceph: src/mon/ConfigMonitor.cc load_config, Monitor::get_tracked_conf_keys
 */

import { Settings, type SettingsOptions } from "../../config/index.ts";
import type { AuthEntity } from "../../types/index.ts";
import type { ConfigService } from "./config.ts";

/** Options that upstream's monitor acts upon while it runs. */
const MON_OBSERVED = new Set(
  "crushtool mon_election_timeout mon_lease mon_lease_renew_interval_factor mon_lease_ack_timeout_factor mon_accept_timeout_factor clog_to_monitors clog_to_syslog clog_to_syslog_facility clog_to_syslog_level clog_to_graylog clog_to_graylog_host clog_to_graylog_port mon_health_to_clog mon_health_to_clog_interval mon_health_to_clog_tick_interval mon_scrub_interval mon_allow_pool_delete mon_osdmap_full_prune_enabled mon_osdmap_full_prune_min mon_osdmap_full_prune_interval mon_osdmap_full_prune_txsize mon_debug_extra_checks mon_debug_block_osdmap_trim mon_memory_target mon_memory_autotune rocksdb_cache_size".split(
    " ",
  ),
);

export const MON_SETTINGS: SettingsOptions = {
  observed: MON_OBSERVED,
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
