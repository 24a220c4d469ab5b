import { expect, test } from "vitest";
import { firstValue } from "./command.ts";

test.each([
  ["nothing behind it", '{"prefix": "status"}', '{"prefix": "status"}'],
  ["a quote too many, as rbd sends it", '\n {"a": {"b": [1]}}"', '\n {"a": {"b": [1]}}'],
  ["braces and quotes in strings", '{"a": "}\\"{"} x', '{"a": "}\\"{"}'],
  ["no end", '{"a": {"b": 1}', '{"a": {"b": 1}'],
])("a command with %s is read up to its end", (_, text, value) => {
  expect(firstValue(text)).toBe(value);
});
