/**
 * Linux error numbers as Ceph puts them on the wire: always negative, whatever the host's own numbers.
 *
 * Three ways an operation can go wrong meet here. `fail("ENOENT")` is the cheap, expected outcome that
 * ops and class methods return. `CephError` is the same fact at a library edge, with the operation and
 * the thing it was about. Anything else that is thrown is a bug or a hostile peer.
 * ceph: src/include/rados.h, asm-generic/errno.h
 */

/** Error names by positive Linux number. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EILSEQ: 84,
  ERESTART: 85,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EUCLEAN: 117,
  EDQUOT: 122,
  ECANCELED: 125,
  EKEYREJECTED: 129,
} as const;

export type ErrnoName = keyof typeof ERRNO;

const NAMES = new Map<number, ErrnoName>(
  (Object.entries(ERRNO) as [ErrnoName, number][]).map(([name, number]) => [number, name]),
);

/** The name of an errno given with either sign; unknown numbers come back as `E<number>`. */
export function errnoName(errno: number): string {
  return NAMES.get(Math.abs(errno)) ?? `E${Math.abs(errno)}`;
}

/** What strerror says of those that daemons answer commands with. */
const WORDS: Partial<Record<ErrnoName, string>> = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  EIO: "Input/output error",
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EINVAL: "Invalid argument",
  ENOSPC: "No space left on device",
  ERANGE: "Numerical result out of range",
  EOPNOTSUPP: "Operation not supported",
};

/** `(22) Invalid argument`, for an errno with either sign.  ceph: src/common/errno.cc cpp_strerror */
export function errnoText(errno: number): string {
  const name = errnoName(errno);
  return `(${Math.abs(errno)}) ${WORDS[name as ErrnoName] ?? name}`;
}

/** The expected failure of an op or a class method. One frozen value per errno: no stack to build. */
export interface OpFailure {
  /** Negative Linux error number, as it goes on the wire. */
  readonly errno: number;
}

/** What an op or a class method returns: its value, or why there is none. */
export type Result<T> = T | OpFailure;

class Failure implements OpFailure {
  readonly errno: number;
  constructor(errno: number) {
    this.errno = errno;
    Object.freeze(this);
  }
}

const FAILURES = new Map<number, Failure>();

/** The failure for a name or a (negative) number. cmpext answers numbers that have no name. */
export function fail(errno: ErrnoName | number): OpFailure {
  const number = typeof errno === "number" ? -Math.abs(errno) : -ERRNO[errno];
  let failure = FAILURES.get(number);
  if (failure === undefined) {
    failure = new Failure(number);
    // Offsets of cmpext mismatches would fill the table without bound.
    if (number > -4096) FAILURES.set(number, failure);
  }
  return failure;
}

export function isFailure(x: unknown): x is OpFailure {
  return x instanceof Failure;
}

/** What a library caller sees: which operation failed, on what, and why. */
export class CephError extends Error {
  /** `"ENOENT"` and the like. */
  readonly code: string;
  /** Negative Linux error number. */
  readonly errno: number;
  /** The operation, e.g. `"open"`. */
  readonly op: string;
  /** Pool/namespace/object or image spec. */
  readonly target: string;

  constructor(errno: number, details: { op: string; target: string; cause?: unknown }) {
    const code = errnoName(errno);
    super(`${details.op} ${details.target}: ${code}`, { cause: details.cause });
    this.name = "CephError";
    this.code = code;
    this.errno = -Math.abs(errno);
    this.op = details.op;
    this.target = details.target;
  }
}

/** The user is at fault (options, files, ports): one plain line, no stack, exit code 1. */
export class ConfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConfigError";
  }
}
