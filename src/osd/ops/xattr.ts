/**
 * Ops on extended attributes. Clients' names are kept apart from ours by a prefix.
 * ceph: src/osd/PrimaryLogPG.cc do_xattr_cmp_str, do_xattr_cmp_u64
 */

import { ERRNO, fail, isFailure, type Result } from "../../base/index.ts";
import { byteStringOf, EMPTY, Writer } from "../../encoding/index.ts";
import { CMPXATTR_MODE, CMPXATTR_OP, type OsdOp, xattrOf } from "../../messages/index.ts";
import { XATTR_NAME_MAX, XATTR_SIZE_MAX } from "../limits.ts";
import { INFO_ATTR, XATTR_PREFIX } from "../object-info.ts";
import type { OpContext } from "../op-context.ts";
import { readOp, writeOp } from "./op.ts";

/** Does `sign` (of left compared with right) satisfy the operator? Undefined: no such operator. */
export function satisfies(operator: number, sign: number): boolean | undefined {
  switch (operator) {
    case CMPXATTR_OP.EQ:
      return sign === 0;
    case CMPXATTR_OP.NE:
      return sign !== 0;
    case CMPXATTR_OP.GT:
      return sign > 0;
    case CMPXATTR_OP.GTE:
      return sign >= 0;
    case CMPXATTR_OP.LT:
      return sign < 0;
    case CMPXATTR_OP.LTE:
      return sign <= 0;
    default:
      return undefined;
  }
}

/** Name and value packed in an op's input; undefined if they do not fit in it. */
function split(op: OsdOp): { name: string; value: Uint8Array } | undefined {
  const { nameLength, valueLength } = xattrOf(op);
  if (nameLength + valueLength > op.indata.length) return undefined;
  return {
    name: byteStringOf(op.indata.subarray(0, nameLength)),
    value: op.indata.subarray(nameLength, nameLength + valueLength),
  };
}

/** As the store has it: an object that this request makes has none yet. ENOENT, ENODATA. */
export function getXattr(ctx: OpContext, name: string): Result<Uint8Array> {
  if (!ctx.before.exists) return fail("ENOENT");
  return ctx.store.getAttr(ctx.collection, ctx.object, XATTR_PREFIX + name) ?? fail("ENODATA");
}

/** A client's attributes, by name. ENOENT as for one of them. */
export function getXattrs(ctx: OpContext): Result<[string, Uint8Array][]> {
  if (!ctx.before.exists) return fail("ENOENT");
  return ctx.store
    .getAttrs(ctx.collection, ctx.object)
    .filter(([name]) => name !== INFO_ATTR && name.startsWith(XATTR_PREFIX))
    .map(([name, value]) => [name.slice(XATTR_PREFIX.length), value]);
}

/** @returns 0 or a negative errno */
export function setXattr(ctx: OpContext, name: string, value: Uint8Array): number {
  if (value.length > XATTR_SIZE_MAX) return -ERRNO.EFBIG;
  if (name.length > XATTR_NAME_MAX) return -ERRNO.ENAMETOOLONG;
  ctx.create();
  ctx.staged.push({ op: "set-attr", object: ctx.object, name: XATTR_PREFIX + name, value });
  ctx.countWrite(0);
  return 0;
}

/** Removing what is not there is no failure; removing from nothing is. */
export function removeXattr(ctx: OpContext, name: string): number {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  ctx.staged.push({ op: "remove-attr", object: ctx.object, name: XATTR_PREFIX + name });
  ctx.countWrite(0);
  return 0;
}

export const getXattrOp = readOp((ctx, slot) => {
  const pair = split(slot.op);
  if (pair === undefined) return -ERRNO.EINVAL;
  const value = getXattr(ctx, pair.name);
  if (isFailure(value)) return value.errno;
  slot.out = [value];
  ctx.countRead(value.length);
  return 0;
});

export const getXattrsOp = readOp((ctx, slot) => {
  const attrs = getXattrs(ctx);
  if (isFailure(attrs)) return attrs.errno;
  const w = new Writer();
  w.u32(attrs.length);
  for (const [name, value] of attrs) {
    w.str(name);
    w.blob(value);
  }
  slot.out = [w.finish()];
  ctx.countRead(w.length);
  return 0;
});

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** The number that a text begins with, as C reads it: 0 if none does, wrapped around if it is negative. */
function numberOf(text: string): bigint {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([+-]?)(\d+)/.exec(text) ?? [];
  if (digits === undefined) return 0n;
  const value = BigInt(digits);
  if (value > U64_MAX) return U64_MAX;
  return sign === "-" ? BigInt.asUintN(64, -value) : value;
}

/** A match answers 1, a mismatch ECANCELED. A missing attribute compares as empty, or as 0; of a missing object, ENOENT. */
export const compareXattr = readOp((ctx, slot) => {
  const pair = split(slot.op);
  if (pair === undefined) return -ERRNO.EINVAL;
  const { cmpOp: operator, cmpMode: mode } = xattrOf(slot.op);
  const stored = getXattr(ctx, pair.name);
  if (isFailure(stored) && stored.errno !== -ERRNO.ENODATA) return stored.errno;
  const have = isFailure(stored) ? EMPTY : Buffer.from(stored);
  ctx.countRead(have.length);
  let sign: number;
  if (mode === CMPXATTR_MODE.STRING) {
    sign = Buffer.compare(pair.value, have);
  } else if (mode === CMPXATTR_MODE.U64) {
    if (pair.value.length < 8) return -ERRNO.EINVAL;
    const wanted = Buffer.from(pair.value).readBigUInt64LE(0);
    const value = numberOf(have.toString("latin1"));
    sign = wanted < value ? -1 : wanted > value ? 1 : 0;
  } else {
    return -ERRNO.EINVAL;
  }
  const match = satisfies(operator, sign);
  if (match === undefined) return -ERRNO.EINVAL;
  return match ? 1 : -ERRNO.ECANCELED;
});

export const setXattrOp = writeOp((ctx, slot) => {
  const pair = split(slot.op);
  return pair === undefined ? -ERRNO.EINVAL : setXattr(ctx, pair.name, pair.value);
});

export const removeXattrOp = writeOp((ctx, slot) => {
  const pair = split(slot.op);
  return pair === undefined ? -ERRNO.EINVAL : removeXattr(ctx, pair.name);
});
