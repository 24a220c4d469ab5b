/**
 * Typed access to the omap keys of metadata objects: images' and journals'.
 *
 * Reads give ENOENT for a missing key or object and EIO for a value that does not decode. Iteration walks
 * in key order and sees the object as it was before the client's operation.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../base/index.ts";
import { type Codec, DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import type { ClassContext } from "./objclass.ts";

/** Keys fetched at a time, and the default size of a listing. */
export const MAX_KEYS_READ = 64;

const ENOENT = fail("ENOENT").errno;

export function isMissing(x: unknown): boolean {
  return isFailure(x) && x.errno === ENOENT;
}

/** EIO if the bytes are not what the codec reads. */
export function decodeStored<T>(codec: Codec<T>, bytes: Uint8Array): Result<T> {
  try {
    return decodeFromBytes(codec, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return fail("EIO");
    throw error;
  }
}

export function readKey<T>(context: ClassContext, key: string, codec: Codec<T>): Result<T> {
  const bytes = context.omapGet(key);
  return isFailure(bytes) ? bytes : decodeStored(codec, bytes);
}

/** The same, with `absent` where there is no such key. */
export function readKeyOr<T, A>(
  context: ClassContext,
  key: string,
  codec: Codec<T>,
  absent: A,
): Result<T | A> {
  const value = readKey(context, key, codec);
  return isMissing(value) ? absent : value;
}

export function writeKey<T>(
  context: ClassContext,
  key: string,
  codec: Codec<T>,
  value: T,
): Result<void> {
  return context.omapSet([[key, encodeToBytes(codec, value)]]);
}

/** A missing key or object is no failure. */
export function removeKey(context: ClassContext, key: string): Result<void> {
  const removed = context.omapRemove([key]);
  if (isFailure(removed) && !isMissing(removed)) return removed;
}

/**
 * Up to `max` entries after `after` whose keys start with `prefix`. An absent object has none: a read op
 * on one never gets as far as the class.
 */
export function listKeys(
  context: ClassContext,
  prefix: string,
  after: string,
  max: bigint | number,
): Result<[string, Uint8Array][]> {
  const out: [string, Uint8Array][] = [];
  let last = after;
  for (let more = true; more && out.length < max; ) {
    const room = Number(max) - out.length;
    const page = context.omapList(last, prefix, Math.min(MAX_KEYS_READ, room));
    if (isFailure(page)) return isMissing(page) ? out : page;
    for (const entry of page.entries) {
      out.push(entry);
      last = entry[0];
    }
    more = page.more && page.entries.length > 0;
  }
  return out;
}

/** The same with keys stripped of the prefix and values decoded. */
export function listValues<T>(
  context: ClassContext,
  codec: Codec<T>,
  range: { prefix: string; after?: string; max?: bigint | number },
): Result<[string, T][]> {
  const { prefix, after = "", max = Number.POSITIVE_INFINITY } = range;
  const entries = listKeys(context, prefix, prefix + after, max);
  if (isFailure(entries)) return entries;
  const out: [string, T][] = [];
  for (const [key, bytes] of entries) {
    const value = decodeStored(codec, bytes);
    if (isFailure(value)) return value;
    out.push([key.slice(prefix.length), value]);
  }
  return out;
}
