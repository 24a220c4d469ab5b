import { describe, expect, test } from "vitest";
import { decodeFromBytes } from "../../encoding/index.ts";
import { HOBJECT_MIN, NOSNAP } from "../../types/index.ts";
import { ByteReader } from "./byte-reader.ts";
import {
  BLANK_OBJECT_INFO,
  bareSection,
  formatDumped,
  isFooter,
  NO_GENERATION,
  NO_SHARD,
  ObjectBegin,
  readHeader,
  SECTION,
  section,
  superHeader,
} from "./dump-format.ts";

const hoid = { ...HOBJECT_MIN, oid: "a", snap: NOSNAP };
const begin = { hoid, generation: NO_GENERATION, shard: NO_SHARD, info: BLANK_OBJECT_INFO };

describe("the file of export", () => {
  // From `rados export` of 16.2.15, up to the name of the first object.
  test("begins as the original's", () => {
    const head =
      "ceffceff02000000120000000a000000" +
      "01010c000000ceff0a0a0000000000000000" +
      "01010c000000ceff03031f01000000000000" +
      "03011901000004032200000000000000" +
      "0100000061feffffffffffffff";
    const bytes = Buffer.concat([
      superHeader(),
      bareSection(SECTION.POOL_BEGIN),
      section(SECTION.OBJECT_BEGIN, ObjectBegin, begin),
    ]);
    expect(bytes.subarray(0, head.length / 2).toString("hex")).toBe(head);
    expect(bytes).toHaveLength(16 + 18 + 18 + 0x11f + 10);
  });

  test("is read back section by section; what follows an object's name is passed over", () => {
    const bytes = Buffer.from(section(SECTION.OBJECT_BEGIN, ObjectBegin, begin));
    const { type, size } = readHeader(bytes.subarray(0, 18));
    expect([type, size]).toEqual([SECTION.OBJECT_BEGIN, 0x11f]);
    expect(isFooter(bytes.subarray(18 + size))).toBe(true);
    expect(decodeFromBytes(ObjectBegin, bytes.subarray(18, 18 + size)).hoid).toEqual(hoid);
  });

  test("names objects on one line, whatever is in their names", () => {
    const odd = { ...hoid, oid: "a:b/c%\n", nspace: "inner" };
    expect(formatDumped(odd, "head")).toBe(
      "#-9223372036854775808:00000000:inner::a%3ab%2fc%25%0a:head#",
    );
  });
});

test("bytes are taken by the number from pieces of any size", async () => {
  async function* pieces() {
    for (const text of ["ab", "c", "defgh"]) yield Buffer.from(text);
  }
  const reader = new ByteReader(pieces());
  const taken: (string | undefined)[] = [];
  for (const size of [1, 4, 0, 3, 1]) taken.push((await reader.take(size))?.toString());
  expect(taken).toEqual(["a", "bcde", "", "fgh", undefined]);
});
