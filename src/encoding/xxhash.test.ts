import { describe, expect, test } from "vitest";
import { xxhash32, xxhash64 } from "./xxhash.ts";

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
});
