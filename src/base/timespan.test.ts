import { describe, expect, test } from "vitest";
import { parseTimespan } from "./timespan.ts";

describe("spans of time in words", () => {
  test.each([
    ["90", 90],
    ["90m", 5400],
    ["3d4h5m6s", 273_906],
    ["2 hours 3 minutes", 7380],
    [" 1 week ", 604_800],
    ["5month", 12_960_000],
    ["0s", 0],
    ["", 0],
  ])("'%s' is %d seconds", (text, seconds) => {
    expect(parseTimespan(text)).toBe(seconds);
  });

  test.each([
    ["x", "expected digit"],
    ["-5", "expected digit"],
    ["1.5h", "unexpected trailing '.5h'"],
    ["5ms", "unrecogized unit 'ms'"],
    ["1h x", "expected digit"],
  ])("'%s' is none: %s", (text, error) => {
    expect(parseTimespan(text)).toEqual({ error });
  });
});
