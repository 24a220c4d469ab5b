/** The rados room: a client of a cluster, ours or a real one. */
export { type ClassCall, callOp, callReply, classCalls, nothing } from "./class-call.ts";
export { IoCtx, type OpOptions, type OpReply, type Watcher } from "./io-ctx.ts";
export type { CallOptions } from "./limits.ts";
export type { NotifyReply, Watch, WatchHandler, WatchOptions } from "./linger.ts";
export {
  type CommandArgs,
  type CommandOptions,
  type CommandResult,
  Rados,
  type RadosOptions,
} from "./rados.ts";
export type { SnapListing } from "./snap-listing.ts";
