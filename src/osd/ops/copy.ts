/**
 * Copies of objects: the source is read in pieces, the target becomes what was read in one transaction.
 *
 * compat: upstream puts large copies together in a temporary object on disk; here they are in memory until
 * they are written, and an object whose omap does not fit into one transaction is refused (EMSGSIZE).
 * ceph: src/osd/PrimaryLogPG.cc do_copy_get, start_copy, finish_copyfrom
 */

import { ERRNO, isFailure } from "../../base/index.ts";
import {
  type BufferList,
  blob,
  decodeFromBytes,
  EMPTY,
  encodeToBytes,
  flatten,
  map,
  Reader,
  str,
} from "../../encoding/index.ts";
import {
  COPY_FROM_FLAG,
  copyFromOf,
  isCopyComplete,
  ObjectCopyCursor,
  ObjectCopyData,
  OSD_OP,
} from "../../messages/index.ts";
import { compareHObject, headOf, ObjectLocator, type Utime } from "../../types/index.ts";
import { hasOmap, isWhiteout, OBJECT_FLAG, XATTR_PREFIX } from "../object-info.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import type { PeerObject } from "../peers.ts";
import { argumentOp, readOp } from "./op.ts";
import { readNow } from "./read.ts";
import { checkRange } from "./write.ts";
import { getXattrs } from "./xattr.ts";

export const OmapData = map(str, blob);
const ALL_FLAGS = Object.values(COPY_FROM_FLAG).reduce((all, flag) => all | flag, 0);

/** What a copy-from is to read. */
export interface CopySource extends PeerObject {
  /** Its user version, if it has to be this one. */
  readonly version: number;
  /** COPY_FROM_FLAG bits. */
  readonly flags: number;
}

/** A source that has been read. */
export interface ObjectCopy {
  readonly userVersion: number;
  readonly size: number;
  readonly mtime: Utime;
  readonly truncateSeq: number;
  readonly truncateSize: number;
  readonly attrs: ReadonlyMap<string, Uint8Array>;
  readonly data: BufferList;
  readonly omapHeader: Uint8Array;
  readonly omap: readonly (readonly [string, Uint8Array])[];
}

/** Answers with the next piece of the object. */
export const copyGet = readOp((ctx, slot) => {
  const r = new Reader(slot.op.indata);
  const cursor: ObjectCopyCursor = { ...ObjectCopyCursor.decode(r) };
  let left = r.u64n();
  const found = cursor.attrComplete ? [] : getXattrs(ctx);
  if (isFailure(found)) return found.errno;
  const attrs = new Map(found);
  cursor.attrComplete = true;
  let data: BufferList | Promise<BufferList> = [];
  if (!cursor.dataComplete) {
    const from = cursor.dataOffset;
    const length = Math.max(0, Math.min(ctx.info.size - from, left));
    if (length > 0) {
      data = ctx.mayWrite
        ? readNow(ctx, from, length)
        : ctx.store.read(ctx.collection, ctx.object, from, length);
    }
    left -= length;
    cursor.dataOffset = from + length;
    cursor.dataComplete = cursor.dataOffset >= ctx.info.size;
    ctx.countRead(length);
  }
  let omapHeader: Uint8Array = EMPTY;
  const omap = new Map<string, Uint8Array>();
  if (!hasOmap(ctx.info)) {
    cursor.omapComplete = true;
  } else if (cursor.dataComplete && !cursor.omapComplete && left > 0) {
    const { omapOffset } = cursor;
    if (omapOffset === "") omapHeader = ctx.store.omapHeader(ctx.collection, ctx.object);
    cursor.omapComplete = true;
    const after = omapOffset === "" ? undefined : omapOffset;
    for (const [key, value] of ctx.store.omapEntries(ctx.collection, ctx.object, after)) {
      if (left <= 0) {
        cursor.omapComplete = false;
        break;
      }
      omap.set(key, value);
      cursor.omapOffset = key;
      left -= key.length + value.length + 8;
    }
  }
  const { snapset, info } = ctx;
  const clone = snapset.clones.find(({ id }) => id === ctx.object.snap);
  const encode = (bytes: BufferList): BufferList => [
    encodeToBytes(ObjectCopyData, {
      size: info.size,
      mtime: info.mtime,
      attrs,
      data: flatten(bytes),
      omapData: omap.size > 0 ? encodeToBytes(OmapData, omap) : EMPTY,
      cursor,
      omapHeader,
      snaps: clone?.snaps ?? [],
      snapSeq: clone === undefined ? snapset.seq : 0n,
      flags: 0,
      dataDigest: 0xffff_ffff,
      omapDigest: 0xffff_ffff,
      reqids: [],
      truncateSeq: info.truncateSeq,
      truncateSize: info.truncateSize,
      reqidReturnCodes: new Map(),
    }),
  ];
  slot.out = data instanceof Promise ? data.then(encode) : encode(data);
  return 0;
});

/** The op's own truncation, and what it copies. */
function argumentsOf(ctx: OpContext, slot: OpSlot) {
  const { snapid, srcVersion, flags } = copyFromOf(slot.op);
  const r = new Reader(slot.op.indata);
  const oid = r.str();
  const locator = ObjectLocator.decode(r);
  const has2 = slot.op.code === OSD_OP.COPY_FROM2;
  const truncate =
    has2 && (flags & COPY_FROM_FLAG.TRUNCATE_SEQ) !== 0
      ? { seq: r.u32(), size: r.u64n() }
      : undefined;
  const isBad = has2 && (flags & ~ALL_FLAGS) !== 0;
  const at = ctx.environment.locate(locator, oid);
  const source: CopySource | undefined = at && {
    ...at,
    oid,
    locator,
    snap: snapid,
    version: srcVersion,
    flags,
  };
  return { source, truncate, isBad };
}

function isSelf({ object }: OpContext, source: CopySource): boolean {
  const { pg, snap } = source;
  return compareHObject({ ...headOf(pg.pool, source), snap }, object) === 0;
}

/** The object becomes a copy: data, xattrs, omap, times and the user version are the source's. */
export const copyFrom = argumentOp((ctx, slot) => {
  const { source, truncate, isBad } = argumentsOf(ctx, slot);
  if (isBad) return -ERRNO.EINVAL;
  if (source === undefined) return -ERRNO.ENOENT;
  if (isSelf(ctx, source)) return -ERRNO.EINVAL;
  const index = ctx.message.ops.indexOf(slot.op);
  const copy = ctx.copies?.get(index);
  if (copy === undefined) {
    ctx.awaits = { index, source };
    return -ERRNO.EINPROGRESS;
  }
  const bad = checkRange(ctx, 0, copy.size);
  if (bad !== 0) return bad;
  become(ctx, copy, truncate ?? { seq: copy.truncateSeq, size: copy.truncateSize });
  return 0;
});

function become(ctx: OpContext, copy: ObjectCopy, truncate: { seq: number; size: number }): void {
  const { object } = ctx;
  if (ctx.exists) {
    ctx.staged.push({ op: "remove", object });
    if (isWhiteout(ctx.info)) ctx.delta.whiteouts--;
  } else {
    ctx.exists = true;
    ctx.delta.objects++;
  }
  ctx.touched(0, ctx.info.size);
  ctx.staged.push({ op: "touch", object });
  let offset = 0;
  for (const piece of copy.data) {
    if (piece.length === 0) continue;
    ctx.staged.push({ op: "write", object, offset, data: [piece] });
    offset += piece.length;
  }
  if (offset < copy.size) ctx.staged.push({ op: "truncate", object, size: copy.size });
  for (const [name, value] of copy.attrs) {
    ctx.staged.push({ op: "set-attr", object, name: XATTR_PREFIX + name, value });
  }
  const { omap, omapHeader } = copy;
  if (omapHeader.length > 0) {
    ctx.staged.push({ op: "omap-header", object, header: omapHeader });
  }
  if (omap.length > 0) ctx.staged.push({ op: "omap-set", object, entries: omap });
  ctx.resize(copy.size);
  ctx.info.flags &= ~OBJECT_FLAG.WHITEOUT;
  ctx.markOmap(omap.length > 0 || omapHeader.length > 0);
  ctx.info.mtime = copy.mtime;
  ctx.keepsMtime = true;
  ctx.info.userVersion = copy.userVersion;
  ctx.info.truncateSeq = truncate.seq;
  ctx.info.truncateSize = truncate.size;
  ctx.modify = true;
  ctx.countWrite(copy.size);
}

/** One piece of a source, taken apart. */
export function decodePiece(out: Uint8Array): {
  piece: ObjectCopyData;
  omap: [string, Uint8Array][];
  isLast: boolean;
} {
  const piece = decodeFromBytes(ObjectCopyData, out);
  const omap = piece.omapData.length > 0 ? [...decodeFromBytes(OmapData, piece.omapData)] : [];
  return { piece, omap, isLast: isCopyComplete(piece.cursor) };
}
