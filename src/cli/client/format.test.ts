import { describe, expect, test } from "vitest";
import type { Json } from "../../encoding/index.ts";
import { ListWriter, renderFormat, STRUCTURED_FORMATS } from "./format.ts";

const NAMES = { root: "objects", item: "object" };

describe("a list that is written item by item", () => {
  test("reads as if it had been written at once, in every format", () => {
    const lists: Json[][] = [[], [{ name: "a" }], [{ name: "a" }, { name: "b", at: [1] }]];
    for (const format of STRUCTURED_FORMATS) {
      for (const list of lists) {
        const writer = new ListWriter(format, NAMES);
        const text = [writer.begin(), ...list.map((item) => writer.item(item)), writer.end()];
        const whole = renderFormat(list, format, { root: "objects", items: { objects: "object" } });
        expect(text.join(""), `${format} of ${list.length}`).toBe(whole);
      }
    }
  });
});
