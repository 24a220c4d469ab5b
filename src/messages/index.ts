/** The messages room: every message we speak, and the ops inside them. */

export { MAuth } from "./mauth.ts";
export { MAuthReply } from "./mauth-reply.ts";
export { MCommand } from "./mcommand.ts";
export { MCommandReply } from "./mcommand-reply.ts";
export { MConfig } from "./mconfig.ts";
export { type MessageValue, type WithData } from "./message-type.ts";
export { MGetPoolStats } from "./mget-pool-stats.ts";
export { MGetPoolStatsReply } from "./mget-pool-stats-reply.ts";
export { CLOG, LogEntry, MLog } from "./mlog.ts";
export { MLogAck } from "./mlog-ack.ts";
export { MMgrClose } from "./mmgr-close.ts";
export { MMgrCommand } from "./mmgr-command.ts";
export { MMgrCommandReply } from "./mmgr-command-reply.ts";
export { MMgrConfigure } from "./mmgr-configure.ts";
export { MMgrMap } from "./mmgr-map.ts";
export { MMgrOpen } from "./mmgr-open.ts";
export { DaemonHealthMetric, MMgrReport, PerfCounterType } from "./mmgr-report.ts";
export { MMonCommand } from "./mmon-command.ts";
export { MMonCommandAck } from "./mmon-command-ack.ts";
export { MMonGetMap } from "./mmon-get-map.ts";
export { MMonGetVersion } from "./mmon-get-version.ts";
export { MMonGetVersionReply } from "./mmon-get-version-reply.ts";
export { MMonMap } from "./mmon-map.ts";
export { MMonSubscribe, SUBSCRIBE_ONETIME } from "./mmon-subscribe.ts";
export { MMonSubscribeAck } from "./mmon-subscribe-ack.ts";
export { BACKOFF_OP, MOSDBackoff } from "./mosd-backoff.ts";
export { MOSDMap } from "./mosd-map.ts";
export { MOSDOp, requestId } from "./mosd-op.ts";
export {
  MOSDOpReply,
  missingReplyVersions,
  RequestRedirect,
  replyFlags,
  replyVersions,
} from "./mosd-op-reply.ts";
export { MPing } from "./mping.ts";
export { MPoolOp, POOL_OP } from "./mpool-op.ts";
export { MPoolOpReply } from "./mpool-op-reply.ts";
export { MServiceMap } from "./mservice-map.ts";
export { MStatfs } from "./mstatfs.ts";
export { MStatfsReply } from "./mstatfs-reply.ts";
export { MWatchNotify, NotifyResult, WATCH_EVENT } from "./mwatch-notify.ts";
export {
  COPY_START,
  isCopyComplete,
  ObjectCopyCursor,
  ObjectCopyData,
} from "./object-copy.ts";
export {
  ALLOC_HINT_FLAG,
  allocHintOf,
  assertVerOf,
  CHECKSUM_TYPE,
  CMPXATTR_MODE,
  CMPXATTR_OP,
  COPY_FROM_FLAG,
  checksumOf,
  clsOf,
  copyFromOf,
  copyGetMaxOf,
  extentLength,
  extentOf,
  extentOffset,
  isAttrOp,
  isCacheOp,
  isExecOp,
  isPgOp,
  isReadOp,
  isSubOp,
  isWriteOp,
  notifyCookieOf,
  OSD_FLAG,
  OSD_OP,
  OSD_OP_ARGS_SIZE,
  OSD_OP_FLAG,
  OSD_OP_SIZE,
  type OsdAllocHint,
  type OsdChecksum,
  type OsdCopyFrom,
  type OsdExtent,
  type OsdOp,
  type OsdOpCode,
  type OsdOpName,
  type OsdReplyOp,
  type OsdWatch,
  osdOpConstant,
  osdOpName,
  pglsOf,
  snapOf,
  usesExtent,
  WATCH_OP,
  watchOf,
  writeSameOf,
  xattrOf,
} from "./osd-op.ts";
export {
  type CopySource,
  opAppend,
  opAssertVer,
  opCall,
  opChecksum,
  opCmpExt,
  opCmpXattr,
  opCopyFrom,
  opCopyGet,
  opCreate,
  opDelete,
  opGetXattr,
  opGetXattrs,
  opListSnaps,
  opListWatchers,
  opMapExt,
  opNotify,
  opNotifyAck,
  opOmapClear,
  opOmapCmp,
  opOmapGetHeader,
  opOmapGetKeys,
  opOmapGetVals,
  opOmapGetValsByKeys,
  opOmapRmKeyRange,
  opOmapRmKeys,
  opOmapSetHeader,
  opOmapSetVals,
  opPgnls,
  opRead,
  opRmXattr,
  opRollback,
  opScrubLs,
  opSetAllocHint,
  opSetChunk,
  opSetRedirect,
  opSetXattr,
  opSparseRead,
  opStat,
  opTierStep,
  opTmap2Omap,
  opTmapGet,
  opTmapPut,
  opTmapUp,
  opTruncate,
  opWatch,
  opWrite,
  opWriteFull,
  opWriteSame,
  opZero,
  type ScrubListing,
  type TierStep,
  type TierTarget,
  withFlags,
} from "./osd-op-build.ts";
export { messageName, messageTypeOf, messageTypes } from "./registry.ts";
