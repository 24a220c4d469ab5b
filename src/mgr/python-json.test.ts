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

test("text is ASCII, whatever it was", () => {
  expect(pythonJson("Bäume\n\u{1f600}")).toBe('"B\\u00e4ume\\n\\ud83d\\ude00"');
});
