/**
 * Failures of the module's commands, in the words of the bindings that upstream's is written with.
 * ceph: src/pybind/rbd/rbd.pyx, src/pybind/rados/rados.pyx, src/pybind/mgr/rbd_support/module.py
 */

import { CephError, ERRNO, type ErrnoName, errnoName } from "../../base/index.ts";

/** A command's failure: code and what the user reads. */
export class ModuleError extends Error {
  readonly errno: ErrnoName;
  constructor(errno: ErrnoName, message: string) {
    super(message);
    this.name = "ModuleError";
    this.errno = errno;
  }
}

const KINDS: Readonly<Partial<Record<ErrnoName, string>>> = {
  EPERM: "permission error",
  ENOENT: "image not found",
  EIO: "I/O error",
  ENOSPC: "insufficient space available",
  EEXIST: "image already exists",
  EINVAL: "invalid argument",
  EROFS: "read-only image",
  EBUSY: "image is busy",
  ENOTEMPTY: "image has snapshots",
  ENOSYS: "function not supported",
  EDOM: "arguments out of range",
  ESHUTDOWN: "connection was shutdown",
  ETIMEDOUT: "operation timeout",
  EDQUOT: "disk quota exceeded",
  EOPNOTSUPP: "operation not supported",
  ECANCELED: "operation canceled",
};

/** `[errno 2] RBD image not found (Image rbd/x does not exist)` */
export function rbdErrorText(errno: ErrnoName, message: string): string {
  const kind = KINDS[errno];
  const text = kind === undefined ? message : `RBD ${kind} (${message})`;
  return `[errno ${ERRNO[errno]}] ${text}`;
}

/** Did the cluster refuse the one request? Not so when our client was closed, or locked out: it will not do then. */
export function isRefusal(error: unknown): error is CephError {
  return error instanceof CephError && error.errno !== -ERRNO.ESHUTDOWN;
}

export function rbdError(errno: ErrnoName, message: string): ModuleError {
  return new ModuleError(errno, rbdErrorText(errno, message));
}

export function poolError(pool: string): ModuleError {
  return new ModuleError(
    "ENOENT",
    `[errno ${ERRNO.ENOENT}] RADOS object not found (error opening pool '${pool}')`,
  );
}

/** The same where the name is looked up. */
export function poolNotFound(pool: string): ModuleError {
  return new ModuleError(
    "ENOENT",
    `[errno ${ERRNO.ENOENT}] RADOS object not found (Pool '${pool}' not found)`,
  );
}

/** What an operation's failure is called; `what` is upstream's word for the operation. */
export function failureText(error: CephError, what: string): string {
  const name = errnoName(error.errno);
  return name in ERRNO ? rbdErrorText(name as ErrnoName, what) : `[errno ${-error.errno}] ${what}`;
}
