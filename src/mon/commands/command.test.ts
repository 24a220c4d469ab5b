import { expect, test } from "vitest";
import { firstValue } from "./command.ts";

test("a command of megabytes that never ends is read once, not again from each of its quotes", () => {
  const endless = `{"a": "${'\\"'.repeat(4 << 20)}`;
  expect(firstValue(endless)).toBe(endless);
});

test.each([
  ["nothing behind it", '{"prefix": "status"}', '{"prefix": "status"}'],
  ["a quote too many, as rbd sends it", '\n {"a": {"b": [1]}}"', '\n {"a": {"b": [1]}}'],
  ["braces and quotes in strings", '{"a": "}\\"{"} x', '{"a": "}\\"{"}'],
  ["no end", '{"a": {"b": 1}', '{"a": {"b": 1}'],
])("a command with %s is read up to its end", (_, text, value) => {
  expect(firstValue(text)).toBe(value);
});
