import { expect, test } from "vitest";
import { hexdump } from "./hexdump.ts";

// As 16.2.15's `rados getomapval` shows them.
test("text, a short last line and lines left out look like hexdump -C", () => {
  expect(hexdump(Buffer.from("v1"))).toBe(
    "00000000  76 31                                             |v1|\n00000002\n",
  );
  expect(hexdump(Buffer.alloc(0))).toBe("");
  expect(
    hexdump(Buffer.concat([Buffer.alloc(80), Buffer.from("0123456789\n\xff", "latin1")])),
  ).toBe(
    [
      "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|",
      "*",
      "00000050  30 31 32 33 34 35 36 37  38 39 0a ff              |0123456789..|",
      "0000005c",
      "",
    ].join("\n"),
  );
});

test("lines that repeat one another but are no single byte are all shown", () => {
  expect(hexdump(Buffer.from("abcdefghijklmnop".repeat(3))).split("\n")).toHaveLength(5);
});
