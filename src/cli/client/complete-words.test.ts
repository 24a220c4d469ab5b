/** What the last word of a command line may become. */
import { describe, expect, it, test } from "vitest";
import { VERBS } from "../verbs.ts";
import { completeWords } from "./complete-words.ts";

const OPTIONS = [
  { names: ["-p", "--pool"], takesValue: true },
  { names: ["--format"], takesValue: true, choices: ["xml", "json"] },
  { names: ["--all"], takesValue: false },
];
const VERB_WORDS: Readonly<Record<string, readonly string[]>> = { "": ["ls", "put"], put: ["-"] };

describe("a last word", () => {
  const complete = (line: string) =>
    completeWords(line.split(" "), OPTIONS, (before) => VERB_WORDS[before.join(" ")] ?? []);

  it.each([
    ["", ["ls", "put"]],
    ["l", ["ls"]],
    ["--all l", ["ls"]],
    ["-p rbd l", ["ls"]],
    ["--unknown l", ["ls"]],
    ["-", ["--all", "--format", "--pool", "-p"]],
    ["ls --a", ["--all"]],
    ["-p ", []],
    ["-p -", []],
    ["--format ", ["json", "xml"]],
    ["--format x", ["xml"]],
    // As bash has `--format=x` and `--pool=rbd l`.
    ["--format = x", ["xml"]],
    ["--pool = rbd l", ["ls"]],
    ["ls x", []],
    ["put ", ["-"]],
  ])("of '%s'", (line, expected) => {
    expect(complete(line)).toEqual(expected);
  });

  it("is told from a known option's value though that option may not stand there", () => {
    const known = [{ names: ["-s"], takesValue: true }];
    const next = (before: readonly string[]) => (before.length === 0 ? ["ls"] : []);
    expect(completeWords(["-s", "x", "l"], [], next, known)).toEqual(["ls"]);
    expect(completeWords(["-"], [], next, known)).toEqual([]);
  });
});

test.each(Object.keys(VERBS))(
  "%s knows its options, or its words",
  async (name) => {
    const verb = VERBS[name];
    const options = (await verb?.complete(["-"])) ?? [];
    expect(options.every((option) => option.startsWith("-"))).toBe(true);
    const words = name === "ceph" ? [] : ((await verb?.complete([""])) ?? []);
    expect(options.length + words.length).toBeGreaterThan(0);
    // Loading a server's rooms takes its time on a busy machine.
  },
  60_000,
);

test("rbd's verbs are completed word by word, and have their own options", async () => {
  const complete = async (line: string) => await VERBS["rbd"]?.complete(line.split(" "));
  expect(await complete("sna")).toEqual(["snap"]);
  expect(await complete("snap l")).toEqual(["limit", "list", "ls"]);
  expect(await complete("help snap ren")).toEqual(["rename"]);
  expect(await complete("snap ls --f")).toEqual(["--format"]);
  expect(await complete("--for")).toEqual([]);
  expect(await complete("ls --format j")).toEqual(["json"]);
});
