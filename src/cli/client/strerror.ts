/**
 * Errors in words, as the C library has them: scripts compare them.
 * ceph: src/common/errno.cc cpp_strerror
 */

import { ERRNO, type ErrnoName, errnoName } from "../../base/index.ts";

/** What glibc says in the C locale. */
const TEXTS: Readonly<Record<ErrnoName, string>> = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  EINTR: "Interrupted system call",
  EIO: "Input/output error",
  ENXIO: "No such device or address",
  E2BIG: "Argument list too long",
  ENOEXEC: "Exec format error",
  EBADF: "Bad file descriptor",
  ECHILD: "No child processes",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EFAULT: "Bad address",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EXDEV: "Invalid cross-device link",
  ENODEV: "No such device",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EINVAL: "Invalid argument",
  EFBIG: "File too large",
  ENOSPC: "No space left on device",
  ESPIPE: "Illegal seek",
  EROFS: "Read-only file system",
  EMLINK: "Too many links",
  EPIPE: "Broken pipe",
  EDOM: "Numerical argument out of domain",
  ERANGE: "Numerical result out of range",
  EDEADLK: "Resource deadlock avoided",
  ENAMETOOLONG: "File name too long",
  ENOSYS: "Function not implemented",
  ENOTEMPTY: "Directory not empty",
  ELOOP: "Too many levels of symbolic links",
  ENODATA: "No data available",
  EPROTO: "Protocol error",
  EBADMSG: "Bad message",
  EOVERFLOW: "Value too large for defined data type",
  EILSEQ: "Invalid or incomplete multibyte or wide character",
  ERESTART: "Interrupted system call should be restarted",
  EMSGSIZE: "Message too long",
  EOPNOTSUPP: "Operation not supported",
  EADDRINUSE: "Address already in use",
  ENETUNREACH: "Network is unreachable",
  ECONNRESET: "Connection reset by peer",
  ENOTCONN: "Transport endpoint is not connected",
  ESHUTDOWN: "Cannot send after transport endpoint shutdown",
  ETIMEDOUT: "Connection timed out",
  ECONNREFUSED: "Connection refused",
  EALREADY: "Operation already in progress",
  EINPROGRESS: "Operation now in progress",
  ESTALE: "Stale file handle",
  EUCLEAN: "Structure needs cleaning",
  EDQUOT: "Disk quota exceeded",
  ECANCELED: "Operation canceled",
  EKEYREJECTED: "Key was rejected by service",
};

/** @param errno with either sign */
export function strerror(errno: number): string {
  const name = errnoName(errno);
  return name in ERRNO ? TEXTS[name as ErrnoName] : `Unknown error ${Math.abs(errno)}`;
}

/** `(2) No such file or directory`. @param errno with either sign */
export function cppStrerror(errno: number): string {
  return `(${Math.abs(errno)}) ${strerror(errno)}`;
}
