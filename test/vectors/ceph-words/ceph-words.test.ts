/**
 * What the original `ceph` command makes of words, held with ours: commands, errors and advice, completions,
 * targets, help.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pythonJson } from "../../../src/base/index.ts";
import { ArgumentError } from "../../../src/cli/ceph/argument-error.ts";
import { chooseCommand } from "../../../src/cli/ceph/choose.ts";
import { commandJson } from "../../../src/cli/ceph/command-json.ts";
import { completions } from "../../../src/cli/ceph/complete.ts";
import { helpText } from "../../../src/cli/ceph/help-text.ts";
import { parseSignatures } from "../../../src/cli/ceph/signature.ts";
import { findTarget } from "../../../src/cli/ceph/target.ts";

interface Case {
  readonly daemon: string;
  readonly words: string[];
  /** JSON, or null if the words are no command. */
  readonly command: string | null;
  /** What was said on stderr. */
  readonly said: string;
}

interface Others {
  readonly targets: { words: string[]; target: [string, string | number | null] | string }[];
  readonly completions: { words: string[]; out: string }[];
  readonly help: Record<string, string>;
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as unknown;
const described = read("descriptions.json") as Record<string, unknown>;
const cases = read("cases.json") as Case[];
const others = read("others.json") as Others;

const signatures = Object.fromEntries(
  Object.entries(described).map(([name, x]) => [name, parseSignatures(JSON.stringify(x))]),
);
const of = (daemon: string) => signatures[daemon] ?? [];

describe("words are the command that the original makes of them, or refused in its words", () => {
  test.each(cases)("$daemon: $words", ({ daemon, words, command, said }) => {
    const chosen = chooseCommand(of(daemon), words);
    const advice = "advice" in chosen ? chosen.advice.map((line) => `${line}\n`).join("") : "";
    expect(advice).toBe(said);
    expect("words" in chosen ? pythonJson(commandJson(chosen)) : null).toBe(command);
  });
});

test("words go to whom the original sends them", () => {
  for (const { words, target } of others.targets) {
    let found: unknown;
    try {
      const { type, ...rest } = findTarget(words);
      found = [type, "id" in rest ? rest.id : ""];
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      found = error.message;
    }
    const wanted = typeof target === "string" ? target : [target[0], String(target[1] ?? "")];
    expect(found, words.join(" ")).toEqual(wanted);
  }
});

test("words are completed as the original completes them", () => {
  for (const { words, out } of others.completions) {
    expect(`${completions(of("mon"), words).join("\n")}\n`, words.join(" ")).toBe(out);
  }
});

test("help is in the original's columns", () => {
  expect(helpText(of("osd"), 80)).toBe(others.help["osd"]);
  expect(helpText(of("mon"), 80, "osd pool")).toBe(others.help["mon of 'osd pool'"]);
});
