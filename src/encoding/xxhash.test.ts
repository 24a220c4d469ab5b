import { describe, expect, test } from "vitest";
import { Writer } from "./writer.ts";
import { writeXxhash64, xxhash32, xxhash64 } from "./xxhash.ts";

const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i);

describe("xxhash", () => {
  test("is what the specification says of nothing and of a few letters", () => {
    expect(xxhash32(0, count(0))).toBe(0x02cc5d05);
    expect(xxhash64(0n, count(0))).toBe(0xef46db3751d8e999n);
    expect(xxhash32(0, Buffer.from("abc"))).toBe(0x32d153ff);
    expect(xxhash64(0n, Buffer.from("abc"))).toBe(0x44bc2cf5ad770999n);
  });

  test("is what a real Ceph 16.2.15 answered for an object of 70 bytes and for 7 of them, seed 1", () => {
    expect(xxhash32(1, count(70))).toBe(0x7b996b2a);
    expect(xxhash64(1n, count(70))).toBe(0x971af247c6063b1dn);
    expect(xxhash32(1, count(7))).toBe(0x70bf7c6f);
    expect(xxhash64(1n, count(7))).toBe(0xaf4c5311c47c77b7n);
  });

  test("of every length up to 200 is what arithmetic on bigints gives, each seeded with the one before", () => {
    let [short, long] = [1, 1n];
    for (let n = 0; n < 200; n++) {
      short = xxhash32(short, count(n));
      long = xxhash64(long, count(n));
    }
    expect([short, long]).toEqual([0x69bdd4a, 0xd669591c5fdb5006n]);
  });

  test("of a part is that of its bytes", () => {
    const bytes = count(100);
    for (const [start, end] of [
      [0, 1],
      [3, 50],
      [99, 100],
      [7, 7],
    ] as const) {
      const part = bytes.subarray(start, end);
      expect(xxhash32(5, bytes, start, end)).toBe(xxhash32(5, part));
      const w = new Writer();
      writeXxhash64(w, 5, -1, bytes, start, end);
      expect(w.finish().readBigUInt64LE()).toBe(xxhash64(0xffff_ffff_0000_0005n, part));
    }
  });
});
