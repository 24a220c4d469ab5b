/** The types room: values used everywhere, with their encodings. */
export {
  ADDR_TYPE,
  AddrVec,
  AuthEntity,
  addrKey,
  BLANK_ADDR,
  ENTITY_TYPE,
  EntityAddr,
  EntityInst,
  EntityName,
  entityTypeName,
  entityTypeOf,
  formatAddr,
  formatAddrVec,
  formatAuthEntity,
  formatEntityName,
  formatLegacyAddr,
  isIpAddress,
  isLoopback,
  parseAuthEntity,
  parseEntityName,
} from "./entity.ts";
export {
  CLIENT_FEATURES,
  FEATURE_MSG_ADDR2,
  FEATURE_OSDREPLYMUX,
  FEATURES_SUPPORTED,
  MSGR2_FEATURE_REVISION_1,
} from "./features.ts";
export { IntervalSet, IntervalSetCodec } from "./interval-set.ts";
export type { IncomingMessage, MessageType, OutgoingMessage } from "./message.ts";
export {
  compareHObject,
  EVERSION_ZERO,
  EVersion,
  formatEVersion,
  formatPgId,
  HOBJECT_MAX,
  HOBJECT_MIN,
  HObject,
  headOf,
  NOSNAP,
  ObjectLocator,
  OsdReqId,
  PgId,
  reqIdKey,
  reverseBits,
  SNAPDIR,
  type SnapId,
  SpgId,
  UUID_ZERO,
  Uuid,
  uuidFromBytes,
} from "./object.ts";
export {
  linuxHash,
  OBJECT_HASH,
  objectHash,
  rjenkins,
  stableMod,
  stableModMask,
} from "./object-hash.ts";
export {
  type Clone,
  EMPTY_SNAP_CONTEXT,
  isValidSnapContext,
  SnapContext,
  SnapSet,
} from "./snap.ts";
export {
  compareUtime,
  formatUtime,
  RealTime,
  UTIME_ZERO,
  Utime,
  utimeFromMs,
  utimeToMs,
} from "./time.ts";
