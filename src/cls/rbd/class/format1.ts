/**
 * Snapshots of format 1 images. New ones cannot be made any more, but clusters still hold them.
 * ceph: src/cls/rbd/cls_rbd.cc (old_snapshot_*)
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { type Infer, str, u64 } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { readKeyOr } from "../../omap.ts";
import { Format1AddArgs, Format1ListReply, Format1RenameArgs } from "../ops/format1.ts";
import { NO_SNAPSHOT_LIMIT } from "../ops/snapshot.ts";
import { readHeader, writeHeader } from "./format1-header.ts";
import { KEY } from "./header.ts";

export const format1Methods = {
  snap_list: method("r", none, Format1ListReply, readHeader),
  snap_add: method("rw", Format1AddArgs, none, add, readHeader),
  snap_remove: method("rw", str, none, remove, readHeader),
  snap_rename: method("rw", Format1RenameArgs, none, rename, readHeader),
} satisfies Record<string, ClassMethod>;

/** compat: names end at their first zero byte, as C strings do. */
function cString(name: string): string {
  const end = name.indexOf("\0");
  return end < 0 ? name : name.slice(0, end);
}

/** ESTALE: an id below the newest ever; EDQUOT: enough snapshots; EEXIST: the name is taken. */
function add(context: ClassContext, args: Infer<typeof Format1AddArgs>): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  if (header.snapSeq > args.snapId) return fail("ESTALE");
  const limit = readKeyOr(context, KEY.SNAP_LIMIT, u64, NO_SNAPSHOT_LIMIT);
  if (isFailure(limit)) return limit;
  if (BigInt(header.snaps.length) >= limit) return fail("EDQUOT");
  const name = cString(args.name);
  if (header.snaps.some((s) => s.name === name)) return fail("EEXIST");
  header.snapSeq = args.snapId;
  header.snaps.unshift({ id: args.snapId, imageSize: header.imageSize, name });
  return writeHeader(context, header);
}

/** ENOENT: no snapshot of that name. */
function remove(context: ClassContext, argument: string): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  const name = cString(argument);
  const at = header.snaps.findIndex((s) => s.name === name);
  if (at < 0) return fail("ENOENT");
  header.snaps.splice(at, 1);
  return writeHeader(context, header);
}

/** EEXIST: the name is taken; ENOENT: no such snapshot. */
function rename(context: ClassContext, args: Infer<typeof Format1RenameArgs>): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  const name = cString(args.name);
  if (header.snaps.some((s) => s.name === name)) return fail("EEXIST");
  const snap = header.snaps.find((s) => s.id === args.snapId);
  if (snap === undefined) return fail("ENOENT");
  snap.name = name;
  return writeHeader(context, header);
}
