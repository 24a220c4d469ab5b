/**
 * What objects hold, by the piece: sizes, sparse reads, checksums, comparisons.
 * ceph: src/osdc/Objecter.h ObjectOperation; src/librados/librados_cxx.cc
 */

import { blob, decodeFromBytes, list, pairs, record, u32, u64n } from "../encoding/index.ts";
import {
  CHECKSUM_TYPE,
  type OsdOp,
  opChecksum,
  opCmpExt,
  opSparseRead,
  opStat,
  opWrite,
} from "../messages/index.ts";
import { Utime, utimeToMs } from "../types/index.ts";
import type { IoCtx, OpOptions } from "./io-ctx.ts";

const StatReply = record("stat", { size: u64n, mtime: Utime });
const SparseReply = record("sparse_read", { extents: pairs(u64n, u64n), data: blob });
const Sums = list(u32);

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
  /** Of the last change, milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly version: number;
}

/** @throws CephError ENOENT if it is not there */
export async function statObject(
  io: IoCtx,
  oid: string,
  options: OpOptions = {},
): Promise<ObjectStat> {
  const { ops, version } = await io.read(oid, [opStat()], options);
  const { size, mtime } = decodeFromBytes(StatReply, ops[0]!.data);
  return { size, mtimeMs: utimeToMs(mtime), version };
}

export interface SparseExtent {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** What there is in a range: holes are left out. @throws CephError ENOENT if the object is not there */
export async function sparseRead(
  io: IoCtx,
  oid: string,
  range: { offset: number; length: number },
  options: OpOptions = {},
): Promise<SparseExtent[]> {
  const { ops } = await io.read(oid, [opSparseRead(range.offset, range.length)], options);
  const { extents, data } = decodeFromBytes(SparseReply, ops[0]!.data);
  let at = 0;
  return extents.map(([offset, length]) => {
    const piece = data.subarray(at, at + length);
    at += length;
    return { offset, data: piece };
  });
}

/**
 * crc32c of each chunk of a range, computed by the OSD.
 * @param range `chunkSize` 0: one over all; `init` is what each begins with, all bits set by default
 */
export async function checksumCrc32c(
  io: IoCtx,
  oid: string,
  range: { offset: number; length: number; chunkSize?: number; init?: number },
  options: OpOptions = {},
): Promise<number[]> {
  const { offset, length, chunkSize = 0, init = 0xffff_ffff } = range;
  const seed = Buffer.alloc(4);
  seed.writeUInt32LE(init);
  const op = opChecksum(CHECKSUM_TYPE.CRC32C, offset, length, chunkSize, seed);
  const { ops } = await io.read(oid, [op], options);
  return decodeFromBytes(Sums, ops[0]!.data);
}

/** Errors below this are no errno, but say where a comparison failed.  ceph: src/include/rados.h MAX_ERRNO */
const MAX_ERRNO = 4095;

/** Where, counted from the comparison's offset, data differs; undefined for another result. */
export function mismatchOffset(result: number): number | undefined {
  return result <= -MAX_ERRNO ? -result - MAX_ERRNO : undefined;
}

/**
 * Writes if the object holds what is expected there; bytes that are not there count as zero.
 * @returns undefined if written, else how many bytes after `offset` the first difference is
 */
export async function compareAndWrite(
  io: IoCtx,
  oid: string,
  change: { offset: number; expected: Uint8Array; data: Uint8Array },
  options: OpOptions = {},
): Promise<number | undefined> {
  const { offset, expected, data } = change;
  const ops: OsdOp[] = [opCmpExt(offset, expected), opWrite(offset, data)];
  try {
    await io.write(oid, ops, options);
    return undefined;
  } catch (error) {
    const at = mismatchOffset((error as { errno?: number }).errno ?? 0);
    if (at === undefined) throw error;
    return at;
  }
}
