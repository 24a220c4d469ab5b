/**
 * Ops on an object's ordered map.
 * ceph: src/osd/PrimaryLogPG.cc do_osd_ops, CEPH_OSD_OP_OMAP*
 */

import { ERRNO } from "../../base/index.ts";
import {
  blob,
  bytesEqual,
  type Codec,
  EMPTY,
  list,
  map,
  pairs,
  Reader,
  record,
  s32,
  str,
  Writer,
} from "../../encoding/index.ts";
import { CMPXATTR_OP } from "../../messages/index.ts";
import { OMAP_BYTES_MAX, OMAP_ENTRIES_MAX } from "../limits.ts";
import { hasOmap } from "../object-info.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { quietReadOp, writeOp } from "./op.ts";
import { satisfies } from "./xattr.ts";

const entries = pairs(str, blob);
const keys = list(str);
const assertions = map(str, record("pair<bufferlist,int>", { value: blob, operator: s32 }));

/** Decodes an op's whole argument; DecodeError becomes EINVAL in the executor. */
function argument<T>(codec: Codec<T>, slot: OpSlot): T {
  return codec.decode(new Reader(slot.op.indata));
}

/** The request has made the object: the store has no map to look at. */
function isOmapFresh(ctx: OpContext): boolean {
  return hasOmap(ctx.info) && !ctx.before.exists;
}

/** Entries after `after` that start with `prefix`, within the request's bounds. */
export function listOmap(
  ctx: OpContext,
  after: string,
  prefix: string,
  max: number,
): { found: [string, Uint8Array][]; more: boolean } {
  const found: [string, Uint8Array][] = [];
  let bytes = 0;
  // Keys with the prefix begin at the prefix itself, which is one of them: look from just before it.
  const fromPrefix = prefix > after;
  const start = fromPrefix ? prefix : after;
  if (fromPrefix) {
    const value = ctx.store.omapGet(ctx.collection, ctx.object, prefix);
    if (value !== undefined) {
      if (max === 0) return { found, more: true };
      found.push([prefix, value]);
      bytes += prefix.length + value.length;
    }
  }
  const rest = ctx.store.omapEntries(ctx.collection, ctx.object, start === "" ? undefined : start);
  for (const [key, value] of rest) {
    if (!key.startsWith(prefix)) break;
    if (after === "" && key === "") continue;
    if (found.length >= max || bytes >= OMAP_BYTES_MAX) return { found, more: true };
    found.push([key, value]);
    bytes += key.length + value.length;
  }
  return { found, more: false };
}

/** compat: a fresh map is ENOENT, as for values; upstream's OSD stops there. */
export const omapGetKeys = quietReadOp((ctx, slot) => {
  if (isOmapFresh(ctx)) return -ERRNO.ENOENT;
  const r = new Reader(slot.op.indata);
  const after = r.str();
  const max = Math.min(Number(r.u64()), OMAP_ENTRIES_MAX);
  const { found, more } = hasOmap(ctx.info)
    ? listOmap(ctx, after, "", max)
    : { found: [], more: false };
  const w = new Writer();
  w.u32(found.length);
  for (const [key] of found) w.str(key);
  w.bool(more);
  slot.out = [w.finish()];
  ctx.countRead(w.length);
  return 0;
});

export const omapGetVals = quietReadOp((ctx, slot) => {
  if (isOmapFresh(ctx)) return -ERRNO.ENOENT;
  const r = new Reader(slot.op.indata);
  const after = r.str();
  const max = Math.min(Number(r.u64()), OMAP_ENTRIES_MAX);
  const prefix = r.str();
  const { found, more } = hasOmap(ctx.info)
    ? listOmap(ctx, after, prefix, max)
    : { found: [], more: false };
  const w = new Writer();
  entries.encode(w, found);
  w.bool(more);
  slot.out = [w.finish()];
  ctx.countRead(w.length);
  return 0;
});

export const omapGetHeader = quietReadOp((ctx, slot) => {
  if (!hasOmap(ctx.info)) return 0;
  const header = ctx.store.omapHeader(ctx.collection, ctx.object);
  slot.out = [header];
  ctx.countRead(header.length);
  return 0;
});

export const omapGetValsByKeys = quietReadOp((ctx, slot) => {
  const wanted = argument(keys, slot);
  const found: [string, Uint8Array][] = [];
  if (hasOmap(ctx.info)) {
    for (const key of [...new Set(wanted)].sort()) {
      const value = ctx.store.omapGet(ctx.collection, ctx.object, key);
      if (value !== undefined) found.push([key, value]);
    }
  }
  const w = new Writer();
  entries.encode(w, found);
  slot.out = [w.finish()];
  ctx.countRead(w.length);
  return 0;
});

/** compat: upstream compares bytes as signed characters here, 0x80 being the smallest. */
function compareSigned(a: Uint8Array, b: Uint8Array): number {
  const flipped = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x80);
  return Buffer.compare(flipped(a), flipped(b));
}

/** Missing keys compare as empty. */
export const omapCompare = quietReadOp((ctx, slot) => {
  if (!ctx.isVisible || isOmapFresh(ctx)) return -ERRNO.ENOENT;
  ctx.countRead(0);
  for (const [key, { value, operator }] of argument(assertions, slot)) {
    const have = hasOmap(ctx.info) ? ctx.store.omapGet(ctx.collection, ctx.object, key) : undefined;
    if (operator !== CMPXATTR_OP.EQ && operator !== CMPXATTR_OP.LT && operator !== CMPXATTR_OP.GT) {
      return -ERRNO.EINVAL;
    }
    const current = have ?? EMPTY;
    const sign = bytesEqual(current, value) ? 0 : compareSigned(current, value);
    if (satisfies(operator, sign) !== true) return -ERRNO.ECANCELED;
  }
  return 0;
});

export const omapSetVals = writeOp((ctx, slot) => {
  const added = argument(entries, slot);
  ctx.create();
  ctx.staged.push({ op: "omap-set", object: ctx.object, entries: added });
  ctx.markOmap(true);
  ctx.countWrite(slot.op.indata.length);
  return 0;
});

export const omapSetHeader = writeOp((ctx, slot) => {
  ctx.create();
  ctx.staged.push({ op: "omap-header", object: ctx.object, header: slot.op.indata });
  ctx.markOmap(true);
  ctx.countWrite(0);
  return 0;
});

export const omapClear = writeOp((ctx) => {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  if (!hasOmap(ctx.info)) return 0;
  ctx.staged.push({ op: "omap-clear", object: ctx.object });
  ctx.markOmap(false);
  ctx.countWrite(0);
  return 0;
});

export const omapRemoveKeys = writeOp((ctx, slot) => {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  ctx.staged.push({ op: "omap-remove", object: ctx.object, keys: argument(keys, slot) });
  ctx.countWrite(0);
  return 0;
});

export const omapRemoveRange = writeOp((ctx, slot) => {
  if (!ctx.isVisible) return -ERRNO.ENOENT;
  const r = new Reader(slot.op.indata);
  const from = r.str();
  ctx.staged.push({ op: "omap-remove-range", object: ctx.object, from, to: r.str() });
  ctx.countWrite(0);
  return 0;
});
