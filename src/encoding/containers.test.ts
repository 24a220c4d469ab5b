import { describe, expect, test } from "vitest";
import { AssertionError } from "../base/index.ts";
import { bytesEqual, EMPTY, flatten, listLength, slice } from "./buffer-list.ts";
import {
  byteString,
  byteStringOf,
  bytesOf,
  compareBytes,
  isByteString,
  textOf,
} from "./byte-string.ts";
import { type Codec, decodeFromBytes, encodeToBytes } from "./codec.ts";
import {
  boxed,
  bytes,
  list,
  map,
  optional,
  pairs,
  s64,
  set,
  str,
  u8,
  u16,
  u32,
  u64,
} from "./primitives.ts";
import { DecodeError, Reader } from "./reader.ts";
import { record } from "./struct.ts";

function hex<T>(codec: Codec<T>, x: T): string {
  return encodeToBytes(codec, x).toString("hex");
}

function from<T>(codec: Codec<T>, text: string): T {
  return decodeFromBytes(codec, Buffer.from(text, "hex"));
}

describe("containers", () => {
  test("a list is its count and its items in order", () => {
    expect(hex(list(u16), [3, 1, 2])).toBe("03000000030001000200");
    expect(from(list(u16), "03000000030001000200")).toEqual([3, 1, 2]);
    expect(from(list(u16), "00000000")).toEqual([]);
  });

  test("of a key that comes twice in a map the first counts", () => {
    // Found by the differential test: metadata_set of an image.
    expect([
      ...from(map(u8, str), "02000000 0101000000610101000000 62".replaceAll(" ", "")),
    ]).toEqual([[1, "a"]]);
  });

  test("a set and a map are sorted on the wire, however they were filled", () => {
    expect(hex(set(u8), new Set([3, 1, 2]))).toBe("03000000010203");
    const filled = new Map([
      [2, "b"],
      [1, "a"],
    ]);
    expect(hex(map(u8, str), filled)).toBe("0200000001010000006102 0100000062".replace(" ", ""));
    expect([...from(map(u8, str), hex(map(u8, str), filled))]).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
  });

  test("numbers sort as numbers, bigints too, names by their bytes", () => {
    expect([...from(set(u32), hex(set(u32), new Set([10, 9, 0xffff_ffff])))]).toEqual([
      9, 10, 0xffff_ffff,
    ]);
    expect([...from(set(s64), hex(set(s64), new Set([5n, -1n, 2n ** 62n])))]).toEqual([
      -1n,
      5n,
      2n ** 62n,
    ]);
    // std::string compares unsigned bytes: a prefix first, ff last.
    const names = ["\xff", "a", "ab", "B", "", "\x00", "\x80"];
    expect([...from(set(str), hex(set(str), new Set(names)))]).toEqual([
      "",
      "\x00",
      "B",
      "a",
      "ab",
      "\x80",
      "\xff",
    ]);
  });

  test("an order of one's own is kept", () => {
    const descending = set(u64, (a, b) => (a > b ? -1 : 1));
    expect([...from(descending, hex(descending, new Set([1n, 3n, 2n])))]).toEqual([3n, 2n, 1n]);
  });

  test("pairs stay in the order given", () => {
    const codec = pairs(u8, u8);
    expect(
      hex(codec, [
        [2, 0],
        [1, 9],
      ]),
    ).toBe("0200000002000109");
    expect(from(codec, "0200000002000109")).toEqual([
      [2, 0],
      [1, 9],
    ]);
  });

  test("an optional is a byte, and its value if there is one", () => {
    expect(hex(optional(u16), undefined)).toBe("00");
    expect(hex(optional(u16), 5)).toBe("010500");
    expect(from(optional(u16), "00")).toBeUndefined();
    expect(from(optional(u16), "010500")).toBe(5);
  });

  test("fixed bytes have their size, both ways", () => {
    expect(hex(bytes(2), Uint8Array.of(1, 2))).toBe("0102");
    expect(() => hex(bytes(2), Uint8Array.of(1))).toThrow(RangeError);
    expect(() => from(bytes(2), "01")).toThrow(DecodeError);
  });

  test("a boxed value stays in its box: it can neither read past it nor leave the reader inside", () => {
    const codec = boxed(u16);
    expect(hex(codec, 0x0102)).toBe("020000000201");
    const r = new Reader(Buffer.from("04000000020155555a", "hex"));
    expect(codec.decode(r)).toBe(0x0102);
    expect(r.u8()).toBe(0x5a);
    expect(() => from(codec, "01000000020155")).toThrow(DecodeError);
    expect(() => from(codec, "050000000201")).toThrow(/blob of 5 bytes, 2 left/);
  });
});

describe("hostile counts", () => {
  test.each<[string, Codec<unknown>]>([
    ["list", list(u8)],
    ["set", set(u32)],
    ["map", map(u8, u8)],
    ["pairs", pairs(u8, str)],
    ["list of lists", list(list(u8))],
  ])("of a %s are refused before an element is read", (_, codec) => {
    expect(() => from(codec, "ffffffff00000000")).toThrow(/4294967295 elements claimed, 4 bytes/);
  });

  test("a list of items that may take no bytes would have no bound, so there is none", () => {
    expect(() => list(record("nothing", {}))).toThrow(AssertionError);
  });
});

describe("buffer lists", () => {
  const parts = [Buffer.from("abc"), EMPTY, Buffer.from("d"), Buffer.from("efgh")];
  const whole = "abcdefgh";

  test("length and one view of all", () => {
    expect(listLength(parts)).toBe(8);
    expect(Buffer.from(flatten(parts)).toString()).toBe(whole);
    expect(flatten([])).toHaveLength(0);
    expect(flatten([parts[0]!])).toBe(parts[0]);
  });

  test("every slice is what a string's slice is, short at the end, without empty views or copies", () => {
    for (let offset = 0; offset <= whole.length + 1; offset++) {
      for (let length = 0; length <= whole.length + 2; length++) {
        const cut = slice(parts, offset, length);
        const what = `[${offset}, +${length}]`;
        expect(Buffer.concat(cut).toString(), what).toBe(whole.slice(offset, offset + length));
        for (const view of cut) {
          expect(view.length, what).toBeGreaterThan(0);
          expect(parts.some((part) => part.buffer === view.buffer)).toBe(true);
        }
      }
    }
  });

  test("equality is of bytes", () => {
    expect(bytesEqual(Uint8Array.of(1, 2), Buffer.from([1, 2]))).toBe(true);
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  });
});

describe("byte strings", () => {
  test("any bytes come back, UTF-8 or not", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect([...bytesOf(byteStringOf(all))]).toEqual([...all]);
    expect(isByteString(byteStringOf(all))).toBe(true);
    // A view in the middle of its memory is only itself.
    expect(byteStringOf(all.subarray(65, 68))).toBe("ABC");
  });

  test("text goes in as UTF-8 and comes out again; ASCII is its own byte string", () => {
    expect(byteString("plain")).toBe("plain");
    expect(byteString("é")).toBe("\xc3\xa9");
    for (const text of ["café", "日本", "😀"]) {
      expect(isByteString(byteString(text))).toBe(true);
      expect(textOf(byteString(text))).toBe(text);
    }
    expect(isByteString("日")).toBe(false);
  });

  test("bytes that are not UTF-8 show as replacement characters", () => {
    expect(textOf("a\xff")).toBe("a\ufffd");
  });

  test("their order is memcmp's", () => {
    const names = ["", "\x00", "a", "a\x00", "aa", "b", "\x7f", "\x80", "\xff"];
    for (const a of names) {
      for (const b of names) {
        expect(compareBytes(a, b), JSON.stringify([a, b])).toBe(
          Buffer.compare(bytesOf(a), bytesOf(b)),
        );
      }
    }
  });
});
