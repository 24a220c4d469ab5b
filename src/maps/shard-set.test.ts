import { describe, expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import { ShardSet } from "./shard-set.ts";

describe("a set of shards", () => {
  /** As `osdmaptool --dump json` of 20.2.4 shows a pool with these bytes. */
  test.each([
    ["0000", []],
    ["0e00", [1, 2, 3]],
    ["000e", [65, 66, 67]],
    ["0e05", [1, 2, 3, 64, 66]],
  ])("%s is read and written", (hex, shards) => {
    const bytes = Buffer.from(hex, "hex");
    expect([...decodeFromBytes(ShardSet, bytes)]).toEqual(shards);
    expect(encodeToBytes(ShardSet, new Set(shards)).toString("hex")).toBe(hex);
  });
  test("of all 128 comes back", () => {
    const all = new Set(Array.from({ length: 128 }, (_, shard) => shard));
    expect(decodeFromBytes(ShardSet, encodeToBytes(ShardSet, all))).toEqual(all);
  });
  test("whose number does not end is refused", () => {
    expect(() => decodeFromBytes(ShardSet, Buffer.alloc(12, 0xff))).toThrow(DecodeError);
    expect(() => decodeFromBytes(ShardSet, Buffer.from("0e", "hex"))).toThrow(DecodeError);
  });
});
