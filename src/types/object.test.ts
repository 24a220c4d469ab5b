import { describe, expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  compareHObject,
  EVersion,
  formatEVersion,
  formatPgId,
  HOBJECT_MAX,
  HOBJECT_MIN,
  HObject,
  NOSNAP,
  ObjectLocator,
  OsdReqId,
  PgId,
  reqIdKey,
  SNAPDIR,
  SpgId,
  UUID_ZERO,
  Uuid,
  uuidFromBytes,
} from "./object.ts";

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

describe("locators", () => {
  const plain = { pool: 2, key: "k", nspace: "ns", hash: -1 };

  test("round trip; a hash of its own makes readers that would skip it refuse", () => {
    const wire = encodeToBytes(ObjectLocator, plain);
    expect([...wire.subarray(0, 2)]).toEqual([6, 3]);
    expect(decodeFromBytes(ObjectLocator, wire)).toEqual(plain);
    const hashed = { ...plain, hash: 0x1234 };
    const other = encodeToBytes(ObjectLocator, hashed);
    expect([...other.subarray(0, 2)]).toEqual([6, 6]);
    expect(decodeFromBytes(ObjectLocator, other)).toEqual(hashed);
  });

  test("of older writers have no namespace and no hash", () => {
    const v3 = hex("03 03 11000000 0200000000000000 ffffffff 01000000 6b");
    expect(decodeFromBytes(ObjectLocator, v3)).toEqual({ ...plain, nspace: "" });
    const v2 = hex("02 02 11000000 0200000000000000 ffffffff 01000000 6b");
    expect(() => decodeFromBytes(ObjectLocator, v2)).toThrow(DecodeError);
  });
});

describe("objects", () => {
  const object = {
    key: "",
    oid: "rbd_header.\xff\x00",
    snap: NOSNAP,
    hash: 0xfedc_ba98,
    max: 0,
    nspace: "ns",
    pool: 2n,
  };

  test("round trip, the two ends of all listings too", () => {
    for (const x of [object, { ...object, snap: SNAPDIR }, HOBJECT_MIN, HOBJECT_MAX]) {
      expect(decodeFromBytes(HObject, encodeToBytes(HObject, x))).toEqual(x);
    }
  });

  test("the order's fields rank: pool, reversed hash, namespace, key or name, name, snap", () => {
    const base = { ...object, oid: "m", hash: 0, nspace: "", snap: 5n };
    const ascending: HObject[] = [
      HOBJECT_MIN,
      { ...base, pool: -1n },
      { ...base, snap: 4n },
      base,
      { ...base, snap: NOSNAP },
      { ...base, oid: "a", key: "n" },
      { ...base, oid: "z", key: "n" },
      { ...base, oid: "o" },
      { ...base, nspace: "a", oid: "a" },
      { ...base, hash: 0x8000_0000, nspace: "", oid: "" },
      { ...base, hash: 1 },
      { ...base, hash: 0xffff_ffff },
      { ...base, pool: 3n, hash: 0 },
      HOBJECT_MAX,
    ];
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect(Math.sign(compareHObject(a, b)), `${i} and ${j}`).toBe(Math.sign(i - j));
      }
    }
  });
});

describe("placement groups, versions, requests", () => {
  test("pg_t has a version byte and the preferred OSD that is never there", () => {
    const wire = hex("01 0200000000000000 1a000000 ffffffff");
    expect(encodeToBytes(PgId, { pool: 2, seed: 0x1a })).toEqual(wire);
    expect(decodeFromBytes(PgId, wire)).toEqual({ pool: 2, seed: 0x1a });
    expect(formatPgId({ pool: 2, seed: 0x1a })).toBe("2.1a");
  });

  test("the rest round trips", () => {
    const spg = { pgid: { pool: 2, seed: 1 }, shard: -1 };
    expect(decodeFromBytes(SpgId, encodeToBytes(SpgId, spg))).toEqual(spg);
    const version = { version: 345, epoch: 12 };
    expect(encodeToBytes(EVersion, version)).toEqual(hex("5901000000000000 0c000000"));
    expect(decodeFromBytes(EVersion, encodeToBytes(EVersion, version))).toEqual(version);
    expect(formatEVersion(version)).toBe("12'345");
    const id = { name: { type: 8, num: 4123n }, tid: 7, inc: -1 };
    expect(decodeFromBytes(OsdReqId, encodeToBytes(OsdReqId, id))).toEqual(id);
  });

  test("two requests have one key only if they are the same", () => {
    const id = { name: { type: 8, num: 1n }, tid: 23, inc: 4 };
    const others = [
      { ...id, name: { type: 4, num: 1n } },
      { ...id, name: { type: 8, num: 12n } },
      { ...id, tid: 3 },
      { ...id, inc: 42 },
    ];
    for (const other of others) expect(reqIdKey(other)).not.toBe(reqIdKey(id));
    expect(reqIdKey({ ...id, name: { ...id.name } })).toBe(reqIdKey(id));
  });
});

describe("uuids", () => {
  const text = "7ba0952d-b8c4-486e-bc3a-e30f6d024c1b";

  test("are 16 bytes in the order of their text", () => {
    expect(encodeToBytes(Uuid, text)).toEqual(hex(text.replaceAll("-", "")));
    expect(decodeFromBytes(Uuid, hex(text.replaceAll("-", "")))).toBe(text);
    expect(decodeFromBytes(Uuid, Buffer.alloc(16))).toBe(UUID_ZERO);
  });

  test.each(["", "7ba0952d", `${text}0`, text.replace("7", "g"), text.toUpperCase()])(
    "'%s' is not written",
    (bad) => {
      expect(() => encodeToBytes(Uuid, bad)).toThrow(RangeError);
    },
  );

  test("made from random bytes are version 4 and leave the bytes alone", () => {
    for (const fill of [0, 0xff]) {
      const random = new Uint8Array(16).fill(fill);
      expect(uuidFromBytes(random)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect([...new Set(random)]).toEqual([fill]);
    }
  });
});
