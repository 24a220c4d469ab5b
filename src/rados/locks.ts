/**
 * Advisory locks on objects, by the class `lock`: exclusive or shared, for good or for a while, and broken by
 * others when their owner is gone. Names, cookies, tags and descriptions are byte strings.
 * ceph: src/librados/librados_cxx.cc lock_exclusive …; src/cls/lock/cls_lock_client.cc
 */

import {
  BreakLockArgs,
  GetInfoArgs,
  GetInfoReply,
  ListLocksReply,
  LockArgs,
  UnlockArgs,
} from "../cls/lock/ops.ts";
import { LOCK_FLAG, LOCK_TYPE } from "../cls/lock/types.ts";
import {
  type EntityAddr,
  type EntityName,
  UTIME_ZERO,
  utimeFromMs,
  utimeToMs,
} from "../types/index.ts";
import { classCalls, nothing } from "./class-call.ts";
import type { IoCtx, OpOptions } from "./io-ctx.ts";

const call = classCalls("lock");
const LOCK = call("lock", LockArgs);
const UNLOCK = call("unlock", UnlockArgs);
const BREAK = call("break_lock", BreakLockArgs);
const INFO = call("get_info", GetInfoArgs, GetInfoReply);
const LIST = call("list_locks", nothing, ListLocksReply);

export type LockType = "exclusive" | "shared";

export interface LockRequest {
  readonly name: string;
  readonly type: LockType;
  /** Tells this holder from others of the same client. */
  readonly cookie: string;
  /** Shared locks are shared by those with the same tag. @default "" */
  readonly tag?: string;
  /** @default "" */
  readonly description?: string;
  /** Milliseconds until it ends by itself. @default 0, never */
  readonly durationMs?: number;
  /** Who has it already may ask again, and so renew it. @default false */
  readonly mayRenew?: boolean;
}

/** Makes the object if it is not there. @throws CephError EBUSY if another has it; EEXIST if we have it */
export async function lockObject(
  io: IoCtx,
  oid: string,
  request: LockRequest,
  options: OpOptions = {},
): Promise<void> {
  const { name, type, cookie, tag = "", description = "", durationMs = 0 } = request;
  const args = {
    name,
    type: type === "exclusive" ? LOCK_TYPE.EXCLUSIVE : LOCK_TYPE.SHARED,
    cookie,
    tag,
    description,
    duration: durationMs === 0 ? UTIME_ZERO : utimeFromMs(durationMs),
    flags: request.mayRenew === true ? LOCK_FLAG.MAY_RENEW : 0,
  };
  await io.execute(oid, LOCK, args, options);
}

/** @throws CephError ENOENT if we do not have it */
export async function unlockObject(
  io: IoCtx,
  oid: string,
  { name, cookie }: { name: string; cookie: string },
  options: OpOptions = {},
): Promise<void> {
  await io.execute(oid, UNLOCK, { name, cookie }, options);
}

/** Takes a lock from its holder. @throws CephError ENOENT if that one does not have it */
export async function breakLock(
  io: IoCtx,
  oid: string,
  holder: { name: string; locker: EntityName; cookie: string },
  options: OpOptions = {},
): Promise<void> {
  await io.execute(oid, BREAK, holder, options);
}

export interface Locker {
  readonly locker: EntityName;
  readonly cookie: string;
  readonly addr: EntityAddr;
  readonly description: string;
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresMs: number | undefined;
}

export interface ObjectLock {
  readonly type: LockType | "exclusive-ephemeral" | "none";
  readonly tag: string;
  readonly lockers: readonly Locker[];
}

const TYPE_NAMES: Readonly<Record<number, ObjectLock["type"]>> = {
  [LOCK_TYPE.NONE]: "none",
  [LOCK_TYPE.EXCLUSIVE]: "exclusive",
  [LOCK_TYPE.SHARED]: "shared",
  [LOCK_TYPE.EXCLUSIVE_EPHEMERAL]: "exclusive-ephemeral",
};

/** Who has a lock; nobody if there is none of that name. @throws CephError ENOENT if the object is not there */
export async function lockInfo(
  io: IoCtx,
  oid: string,
  name: string,
  options: OpOptions = {},
): Promise<ObjectLock> {
  const { type, tag, lockers } = await io.query(oid, INFO, { name }, options);
  return {
    type: TYPE_NAMES[type] ?? "none",
    tag,
    lockers: lockers.map(([{ locker, cookie }, { addr, description, expiration }]) => {
      const endMs = utimeToMs(expiration);
      return { locker, cookie, addr, description, expiresMs: endMs === 0 ? undefined : endMs };
    }),
  };
}

/** Names of the locks that an object has. */
export async function listLocks(
  io: IoCtx,
  oid: string,
  options: OpOptions = {},
): Promise<string[]> {
  const { locks } = await io.query(oid, LIST, undefined, options);
  return locks;
}
