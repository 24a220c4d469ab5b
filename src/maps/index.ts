/** The maps room: what a cluster knows about itself, epoch by epoch, and how it is read. */
export { addrMapKey, compareAddrs } from "./addr-map.ts";
export { applyIncremental } from "./apply-incremental.ts";
export { type CommittedEpoch, commitIncremental } from "./commit-incremental.ts";
export {
  type Locator,
  locateObject,
  mapPg,
  movesPgs,
  type PgMapping,
  pgOfHash,
} from "./mapping.ts";
export * from "./mgr-map.ts";
export * from "./mon-map.ts";
export * from "./osd-map.ts";
export * from "./osd-map-incremental.ts";
export type { ImageIo, OsdFullness, OsdReport, OsdSpace, PgReport } from "./osd-report.ts";
export { comparePgKeys, type PgKey, parsePgId, pgKey } from "./pg-key.ts";
export * from "./pg-pool.ts";
export { dumpMonMap, monMapText } from "./print-mon-map.ts";
export {
  dumpOsdMap,
  minCompatClient,
  osdMapFlagNames,
  osdMapText,
  osdStateNames,
} from "./print-osd-map.ts";
export { dumpOsdTree, osdTreeNodes, osdTreeText, type TreeNode } from "./print-osd-tree.ts";
export {
  autoscaleModeName,
  dumpPool,
  dumpPools,
  intervalSetText,
  poolLines,
  poolsText,
  poolTypeName,
} from "./print-pool.ts";
export {
  type Dump,
  type DumpObject,
  dumpAddrVec,
  dumpText,
  legacyAddrText,
  RELEASE_NAMES,
  releaseName,
  releaseNumber,
  timeText,
} from "./print-values.ts";
export * from "./stats.ts";
