import { describe, expect, test } from "vitest";
import { byteString } from "../encoding/index.ts";
import { OBJECT_HASH, objectHash, rjenkins, stableMod, stableModMask } from "./object-hash.ts";

/** What `ceph osd map rbd NAME [NAMESPACE]` of a real 16.2.15 says: name, namespace, raw pg, pg of 32. */
const MAPPED: [name: string, nspace: string, hash: number, pg: number][] = [
  ["a", "", 0x29eec818, 0x18],
  ["ab", "", 0x9879ac41, 0x1],
  ["rbd_info", "", 0xac0e573a, 0x1a],
  ["elevenbytes", "", 0xc2cae03e, 0x1e],
  ["exactly12byt", "", 0x4d11656b, 0xb],
  ["rbd_children", "", 0x0fa1caca, 0xa],
  ["12 bytes long", "", 0x0ffa20ae, 0xe],
  ["rbd_directory", "", 0x30a98c1c, 0x1c],
  ["rbd_header.1043b2d1a6d4", "", 0x0873f946, 0x6],
  ["rbd_data.1043b2d1a6d4.0000000000000000", "", 0x134514e4 >>> 0, 0x4],
  ["rbd_data.1043b2d1a6d4.00000000000000ff", "", 0xab6693cf, 0xf],
  ["café", "", 0xff3ab358, 0x18],
  ["x".repeat(24), "", 0x63a8542a, 0xa],
  ["a".repeat(100), "", 0xd3e8148e, 0xe],
  ["rbd_directory", "one", 0x265bbaa4, 0x4],
  ["a", "b", 0xab738ee0, 0x0],
  ["rbd_data.1043b2d1a6d4.0000000000000000", "a namespace", 0xf8480d16, 0x16],
];

describe("where a real cluster places objects", () => {
  test.each(MAPPED)("%s in namespace '%s'", (name, nspace, hash, pg) => {
    expect(objectHash(byteString(name), nspace, "").toString(16)).toBe(hash.toString(16));
    expect(stableMod(hash, 32, stableModMask(32))).toBe(pg);
  });
});

describe("in a pool of the linux hash", () => {
  /** What `osdmaptool --test-map-object` of 16.2.15 says of a pool of 2^30 PGs. */
  test.each([
    ["a", 0x42f2],
    ["rbd_info", 0x619c16],
    ["rbd_directory", 0x1569da2c],
    ["rbd_data.1043b2d1a6d4.0000000000000000", 0x255f0fbb],
    ["café", 0x10c6e734],
    ["x".repeat(40), 0x29dc9f0],
  ])("%s", (name, pg) => {
    const hash = objectHash(byteString(name), "", "", OBJECT_HASH.LINUX);
    expect((hash & 0x3fff_ffff).toString(16)).toBe(pg.toString(16));
  });
  test("namespace and key count as in any other", () => {
    const whole = objectHash("one\x1fkey", "", "", OBJECT_HASH.LINUX);
    expect(objectHash("name", "one", "key", OBJECT_HASH.LINUX)).toBe(whole);
  });
});

test("an unknown hash puts everything in one place, as upstream's does", () => {
  expect(objectHash("a", "", "", 7)).toBe(0xffff_ffff);
});

test("a locator key takes the name's place, the namespace stays", () => {
  expect(objectHash("whatever", "", "rbd_info")).toBe(0xac0e573a);
  expect(objectHash("whatever", "one", "rbd_directory")).toBe(0x265bbaa4);
});

test("every length up to two rounds has a hash of its own, and the bytes 80 to ff count as unsigned", () => {
  const hashes = Array.from({ length: 26 }, (_, n) => rjenkins("\xff".repeat(n)));
  expect(new Set(hashes).size).toBe(hashes.length);
  for (const hash of hashes) expect(hash).toBe(hash >>> 0);
});

describe("stableMod", () => {
  test("of a power of two is the low bits", () => {
    for (const n of [1, 2, 32, 65536]) {
      const mask = stableModMask(n);
      expect(mask).toBe(n - 1);
      for (const x of [0, 1, 31, 32, 0x12345678, 0xffff_ffff]) {
        expect(stableMod(x, n, mask)).toBe(x % n);
      }
    }
  });

  test("stays below n for every n", () => {
    for (let n = 1; n < 130; n++) {
      const mask = stableModMask(n);
      for (let x = 0; x < 256; x++) expect(stableMod(x, n, mask)).toBeLessThan(n);
    }
  });

  test("moves, when n grows by one, only the values that land on the new one", () => {
    for (let n = 1; n < 64; n++) {
      for (let x = 0; x < 512; x++) {
        const before = stableMod(x, n, stableModMask(n));
        const after = stableMod(x, n + 1, stableModMask(n + 1));
        if (after !== n) expect(after, `${x} of ${n}`).toBe(before);
      }
    }
  });
});
