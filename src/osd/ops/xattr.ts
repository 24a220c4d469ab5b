/**
 * Ops on extended attributes. Clients' names are kept apart from ours by a prefix.
 * ceph: src/osd/PrimaryLogPG.cc do_xattr_cmp_str, do_xattr_cmp_u64
 */

import { ERRNO } from "../../base/index.ts";
import { byteStringOf, Writer } from "../../encoding/index.ts";
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

export function getXattr(ctx: OpContext, name: string): Uint8Array | undefined {
  return ctx.store.getAttr(ctx.collection, ctx.object, XATTR_PREFIX + name);
}

/** A client's attributes, by name. */
export function getXattrs(ctx: OpContext): [string, Uint8Array][] {
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
  if (value === undefined) return -ERRNO.ENODATA;
  slot.out = [value];
  ctx.countRead(value.length);
  return 0;
});

export const getXattrsOp = readOp((ctx, slot) => {
  const attrs = getXattrs(ctx);
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

/** A match answers 1, a mismatch ECANCELED. A missing attribute compares as empty, or as 0. */
export const compareXattr = readOp((ctx, slot) => {
  const pair = split(slot.op);
  if (pair === undefined) return -ERRNO.EINVAL;
  const { cmpOp: operator, cmpMode: mode } = xattrOf(slot.op);
  const have = Buffer.from(getXattr(ctx, pair.name) ?? []);
  ctx.countRead(have.length);
  let sign: number;
  if (mode === CMPXATTR_MODE.STRING) {
    sign = Buffer.compare(pair.value, have);
  } else if (mode === CMPXATTR_MODE.U64) {
    if (pair.value.length < 8) return -ERRNO.EINVAL;
    const wanted = Buffer.from(pair.value).readBigUInt64LE(0);
    const text = have.toString("latin1");
    if (text !== "" && !/^\d+$/.test(text)) return -ERRNO.EINVAL;
    const value = text === "" ? 0n : BigInt(text);
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
