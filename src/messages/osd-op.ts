/**
 * One operation on an object, as MOSDOp and MOSDOpReply carry them: its code, its flags and a 28-byte
 * union whose layout the code decides.
 *
 *   0  u16 code    2  u32 flags    6  28-byte union    34  u32 payload length
 *
 * The union stays bytes: the accessors below read the members that a code uses, and never throw. A 64-bit
 * size or offset too large for a number reads as MAX_SAFE_INTEGER, beyond every limit there is.
 * ceph: src/include/rados.h struct ceph_osd_op, __CEPH_FORALL_OSD_OPS
 */

import type { BufferList, Writer } from "../encoding/index.ts";
import type { SnapId } from "../types/index.ts";

/** Bytes of the union. */
export const OSD_OP_ARGS_SIZE = 28;
/** Bytes of one op in a message's front. */
export const OSD_OP_SIZE = 38;

/** Bits of a code: what the op may do (0xf000) and to what (0x0f00). */
const MODE_RD = 0x1000;
const MODE_WR = 0x2000;
const MODE_SUB = 0x4000;
const MODE_CACHE = 0x8000;
const TYPE_MASK = 0x0f00;
const TYPE_ATTR = 0x0300;
const TYPE_EXEC = 0x0400;
const TYPE_PG = 0x0500;

/** Every op code that 16.2 defines, by its upstream name. */
export const OSD_OP = {
  READ: 0x1201,
  STAT: 0x1202,
  MAPEXT: 0x1203,
  MASKTRUNC: 0x1204,
  SPARSE_READ: 0x1205,
  NOTIFY: 0x1206,
  NOTIFY_ACK: 0x1207,
  ASSERT_VER: 0x1208,
  LIST_WATCHERS: 0x1209,
  LIST_SNAPS: 0x120a,
  SYNC_READ: 0x120b,
  TMAPGET: 0x120c,
  OMAPGETKEYS: 0x1211,
  OMAPGETVALS: 0x1212,
  OMAPGETHEADER: 0x1213,
  OMAPGETVALSBYKEYS: 0x1214,
  OMAP_CMP: 0x1219,
  ISDIRTY: 0x121d,
  COPY_GET: 0x121e,
  CHECKSUM: 0x121f,
  CMPEXT: 0x1220,
  WRITE: 0x2201,
  WRITEFULL: 0x2202,
  TRUNCATE: 0x2203,
  ZERO: 0x2204,
  DELETE: 0x2205,
  APPEND: 0x2206,
  STARTSYNC: 0x2207,
  SETTRUNC: 0x2208,
  TRIMTRUNC: 0x2209,
  TMAPPUT: 0x220b,
  CREATE: 0x220d,
  ROLLBACK: 0x220e,
  WATCH: 0x220f,
  OMAPSETVALS: 0x2215,
  OMAPSETHEADER: 0x2216,
  OMAPCLEAR: 0x2217,
  OMAPRMKEYS: 0x2218,
  COPY_FROM: 0x221a,
  UNDIRTY: 0x221c,
  SETALLOCHINT: 0x2223,
  CACHE_PIN: 0x2224,
  CACHE_UNPIN: 0x2225,
  WRITESAME: 0x2226,
  SET_REDIRECT: 0x2227,
  TIER_PROMOTE: 0x2229,
  UNSET_MANIFEST: 0x222a,
  OMAPRMKEYRANGE: 0x222c,
  COPY_FROM2: 0x222d,
  TMAPUP: 0x320a,
  TMAP2OMAP: 0x3222,
  CACHE_FLUSH: 0x821f,
  CACHE_EVICT: 0x8220,
  CACHE_TRY_FLUSH: 0x8221,
  SET_CHUNK: 0x8228,
  TIER_FLUSH: 0x822b,
  TIER_EVICT: 0x822c,
  GETXATTR: 0x1301,
  GETXATTRS: 0x1302,
  CMPXATTR: 0x1303,
  SETXATTR: 0x2301,
  SETXATTRS: 0x2302,
  RESETXATTRS: 0x2303,
  RMXATTR: 0x2304,
  PULL: 0x4001,
  PUSH: 0x4002,
  BALANCEREADS: 0x4003,
  UNBALANCEREADS: 0x4004,
  SCRUB: 0x4005,
  SCRUB_RESERVE: 0x4006,
  SCRUB_UNRESERVE: 0x4007,
  SCRUB_MAP: 0x4009,
  CALL: 0x1401,
  PGLS: 0x1501,
  PGLS_FILTER: 0x1502,
  PG_HITSET_LS: 0x1503,
  PG_HITSET_GET: 0x1504,
  PGNLS: 0x1505,
  PGNLS_FILTER: 0x1506,
  SCRUBLS: 0x1507,
} as const;
export type OsdOpName = keyof typeof OSD_OP;
export type OsdOpCode = (typeof OSD_OP)[OsdOpName];

/** Names that Ceph prints and that are not the constant's in lower case with dashes. */
const PRINTED: Readonly<Record<number, string>> = {
  [OSD_OP.ASSERT_VER]: "assert-version",
  [OSD_OP.SYNC_READ]: "sync_read",
  [OSD_OP.OMAPGETKEYS]: "omap-get-keys",
  [OSD_OP.OMAPGETVALS]: "omap-get-vals",
  [OSD_OP.OMAPGETHEADER]: "omap-get-header",
  [OSD_OP.OMAPGETVALSBYKEYS]: "omap-get-vals-by-keys",
  [OSD_OP.OMAPSETVALS]: "omap-set-vals",
  [OSD_OP.OMAPSETHEADER]: "omap-set-header",
  [OSD_OP.OMAPCLEAR]: "omap-clear",
  [OSD_OP.OMAPRMKEYS]: "omap-rm-keys",
  [OSD_OP.OMAPRMKEYRANGE]: "omap-rm-key-range",
  [OSD_OP.SETALLOCHINT]: "set-alloc-hint",
  [OSD_OP.WRITESAME]: "write-same",
  [OSD_OP.BALANCEREADS]: "balance-reads",
  [OSD_OP.UNBALANCEREADS]: "unbalance-reads",
};

const CONSTANT_OF = new Map<number, OsdOpName>(
  Object.entries(OSD_OP).map(([name, code]) => [code, name as OsdOpName]),
);

/** The constant's name for a code, or undefined for one that 16.2 does not define. */
export function osdOpConstant(code: number): OsdOpName | undefined {
  return CONSTANT_OF.get(code);
}

/** The name Ceph prints for a code, `omap-get-vals`; `???` for an unknown one. */
export function osdOpName(code: number): string {
  const constant = CONSTANT_OF.get(code);
  if (constant === undefined) return "???";
  return PRINTED[code] ?? constant.toLowerCase().replaceAll("_", "-");
}

/** Reads by its code alone. A CALL's method decides for itself, so its RD bit does not count. */
export function isReadOp(code: number): boolean {
  return (code & MODE_RD) !== 0 && code !== OSD_OP.CALL;
}

/** Writes by its code alone; CALL does not. */
export function isWriteOp(code: number): boolean {
  return (code & MODE_WR) !== 0;
}

/** An op of the cache tier or of manifests. */
export function isCacheOp(code: number): boolean {
  return (code & MODE_CACHE) !== 0;
}

/** An op between OSDs: no client may send one. */
export function isSubOp(code: number): boolean {
  return (code & MODE_SUB) !== 0;
}

export function isAttrOp(code: number): boolean {
  return (code & TYPE_MASK) === TYPE_ATTR;
}

export function isExecOp(code: number): boolean {
  return (code & TYPE_MASK) === TYPE_EXEC;
}

/** An op on a placement group, not an object: listings. */
export function isPgOp(code: number): boolean {
  return (code & TYPE_MASK) === TYPE_PG;
}

const EXTENT_OPS: ReadonlySet<number> = new Set([
  OSD_OP.READ,
  OSD_OP.MAPEXT,
  OSD_OP.MASKTRUNC,
  OSD_OP.SPARSE_READ,
  OSD_OP.SYNC_READ,
  OSD_OP.WRITE,
  OSD_OP.WRITEFULL,
  OSD_OP.TRUNCATE,
  OSD_OP.ZERO,
  OSD_OP.APPEND,
  OSD_OP.TRIMTRUNC,
  OSD_OP.CMPEXT,
]);

/** Does the union hold an extent? */
export function usesExtent(code: number): boolean {
  return EXTENT_OPS.has(code);
}

/** Flags of a whole request. READ and WRITE are the client's guess; the ops decide. */
export const OSD_FLAG = {
  ACK: 0x1,
  ONNVRAM: 0x2,
  ONDISK: 0x4,
  RETRY: 0x8,
  READ: 0x10,
  WRITE: 0x20,
  ORDERSNAP: 0x40,
  PEERSTAT_OLD: 0x80,
  BALANCE_READS: 0x100,
  PARALLELEXEC: 0x200,
  PGOP: 0x400,
  EXEC: 0x800,
  EXEC_PUBLIC: 0x1000,
  LOCALIZE_READS: 0x2000,
  RWORDERED: 0x4000,
  IGNORE_CACHE: 0x8000,
  SKIPRWLOCKS: 0x1_0000,
  IGNORE_OVERLAY: 0x2_0000,
  FLUSH: 0x4_0000,
  MAP_SNAP_CLONE: 0x8_0000,
  ENFORCE_SNAPC: 0x10_0000,
  REDIRECTED: 0x20_0000,
  KNOWN_REDIR: 0x40_0000,
  FULL_TRY: 0x80_0000,
  FULL_FORCE: 0x100_0000,
  IGNORE_REDIRECT: 0x200_0000,
  RETURNVEC: 0x400_0000,
} as const;

/** Flags of one op. Only EXCL and FAILOK change results. */
export const OSD_OP_FLAG = {
  EXCL: 0x1,
  FAILOK: 0x2,
  FADVISE_RANDOM: 0x4,
  FADVISE_SEQUENTIAL: 0x8,
  FADVISE_WILLNEED: 0x10,
  FADVISE_DONTNEED: 0x20,
  FADVISE_NOCACHE: 0x40,
  WITH_REFERENCE: 0x80,
  BYPASS_CLEAN_CACHE: 0x100,
} as const;

export const CMPXATTR_OP = { EQ: 1, NE: 2, GT: 3, GTE: 4, LT: 5, LTE: 6 } as const;
export const CMPXATTR_MODE = { STRING: 1, U64: 2 } as const;
/** Sub-ops of WATCH: all odd but UNWATCH, so that ancient servers do not take one for it. */
export const WATCH_OP = {
  UNWATCH: 0,
  LEGACY_WATCH: 1,
  WATCH: 3,
  RECONNECT: 5,
  PING: 7,
} as const;
export const CHECKSUM_TYPE = { XXHASH32: 0, XXHASH64: 1, CRC32C: 2 } as const;
export const COPY_FROM_FLAG = {
  FLUSH: 1,
  IGNORE_OVERLAY: 2,
  IGNORE_CACHE: 4,
  MAP_SNAP_CLONE: 8,
  RWORDERED: 16,
  TRUNCATE_SEQ: 32,
} as const;
export const ALLOC_HINT_FLAG = {
  SEQUENTIAL_WRITE: 1,
  RANDOM_WRITE: 2,
  SEQUENTIAL_READ: 4,
  RANDOM_READ: 8,
  APPEND_ONLY: 16,
  IMMUTABLE: 32,
  SHORTLIVED: 64,
  LONGLIVED: 128,
  COMPRESSIBLE: 256,
  INCOMPRESSIBLE: 512,
} as const;

/** One op of a request. */
export interface OsdOp {
  code: number;
  /** OSD_OP_FLAG bits. */
  flags: number;
  /** The union, a view of the message: read it with the accessors. */
  args: Buffer;
  /** The op's input, a view of the data segment. */
  indata: Uint8Array;
  /** crc32c (seed 0) of each whole 4 KiB of the input, where the connection has them; may go on past its end. */
  sums?: readonly number[] | undefined;
}

/** One op of a reply: the request's, with what came of it. */
export interface OsdReplyOp {
  code: number;
  flags: number;
  args: Buffer;
  /** Negative errno, 0, or a class method's (or cmpxattr's) positive result. */
  rval: number;
  outdata: BufferList;
}

/** Writes an op as it lies in a front. */
export function encodeOsdOp(
  w: Writer,
  op: { code: number; flags: number; args: Uint8Array },
  payloadLength: number,
): void {
  w.u16(op.code);
  w.u32(op.flags);
  w.bytes(op.args);
  w.u32(payloadLength);
}

type HasArgs = Pick<OsdOp, "args">;

/** A u64 of the union as a number, saturated. */
function u64At(args: Buffer, at: number): number {
  const value = args.readUInt32LE(at + 4) * 0x1_0000_0000 + args.readUInt32LE(at);
  return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value;
}

export interface OsdExtent {
  offset: number;
  /** Bytes; 0 in a read means to the end. */
  length: number;
  /** Size that `truncateSeq` cut the object to (CephFS); MAX_SAFE_INTEGER where all bits are set. */
  truncateSize: number;
  truncateSeq: number;
}

/** read, sparse-read, write, writefull, append, truncate, zero, cmpext, mapext. */
export function extentOf(op: HasArgs): OsdExtent {
  return {
    offset: u64At(op.args, 0),
    length: u64At(op.args, 8),
    truncateSize: u64At(op.args, 16),
    truncateSeq: op.args.readUInt32LE(24),
  };
}

/** The extent's offset alone: no object made. */
export function extentOffset(op: HasArgs): number {
  return u64At(op.args, 0);
}

/** The extent's length alone. */
export function extentLength(op: HasArgs): number {
  return u64At(op.args, 8);
}

/** getxattr, setxattr, cmpxattr, rmxattr: the input is name, then value. */
export function xattrOf(op: HasArgs): {
  nameLength: number;
  valueLength: number;
  cmpOp: number;
  cmpMode: number;
} {
  const a = op.args;
  return {
    nameLength: a.readUInt32LE(0),
    valueLength: a.readUInt32LE(4),
    cmpOp: a.readUInt8(8),
    cmpMode: a.readUInt8(9),
  };
}

/** call: the input is class name, method name, method's input. */
export function clsOf(op: HasArgs): {
  classLength: number;
  methodLength: number;
  argc: number;
  indataLength: number;
} {
  const a = op.args;
  return {
    classLength: a.readUInt8(0),
    methodLength: a.readUInt8(1),
    argc: a.readUInt8(2),
    indataLength: a.readUInt32LE(3),
  };
}

/** pgls, pgnls: at most `count` entries; `startEpoch` is the map epoch the listing began in. */
export function pglsOf(op: HasArgs): { count: number; startEpoch: number } {
  return { count: u64At(op.args, 0), startEpoch: op.args.readUInt32LE(8) };
}

/** rollback. */
export function snapOf(op: HasArgs): SnapId {
  return op.args.readBigUInt64LE(0);
}

export interface OsdWatch {
  cookie: bigint;
  /** Unused. */
  ver: bigint;
  /** WATCH_OP. */
  op: number;
  /** Registration generation: one more at each reconnect. */
  gen: number;
  /** Seconds; 0 means the server's default. */
  timeout: number;
}

/** watch. */
export function watchOf(op: HasArgs): OsdWatch {
  const a = op.args;
  return {
    cookie: a.readBigUInt64LE(0),
    ver: a.readBigUInt64LE(8),
    op: a.readUInt8(16),
    gen: a.readUInt32LE(17),
    timeout: a.readUInt32LE(21),
  };
}

/** notify. */
export function notifyCookieOf(op: HasArgs): bigint {
  return op.args.readBigUInt64LE(0);
}

/** assert-version. */
export function assertVerOf(op: HasArgs): number {
  return u64At(op.args, 8);
}

/** copy-get: most bytes of data and omap in one reply. */
export function copyGetMaxOf(op: HasArgs): number {
  return u64At(op.args, 0);
}

export interface OsdCopyFrom {
  snapid: SnapId;
  /** User version the source must have; 0 for any. */
  srcVersion: number;
  /** COPY_FROM_FLAG bits. */
  flags: number;
  srcFadviseFlags: number;
}

/** copy-from, copy-from2. */
export function copyFromOf(op: HasArgs): OsdCopyFrom {
  const a = op.args;
  return {
    snapid: a.readBigUInt64LE(0),
    srcVersion: u64At(a, 8),
    flags: a.readUInt8(16),
    srcFadviseFlags: a.readUInt32LE(17),
  };
}

export interface OsdAllocHint {
  expectedObjectSize: number;
  expectedWriteSize: number;
  /** ALLOC_HINT_FLAG bits. */
  flags: number;
}

/** set-alloc-hint. */
export function allocHintOf(op: HasArgs): OsdAllocHint {
  return {
    expectedObjectSize: u64At(op.args, 0),
    expectedWriteSize: u64At(op.args, 8),
    flags: op.args.readUInt32LE(16),
  };
}

/** write-same: the input of `dataLength` bytes, repeated over the extent. */
export function writeSameOf(op: HasArgs): { offset: number; length: number; dataLength: number } {
  return {
    offset: u64At(op.args, 0),
    length: u64At(op.args, 8),
    dataLength: u64At(op.args, 16),
  };
}

export interface OsdChecksum {
  offset: number;
  length: number;
  /** Bytes per checksum; 0 means one over all. */
  chunkSize: number;
  /** CHECKSUM_TYPE. */
  type: number;
}

/** checksum. */
export function checksumOf(op: HasArgs): OsdChecksum {
  return {
    offset: u64At(op.args, 0),
    length: u64At(op.args, 8),
    chunkSize: op.args.readUInt32LE(16),
    type: op.args.readUInt8(20),
  };
}
