import { describe, expect, test } from "vitest";
import { type Codec, decodeFromBytes, encodeToBytes } from "./codec.ts";
import { blob, list, map, str, u8, u16, u32, u64n } from "./primitives.ts";
import { DecodeError, Reader } from "./reader.ts";
import { fixed, record, since, struct, versionByte } from "./struct.ts";
import { Writer } from "./writer.ts";

const Point = struct(
  "point_t",
  { v: 4, oldest: 2, compat: (x: { z: number }) => (x.z === 0 ? 2 : 4) },
  { x: u16, pad: fixed(u8, 0xaa), y: u16, tag: since(3, str, "none"), z: since(4, u8, 0) },
);

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

describe("struct", () => {
  test("lays fields out in order after version, compat and length", () => {
    const value = { x: 1, y: 2, tag: "t", z: 0 };
    const wire = bytes("04 02 0b000000 0100 aa 0200 01000000 74 00");
    expect(encodeToBytes(Point, value)).toEqual(wire);
    expect(decodeFromBytes(Point, wire)).toEqual(value);
  });

  test("says a compat that depends on the value", () => {
    expect(encodeToBytes(Point, { x: 1, y: 2, tag: "t", z: 9 })[1]).toBe(4);
  });

  test("gives fields that an older writer did not know their absent value", () => {
    expect(decodeFromBytes(Point, bytes("02 01 05000000 0100 aa 0200"))).toEqual({
      x: 1,
      y: 2,
      tag: "none",
      z: 0,
    });
    expect(decodeFromBytes(Point, bytes("03 02 0a000000 0100 aa 0200 01000000 74"))).toEqual({
      x: 1,
      y: 2,
      tag: "t",
      z: 0,
    });
  });

  test("refuses a version older than the oldest", () => {
    expect(() => decodeFromBytes(Point, bytes("01 01 05000000 0100 aa 0200"))).toThrow(
      /point_t.*version 1 is older than 2/,
    );
  });

  test("skips the tail of a newer version, and refuses one that says we cannot read it", () => {
    const tail = "0100 aa 0200 01000000 74 07 c0ffee";
    expect(decodeFromBytes(Point, bytes(`09 04 0e000000 ${tail}`))).toEqual({
      x: 1,
      y: 2,
      tag: "t",
      z: 7,
    });
    expect(() => decodeFromBytes(Point, bytes(`09 05 0e000000 ${tail}`))).toThrow(DecodeError);
  });

  test("leaves the reader after the struct, whatever the tail was", () => {
    const r = new Reader(bytes("09 04 0e000000 0100 aa 0200 01000000 74 07 c0ffee 55"));
    Point.decode(r);
    expect(r.u8()).toBe(0x55);
  });

  test("ignores what stands in a fixed field and never shows it", () => {
    const x = decodeFromBytes(Point, bytes("02 01 05000000 0100 00 0200"));
    expect(Object.keys(x)).toEqual(["x", "y", "tag", "z"]);
  });

  test("a field of an older version cannot be read out of what follows the struct", () => {
    // Version 4 claimed, but the struct ends before tag.
    expect(() =>
      decodeFromBytes(Point, bytes("04 02 05000000 0100 aa 0200 01000000 74 00")),
    ).toThrow(DecodeError);
  });
});

describe("record", () => {
  const Pair = record("pair_t", { a: u8, mark: fixed(u8, 7), b: u16 });

  test("has no header and the size of its fields at least", () => {
    expect(encodeToBytes(Pair, { a: 1, b: 2 })).toEqual(bytes("01 07 0200"));
    expect(decodeFromBytes(Pair, bytes("01 07 0200"))).toEqual({ a: 1, b: 2 });
    expect(Pair.minSize).toBe(4);
  });
});

describe("versionByte", () => {
  const Old = versionByte("old_t", 2, { a: u8, b: since(2, u16, 5) });

  test("has one byte of version; older ones lack later fields", () => {
    expect(encodeToBytes(Old, { a: 1, b: 2 })).toEqual(bytes("02 01 0200"));
    expect(decodeFromBytes(Old, bytes("02 01 0200"))).toEqual({ a: 1, b: 2 });
    expect(decodeFromBytes(Old, bytes("01 01"))).toEqual({ a: 1, b: 5 });
    expect(Old.minSize).toBe(2);
  });

  test("has no version 0", () => {
    expect(() => decodeFromBytes(Old, bytes("00 01 0200"))).toThrow(DecodeError);
  });
});

describe("hostile bytes", () => {
  const Inner = struct("inner_t", { v: 2 }, { name: str, body: since(2, blob, new Uint8Array(0)) });
  const Outer = struct(
    "outer_t",
    { v: 1 },
    {
      id: u64n,
      items: list(Inner),
      table: map(str, u32),
      old: versionByte("old_t", 1, { a: u16 }),
    },
  );
  const value = {
    id: 7,
    items: [
      { name: "one", body: Buffer.from([1, 2, 3]) },
      { name: "a name longer than the short form", body: Buffer.alloc(0) },
    ],
    table: new Map([
      ["a", 1],
      ["b", 2],
    ]),
    old: { a: 3 },
  };
  const wire = encodeToBytes(Outer, value);

  test("round trip first", () => {
    expect(decodeFromBytes(Outer, wire)).toEqual(value);
  });

  test("a cut at any byte gives a DecodeError", () => {
    for (let length = 0; length < wire.length; length++) {
      const cut = wire.subarray(0, length);
      expect(() => decodeFromBytes(Outer, cut), `${length} bytes`).toThrow(DecodeError);
    }
  });

  test("a cut at any byte inside a struct whose length says so too gives a DecodeError", () => {
    for (let length = 6; length < wire.length; length++) {
      const cut = Buffer.from(wire.subarray(0, length));
      cut.writeUInt32LE(length - 6, 2);
      expect(() => decodeFromBytes(Outer, cut), `${length} bytes`).toThrow(DecodeError);
    }
  });

  test("any byte replaced gives a value or a DecodeError, nothing else", () => {
    let refused = 0;
    for (let at = 0; at < wire.length; at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const bent = Buffer.from(wire);
        bent[at] = byte;
        try {
          decodeFromBytes(Outer, bent);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

test("the hundredth use gives the bytes and the keys of the first: compiled bodies change nothing", () => {
  const Late = struct("late_t", { v: 2 }, { a: u8, b: fixed(u8, 9), c: since(2, str, "absent") });
  const value = { a: 1, c: "x" };
  const first = encodeToBytes(Late, value);
  const old = bytes("01 01 02000000 01 09");
  for (let use = 0; use < 200; use++) {
    expect(encodeToBytes(Late, value)).toEqual(first);
    const back = decodeFromBytes(Late, first);
    expect(back).toEqual(value);
    expect(Object.keys(back)).toEqual(["a", "c"]);
    expect(decodeFromBytes(Late, old)).toEqual({ a: 1, c: "absent" });
    expect(() => decodeFromBytes(Late, first.subarray(0, 8))).toThrow(DecodeError);
  }
});

test("a codec says of every value the least it takes", () => {
  const least: [Codec<never>, unknown][] = [
    [Point as never, { x: 0, y: 0, tag: "", z: 0 }],
    [list(u32) as never, []],
  ];
  for (const [codec, value] of least) {
    const w = new Writer();
    codec.encode(w, value as never);
    expect(w.length, codec.name).toBeGreaterThanOrEqual(codec.minSize);
  }
});
