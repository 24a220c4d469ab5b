/**
 * The hashes that place objects: Robert Jenkins' lookup2 over the name's bytes, or that of Linux' directory
 * cache, as the pool has it.
 * ceph: src/common/ceph_hash.cc ceph_str_hash
 */

/** CEPH_STR_HASH_*; every pool of the last ten years has rjenkins. */
export const OBJECT_HASH = { LINUX: 1, RJENKINS: 2 } as const;
/** What an unknown hash gives for every name. */
const NO_HASH = 0xffff_ffff;

let a = 0;
let b = 0;
let c = 0;

function mix(): void {
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >>> 15);
}

/** The 32-bit hash of a byte string. */
export function rjenkins(name: string): number {
  const n = name.length;
  const word = (at: number, bytes: number) => {
    let v = 0;
    for (let i = bytes - 1; i >= 0; i--) v = (v << 8) | name.charCodeAt(at + i);
    return v;
  };
  a = 0x9e3779b9 | 0;
  b = a;
  c = 0;
  let k = 0;
  let left = n;
  for (; left >= 12; left -= 12, k += 12) {
    a = (a + word(k, 4)) | 0;
    b = (b + word(k + 4, 4)) | 0;
    c = (c + word(k + 8, 4)) | 0;
    mix();
  }
  c = (c + n) | 0;
  // The low byte of c is reserved for the length.
  if (left > 8) c = (c + (word(k + 8, left - 8) << 8)) | 0;
  if (left > 4) b = (b + word(k + 4, Math.min(4, left - 4))) | 0;
  a = (a + word(k, Math.min(4, left))) | 0;
  mix();
  return c >>> 0;
}

/** The 32-bit hash of a byte string, as Linux hashed names of files. */
export function linuxHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    hash = Math.imul(hash + (byte << 4) + (byte >> 4), 11);
  }
  return hash >>> 0;
}

/** Byte between namespace and name in what is hashed.  ceph: src/osd/osd_types.cc pg_pool_t::hash_key */
const NAMESPACE_SEPARATOR = "\x1f";

/**
 * The placement hash of an object: of its locator key if it has one, else of its name.
 * @param hash OBJECT_HASH, of the pool
 */
export function objectHash(
  name: string,
  nspace: string,
  key: string,
  hash: number = OBJECT_HASH.RJENKINS,
): number {
  const what = key === "" ? name : key;
  const whole = nspace === "" ? what : nspace + NAMESPACE_SEPARATOR + what;
  if (hash === OBJECT_HASH.RJENKINS) return rjenkins(whole);
  return hash === OBJECT_HASH.LINUX ? linuxHash(whole) : NO_HASH;
}

/**
 * `x mod b` that moves few values when b grows; `mask` is the next power of two minus 1.
 * ceph: src/include/rados.h ceph_stable_mod
 */
export function stableMod(x: number, b: number, mask: number): number {
  const wide = (x & mask) >>> 0;
  return wide < b ? wide : (x & (mask >>> 1)) >>> 0;
}

/** The mask of stableMod for `n` placement groups. */
export function stableModMask(n: number): number {
  return n <= 1 ? 0 : 2 ** (32 - Math.clz32(n - 1)) - 1;
}
