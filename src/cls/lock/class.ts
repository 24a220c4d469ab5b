/**
 * The lock class: advisory locks on an object, kept in its attributes.
 *
 * The holder's identity is always the session's, never the payload's. Addresses are stored with the
 * legacy type, because the type is not what identifies a client and old ones choke on others. Locks past
 * their expiration count as gone and are dropped whenever the lock is next written.
 * ceph: src/cls/lock/cls_lock.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { DecodeError, decodeFromBytes, encodeToBytes, type Infer } from "../../encoding/index.ts";
import { ADDR_TYPE, compareUtime, UTIME_ZERO, type Utime } from "../../types/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";
import {
  AssertLockedArgs,
  BreakLockArgs,
  GetInfoArgs,
  GetInfoReply,
  ListLocksReply,
  LockArgs,
  SetCookieArgs,
  UnlockArgs,
} from "./ops.ts";
import { LOCK_FLAG, LOCK_PREFIX, LOCK_TYPE, type LockerId, LockInfo, sameLocker } from "./types.ts";

export const lockClass = defineClass("lock", {
  lock: method("rw", LockArgs, none, lock),
  unlock: method("rw", UnlockArgs, none, (context, args) =>
    removeLock(context, args.name, { locker: context.origin.name, cookie: args.cookie }),
  ),
  break_lock: method("rw", BreakLockArgs, none, (context, args) =>
    removeLock(context, args.name, { locker: args.locker, cookie: args.cookie }),
  ),
  get_info: method("r", GetInfoArgs, GetInfoReply, (context, args) => readLock(context, args.name)),
  list_locks: method("r", none, ListLocksReply, listLocks),
  assert_locked: method("r", AssertLockedArgs, none, assertLocked),
  set_cookie: method("rw", SetCookieArgs, none, setCookie),
});

const NO_LOCK = { lockers: [], type: LOCK_TYPE.NONE, tag: "" } satisfies LockInfo;

function isValidType(type: number): boolean {
  return type >= LOCK_TYPE.EXCLUSIVE && type <= LOCK_TYPE.EXCLUSIVE_EPHEMERAL;
}

function isExpired(expiration: Utime, now: Utime): boolean {
  return compareUtime(expiration, UTIME_ZERO) !== 0 && compareUtime(expiration, now) < 0;
}

/** compat: upstream's attributes have C's names, which end at the first zero. */
function attrOf(name: string): string {
  return LOCK_PREFIX + (name.split("\0", 1)[0] ?? "");
}

/** The lock without its expired holders. ENOENT: no object; EIO: what is stored is no lock. */
function readLock(context: ClassContext, name: string): Result<LockInfo> {
  const stored = context.getXattr(attrOf(name));
  if (isFailure(stored)) {
    return stored.errno === fail("ENODATA").errno ? { ...NO_LOCK, lockers: [] } : stored;
  }
  try {
    const info = decodeFromBytes(LockInfo, stored);
    info.lockers = info.lockers.filter(([, x]) => !isExpired(x.expiration, context.now));
    return info;
  } catch (error) {
    if (error instanceof DecodeError) return fail("EIO");
    throw error;
  }
}

function writeLock(context: ClassContext, name: string, info: LockInfo): Result<void> {
  return context.setXattr(attrOf(name), encodeToBytes(LockInfo, info));
}

/** now + duration; zero stays zero. */
function expirationOf(now: Utime, duration: Utime): Utime {
  if (compareUtime(duration, UTIME_ZERO) === 0) return UTIME_ZERO;
  const nsec = now.nsec + duration.nsec;
  const carry = Math.floor(nsec / 1_000_000_000);
  // compat: seconds are 32 bits and wrap, as upstream's do.
  return { sec: (now.sec + duration.sec + carry) >>> 0, nsec: nsec % 1_000_000_000 };
}

/**
 * Takes or renews a lock; creates the object if there is none.
 * EINVAL: bad type, no name, both renew flags; EBUSY: held with another tag, by someone else, or in
 * another mode; EEXIST: already ours and no renewal asked for; ENOENT: nothing to renew.
 */
function lock(context: ClassContext, args: Infer<typeof LockArgs>): Result<void> {
  const mayRenew = (args.flags & LOCK_FLAG.MAY_RENEW) !== 0;
  const mustRenew = (args.flags & LOCK_FLAG.MUST_RENEW) !== 0;
  if (!isValidType(args.type) || args.name === "") return fail("EINVAL");
  if (mayRenew && mustRenew) return fail("EINVAL");

  let info = readLock(context, args.name);
  if (isFailure(info)) {
    if (info.errno !== fail("ENOENT").errno) return info;
    info = { ...NO_LOCK, lockers: [] };
  }
  if (info.lockers.length > 0 && info.tag !== args.tag) return fail("EBUSY");

  const id: LockerId = { locker: context.origin.name, cookie: args.cookie };
  const others = info.lockers.filter(([x]) => !sameLocker(x, id));
  if (others.length < info.lockers.length) {
    if (!mayRenew && !mustRenew) return fail("EEXIST");
  } else if (mustRenew) {
    return fail("ENOENT");
  }
  if (others.length > 0 && (args.type !== LOCK_TYPE.SHARED || info.type !== args.type)) {
    return fail("EBUSY");
  }

  // An ephemeral lock that ran out takes its object along, as if it had been unlocked.
  if (info.type === LOCK_TYPE.EXCLUSIVE_EPHEMERAL && info.lockers.length === 0) {
    const removed = context.remove();
    if (isFailure(removed)) return removed;
  }
  const holder = {
    expiration: expirationOf(context.now, args.duration),
    addr: { ...context.origin.addr, type: ADDR_TYPE.LEGACY },
    description: args.description,
  };
  return writeLock(context, args.name, {
    lockers: [...others, [id, holder]],
    type: args.type,
    tag: args.tag,
  });
}

/** Drops one holder; the last one of an ephemeral lock takes the object along. ENOENT: not held so. */
function removeLock(context: ClassContext, name: string, id: LockerId): Result<void> {
  const info = readLock(context, name);
  if (isFailure(info)) return info;
  const others = info.lockers.filter(([x]) => !sameLocker(x, id));
  if (others.length === info.lockers.length) return fail("ENOENT");
  if (info.type === LOCK_TYPE.EXCLUSIVE_EPHEMERAL) return context.remove();
  return writeLock(context, name, { ...info, lockers: others });
}

/** ENOENT: no object. */
function listLocks(context: ClassContext): Result<Infer<typeof ListLocksReply>> {
  const attrs = context.getXattrs();
  if (isFailure(attrs)) return attrs;
  const locks = attrs
    .map(([name]) => name)
    .filter((name) => name.startsWith(LOCK_PREFIX))
    .map((name) => name.slice(LOCK_PREFIX.length));
  return { locks };
}

/** The lock if the caller holds it just so; EBUSY otherwise, EINVAL for a bad type or no name. */
function heldByCaller(
  context: ClassContext,
  args: Infer<typeof AssertLockedArgs>,
): Result<LockInfo> {
  if (!isValidType(args.type) || args.name === "") return fail("EINVAL");
  const info = readLock(context, args.name);
  if (isFailure(info)) return info;
  const id: LockerId = { locker: context.origin.name, cookie: args.cookie };
  const held =
    info.type === args.type &&
    info.tag === args.tag &&
    info.lockers.some(([x]) => sameLocker(x, id));
  return held ? info : fail("EBUSY");
}

function assertLocked(context: ClassContext, args: Infer<typeof AssertLockedArgs>): Result<void> {
  const info = heldByCaller(context, args);
  if (isFailure(info)) return info;
}

/** Gives the caller's hold another cookie. EBUSY also if that cookie holds the lock already. */
function setCookie(context: ClassContext, args: Infer<typeof SetCookieArgs>): Result<void> {
  const info = heldByCaller(context, args);
  if (isFailure(info)) return info;
  const locker = context.origin.name;
  const renamed: LockerId = { locker, cookie: args.newCookie };
  if (info.lockers.some(([id]) => sameLocker(id, renamed))) return fail("EBUSY");
  const old: LockerId = { locker, cookie: args.cookie };
  return writeLock(context, args.name, {
    ...info,
    lockers: info.lockers.map(([id, x]) => [sameLocker(id, old) ? renamed : id, x]),
  });
}
