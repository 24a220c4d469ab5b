/** The rados room: a client of a cluster, ours or a real one. */
export { type ClassCall, callOp, callReply, classCalls, nothing } from "./class-call.ts";
export type { ClusterLogEntry, LogLevelName } from "./cluster-log.ts";
export type { CommandArgs, CommandOptions, CommandResult } from "./command.ts";
export { IoCtx, type OpOptions, type OpReply, type Watcher } from "./io-ctx.ts";
export type { CallOptions } from "./limits.ts";
export type { NotifyReply, Watch, WatchHandler, WatchOptions } from "./linger.ts";
export type { PoolCreateOptions, PoolSnap } from "./pool-admin.ts";
export { type ClusterStats, Rados, type RadosOptions } from "./rados.ts";
export type { SnapListing } from "./snap-listing.ts";
