/** The lock class: table, argument codecs, stored types. */
export { lockClass } from "./class.ts";
export {
  AssertLockedArgs,
  BreakLockArgs,
  GetInfoArgs,
  GetInfoReply,
  ListLocksReply,
  LockArgs,
  SetCookieArgs,
  UnlockArgs,
} from "./ops.ts";
export { LOCK_FLAG, LOCK_PREFIX, LOCK_TYPE, LockerId, LockerInfo, LockInfo } from "./types.ts";
