/**
 * A line's words as a POSIX shell splits them: blanks between, quotes and backslashes to keep them.
 * ceph: src/ceph.in new_style_command, which uses Python's shlex.split
 */

import { CommandFailure } from "../client/index.ts";

/** @throws CommandFailure if a quote is not closed, or nothing follows on a backslash */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? "";
    if (quote !== undefined) {
      if (char === quote) {
        quote = undefined;
      } else if (char === "\\" && quote === '"' && /["\\]/.test(line[i + 1] ?? "")) {
        word += line[++i] ?? "";
      } else {
        word += char;
      }
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\") {
      if (i + 1 === line.length) throw new CommandFailure("No escaped character");
      word = (word ?? "") + (line[++i] ?? "");
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw new CommandFailure("No closing quotation");
  if (word !== undefined) words.push(word);
  return words;
}
