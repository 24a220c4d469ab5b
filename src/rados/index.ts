/** The rados room: a client of a cluster, ours or a real one. */
export {
  type Applications,
  enableApplication,
  poolApplications,
  setApplicationMetadata,
} from "./applications.ts";
export { type ClassCall, callOp, callReply, classCalls, nothing } from "./class-call.ts";
export type { ClusterLogEntry, LogLevelName } from "./cluster-log.ts";
export {
  type CommandArgs,
  type CommandOptions,
  type CommandResult,
} from "./command.ts";
export { IoCtx, type OpOptions, type OpReply, type Watcher } from "./io-ctx.ts";
export { bounded, type CallOptions, type Subject, shared } from "./limits.ts";
export type { NotifyReply, Watch, WatchHandler, WatchOptions } from "./linger.ts";
export {
  ALL_NSPACES,
  type ListCursor,
  type ListedObject,
  type ListOptions,
  type ListPage,
  type ObjectListing,
} from "./listing.ts";
export {
  breakLock,
  type Locker,
  type LockRequest,
  type LockType,
  listLocks,
  lockInfo,
  lockObject,
  type ObjectLock,
  unlockObject,
} from "./locks.ts";
export { type OmapRange, omapEntries } from "./omap.ts";
export type { PoolCreateOptions, PoolSnap } from "./pool-admin.ts";
export { type ClusterStats, Rados, type RadosOptions } from "./rados.ts";
export type { SnapListing } from "./snap-listing.ts";
