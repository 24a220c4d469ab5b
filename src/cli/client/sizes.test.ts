import { expect, test } from "vitest";
import { parseIecSize } from "./sizes.ts";

test("sizes have binary units, with or without an i, and no others", () => {
  for (const [text, size] of [
    ["0", 0],
    ["4096", 4096],
    ["4K", 4096],
    ["4Ki", 4096],
    ["3M", 3 * 1024 ** 2],
    ["1B", 1],
  ] as const) {
    expect(parseIecSize(text), text).toBe(size);
  }
});

// As 16.2.15 words them.
test("what is no size is said in the original's words", () => {
  for (const [text, error] of [
    ["", "strict_iecstrtoll: value not specified"],
    ["4k", "strict_iecstrtoll: unit prefix not recognized"],
    ["4KiB", "strict_iecstrtoll: illegal prefix (length > 2)"],
    ["4Bi", 'strict_iecstrtoll: illegal prefix "Bi"'],
    ["-1", "strict_iecstrtoll: value should not be negative"],
    ["K", "Expected option value to be integer, got ''"],
    ["16E", "strict_iecstrtoll: value seems to be too large"],
  ] as const) {
    expect(parseIecSize(text), text).toEqual({ error });
  }
});
