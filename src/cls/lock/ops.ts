/**
 * Arguments and answers of the lock methods, shared by class and client.
 * ceph: src/cls/lock/cls_lock_ops.h
 */

import { list, str, struct, u8 } from "../../encoding/index.ts";
import { EntityName, Utime } from "../../types/index.ts";
import { LockInfo } from "./types.ts";

export const LockArgs = struct(
  "cls_lock_lock_op",
  { v: 1 },
  {
    name: str,
    type: u8,
    cookie: str,
    tag: str,
    description: str,
    /** Zero: until unlocked. */
    duration: Utime,
    flags: u8,
  },
);
export const UnlockArgs = struct("cls_lock_unlock_op", { v: 1 }, { name: str, cookie: str });
export const BreakLockArgs = struct(
  "cls_lock_break_op",
  { v: 1 },
  { name: str, locker: EntityName, cookie: str },
);
export const GetInfoArgs = struct("cls_lock_get_info_op", { v: 1 }, { name: str });
export const GetInfoReply = LockInfo;
export const ListLocksReply = struct("cls_lock_list_locks_reply", { v: 1 }, { locks: list(str) });
export const AssertLockedArgs = struct(
  "cls_lock_assert_op",
  { v: 1 },
  { name: str, type: u8, cookie: str, tag: str },
);
export const SetCookieArgs = struct(
  "cls_lock_set_cookie_op",
  { v: 1 },
  { name: str, type: u8, cookie: str, tag: str, newCookie: str },
);
