/** The config room: Ceph's options, what values they take, what they are without any, and a client's own. */
export { type CephArguments, parseCephArguments, withEnvironment } from "./arguments.ts";
export {
  ClientConfig,
  type ClientFacts,
  CONF_PATHS,
  type ConfigSource,
  splitPaths,
} from "./client-config.ts";
export {
  allOptions,
  type ConfigOption,
  canonicalName,
  defaultValue,
  findOption,
  isBootstrapOption,
  optionNames,
  parseOptionValue,
} from "./options.ts";
