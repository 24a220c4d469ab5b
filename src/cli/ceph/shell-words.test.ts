import { expect, test } from "vitest";
import { splitWords } from "./shell-words.ts";

// As Python's shlex.split has them.
test.each<[string, string[]]>([
  ["osd pool ls", ["osd", "pool", "ls"]],
  ["  a \t b  ", ["a", "b"]],
  ["", []],
  ["''", [""]],
  [`log "two words" 'and "more"'`, ["log", "two words", 'and "more"']],
  [`a"b c"d`, ["ab cd"]],
  [String.raw`"a\"b\\c\d" 'x\y' z\ z`, [String.raw`a"b\c\d`, String.raw`x\y`, "z z"]],
])("%s", (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each([
  [`log "open`, "No closing quotation"],
  ["log 'open", "No closing quotation"],
  ["log open\\", "No escaped character"],
])("%s is refused", (line, message) => {
  expect(() => splitWords(line)).toThrow(message);
});
