/**
 * The lock on an image as users see it: theirs, which nothing but other users of it heeds besides librbd's
 * own; and who has the exclusive lock.
 * ceph: src/librbd/internal.cc list_lockers, lock, break_lock, src/librbd/ExclusiveLock.cc
 */

import { CephError } from "../base/index.ts";
import { LOCK_TYPE } from "../cls/lock/types.ts";
import { type EntityName, formatEntityName, formatLegacyAddr, UTIME_ZERO } from "../types/index.ts";
import { LOCK } from "./calls.ts";
import { imageError } from "./errors.ts";
import type { Image } from "./image.ts";
import { RBD_LOCK_NAME } from "./names.ts";

export interface Locker {
  readonly client: EntityName;
  /** `client.4123`. */
  readonly clientText: string;
  readonly cookie: string;
  /** As blocklists have it. */
  readonly address: string;
}

export interface Locks {
  readonly lockers: readonly Locker[];
  readonly exclusive: boolean;
  /** What shared lockers have in common; "internal" if it is librbd's own. */
  readonly tag: string;
}

export async function listLocks({
  io,
  headerOid,
}: Pick<Image, "io" | "headerOid">): Promise<Locks> {
  const info = await io.query(headerOid, LOCK.getInfo, { name: RBD_LOCK_NAME });
  return {
    lockers: info.lockers.map(([{ locker, cookie }, { addr }]) => ({
      client: locker,
      clientText: formatEntityName(locker),
      cookie,
      address: formatLegacyAddr(addr),
    })),
    exclusive: info.type === LOCK_TYPE.EXCLUSIVE,
    tag: info.tag,
  };
}

/**
 * @param sharedTag shared with others of the same tag @default exclusive
 * @throws CephError EBUSY: locked by another; EEXIST: by us, with this cookie
 */
export async function addLock(image: Image, cookie: string, sharedTag?: string): Promise<void> {
  await image.io.execute(image.headerOid, LOCK.lock, {
    name: RBD_LOCK_NAME,
    type: sharedTag === undefined ? LOCK_TYPE.EXCLUSIVE : LOCK_TYPE.SHARED,
    cookie,
    tag: sharedTag ?? "",
    description: "",
    duration: UTIME_ZERO,
    flags: 0,
  });
  await image.notifyUpdate();
}

/** Gives back a lock of our own. @throws CephError ENOENT: we have none */
export async function removeLock(image: Image, cookie: string): Promise<void> {
  await image.io.execute(image.headerOid, LOCK.unlock, { name: RBD_LOCK_NAME, cookie });
  await image.notifyUpdate();
}

/**
 * Takes somebody's lock away, whose client is kept out of the cluster from then on.
 * @param options.blocklist @default true, rbd_blocklist_on_break_lock
 * @throws CephError ENOENT: there is no such lock
 */
export async function breakLock(
  image: Image,
  { client, cookie }: Pick<Locker, "client" | "cookie">,
  options: { readonly blocklist?: boolean; readonly blocklistSeconds?: number } = {},
): Promise<void> {
  const { io, headerOid, rados } = image;
  if (options.blocklist !== false) {
    const { lockers } = await io.query(headerOid, LOCK.getInfo, { name: RBD_LOCK_NAME });
    const found = lockers.find(
      ([{ locker }]) => locker.type === client.type && locker.num === client.num,
    );
    if (found === undefined) throw imageError("ENOENT", "break the lock of", image.target);
    const { result, status } = await rados.blocklist(found[1].addr, options.blocklistSeconds);
    if (result < 0) {
      throw new CephError(result, { op: "blocklist", target: found[0].cookie, cause: status });
    }
  }
  await io.execute(headerOid, LOCK.breakLock, { name: RBD_LOCK_NAME, locker: client, cookie });
  await image.notifyUpdate();
}

/**
 * Takes the exclusive lock and keeps it, whoever asks for it.
 * @throws CephError EROFS: its owner keeps it; EINVAL: it has no such feature
 * ceph: rbd_lock_acquire
 */
export async function acquireManually(image: Image): Promise<void> {
  if (image.lock === undefined) throw imageError("EINVAL", "lock", image.target, "no such feature");
  // From now on a change of data does not take it by itself.
  image.autoLock = false;
  await image.acquireLock("refuse");
  image.lock.setPolicy("refuse");
}

/** Gives it back. @throws CephError EINVAL: we do not have it */
export async function releaseManually(image: Image): Promise<void> {
  if (image.lock?.isHeld !== true) {
    throw imageError("EINVAL", "unlock", image.target, "the lock is not held");
  }
  await image.giveLockBack();
}
