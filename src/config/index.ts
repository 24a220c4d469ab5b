/** The config room: Ceph's options, what values they take, and what they are without any. */
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
