import { assert, property, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { byteString, nameBytes, nameText, printable } from "./index.ts";

test.each([
  ["", ""],
  ["rbd_data.10.00", "rbd_data.10.00"],
  ["a b/c:d", "a b/c:d"],
  [byteString("größe 東京 🦑"), "größe 東京 🦑"],
])("a name that is text shows as it is: %j", (bytes, shown) => {
  expect(printable(bytes)).toBe(shown);
});

test.each([
  ["100%", "100%25"],
  ["two\nlines\t", "two%0alines%09"],
  ["\x1b[2J\x7f\x00", "%1b[2J%7f%00"],
  ["\xff\xfeplain", "%ff%feplain"],
  // One byte that is not UTF-8: nothing in it is taken for text.
  [`${byteString("é")}\xff`, "%c3%a9%ff"],
  [byteString("line\u2028end"), "line%e2%80%a8end"],
  [byteString("\u202edrow"), "%e2%80%aedrow"],
  [byteString("\u009bm"), "%c2%9bm"],
])("what is not text, or would act on a terminal, shows as bytes: %j", (bytes, shown) => {
  expect(printable(bytes)).toBe(shown);
});

test.each([
  ["rbd_data.1", "rbd_data.1"],
  [byteString("größe 🦑"), "größe 🦑"],
  ["a\xffb", "a\udcffb"],
  // A surrogate in UTF-8's manner is no UTF-8, nor is a sequence that is longer than it need be.
  ["\xed\xb2\x80", "\udced\udcb2\udc80"],
  ["\xc0\x80", "\udcc0\udc80"],
])("a name of any bytes has a text that leads back: %j", (bytes, text) => {
  expect(nameText(bytes)).toBe(text);
  expect(nameBytes(text)).toBe(bytes);
});

test("every name leads back to its bytes", () => {
  const anyBytes = uint8Array({ maxLength: 12 }).map((b) => Buffer.from(b).toString("latin1"));
  assert(property(anyBytes, (bytes) => nameBytes(nameText(bytes)) === bytes));
});
