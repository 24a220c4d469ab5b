/** The monitor room: the one monitor, its services and its commands. */

export type { OsdReport, OsdSpace, PgReport } from "../maps/index.ts";
export { type AuditEvent, type AuditRequest, auditLine } from "./audit.ts";
export {
  type Args,
  COMMAND_FLAG,
  type Command,
  type CommandReply,
  CommandTable,
  isReply,
  ok,
  parseSignature,
  refused,
  renderDescriptions,
} from "./commands/command.ts";
export { findPool, isCommandReply, poolName, poolsOf } from "./commands/common.ts";
export type { ClusterState, CommandContext, Metadata, VersionInfo } from "./commands/context.ts";
export { daemonConfigCommands } from "./commands/daemon-config.ts";
export { deviceClass } from "./commands/df.ts";
export { managerInfoCommands } from "./commands/mon-info.ts";
export { nodeLabel, nodeWeight } from "./commands/osd-tree.ts";
export { findPg } from "./commands/osd-view.ts";
export {
  kbJson,
  mapSumJson,
  osdStatsJson,
  perfJson,
  pgCount,
  pgJson,
  poolStatsJson,
  sortedPgs,
} from "./commands/pg-json.ts";
export { ioRateJson, ioRateText } from "./commands/status.ts";
export { daemonCommandTable, versionCommand } from "./commands/table.ts";
export { formatAge, formatBytes, formatCount } from "./commands/units.ts";
export {
  type BootstrapOptions,
  Monitor,
  type MonitorOptions,
  type OsdBootInfo,
} from "./monitor.ts";
export { parseConfigEntity } from "./services/config.ts";
export { daemonSettings, optionsFor } from "./services/daemon-settings.ts";
export type { OsdMapUpdate } from "./services/osd-map.ts";
export { type PgEntry, type PoolSums, STATFS_ZERO, usedBytes } from "./services/stats.ts";
