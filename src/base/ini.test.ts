/** INI text: what ceph.conf and keyrings may hold, and what is refused with its line. */
import { describe, expect, it } from "vitest";
import { type IniSection, parseIni } from "./ini.ts";

function values(text: string): Record<string, string>[] {
  const sections = parseIni(text);
  if (!Array.isArray(sections)) throw new Error(`line ${sections.line}: ${sections.reason}`);
  return sections.map(({ settings }: IniSection) =>
    Object.fromEntries(settings.map(({ name, value }) => [name, value])),
  );
}

describe("INI text", () => {
  it("has sections in their order, each as often as it is written", () => {
    const sections = parseIni("[global]\nfsid = a\n[client.x]\n\n[global]\nfsid = b\n");
    expect(sections).toMatchObject([
      { line: 1, name: "global", settings: [{ line: 2, name: "fsid", value: "a" }] },
      { line: 3, name: "client.x", settings: [] },
      { line: 5, name: "global", settings: [{ line: 6, name: "fsid", value: "b" }] },
    ]);
  });

  it.each([
    [
      "names of several words",
      "mon  host = a\nmon_host_override=b",
      { mon_host: "a", mon_host_override: "b" },
    ],
    ["comments", "# x\na = 1 # one\n; y\nb = 2;two", { a: "1", b: "2" }],
    ["quotes of both kinds", `a = "x # y"\nb = 'it "is"' ; so`, { a: "x # y", b: 'it "is"' }],
    ["escapes", 'a = x \\# y\nb = "say \\"x\\""', { a: "x # y", b: 'say "x"' }],
    ["continued lines", "a = 1,\\\n  2\nb = 3", { a: "1,  2", b: "3" }],
    ["an empty value, and no line end at the end", "a =\nb = 1", { a: "", b: "1" }],
  ])("reads %s", (_what, text, expected) => {
    expect(values(`[global]\n${text}`)).toEqual([expected]);
  });

  it.each([
    ["setting before any section", "a = 1", 1],
    ["an open section heading", "\n[client.a\n", 2],
    ["a line without =", "[global]\nnonsense", 2],
    ["an open quote", '[global]\na = "1', 2],
    ["something after a closed quote", '[global]\na = "1" 2', 2],
  ])("is refused for %s, by its line", (_what, text, line) => {
    expect(parseIni(text)).toMatchObject({ line });
  });
});
