/** The config room: Ceph's options, what values they take, what they are without any, and what a daemon goes by. */

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
