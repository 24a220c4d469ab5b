import { describe, expect, test } from "vitest";
import { AssertionError } from "../base/index.ts";
import { DecodeError, Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** What `write` wrote, in hex. */
function hex(write: (w: Writer) => void): string {
  const w = new Writer();
  write(w);
  return w.finish().toString("hex");
}

function reader(bytes: string): Reader {
  return new Reader(Buffer.from(bytes, "hex"));
}

describe("scalars", () => {
  const CASES: [string, (w: Writer) => void, string, (r: Reader) => unknown, unknown][] = [
    ["u8", (w) => w.u8(0xfe), "fe", (r) => r.u8(), 0xfe],
    ["bool", (w) => w.bool(true), "01", (r) => r.bool(), true],
    ["bool, false", (w) => w.bool(false), "00", (r) => r.bool(), false],
    ["u16", (w) => w.u16(0xfedc), "dcfe", (r) => r.u16(), 0xfedc],
    ["u32", (w) => w.u32(0xfedcba98), "98badcfe", (r) => r.u32(), 0xfedcba98],
    ["s8", (w) => w.s8(-2), "fe", (r) => r.s8(), -2],
    ["s8, highest", (w) => w.s8(127), "7f", (r) => r.s8(), 127],
    ["s16", (w) => w.s16(-2), "feff", (r) => r.s16(), -2],
    ["s32", (w) => w.s32(-2), "feffffff", (r) => r.s32(), -2],
    ["s32, lowest", (w) => w.s32(-0x80000000), "00000080", (r) => r.s32(), -0x80000000],
    ["f32", (w) => w.f32(0.95), "3333733f", (r) => r.f32(), Math.fround(0.95)],
    ["f64", (w) => w.f64(0.95), "666666666666ee3f", (r) => r.f64(), 0.95],
    ["u64", (w) => w.u64(2n ** 64n - 2n), "feffffffffffffff", (r) => r.u64(), 2n ** 64n - 2n],
    ["s64", (w) => w.s64(-2n), "feffffffffffffff", (r) => r.s64(), -2n],
    [
      "u64n",
      (w) => w.u64n(0x1234_5678_9abc),
      "bc9a785634120000",
      (r) => r.u64n(),
      0x1234_5678_9abc,
    ],
    ["s64n", (w) => w.s64n(-2), "feffffffffffffff", (r) => r.s64n(), -2],
    ["bytes", (w) => w.bytes(Buffer.from("abc")), "616263", (r) => r.view(3).toString(), "abc"],
    ["zeros", (w) => w.zeros(3), "000000", (r) => [...r.view(3)], [0, 0, 0]],
    ["blob", (w) => w.blob(Buffer.from("ab")), "020000006162", (r) => r.blob().toString(), "ab"],
    ["str", (w) => w.str("ab"), "020000006162", (r) => r.str(), "ab"],
  ];

  test.each(CASES)("%s", (_, write, bytes, read, value) => {
    expect(hex(write)).toBe(bytes);
    const r = reader(bytes);
    expect(read(r)).toEqual(value);
    expect(r.remaining).toBe(0);
  });

  test.each(CASES)("%s cut short anywhere is refused", (_, __, bytes, read) => {
    for (let length = 0; length < bytes.length / 2; length++) {
      const r = reader(bytes.slice(0, length * 2));
      expect(() => read(r), `${length} bytes`).toThrow(DecodeError);
    }
  });

  test("every byte but 0 is true, as in C", () => {
    for (const byte of ["01", "02", "80", "ff"]) expect(reader(byte).bool()).toBe(true);
  });
});

describe("64 bits as a number", () => {
  const MAX = Number.MAX_SAFE_INTEGER;

  test("round trips up to the last exact integer", () => {
    for (const x of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, MAX - 1, MAX]) {
      expect(reader(hex((w) => w.u64n(x))).u64n()).toBe(x);
      expect(reader(hex((w) => w.u64n(x))).u64()).toBe(BigInt(x));
      for (const signed of [x, 0 - x]) {
        expect(reader(hex((w) => w.s64n(signed))).s64n()).toBe(signed);
        expect(reader(hex((w) => w.s64n(signed))).s64()).toBe(BigInt(signed));
      }
    }
  });

  test.each([2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])(
    "%d from a peer is refused, and the error says where it stands",
    (x) => {
      const r = reader(`00${hex((w) => w.u64(x))}`);
      r.u8();
      expect(() => r.u64n()).toThrow(/at byte 1: value beyond/);
    },
  );

  test("what could not be written again is refused, below zero too", () => {
    for (const x of [2n ** 53n, -(2n ** 53n), -(2n ** 53n) - 1n, -(2n ** 63n)]) {
      expect(() => reader(hex((w) => w.s64(x))).s64n(), `${x}`).toThrow(DecodeError);
    }
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])(
    "writing %d as unsigned is our bug, not a peer's",
    (x) => {
      expect(() => new Writer().u64n(x)).toThrow(AssertionError);
    },
  );

  test.each([0.5, 2 ** 53, -(2 ** 53), Number.NaN])("writing %d as signed is our bug", (x) => {
    expect(() => new Writer().s64n(x)).toThrow(AssertionError);
  });
});

describe("byte strings", () => {
  const ALL = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));

  test("of any bytes and any length around the short form's limit round trip", () => {
    for (const length of [0, 1, 23, 24, 25, 100, 256]) {
      const text = ALL.slice(256 - length);
      const bytes = hex((w) => w.str(text));
      expect(bytes).toBe(hex((w) => w.blob(Buffer.from(text, "latin1"))));
      expect(reader(bytes).str()).toBe(text);
    }
  });

  test.each(["Ā", "日本", `${"x".repeat(40)}€`])("text (%s) in their place is our bug", (text) => {
    expect(() => new Writer().str(text)).toThrow(
      new AssertionError("text where a byte string belongs"),
    );
  });

  test("a length beyond the end is refused before anything is read", () => {
    for (const read of [(r: Reader) => r.str(), (r: Reader) => r.blob()]) {
      const r = reader("ffffffff6162");
      expect(() => read(r)).toThrow(/4294967295 bytes wanted, 2 left/);
    }
  });
});

describe("the reader's bounds", () => {
  test("a window into a larger buffer ends where it was said to", () => {
    const r = new Reader(Buffer.from("0102030405", "hex"), 1, 3);
    expect([r.u8(), r.u8()]).toEqual([2, 3]);
    expect(() => r.u8()).toThrow(DecodeError);
  });

  test("a plain Uint8Array at an offset of its memory reads as itself", () => {
    const memory = Uint8Array.of(9, 9, 1, 2, 9);
    const r = new Reader(memory.subarray(2, 4));
    expect(r.u16()).toBe(0x0201);
    expect(r.remaining).toBe(0);
  });

  test("a view is the frame's own memory, not a copy", () => {
    const frame = Buffer.from("0102", "hex");
    expect(new Reader(frame).view(2).buffer).toBe(frame.buffer);
  });

  test("going back by a negative count is refused", () => {
    const r = reader("0102");
    r.u8();
    expect(() => r.advance(-1)).toThrow(DecodeError);
  });

  test("a count is refused when its smallest elements cannot fit", () => {
    expect(reader("020000000000000000000000").count(4)).toBe(2);
    expect(() => reader("030000000000000000000000").count(4)).toThrow(/3 elements claimed, 8/);
    expect(() => reader("ffffffff").count(1)).toThrow(DecodeError);
    // No wrap around 2^32 bytes either.
    expect(() => reader("00000040").count(4)).toThrow(DecodeError);
  });
});

describe("versioned structs", () => {
  test("write version, compat and the length of what is inside, nested too", () => {
    const bytes = hex((w) => {
      const outer = w.begin(3, 2);
      w.u8(7);
      const inner = w.begin(1, 1);
      w.u16(0x0102);
      w.end(inner);
      w.end(outer);
    });
    expect(bytes).toBe("0302 09000000 07 0101 02000000 0201".replaceAll(" ", ""));
  });

  test("the end of the inner one bounds reading until it is closed", () => {
    const r = reader("03010a00000007010102000000020155ee");
    expect(r.begin("outer_t", 3)).toBe(3);
    expect(r.u8()).toBe(7);
    expect(r.begin("inner_t", 1)).toBe(1);
    expect(r.u16()).toBe(0x0102);
    expect(() => r.u8()).toThrow(/cannot decode inner_t at byte 15/);
    r.finish();
    expect(r.u8()).toBe(0x55);
    expect(() => r.u8()).toThrow(/cannot decode outer_t/);
    r.finish();
    expect(r.u8()).toBe(0xee);
  });

  test("a tail that a newer writer added is skipped", () => {
    const r = reader("09010400000001aabbccee");
    r.begin("x", 1);
    expect(r.u8()).toBe(1);
    r.finish();
    expect(r.u8()).toBe(0xee);
  });

  test("a struct whose compat is above ours is refused; one equal is not", () => {
    expect(() => reader("0504 00000000".replace(" ", "")).begin("x", 3)).toThrow(
      /needs a decoder of 4/,
    );
    expect(reader("050300000000").begin("x", 3)).toBe(5);
  });

  test("a length beyond the outer end is refused", () => {
    expect(() => reader("010101000000").begin("x", 1)).toThrow(DecodeError);
    const r = reader("0101060000000101010000000000");
    r.begin("outer", 1);
    expect(() => r.begin("inner", 1)).toThrow(/struct of 1 bytes, 0 left/);
  });

  test("64 levels are followed, the 65th is refused", () => {
    const levels = (n: number) => {
      const w = new Writer();
      const marks = Array.from({ length: n }, () => w.begin(1, 1));
      for (const mark of marks.reverse()) w.end(mark);
      const r = new Reader(w.finish());
      for (let i = 0; i < n; i++) r.begin(`level${i}`, 1);
      for (let i = 0; i < n; i++) r.finish();
      return r.remaining;
    };
    expect(levels(64)).toBe(0);
    expect(() => levels(65)).toThrow(/nested too deeply/);
  });
});

describe("the writer's memory", () => {
  test("grows as needed and keeps what was written", () => {
    const w = new Writer(4);
    for (let i = 0; i < 1000; i++) w.u16(i);
    const r = new Reader(w.finish());
    for (let i = 0; i < 1000; i++) expect(r.u16()).toBe(i);
    expect(r.remaining).toBe(0);
  });

  test("zeros are zero even in memory that was used before", () => {
    const w = new Writer(16);
    w.bytes(Buffer.alloc(16, 0xff));
    w.reset();
    w.zeros(16);
    expect(w.finish()).toEqual(Buffer.alloc(16));
  });
});
