/**
 * Snap ids in messages of the data path. Nearly all are NOSNAP or 0, and those two cost no bigint.
 */

import type { Reader } from "../encoding/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";

/** Reads a u64 snap id. */
export function readSnapId(r: Reader): SnapId {
  const at = r.advance(8);
  const lo = r.buffer.readUInt32LE(at);
  const hi = r.buffer.readUInt32LE(at + 4);
  if (hi === 0xffff_ffff && lo === 0xffff_fffe) return NOSNAP;
  if (hi === 0) return BigInt(lo);
  return r.buffer.readBigUInt64LE(at);
}
