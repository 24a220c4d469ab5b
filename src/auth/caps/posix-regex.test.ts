import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { matchesWhole } from "./posix-regex.ts";

describe("an extended regular expression", () => {
  it.each([
    ["", "", true],
    ["a|b*", "bbb", true],
    ["(ab|a)(bc|c)", "abc", true],
    ["a{2,3}", "a", false],
    ["a{2,3}", "aaa", true],
    ["a{2,}", "aaaa", true],
    ["a{2}", "aaa", false],
    ["^a$", "a", true],
    ["a^b", "ab", false],
    ["a.c", "abc", true],
    ["a\\.c", "abc", false],
    ["[]a]+", "a]a", true],
    ["[^]a]", "]", false],
    ["[a\\]", "\\", true],
    ["[[:digit:]x-z]+", "1y", true],
    ["[[:digit:]x-z]+", "1w", false],
    ["[a-]+", "a-", true],
    ["(a*)*b", "aab", true],
  ])("%j, %j: %j", (expression, text, is) => {
    expect(matchesWhole(expression, text)).toBe(is);
  });

  it.each(["(", ")", "a)", "*a", "[a", "[[:nope:]]", "[z-a]", "a{2,1}", "a{256}", "a{x}", "\\"])(
    "that is none matches nothing: %j",
    (expression) => {
      for (const text of ["", "a", expression]) expect(matchesWhole(expression, text)).toBe(false);
    },
  );

  it("matches what JavaScript's does, where the two agree on the language", () => {
    const random = seededRandom(5);
    const pick = (from: readonly string[]) => from[random.below(from.length)] ?? "";
    const make = (depth: number): string => {
      const kind = depth === 0 ? 0 : random.below(5);
      if (kind === 1) return `(${make(depth - 1)}|${make(depth - 1)})`;
      if (kind === 2) return `(${make(depth - 1)})${pick(["*", "+", "?", "{1,2}"])}`;
      if (kind >= 3) return make(depth - 1) + make(depth - 1);
      return pick(["a", "b", ".", "[ab]", "[^b]", "c?", "b*"]);
    };
    for (let i = 0; i < 3000; i++) {
      const expression = make(3);
      const text = Array.from({ length: random.below(6) }, () => pick(["a", "b", "c"])).join("");
      expect(matchesWhole(expression, text), `${expression} on ${text}`).toBe(
        new RegExp(`^(?:${expression})$`).test(text),
      );
    }
  });
});
