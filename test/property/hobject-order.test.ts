/**
 * The order of object keys, byte by byte, is hobject_t's order: what lets an ordered key-value index list
 * objects as Ceph does.
 */
import {
  array,
  bigInt,
  constantFrom,
  assert as holds,
  integer,
  oneof,
  property,
  record,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes, isByteString } from "../../src/encoding/index.ts";
import { objectKey } from "../../src/store/index.ts";
import { objectOfKey } from "../../src/store/object-key.ts";
import {
  compareHObject,
  HOBJECT_MAX,
  HOBJECT_MIN,
  type HObject,
  NOSNAP,
  reverseBits,
  SNAPDIR,
} from "../../src/types/index.ts";

// Few bytes, among them all that the escapes are made of, so that names share prefixes and differ late.
const names = array(constantFrom("\x00", "\x01", "\x02", "a", "b", "\xfe", "\xff"), {
  maxLength: 4,
}).map((chars) => chars.join(""));

const objects = record({
  key: oneof({ weight: 2, arbitrary: constantFrom("") }, { weight: 1, arbitrary: names }),
  oid: names,
  snap: oneof(
    constantFrom(0n, 1n, 2n, 255n, 256n, 2n ** 32n, NOSNAP, SNAPDIR),
    bigInt({ min: 0n, max: SNAPDIR }),
  ),
  hash: oneof(
    constantFrom(0, 1, 2, 3, 0x8000_0000, 0xc000_0000, 0xffff_ffff),
    integer({ min: 0, max: 0xffff_ffff }),
  ),
  max: constantFrom(0, 0, 0, 1),
  nspace: names,
  pool: constantFrom(-(2n ** 63n), -2n, -1n, 0n, 1n, 255n, 256n, 2n ** 33n, 2n ** 63n - 1n),
});

/** An object and one that differs in few fields, so that late fields decide too. */
const near = objects.chain((a) =>
  record({
    which: array(constantFrom("key", "oid", "snap", "hash", "max", "nspace", "pool"), {
      maxLength: 2,
    }),
    other: objects,
  }).map(({ which, other }) => {
    const b: HObject = { ...a };
    for (const field of which) Object.assign(b, { [field]: other[field as keyof HObject] });
    return [a, b] as const;
  }),
);

function expectSameOrder(a: HObject, b: HObject): void {
  const order = Math.sign(compareHObject(a, b));
  expect(compareBytes(objectKey(a), objectKey(b))).toBe(order);
  expect(Math.sign(compareHObject(b, a))).toBe(-order + 0);
}

describe("byte order of keys is hobject order", () => {
  test("for any two objects", () => {
    holds(
      property(objects, objects, (a, b) => expectSameOrder(a, b)),
      { numRuns: 1000 },
    );
  });

  test("for two that differ in a field or two", () => {
    holds(
      property(near, ([a, b]) => expectSameOrder(a, b)),
      { numRuns: 3000 },
    );
  });
});

test("a key is bytes and gives its object back", () => {
  holds(
    property(objects, (object) => {
      const key = objectKey(object);
      expect(isByteString(key)).toBe(true);
      // A locator key equal to the name places the object as the name does: the two are one.
      const expected = object.key === object.oid ? { ...object, key: "" } : object;
      expect(objectOfKey(key)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("every object lies between the first and the last", () => {
  holds(
    property(objects, (object) => {
      const inside = { ...object, max: 0 };
      expect(compareHObject(HOBJECT_MIN, inside)).toBeLessThanOrEqual(0);
      expect(compareHObject(inside, HOBJECT_MAX)).toBeLessThan(0);
    }),
  );
});

test("reversing bits twice is nothing, and the lowest bit becomes the highest", () => {
  expect(reverseBits(1)).toBe(0x8000_0000);
  expect(reverseBits(0x0000_00f0)).toBe(0x0f00_0000);
  holds(
    property(integer({ min: 0, max: 0xffff_ffff }), (x) => {
      expect(reverseBits(reverseBits(x))).toBe(x);
    }),
  );
});
