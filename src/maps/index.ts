/** The maps room: what a cluster knows about itself, epoch by epoch, and how it is read. */
export { addrMapKey } from "./addr-map.ts";
export { applyIncremental } from "./apply-incremental.ts";
export { type Locator, locateObject, mapPg, type PgMapping, pgOfHash } from "./mapping.ts";
export * from "./mgr-map.ts";
export * from "./mon-map.ts";
export * from "./osd-map.ts";
export * from "./osd-map-incremental.ts";
export type { OsdReport, OsdSpace, PgReport } from "./osd-report.ts";
export { comparePgKeys, type PgKey, parsePgId, pgKey } from "./pg-key.ts";
export * from "./pg-pool.ts";
export * from "./stats.ts";
