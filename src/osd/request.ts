/**
 * What a request is before it runs: what it may do by its op codes and class methods, and which of
 * upstream's refusals it meets, in upstream's order.
 * ceph: src/osd/osd_op_util.cc OpInfo::set_from_op, src/osd/PrimaryLogPG.cc do_op
 */

import type { ClassCall } from "../auth/index.ts";
import { ERRNO } from "../base/index.ts";
import {
  extentLength,
  isPgOp,
  isReadOp,
  isWriteOp,
  type MOSDOp,
  OSD_FLAG,
  OSD_OP,
  osdOpName,
  WATCH_OP,
  watchOf,
  writeSameOf,
} from "../messages/index.ts";
import { NOSNAP, SNAPDIR } from "../types/index.ts";
import { BULK_READ_MIN, NAMESPACE_MAX, OBJECT_NAME_MAX, OBJECT_SIZE_MAX } from "./limits.ts";
import { callTarget } from "./ops/call.ts";
import { unsupported } from "./ops/op.ts";
import { opEntry } from "./ops/table.ts";

/** What a read to the end of an object is taken for: RBD's and RADOS's usual size. */
const OBJECT_SIZE_USUAL = 4 * 1024 * 1024;

export interface OpInfo {
  /** Reads (writes) by itself, besides what its class methods do: needs the r (w) cap. */
  readonly needsRead: boolean;
  readonly needsWrite: boolean;
  /** May change something, itself or by a class method. */
  readonly write: boolean;
  readonly pgOp: boolean;
  readonly calls: readonly ClassCall[];
}

/** What is known of a request that can not be understood. */
export const NO_OP_INFO: OpInfo = Object.freeze({
  needsRead: false,
  needsWrite: false,
  write: false,
  pgOp: false,
  calls: [],
});

/** @returns a negative errno for a request that can not be understood */
export function opInfo(message: MOSDOp): OpInfo | number {
  let needsRead = false;
  let needsWrite = false;
  let pgOp = false;
  const calls: ClassCall[] = [];
  for (const op of message.ops) {
    if (op.code === OSD_OP.CALL) {
      const { className, methodName, method, errno } = callTarget(op);
      if (method === undefined) return errno;
      calls.push({
        name: className,
        method: methodName,
        read: method.reads,
        write: method.writes,
        allowlisted: true, // every class we have is on upstream's osd_class_default_list
      });
      continue;
    }
    // A ping changes nothing, so it is no write; it reads the watch it renews.
    const isPing = op.code === OSD_OP.WATCH && watchOf(op).op === WATCH_OP.PING;
    if (isWriteOp(op.code) && !isPing) needsWrite = true;
    if (isReadOp(op.code) || op.code === OSD_OP.WATCH) needsRead = true;
    if (isPgOp(op.code)) pgOp = true;
  }
  if (!needsRead && !needsWrite && calls.length === 0) {
    return message.ops.length === 0 ? -ERRNO.EINVAL : -ERRNO.EOPNOTSUPP;
  }
  const write = needsWrite || calls.some((call) => call.write);
  return { needsRead, needsWrite, write, pgOp, calls };
}

/** Ops and class methods of a request that there are none of here, by name. */
export function unsupportedNames({ ops }: MOSDOp): string[] {
  return ops.flatMap((op) => {
    if (op.code !== OSD_OP.CALL) {
      return opEntry(op.code) === unsupported ? [osdOpName(op.code)] : [];
    }
    const { className, methodName, method } = callTarget(op);
    return method === undefined ? [`${className}.${methodName}`] : [];
  });
}

/**
 * Bytes that a request may take beyond what came with it, when they are many: what its reads ask for, or a common
 * object's size, and what patterns are repeated to.
 */
export function bulkReadBytes(message: MOSDOp): number {
  let bytes = repeatedBytes(message);
  for (const op of message.ops) {
    if (op.code !== OSD_OP.READ && op.code !== OSD_OP.SPARSE_READ) continue;
    bytes += Math.min(extentLength(op) || OBJECT_SIZE_USUAL, OBJECT_SIZE_MAX);
  }
  return bytes < BULK_READ_MIN ? 0 : bytes;
}

/** Bytes that write-same makes of its patterns. */
function repeatedBytes({ ops }: MOSDOp): number {
  let bytes = 0;
  for (const op of ops) if (op.code === OSD_OP.WRITESAME) bytes += writeSameOf(op).length;
  return bytes;
}

/** Bad names. 0 or a negative errno. */
export function checkNames(message: MOSDOp): number {
  const { oid, locator } = message;
  if (oid.length > OBJECT_NAME_MAX || locator.key.length > OBJECT_NAME_MAX) {
    return -ERRNO.ENAMETOOLONG;
  }
  if (locator.nspace.length > NAMESPACE_MAX) return -ERRNO.ENAMETOOLONG;
  return oid === "" ? -ERRNO.EINVAL : 0;
}

/** Writes that make no sense. 0 or a negative errno. */
export function checkWrite(message: MOSDOp, sizeMax: number): number {
  if (message.snapid !== NOSNAP) return -ERRNO.EINVAL;
  let bytes = 0;
  for (const op of message.ops) bytes += op.indata.length;
  return bytes > sizeMax || repeatedBytes(message) > OBJECT_SIZE_MAX ? -ERRNO.EMSGSIZE : 0;
}

/** list-snaps is about the snapshot set and nothing else is. 0 or a negative errno. */
export function checkSnapDir(message: MOSDOp): number {
  const onSnapDir = message.snapid === SNAPDIR;
  const consistent = message.ops.every((op) => (op.code === OSD_OP.LIST_SNAPS) === onSnapDir);
  return consistent ? 0 : -ERRNO.EINVAL;
}

export function hasFlag(message: MOSDOp, flag: keyof typeof OSD_FLAG): boolean {
  return (message.flags & OSD_FLAG[flag]) !== 0;
}
