/**
 * An object's name as one byte string whose byte order is hobject order, so that any ordered key-value
 * index lists objects as Ceph does.
 *
 *   u8 max | u64be pool + 2^63 | u32be reversed hash | nspace | key or oid | oid | u64be snap
 *
 * The three names are escaped: 00 becomes 00 ff, and 00 01 ends a name. That keeps order: an end sorts
 * before any continuation, and 00 ff before 01.
 * ceph: src/common/hobject.h, src/os/bluestore/BlueStore.cc (get_object_key)
 */

import { assert } from "../base/index.ts";
import { printable } from "../encoding/index.ts";
import { type HObject, reverseBits } from "../types/index.ts";

const END = "\x00\x01";

function escape(name: string): string {
  return name.includes("\x00") ? name.replaceAll("\x00", "\x00\xff") : name;
}

function u32be(x: number): string {
  return String.fromCharCode(x >>> 24, (x >>> 16) & 0xff, (x >>> 8) & 0xff, x & 0xff);
}

function u64be(x: bigint): string {
  return u32be(Number((x >> 32n) & 0xffff_ffffn)) + u32be(Number(x & 0xffff_ffffn));
}

/** Pools seen last: two of three bigint conversions of a key avoided. */
let lastPool: bigint | undefined;
let lastPoolKey = "";

function poolKey(pool: bigint): string {
  if (pool !== lastPool) {
    lastPoolKey = u64be(BigInt.asUintN(64, pool + 0x8000_0000_0000_0000n));
    lastPool = pool;
  }
  return lastPoolKey;
}

const NOSNAP_KEY = "\xff\xff\xff\xff\xff\xff\xff\xfe";
const NOSNAP = 0xffff_ffff_ffff_fffen;

/**
 * Keys of objects asked for, by identity: who keeps an object's name and asks again pays for no new string, nor
 * for its hash. That an object is never changed in place is what makes this right.
 */
const keys = new WeakMap<HObject, string>();

/** The key of an object. */
export function objectKey(object: HObject): string {
  let key = keys.get(object);
  if (key === undefined) {
    key = makeKey(object);
    keys.set(object, key);
  }
  return key;
}

function makeKey(object: HObject): string {
  const name = escape(object.oid);
  const head = (object.max === 0 ? "\x00" : "\x01") + poolKey(object.pool);
  const effective = object.key === "" ? name : escape(object.key);
  const snap = object.snap === NOSNAP ? NOSNAP_KEY : u64be(object.snap);
  return (
    head +
    u32be(reverseBits(object.hash)) +
    escape(object.nspace) +
    END +
    effective +
    END +
    name +
    END +
    snap
  );
}

function bytesAt(key: string, at: number, count: number): bigint {
  let x = 0n;
  for (let i = at; i < at + count; i++) x = (x << 8n) | BigInt(key.charCodeAt(i));
  return x;
}

/** The object of a key. */
export function objectOfKey(key: string): HObject {
  let at = 13;
  const name = () => {
    let from = at;
    let out = "";
    for (;;) {
      const zero = key.indexOf("\x00", from);
      assert(zero >= 0, "object key without its end");
      out += key.slice(from, zero);
      from = zero + 2;
      if (key.charCodeAt(zero + 1) === 1) break;
      out += "\x00";
    }
    at = from;
    return out;
  };
  const nspace = name();
  const effective = name();
  const oid = name();
  assert(key.length === at + 8, "object key of the wrong length");
  return {
    key: effective === oid ? "" : effective,
    oid,
    snap: bytesAt(key, at, 8),
    hash: reverseBits(Number(bytesAt(key, 9, 4))),
    max: key.charCodeAt(0),
    nspace,
    pool: bytesAt(key, 1, 8) - 0x8000_0000_0000_0000n,
  };
}

/** For logs, errors and tools, on one line: `pool:nspace/key/oid:snap`. */
export function formatObject(object: HObject): string {
  const snap = object.snap === NOSNAP ? "head" : object.snap.toString(16);
  const [nspace, key, oid] = [object.nspace, object.key, object.oid].map(printable);
  return `${object.pool}:${nspace}/${key}/${oid}:${snap}`;
}
