/**
 * Ops as a client makes them: code, union and input together, so that the three cannot disagree.
 * ceph: src/osdc/Objecter.h struct ObjectOperation
 */

import { assert } from "../base/index.ts";
import {
  blob,
  bytesOf,
  EMPTY,
  encodeToBytes,
  map,
  record,
  s32,
  set,
  str,
  u32,
  u64,
  Writer,
} from "../encoding/index.ts";
import { HObject, NOSNAP, ObjectLocator, type SnapId } from "../types/index.ts";
import { ObjectCopyCursor } from "./object-copy.ts";
import {
  COPY_FROM_FLAG,
  OSD_OP,
  OSD_OP_ARGS_SIZE,
  OSD_OP_FLAG,
  type OsdOp,
  WATCH_OP,
} from "./osd-op.ts";

/** All unions that are zero: nobody writes into an op's union. */
const NO_ARGS = Buffer.alloc(OSD_OP_ARGS_SIZE);

function op(code: number, args: Buffer, indata: Uint8Array = EMPTY, flags = 0): OsdOp {
  return { code, flags, args, indata };
}

function putU64(args: Buffer, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not a u64: ${value}`);
  args.writeUInt32LE(value % 0x1_0000_0000, at);
  args.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function extent(offset: number, length: number): Buffer {
  const args = Buffer.alloc(OSD_OP_ARGS_SIZE);
  putU64(args, 0, offset);
  putU64(args, 8, length);
  return args;
}

function numberArg(value: number): Buffer {
  return extent(value, 0);
}

function bigArg(value: bigint): Buffer {
  const args = Buffer.alloc(OSD_OP_ARGS_SIZE);
  args.writeBigUInt64LE(value, 0);
  return args;
}

/** The same op with more OSD_OP_FLAG bits. */
export function withFlags(x: OsdOp, flags: number): OsdOp {
  return { ...x, flags: x.flags | flags };
}

/** @param length bytes; 0 means to the end */
export function opRead(offset: number, length: number): OsdOp {
  return op(OSD_OP.READ, extent(offset, length));
}

export function opSparseRead(offset: number, length: number): OsdOp {
  return op(OSD_OP.SPARSE_READ, extent(offset, length));
}

export function opMapExt(offset: number, length: number): OsdOp {
  return op(OSD_OP.MAPEXT, extent(offset, length));
}

export function opStat(): OsdOp {
  return op(OSD_OP.STAT, NO_ARGS);
}

export function opWrite(offset: number, data: Uint8Array): OsdOp {
  return op(OSD_OP.WRITE, extent(offset, data.length), data);
}

export function opWriteFull(data: Uint8Array): OsdOp {
  return op(OSD_OP.WRITEFULL, extent(0, data.length), data);
}

export function opAppend(data: Uint8Array): OsdOp {
  return op(OSD_OP.APPEND, extent(0, data.length), data);
}

/** Fills `length` bytes with `data` repeated. */
export function opWriteSame(offset: number, length: number, data: Uint8Array): OsdOp {
  const args = extent(offset, length);
  putU64(args, 16, data.length);
  return op(OSD_OP.WRITESAME, args, data);
}

export function opTruncate(size: number): OsdOp {
  return op(OSD_OP.TRUNCATE, extent(size, 0));
}

export function opZero(offset: number, length: number): OsdOp {
  return op(OSD_OP.ZERO, extent(offset, length));
}

export function opDelete(): OsdOp {
  return op(OSD_OP.DELETE, NO_ARGS);
}

/** @param exclusive fail with EEXIST if the object is there */
export function opCreate(exclusive: boolean): OsdOp {
  return op(OSD_OP.CREATE, NO_ARGS, EMPTY, exclusive ? OSD_OP_FLAG.EXCL : 0);
}

export function opRollback(snapid: SnapId): OsdOp {
  return op(OSD_OP.ROLLBACK, bigArg(snapid));
}

export function opCmpExt(offset: number, data: Uint8Array): OsdOp {
  return op(OSD_OP.CMPEXT, extent(offset, data.length), data);
}

/** @param type CHECKSUM_TYPE @param init the initial value, 4 or 8 bytes as the type has it */
export function opChecksum(
  type: number,
  offset: number,
  length: number,
  chunkSize: number,
  init: Uint8Array,
): OsdOp {
  const args = extent(offset, length);
  args.writeUInt32LE(chunkSize, 16);
  args.writeUInt8(type, 20);
  return op(OSD_OP.CHECKSUM, args, init);
}

export function opSetAllocHint(
  expectedObjectSize: number,
  expectedWriteSize: number,
  flags = 0,
): OsdOp {
  const args = extent(expectedObjectSize, expectedWriteSize);
  args.writeUInt32LE(flags, 16);
  return op(OSD_OP.SETALLOCHINT, args);
}

/** Fails unless the object's user version is `version`. */
export function opAssertVer(version: number): OsdOp {
  return op(OSD_OP.ASSERT_VER, extent(0, version));
}

/** Calls a method of an object class. Names are at most 255 bytes. */
export function opCall(cls: string, method: string, input: Uint8Array = EMPTY): OsdOp {
  assert(cls.length <= 255 && method.length <= 255, `class or method name too long: ${cls}`);
  const args = Buffer.alloc(OSD_OP_ARGS_SIZE);
  args.writeUInt8(cls.length, 0);
  args.writeUInt8(method.length, 1);
  args.writeUInt32LE(input.length, 3);
  return op(OSD_OP.CALL, args, Buffer.concat([bytesOf(cls), bytesOf(method), input]));
}

function xattrArgs(nameLength: number, valueLength: number): Buffer {
  const args = Buffer.alloc(OSD_OP_ARGS_SIZE);
  args.writeUInt32LE(nameLength, 0);
  args.writeUInt32LE(valueLength, 4);
  return args;
}

export function opGetXattr(name: string): OsdOp {
  return op(OSD_OP.GETXATTR, xattrArgs(name.length, 0), bytesOf(name));
}

export function opGetXattrs(): OsdOp {
  return op(OSD_OP.GETXATTRS, NO_ARGS);
}

export function opSetXattr(name: string, value: Uint8Array): OsdOp {
  const indata = Buffer.concat([bytesOf(name), value]);
  return op(OSD_OP.SETXATTR, xattrArgs(name.length, value.length), indata);
}

export function opRmXattr(name: string): OsdOp {
  return op(OSD_OP.RMXATTR, xattrArgs(name.length, 0), bytesOf(name));
}

/** @param cmp CMPXATTR_OP @param mode CMPXATTR_MODE; with U64 the value is 8 bytes, little endian */
export function opCmpXattr(name: string, cmp: number, mode: number, value: Uint8Array): OsdOp {
  const args = xattrArgs(name.length, value.length);
  args.writeUInt8(cmp, 8);
  args.writeUInt8(mode, 9);
  return op(OSD_OP.CMPXATTR, args, Buffer.concat([bytesOf(name), value]));
}

/** An op whose union says only how long its input is, as the omap ops have it. */
function sized(code: number, indata: Uint8Array): OsdOp {
  return op(code, extent(0, indata.length), indata);
}

const KeysArgs = record("omap_get_keys", { startAfter: str, max: u64 });
const ValsArgs = record("omap_get_vals", { startAfter: str, max: u64, filterPrefix: str });
const RangeArgs = record("omap_rm_key_range", { from: str, to: str });
const Keys = set(str);
const Entries = map(str, blob);
/** Value to compare with, and how: CMPXATTR_OP. */
const Assertions = map(str, record("omap_cmp", { value: blob, cmp: s32 }));

/** Keys after `startAfter`, at most `max`. */
export function opOmapGetKeys(startAfter: string, max: number): OsdOp {
  const args = encodeToBytes(KeysArgs, { startAfter, max: BigInt(max) });
  return sized(OSD_OP.OMAPGETKEYS, args);
}

/** Entries after `startAfter` whose keys begin with `filterPrefix`, at most `max`. */
export function opOmapGetVals(startAfter: string, max: number, filterPrefix = ""): OsdOp {
  const args = encodeToBytes(ValsArgs, { startAfter, max: BigInt(max), filterPrefix });
  return sized(OSD_OP.OMAPGETVALS, args);
}

export function opOmapGetHeader(): OsdOp {
  return op(OSD_OP.OMAPGETHEADER, NO_ARGS);
}

export function opOmapGetValsByKeys(keys: Iterable<string>): OsdOp {
  return sized(OSD_OP.OMAPGETVALSBYKEYS, encodeToBytes(Keys, new Set(keys)));
}

export function opOmapCmp(assertions: Map<string, { value: Uint8Array; cmp: number }>): OsdOp {
  return sized(OSD_OP.OMAP_CMP, encodeToBytes(Assertions, assertions));
}

export function opOmapSetVals(entries: Map<string, Uint8Array>): OsdOp {
  return sized(OSD_OP.OMAPSETVALS, encodeToBytes(Entries, entries));
}

export function opOmapSetHeader(header: Uint8Array): OsdOp {
  return sized(OSD_OP.OMAPSETHEADER, header);
}

/** An update of a trivial map: its commands. */
export function opTmapUp(commands: Uint8Array): OsdOp {
  return sized(OSD_OP.TMAPUP, commands);
}

export function opTmapPut(map: Uint8Array): OsdOp {
  return sized(OSD_OP.TMAPPUT, map);
}

export function opTmapGet(): OsdOp {
  return op(OSD_OP.TMAPGET, NO_ARGS);
}

export function opTmap2Omap(nullOk: boolean): OsdOp {
  const args = Buffer.alloc(NO_ARGS.length);
  args.writeUInt8(nullOk ? 1 : 0, 0);
  return op(OSD_OP.TMAP2OMAP, args);
}

export function opOmapClear(): OsdOp {
  return op(OSD_OP.OMAPCLEAR, NO_ARGS);
}

export function opOmapRmKeys(keys: Iterable<string>): OsdOp {
  return sized(OSD_OP.OMAPRMKEYS, encodeToBytes(Keys, new Set(keys)));
}

/** Removes keys from `from` up to, not including, `to`. */
export function opOmapRmKeyRange(from: string, to: string): OsdOp {
  return sized(OSD_OP.OMAPRMKEYRANGE, encodeToBytes(RangeArgs, { from, to }));
}

/** @param gen one more at each reconnect @param timeoutSeconds 0: the server's default */
export function opWatch(
  cookie: bigint,
  watchOp: number = WATCH_OP.WATCH,
  gen = 0,
  timeoutSeconds = 0,
): OsdOp {
  const args = bigArg(cookie);
  args.writeUInt8(watchOp, 16);
  args.writeUInt32LE(gen, 17);
  args.writeUInt32LE(timeoutSeconds, 21);
  return op(OSD_OP.WATCH, args);
}

const NotifyArgs = record("notify", { protocol: u32, timeout: u32, payload: blob });

/** Notifies the object's watchers. @param timeoutSeconds 0: the server's default */
export function opNotify(cookie: bigint, payload: Uint8Array, timeoutSeconds = 0): OsdOp {
  const args = encodeToBytes(NotifyArgs, { protocol: 1, timeout: timeoutSeconds, payload });
  return op(OSD_OP.NOTIFY, bigArg(cookie), args);
}

const NotifyAckArgs = record("notify_ack", { notifyId: u64, cookie: u64, reply: blob });

export function opNotifyAck(notifyId: bigint, cookie: bigint, reply: Uint8Array = EMPTY): OsdOp {
  return op(OSD_OP.NOTIFY_ACK, NO_ARGS, encodeToBytes(NotifyAckArgs, { notifyId, cookie, reply }));
}

export function opListWatchers(): OsdOp {
  return op(OSD_OP.LIST_WATCHERS, NO_ARGS);
}

/** Its request must read at SNAPDIR. */
export function opListSnaps(): OsdOp {
  return op(OSD_OP.LIST_SNAPS, NO_ARGS);
}

/** Reads an object in pieces, to be copied: from `cursor` on, at most `max` bytes of data and omap. */
export function opCopyGet(cursor: ObjectCopyCursor, max: number): OsdOp {
  const w = new Writer();
  ObjectCopyCursor.encode(w, cursor);
  w.u64n(max);
  return op(OSD_OP.COPY_GET, numberArg(max), w.finish());
}

export interface CopySource {
  oid: string;
  locator: ObjectLocator;
  /** @default NOSNAP */
  snapid?: SnapId;
  /** User version that the source must have. @default 0, any */
  version?: number;
  /** COPY_FROM_FLAG bits. @default 0 */
  flags?: number;
  /** The copy's truncation instead of the source's (copy-from2). */
  truncate?: { seq: number; size: number };
}

/** Makes the object a copy of another one. */
export function opCopyFrom(source: CopySource): OsdOp {
  const args = bigArg(source.snapid ?? NOSNAP);
  putU64(args, 8, source.version ?? 0);
  const { truncate } = source;
  args.writeUInt8((source.flags ?? 0) | (truncate ? COPY_FROM_FLAG.TRUNCATE_SEQ : 0), 16);
  const w = new Writer();
  w.str(source.oid);
  ObjectLocator.encode(w, source.locator);
  if (truncate !== undefined) {
    w.u32(truncate.seq);
    w.u64n(truncate.size);
  }
  return op(truncate ? OSD_OP.COPY_FROM2 : OSD_OP.COPY_FROM, args, w.finish());
}

/** Lists a placement group's heads from `cursor` on, at most `count`. */
export function opPgnls(count: number, startEpoch: number, cursor: HObject): OsdOp {
  const args = numberArg(count);
  args.writeUInt32LE(startEpoch, 8);
  return op(OSD_OP.PGNLS, args, encodeToBytes(HObject, cursor));
}

/** Ops of cache tiers and manifests that have no arguments. */
export type TierStep =
  | "CACHE_FLUSH"
  | "CACHE_TRY_FLUSH"
  | "CACHE_EVICT"
  | "TIER_PROMOTE"
  | "TIER_FLUSH"
  | "TIER_EVICT"
  | "UNSET_MANIFEST";

export function opTierStep(step: TierStep): OsdOp {
  return op(OSD_OP[step], NO_ARGS);
}

export interface TierTarget {
  readonly oid: string;
  readonly locator: ObjectLocator;
}

/** Has another object stand in for this one. */
export function opSetRedirect(target: TierTarget): OsdOp {
  const w = new Writer();
  w.str(target.oid);
  ObjectLocator.encode(w, target.locator);
  return op(OSD_OP.SET_REDIRECT, bigArg(NOSNAP), w.finish());
}

/** Has a part of another object stand in for a part of this one. */
export function opSetChunk(
  part: { readonly offset: number; readonly length: number },
  target: TierTarget & { readonly offset: number },
): OsdOp {
  const w = new Writer();
  w.u64n(part.offset);
  w.u64n(part.length);
  ObjectLocator.encode(w, target.locator);
  w.str(target.oid);
  w.u64n(target.offset);
  return op(OSD_OP.SET_CHUNK, NO_ARGS, w.finish());
}

export interface ScrubListing {
  /** Objects whose copies differ, or sets of snapshots that do not add up. */
  readonly of: "objects" | "snapsets";
  /** The group's interval as an earlier page told it; 0: any. */
  readonly interval: number;
  /** Behind which object, of an earlier page. @default the first */
  readonly after?: { readonly oid: string; readonly nspace: string; readonly snap: SnapId };
}

/** Lists what a scrub has found in a placement group, at most `max`. */
export function opScrubLs(
  max: number,
  listing: ScrubListing = { of: "objects", interval: 0 },
): OsdOp {
  const { of, interval, after } = listing;
  const w = new Writer();
  const mark = w.begin(1, 1);
  w.u32(interval);
  w.u32(of === "snapsets" ? 1 : 0);
  w.str(after?.oid ?? "");
  w.str(after?.nspace ?? "");
  w.u64(after?.snap ?? 0n);
  w.u64(BigInt(max));
  w.end(mark);
  return op(OSD_OP.SCRUBLS, numberArg(0), w.finish());
}
