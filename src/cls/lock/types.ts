/**
 * Advisory locks: who holds one, as stored in the attribute lock.<name> and as told to clients.
 * ceph: src/cls/lock/cls_lock_types.h
 */

import {
  type Codec,
  type Infer,
  naturalOrder,
  pairs,
  str,
  struct,
  u8,
} from "../../encoding/index.ts";
import { EntityAddr, EntityName, Utime } from "../../types/index.ts";

/** EXCLUSIVE_EPHEMERAL: the object goes when the lock does. */
export const LOCK_TYPE = { NONE: 0, EXCLUSIVE: 1, SHARED: 2, EXCLUSIVE_EPHEMERAL: 3 } as const;

/** MAY_RENEW: take or renew. MUST_RENEW: only renew. At most one of them. */
export const LOCK_FLAG = { MAY_RENEW: 1, MUST_RENEW: 2 } as const;

/** A lock's name is kept behind this in the object's attributes. */
export const LOCK_PREFIX = "lock.";

/** A holder: a client (as its session says) and the cookie it chose. */
export const LockerId = struct("locker_id_t", { v: 1 }, { locker: EntityName, cookie: str });
export type LockerId = Infer<typeof LockerId>;

export const LockerInfo = struct(
  "locker_info_t",
  { v: 1 },
  {
    /** Zero: never. */
    expiration: Utime,
    addr: EntityAddr,
    description: str,
  },
);
export type LockerInfo = Infer<typeof LockerInfo>;

export type Lockers = [LockerId, LockerInfo][];

function compareLockers(a: LockerId, b: LockerId): number {
  return (
    a.locker.type - b.locker.type ||
    naturalOrder(a.locker.num, b.locker.num) ||
    naturalOrder(a.cookie, b.cookie)
  );
}

export function sameLocker(a: LockerId, b: LockerId): boolean {
  return compareLockers(a, b) === 0;
}

const entries = pairs(LockerId, LockerInfo);

/** map<locker_id_t, locker_info_t>: by client, then cookie. */
const Lockers: Codec<Lockers> = {
  ...entries,
  encode: (w, x) =>
    entries.encode(
      w,
      [...x].sort((a, b) => compareLockers(a[0], b[0])),
    ),
};

/** lock_info_t, and the answer of get_info, which has the same bytes. */
export const LockInfo = struct("lock_info_t", { v: 1 }, { lockers: Lockers, type: u8, tag: str });
export type LockInfo = Infer<typeof LockInfo>;
