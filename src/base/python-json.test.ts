import { expect, test } from "vitest";
import { PRETTY, PyFloat, pythonJson } from "./python-json.ts";

test("one line has blanks after commas and colons, and keys in their order", () => {
  expect(pythonJson({ b: [1, 2], a: null, ok: true })).toBe('{"b": [1, 2], "a": null, "ok": true}');
});

test("the pretty form sorts keys and indents by four; what is empty stays on its line", () => {
  expect(pythonJson({ b: [], a: { x: "y" } }, PRETTY)).toBe(
    '{\n    "a": {\n        "x": "y"\n    },\n    "b": []\n}',
  );
  expect(pythonJson([], PRETTY)).toBe("[]");
});

test("a float has a point, an integer has none", () => {
  expect(pythonJson([new PyFloat(0), new PyFloat(0.34375), 0])).toBe("[0.0, 0.34375, 0]");
});

test.each([
  [1e-4, "0.0001"],
  [2.9e-9, "2.9e-09"],
  [-1.5e-5, "-1.5e-05"],
  [145800032, "145800032.0"],
  [1e16, "1e+16"],
  [1234.5, "1234.5"],
  [0.5000000086923438, "0.5000000086923438"],
])("the float %d is written %s", (x, text) => {
  expect(pythonJson(new PyFloat(x))).toBe(text);
});

test("text is ASCII, whatever it was", () => {
  expect(pythonJson("Bäume\n\u{1f600}")).toBe('"B\\u00e4ume\\n\\ud83d\\ude00"');
});
