/** The config room: Ceph's options, what values they take, and what a daemon and a client go by. */
export {
  CEPH_ARGUMENT_NAMES,
  type CephArguments,
  parseCephArguments,
  withEnvironment,
} from "./arguments.ts";
export {
  ClientConfig,
  type ClientFacts,
  CONF_PATHS,
  type ConfigSource,
  splitPaths,
} from "./client-config.ts";
export {
  CONFIG_COMMANDS,
  type ConfigCommand,
  type ConfigOutcome,
  type ConfiguredDaemon,
} from "./commands.ts";
export { observedBy } from "./observed.ts";
export {
  allOptions,
  type ConfigOption,
  canonicalName,
  findOption,
  isBootstrapOption,
  optionNames,
  parseOptionValue,
} from "./options.ts";
export { type Setting, type SettingLayer, Settings, type SettingsOptions } from "./settings.ts";
