/** Failures of operations on images, and the few that callers expect. */

import { CephError, ERRNO, type ErrnoName } from "../base/index.ts";

export function imageError(code: ErrnoName, op: string, image: string, cause?: string): CephError {
  return new CephError(-ERRNO[code], { op, target: image, cause });
}

export function isErrno(error: unknown, ...codes: ErrnoName[]): error is CephError {
  return error instanceof CephError && codes.some((code) => error.errno === -ERRNO[code]);
}

/** The value, or undefined where the failure is one of `codes`. */
export async function unless<T>(work: Promise<T>, ...codes: ErrnoName[]): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, ...codes)) return undefined;
    throw error;
  }
}

/**
 * Runs what wants the lock for a change: where somebody keeps it for himself, others may only read.
 * @throws CephError EROFS in place of EBUSY
 * ceph: librbd ExclusiveLock::get_unlocked_op_error
 */
export async function orReadOnly<T>(work: Promise<T>, image: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, "EBUSY")) throw imageError("EROFS", "lock", image, error.message);
    throw error;
  }
}
