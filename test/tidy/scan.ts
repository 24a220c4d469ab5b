/**
 * Reads source files for the tidy test: imports with their line, code without comments and strings, and
 * the head comment. A small scanner, not a parser: it knows strings, template strings, comments and
 * nothing else, which is all that the rules need.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";

export interface SourceFile {
  /** Path below src, with slashes. */
  path: string;
  room: string;
  /** A test, or something only tests use (`testing/`). */
  isTest: boolean;
  text: string;
  lines: string[];
  imports: { line: number; specifier: string }[];
}

export interface Finding {
  at: string;
  what: string;
}

export function readTree(root: string): SourceFile[] {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => {
      const path = relative(root, join(root, name)).replaceAll("\\", "/");
      return sourceFile(path, readFileSync(join(root, name), "utf8"));
    });
}

export function sourceFile(path: string, text: string): SourceFile {
  return {
    path,
    room: path.includes("/") ? (path.split("/")[0] ?? "") : "",
    isTest: path.endsWith(".test.ts") || path.includes("/testing/"),
    text,
    lines: text.split("\n"),
    imports: findImports(text),
  };
}

/** Static and dynamic imports and re-exports, types included: a type import is a dependency too. */
function findImports(text: string): { line: number; specifier: string }[] {
  const pattern =
    /^(?:import|export)\b[^;'"`]*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const end = (match.index ?? 0) + match[0].length;
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return { line: text.slice(0, end).split("\n").length, specifier };
  });
}

/** Path below src that a relative import names, or undefined for packages and Node's modules. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.normalize(posix.join(dirname(from), specifier));
}

/** The code of a file line by line, comments and contents of strings replaced by blanks. */
export function codeLines(text: string): string[] {
  const pattern =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{[^}]*\}|[^`\\])*`/g;
  return text.replace(pattern, (found) => found.replace(/[^\n]/g, " ")).split("\n");
}
