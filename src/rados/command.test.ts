import { expect, test } from "vitest";
import { PyFloat } from "../base/index.ts";
import { textOf } from "../encoding/index.ts";
import { commandWords } from "./command.ts";

test("a command is JSON as ceph sends it, in which a float is written as one though it is whole", () => {
  const args = {
    prefix: "osd blocklist",
    expire: new PyFloat(3600),
    half: new PyFloat(0.5),
    whole: 3600,
    absent: undefined,
    list: ["a", 1],
    name: 'Größe "x"',
  };
  const [text = ""] = commandWords(args).cmd;
  // As Python writes it: a real monitor's parser has never seen it otherwise from `ceph`.
  expect(textOf(text)).toBe(
    '{"prefix": "osd blocklist", "expire": 3600.0, "half": 0.5, "whole": 3600, "list": ["a", 1], ' +
      String.raw`"name": "Gr\u00f6\u00dfe \"x\""}`,
  );
});
