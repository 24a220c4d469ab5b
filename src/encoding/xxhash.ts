/**
 * xxHash in its 32 and 64 bit forms, as a checksum op asks for them.
 * ceph: src/common/Checksummer.h; the algorithm: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 *
 * Plain JavaScript: nothing on a hot path asks for these.
 */

const PRIMES_32 = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;

function rotate32(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

export function xxhash32(seed: number, data: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = PRIMES_32;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  let hash: number;
  if (data.length >= 16) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map((x) => x | 0);
    for (; at + 16 <= data.length; at += 16) {
      for (let i = 0; i < 4; i++) {
        const mixed = ((lanes[i] ?? 0) + Math.imul(view.getUint32(at + 4 * i, true), p2)) | 0;
        lanes[i] = Math.imul(rotate32(mixed, 13), p1);
      }
    }
    const [a = 0, b = 0, c = 0, d = 0] = lanes;
    hash = (rotate32(a, 1) + rotate32(b, 7) + rotate32(c, 12) + rotate32(d, 18)) | 0;
  } else {
    hash = (seed + p5) | 0;
  }
  hash = (hash + data.length) | 0;
  for (; at + 4 <= data.length; at += 4) {
    hash = (hash + Math.imul(view.getUint32(at, true), p3)) | 0;
    hash = Math.imul(rotate32(hash, 17), p4);
  }
  for (; at < data.length; at++) {
    hash = (hash + Math.imul(view.getUint8(at), p5)) | 0;
    hash = Math.imul(rotate32(hash, 11), p1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const PRIMES_64 = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

function u64(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}

function rotate64(x: bigint, bits: bigint): bigint {
  return u64(x << bits) | (x >> (64n - bits));
}

function round64(lane: bigint, input: bigint): bigint {
  const [p1, p2] = PRIMES_64;
  return u64(rotate64(u64(lane + input * p2), 31n) * p1);
}

export function xxhash64(seed: bigint, data: Uint8Array): bigint {
  const [p1, p2, p3, p4, p5] = PRIMES_64;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  let hash: bigint;
  if (data.length >= 32) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map(u64);
    for (; at + 32 <= data.length; at += 32) {
      for (let i = 0; i < 4; i++) {
        lanes[i] = round64(lanes[i] ?? 0n, view.getBigUint64(at + 8 * i, true));
      }
    }
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    hash = u64(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const lane of lanes) hash = u64((hash ^ round64(0n, lane)) * p1 + p4);
  } else {
    hash = u64(seed + p5);
  }
  hash = u64(hash + BigInt(data.length));
  for (; at + 8 <= data.length; at += 8) {
    hash ^= round64(0n, view.getBigUint64(at, true));
    hash = u64(rotate64(hash, 27n) * p1 + p4);
  }
  if (at + 4 <= data.length) {
    hash ^= u64(BigInt(view.getUint32(at, true)) * p1);
    hash = u64(rotate64(hash, 23n) * p2 + p3);
    at += 4;
  }
  for (; at < data.length; at++) {
    hash ^= u64(BigInt(view.getUint8(at)) * p5);
    hash = u64(rotate64(hash, 11n) * p1);
  }
  hash = u64((hash ^ (hash >> 33n)) * p2);
  hash = u64((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}
