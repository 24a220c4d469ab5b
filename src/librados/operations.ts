/**
 * What can be done with one object in one request: values that are put together in a list, which runs in its
 * order and, if any of it writes, as a whole or not at all.
 *
 *     const [info, data] = await io.read("x", [stat(), read(0, 4096)]);
 *     await io.write("x", [create({ exclusive: true }), append(data), setXattr("owner", "me")]);
 *
 * Names are text; values are bytes, for which text is taken as UTF-8. Offsets and lengths are bytes.
 * ceph: src/include/rados/librados.hpp ObjectReadOperation, ObjectWriteOperation
 */

import {
  blob,
  bool,
  byteString,
  decodeFromBytes,
  EMPTY,
  list,
  map,
  nameBytes,
  nameText,
  record,
  set,
  str,
  u32,
  u64n,
} from "../encoding/index.ts";
import {
  ALLOC_HINT_FLAG,
  CHECKSUM_TYPE,
  CMPXATTR_MODE,
  CMPXATTR_OP,
  OSD_OP_FLAG,
  type OsdOp,
  opAppend,
  opAssertVer,
  opCall,
  opChecksum,
  opCmpExt,
  opCmpXattr,
  opCopyFrom,
  opCreate,
  opDelete,
  opGetXattr,
  opGetXattrs,
  opMapExt,
  opOmapClear,
  opOmapCmp,
  opOmapGetHeader,
  opOmapGetKeys,
  opOmapGetVals,
  opOmapGetValsByKeys,
  opOmapRmKeyRange,
  opOmapRmKeys,
  opOmapSetHeader,
  opOmapSetVals,
  opRead,
  opRmXattr,
  opRollback,
  opSetAllocHint,
  opSetXattr,
  opSparseRead,
  opStat,
  opTruncate,
  opWrite,
  opWriteFull,
  opWriteSame,
  opZero,
  withFlags,
} from "../messages/index.ts";
import { Utime, utimeToMs } from "../types/index.ts";

/** One step of a request, and what its answer means. */
export interface Operation<out T = unknown> {
  /** Whether requests that only read may have it. */
  readonly kind: "read" | "write";
  readonly op: OsdOp;
  /** @param result the step's own result: an errno below zero only where it is allowed to fail */
  decode(data: Uint8Array, result: number): T;
}

export type ReadOperation<T = unknown> = Operation<T> & { readonly kind: "read" };

/** Bytes, or text that is taken as UTF-8. */
export type Bytes = Uint8Array | string;

/** The answers of a list of operations, each of its own type. */
export type Answers<Ops extends readonly Operation[]> = {
  [K in keyof Ops]: Ops[K] extends Operation<infer T> ? T : never;
};

function reading<T>(op: OsdOp, decode: (data: Uint8Array) => T): ReadOperation<T> {
  return { kind: "read", op, decode };
}

function writing(op: OsdOp): Operation<void> {
  return { kind: "write", op, decode: () => undefined };
}

function checking(op: OsdOp): ReadOperation<void> {
  return { kind: "read", op, decode: () => undefined };
}

/** A value's bytes. */
export function bytesFrom(value: Bytes): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "utf8") : value;
}

/** The same step, which may fail without the request failing: its answer is then undefined. */
export function mayFail<T>(operation: ReadOperation<T>): ReadOperation<T | undefined>;
export function mayFail<T>(operation: Operation<T>): Operation<T | undefined>;
export function mayFail<T>(operation: Operation<T>): Operation<T | undefined> {
  return {
    ...operation,
    op: withFlags(operation.op, OSD_OP_FLAG.FAILOK),
    decode: (data, result) => (result < 0 ? undefined : operation.decode(data, result)),
  };
}

// --- Reading --------------------------------------------------------------------------------------

const StatReply = record("stat", { size: u64n, mtime: Utime });

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
  /** When it was last written, to the nanosecond. */
  readonly mtime: { readonly sec: number; readonly nsec: number };
  /** When it was last written, milliseconds since 1970. */
  readonly mtimeMs: number;
}

/** Size and time. Fails with ENOENT if there is no such object. */
export function stat(): ReadOperation<ObjectStat> {
  return reading(opStat(), (data) => {
    const { size, mtime } = decodeFromBytes(StatReply, data);
    return { size, mtime, mtimeMs: utimeToMs(mtime) };
  });
}

/** Data from `offset` on: fewer bytes than asked for where the object ends. @param length 0: all of it */
export function read(offset: number, length: number): ReadOperation<Buffer> {
  return reading(opRead(offset, length), bufferOf);
}

export interface SparseData {
  /** Where data is: holes between read as zeros. */
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
  /** The extents' bytes, one behind the other. */
  readonly data: Buffer;
}

const SparseReply = record("sparse_read", { extents: map(u64n, u64n), data: blob });

/** Data without its holes. */
export function sparseRead(offset: number, length: number): ReadOperation<SparseData> {
  return reading(opSparseRead(offset, length), (bytes) => {
    const { extents, data } = decodeFromBytes(SparseReply, bytes);
    return {
      extents: [...extents].map(([at, size]) => ({ offset: at, length: size })),
      data: bufferOf(data),
    };
  });
}

const ExtentsReply = map(u64n, u64n);

/** Where data is, from `offset` on: lengths by offset. */
export function mapExtents(offset: number, length: number): ReadOperation<Map<number, number>> {
  return reading(opMapExt(offset, length), (data) => decodeFromBytes(ExtentsReply, data));
}

/** An attribute. Fails with ENODATA if there is none of the name. */
export function getXattr(name: string): ReadOperation<Buffer> {
  return reading(opGetXattr(nameBytes(name)), bufferOf);
}

const XattrsReply = map(str, blob);

/** All attributes, by name. */
export function getXattrs(): ReadOperation<Map<string, Buffer>> {
  return reading(opGetXattrs(), (data) => textMap(decodeFromBytes(XattrsReply, data)));
}

export interface OmapPage {
  readonly entries: Map<string, Buffer>;
  /** There are more behind the last. */
  readonly more: boolean;
}

const OmapValsReply = record("omap_get_vals", { entries: map(str, blob), more: bool });

/** Keys after `after` that begin with `prefix`, with their values; at most `max`. */
export function omapGet(
  options: { readonly after?: string; readonly prefix?: string; readonly max?: number } = {},
): ReadOperation<OmapPage> {
  const { after = "", prefix = "", max = 1000 } = options;
  return reading(opOmapGetVals(nameBytes(after), max, nameBytes(prefix)), (data) => {
    const { entries, more } = decodeFromBytes(OmapValsReply, data);
    return { entries: textMap(entries), more };
  });
}

const OmapKeysReply = record("omap_get_keys", { keys: set(str), more: bool });

/** Keys after `after`, at most `max`. */
export function omapGetKeys(
  options: { readonly after?: string; readonly max?: number } = {},
): ReadOperation<{ readonly keys: string[]; readonly more: boolean }> {
  const { after = "", max = 1000 } = options;
  return reading(opOmapGetKeys(nameBytes(after), max), (data) => {
    const { keys, more } = decodeFromBytes(OmapKeysReply, data);
    return { keys: [...keys].map(nameText), more };
  });
}

/** The values of those of the keys that are there. */
export function omapGetByKeys(keys: Iterable<string>): ReadOperation<Map<string, Buffer>> {
  return reading(opOmapGetValsByKeys([...keys].map(nameBytes)), (data) =>
    textMap(decodeFromBytes(XattrsReply, data)),
  );
}

export function omapGetHeader(): ReadOperation<Buffer> {
  return reading(opOmapGetHeader(), bufferOf);
}

export interface ChecksumRange {
  readonly offset: number;
  readonly length: number;
  /** Bytes a piece; 0: the range is one. @default 0 */
  readonly chunkSize?: number;
}

/** crc32c of each piece of a range, as the OSD works it out. Each begins with all bits set. */
export function checksumCrc32c(range: ChecksumRange): ReadOperation<number[]> {
  const { offset, length, chunkSize = 0 } = range;
  const init = Buffer.alloc(4, 0xff);
  return reading(opChecksum(CHECKSUM_TYPE.CRC32C, offset, length, chunkSize, init), (data) =>
    decodeFromBytes(Sums, data),
  );
}

const Sums = list(u32);

/** Calls a method of an object class. Its answer is bytes that the method defines. */
export function exec(cls: string, method: string, input: Bytes = EMPTY): ReadOperation<Buffer> {
  return reading(opCall(byteString(cls), byteString(method), bytesFrom(input)), bufferOf);
}

// --- Conditions: the request fails where one does not hold ----------------------------------------

/** ENOENT unless the object is there. */
export function assertExists(): ReadOperation<void> {
  return checking(opStat());
}

/** ERANGE if the object's version is lower than that, EOVERFLOW if it is higher. */
export function assertVersion(version: number): ReadOperation<void> {
  return checking(opAssertVer(version));
}

/** The request fails with -4095 - (offset of the first difference) unless the object has these bytes there. */
export function compareExtent(offset: number, data: Bytes): ReadOperation<void> {
  return checking(opCmpExt(offset, bytesFrom(data)));
}

/** How values are compared: the object's on the right. */
export const COMPARE = CMPXATTR_OP;

/** ECANCELED unless the attribute compares so. */
export function compareXattr(
  name: string,
  how: number,
  value: Bytes | bigint,
): ReadOperation<void> {
  if (typeof value !== "bigint") {
    return checking(opCmpXattr(nameBytes(name), how, CMPXATTR_MODE.STRING, bytesFrom(value)));
  }
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(value);
  return checking(opCmpXattr(nameBytes(name), how, CMPXATTR_MODE.U64, number));
}

/** ECANCELED unless each key's value compares so. */
export function compareOmap(
  entries: Iterable<readonly [key: string, how: number, value: Bytes]>,
): ReadOperation<void> {
  const assertions = new Map(
    [...entries].map(([key, cmp, value]) => [nameBytes(key), { value: bytesFrom(value), cmp }]),
  );
  return checking(opOmapCmp(assertions));
}

// --- Writing --------------------------------------------------------------------------------------

/** Makes the object if it is not there. @param options.exclusive fail with EEXIST if it is */
export function create(options: { readonly exclusive?: boolean } = {}): Operation<void> {
  return writing(opCreate(options.exclusive ?? false));
}

export function write(offset: number, data: Bytes): Operation<void> {
  return writing(opWrite(offset, bytesFrom(data)));
}

/** Makes these bytes all of the object's data. */
export function writeFull(data: Bytes): Operation<void> {
  return writing(opWriteFull(bytesFrom(data)));
}

export function append(data: Bytes): Operation<void> {
  return writing(opAppend(bytesFrom(data)));
}

/** Fills `length` bytes with `data`, as often as it goes in: EINVAL if it does not come out even. */
export function writeSame(offset: number, length: number, data: Bytes): Operation<void> {
  return writing(opWriteSame(offset, length, bytesFrom(data)));
}

/** Cuts the object, or makes it longer with a hole. */
export function truncate(size: number): Operation<void> {
  return writing(opTruncate(size));
}

/** Makes a range read as zeros; gives its space back where that goes. */
export function zero(offset: number, length: number): Operation<void> {
  return writing(opZero(offset, length));
}

/** ENOENT if there is no such object. */
export function remove(): Operation<void> {
  return writing(opDelete());
}

export function setXattr(name: string, value: Bytes): Operation<void> {
  return writing(opSetXattr(nameBytes(name), bytesFrom(value)));
}

export function removeXattr(name: string): Operation<void> {
  return writing(opRmXattr(nameBytes(name)));
}

export function omapSet(entries: Iterable<readonly [key: string, value: Bytes]>): Operation<void> {
  const encoded = new Map<string, Uint8Array>();
  for (const [key, value] of entries) encoded.set(nameBytes(key), bytesFrom(value));
  return writing(opOmapSetVals(encoded));
}

export function omapRemove(keys: Iterable<string>): Operation<void> {
  return writing(opOmapRmKeys([...keys].map(nameBytes)));
}

/** Removes keys from `from` up to, not including, `to`. */
export function omapRemoveRange(from: string, to: string): Operation<void> {
  return writing(opOmapRmKeyRange(nameBytes(from), nameBytes(to)));
}

/** Removes all keys, and the header. */
export function omapClear(): Operation<void> {
  return writing(opOmapClear());
}

export function omapSetHeader(header: Bytes): Operation<void> {
  return writing(opOmapSetHeader(bytesFrom(header)));
}

/** Makes the object what it was at a snapshot. */
export function rollback(snap: bigint): Operation<void> {
  return writing(opRollback(snap));
}

/** What a writer knows of an object's future: bits that go together. */
export const ALLOC_HINT = ALLOC_HINT_FLAG;

/** Tells the store what to expect. Bytes. @param flags ALLOC_HINT bits */
export function setAllocHint(
  expectedObjectSize: number,
  expectedWriteSize: number,
  flags = 0,
): Operation<void> {
  return writing(opSetAllocHint(expectedObjectSize, expectedWriteSize, flags));
}

/** Makes the object a copy of another one, which may be in another pool of the cluster. */
export function copyFrom(source: {
  readonly oid: string;
  readonly pool: number;
  readonly namespace?: string;
  /** What it is placed by, see `IoCtx.withLocator`. @default its name */
  readonly locator?: string;
  /** @default the head */
  readonly snap?: bigint;
  /** Version that the source must have. @default any */
  readonly version?: number;
}): Operation<void> {
  const { oid, pool, namespace = "", locator = "", snap, version } = source;
  return writing(
    opCopyFrom({
      oid: nameBytes(oid),
      locator: locatorOf({ pool, namespace, locator }),
      ...(snap === undefined ? {} : { snapid: snap }),
      ...(version === undefined ? {} : { version }),
    }),
  );
}

function locatorOf(place: { pool: number; namespace: string; locator: string }) {
  const { pool, namespace, locator } = place;
  return { pool, key: nameBytes(locator), nspace: nameBytes(namespace), hash: -1 };
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function textMap(entries: ReadonlyMap<string, Uint8Array>): Map<string, Buffer> {
  return new Map([...entries].map(([key, value]) => [nameText(key), bufferOf(value)]));
}
