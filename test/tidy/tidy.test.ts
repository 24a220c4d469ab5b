/**
 * The house rules that a machine can check, checked on every file of src/. Each finding names the file,
 * the line and the reason. The rules are data in layers.ts; that they can fail is tested below on made-up
 * files.
 */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import {
  BANNED,
  BANNED_MODULES,
  BELOW_TYPES,
  CODECS_ONLY,
  COMMON,
  DEEP_IMPORTS,
  DOORS,
  FILE_LINES_MAX,
  LAYERS,
  TABLE_MARK,
} from "./layers.ts";
import {
  codeLines,
  type Finding,
  readTree,
  resolveImport,
  type SourceFile,
  sourceFile,
} from "./scan.ts";

const LEFTOVERS: [RegExp, string][] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, "leftover"],
  [/\b(it|test|describe)\.(only|skip|todo)\b/, "a test that runs alone or not at all"],
  [/\bdebugger\b/, "leftover"],
  [/@ts-(ignore|nocheck|expect-error)\b/, "types are not switched off"],
  [/\beslint-disable\b|\boxlint-disable\b/, "lint is not switched off"],
  [/^(<<<<<<<|=======|>>>>>>>)( |$)/, "merge leftover"],
];

function mayImport(room: string): readonly string[] {
  const common = BELOW_TYPES.includes(room) ? COMMON.slice(0, COMMON.indexOf(room)) : COMMON;
  return [room, ...common, ...(LAYERS[room] ?? [])];
}

function checkImports(file: SourceFile): Finding[] {
  const found: Finding[] = [];
  for (const { line, specifier } of file.imports) {
    const at = `src/${file.path}:${line}`;
    const target = resolveImport(file.path, specifier);
    if (target === undefined) {
      if (file.isTest || DOORS.some((door) => door.test(file.path))) continue;
      const rule = BANNED_MODULES.find((banned) => banned.pattern.test(specifier));
      if (rule !== undefined && rule.except?.(file.path) !== true) {
        found.push({ at, what: `imports ${specifier}: ${rule.why}` });
      }
    } else if (target.startsWith("../")) {
      // Unit tests may use what the tests share; source may not.
      if (!file.isTest) found.push({ at, what: `imports ${target} from outside src` });
    } else {
      const problem = checkTarget(file, target);
      if (problem !== undefined) found.push({ at, what: problem });
    }
  }
  return found;
}

function checkTarget(file: SourceFile, target: string): string | undefined {
  const room = target.split("/")[0] ?? "";
  if (!mayImport(file.room).includes(room)) return `${file.room} may not import ${target}`;
  const codecsOnly = room === "cls" && CODECS_ONLY.includes(file.room);
  if (room === file.room) return undefined;
  if (target === `${room}/index.ts` && !codecsOnly) return undefined;
  if (DEEP_IMPORTS.some((allowed) => allowed.test(target))) return undefined;
  return `imports ${target} past the room's index.ts`;
}

function checkText(file: SourceFile): Finding[] {
  const found: Finding[] = [];
  const head = file.lines.slice(0, 12).join("\n");
  if (!file.isTest && !/^(#!.*\n)?\s*\/[/*]/.test(file.text)) {
    found.push({ at: `src/${file.path}:1`, what: "no comment at the head" });
  }
  if (file.lines.length > FILE_LINES_MAX + 1 && !TABLE_MARK.test(head)) {
    found.push({ at: `src/${file.path}`, what: `${file.lines.length} lines` });
  }
  const code = codeLines(file.text);
  const isDoor = DOORS.some((door) => door.test(file.path));
  for (const [index, line] of file.lines.entries()) {
    const at = `src/${file.path}:${index + 1}`;
    for (const [pattern, what] of LEFTOVERS) {
      if (pattern.test(line)) found.push({ at, what: `${what}: ${line.trim()}` });
    }
    if (isDoor || file.isTest) continue;
    for (const rule of BANNED) {
      if (!rule.pattern.test(code[index] ?? "") || rule.except?.(file.path) === true) continue;
      found.push({ at, what: `${rule.why}: ${line.trim()}` });
    }
  }
  return found;
}

function cycles(): string[] {
  const found: string[] = [];
  const visit = (room: string, path: string[]): void => {
    if (path.includes(room)) {
      found.push([...path, room].join(" > "));
      return;
    }
    for (const next of LAYERS[room] ?? []) visit(next, [...path, room]);
  };
  for (const room of Object.keys(LAYERS)) visit(room, []);
  return found;
}

describe("the tree", () => {
  const files = readTree(resolve("src"));

  test("every folder of src is a room of the table", () => {
    const rooms = new Set(files.map((file) => file.room).filter((room) => room !== ""));
    expect([...rooms].filter((room) => LAYERS[room] === undefined)).toEqual([]);
  });

  test("the table itself only goes down", () => {
    expect(cycles()).toEqual([]);
  });

  test("imports go down, and through the other room's index", () => {
    expect(files.flatMap(checkImports).map(show)).toEqual([]);
  });

  test("heads, sizes, banned globals, leftovers", () => {
    expect(files.flatMap(checkText).map(show)).toEqual([]);
  });
});

describe("the rules can fail", () => {
  const imports = (path: string, text: string): string[] =>
    checkImports(sourceFile(path, text)).map((finding) => finding.what);
  const texts = (path: string, text: string): string[] =>
    checkText(sourceFile(path, text)).map((finding) => finding.what);

  test.each([
    ["upward", "store/x.ts", 'import { a } from "../osd/index.ts";', /store may not import osd/],
    ["types from below", "encoding/x.ts", 'export * from "../types/index.ts";', /may not import/],
    ["past the index", "osd/a/x.ts", 'import type { A } from "../../store/kv.ts";', /past/],
    ["dynamic", "maps/x.ts", 'await import("../mon/index.ts");', /may not import/],
    ["the classes' methods", "rbd/x.ts", 'import { a } from "../cls/index.ts";', /past/],
    ["the tests", "base/x.ts", 'import { a } from "../../test/harness/run.ts";', /outside src/],
    ["sockets", "osd/x.ts", 'import { connect } from "node:net";', /sockets/],
    ["files", "osd/x.ts", 'import { open } from "node:fs/promises";', /files/],
    ["over several lines", "auth/x.ts", 'import {\n  a,\n  b,\n} from "../mon/index.ts";', /auth/],
  ])("an import %s is found", (_, path, text, what) => {
    expect(imports(path, text)).toEqual([expect.stringMatching(what)]);
  });

  test.each([
    ["osd/x.ts", 'import { a } from "../store/index.ts";'],
    ["osd/a/x.ts", 'import { a } from "../b.ts";'],
    ["osd/x.ts", 'import { a } from "../cls/lock/ops.ts";'],
    ["messenger/transport/tcp.ts", 'import { connect } from "node:net";'],
    ["store/disk/file.ts", 'import { open } from "node:fs/promises";'],
    ["cluster/x.ts", 'import { readFile } from "node:fs/promises";'],
  ])("%s may say %s", (path, text) => {
    expect(imports(path, text)).toEqual([]);
  });

  test.each([
    ["no head", "export const a = 1;", /no comment/],
    ["time", "// Head.\nconst t = Date.now();", /base\/clock/],
    ["a timer", "// Head.\nsetTimeout(() => a(), 5);", /base\/clock/],
    ["dice", "// Head.\nconst t = Math.random();", /base\/random/],
    ["console", "// Head.\nconsole.log(1);", /command line/],
    ["a leftover", `// Head.\n// TODO later`, /leftover/],
    ["length", `// Head.\n${"a;\n".repeat(700)}`, /lines/],
  ])("%s is found", (_, text, what) => {
    expect(texts("osd/x.ts", text)).toEqual([expect.stringMatching(what)]);
  });

  test("what stands in comments and strings is not code", () => {
    const text = '// Date.now() is banned.\nconst a = "Math.random()"; /* console.log */\n';
    expect(texts("osd/x.ts", text)).toEqual([]);
  });
});

function show(finding: Finding): string {
  return `${finding.at}: ${finding.what}`;
}
