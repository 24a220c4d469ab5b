import { describe, expect, test } from "vitest";
import { CommandFailure } from "../client/index.ts";
import { Call } from "./call.ts";
import { runsOf } from "./diff-file.ts";
import { parseBytes } from "./options.ts";
import { findVerb, parseVerb, plainWords } from "./parse.ts";
import { inOrder, Throttle } from "./pipeline.ts";
import { checkSpec, readSpec, type Spec } from "./spec.ts";
import { left, right, textTable } from "./table.ts";
import { VERBS } from "./verbs.ts";

function parsed(line: string) {
  const args = line.split(" ");
  const found = findVerb(plainWords(args, VERBS), VERBS);
  if (found === undefined) throw new Error(`no verb in ${line}`);
  return { verb: found.verb.name, ...parseVerb(found.verb, found.name, args) };
}

describe("a command line", () => {
  test("has its verb's words anywhere among the options", () => {
    const { verb, words, options } = parsed("-prbd snap --no-progress create --snap=s image");
    expect(verb).toBe("snap create");
    expect(words).toEqual(["image"]);
    expect(Object.fromEntries(options)).toEqual({ pool: "rbd", snap: "s", "no-progress": true });
  });

  test("takes the longest verb, and aliases", () => {
    expect(parsed("trash purge schedule list").verb).toBe("trash purge schedule list");
    expect(parsed("trash purge pool").verb).toBe("trash purge");
    expect(parsed("deep cp a b").verb).toBe("deep copy");
    expect(findVerb(["snap", "foo"], VERBS)).toBeUndefined();
  });

  // As 16.2.15 says it.
  test.each([
    ["ls --bogus", "rbd: unrecognised option '--bogus'"],
    ["info --pool", "rbd: the required argument for option '--pool' is missing"],
    ["info a b", "rbd: too many arguments"],
    ["create --size x a", "rbd: the argument for option '--size' is invalid"],
    ["create --stripe-count x a", "rbd: the argument ('x') for option '--stripe-count' is invalid"],
    ["trash purge --threshold 1x", "rbd: the argument ('1x') for option '--threshold' is invalid"],
    ["children --snap-id x a", "rbd: the argument ('x') for option '--snap-id' is invalid"],
    ["ls -p a -p b", "rbd: option '--pool' cannot be specified more than once"],
  ])("that is wrong is refused: %s", (line, message) => {
    expect(() => parsed(line)).toThrow(new CommandFailure(message));
  });

  test("has short options in one word", () => {
    const { words, options } = parsed("trash ls -al rbd");
    expect(words).toEqual(["rbd"]);
    expect([...options.keys()]).toEqual(["all", "long"]);
  });

  test("adds up features that are given one by one", () => {
    const { options } = parsed("create --image-feature layering --image-feature striping x");
    expect(options.get("image-feature")).toBe(3n);
  });
});

test("an image is not made that would only seem to be mirrored", () => {
  const { words, options } = parsed("clone --mirror-image-mode snapshot a@s b");
  const args = { noConfigFile: true, noMonConfig: true, options: new Map(), rest: [] };
  expect(() => new Call(args, words, options).createOptions()).toThrow(CommandFailure);
});

test("no two verbs have one name", () => {
  const names = VERBS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
  expect(new Set(names).size).toBe(names.length);
});

test("sizes are bytes, with powers of 1024 by their letters", () => {
  const sizes = ["7", "4K", "+1Mi", "1MB", "2G"];
  expect(sizes.map(parseBytes)).toEqual([7, 4096, 1 << 20, 1 << 20, 2 ** 31]);
  for (const none of ["x", "1X", "-1", "1MiB", "4k", "1.5G", ""]) {
    expect(parseBytes(none), none).toBeUndefined();
  }
});

describe("a spec", () => {
  const none: Spec = { pool: "", namespace: "", name: "", snapshot: "" };
  const read = (word: string) => {
    const spec = { ...none };
    readSpec(word, spec, "none");
    return spec;
  };

  test("names pool, namespace, image and snapshot", () => {
    expect(read("p/n/i@s")).toEqual({ pool: "p", namespace: "n", name: "i", snapshot: "s" });
    expect(read("p/i")).toEqual({ ...none, pool: "p", name: "i" });
  });

  test("may not have more in it than there is to name", () => {
    const full = () => readSpec("a/b/c/d", { ...none }, "full");
    expect(full).toThrow(new CommandFailure("rbd: invalid spec 'a/b/c/d'", 22));
    const rules = { noun: "image", prefix: "", isOptional: false, check: "none" } as const;
    expect(() => checkSpec(read("i@s"), { ...rules, snapshot: "none" })).toThrow(
      new CommandFailure("rbd: snapshot name specified for a command that doesn't use it", 22),
    );
    expect(() => checkSpec(read("i"), { ...rules, snapshot: "required" })).toThrow(
      new CommandFailure("rbd: snapshot name was not specified", 22),
    );
  });
});

test("a table's columns are filled up, the last one too", () => {
  const table = textTable(
    [left("NAME"), right("SIZE")],
    [
      ["long name", "1 B"],
      ["x", "10 MiB"],
    ],
  );
  expect(table).toBe("NAME       SIZE  \nlong name     1 B\nx          10 MiB\n");
});

test("runs of zeros end where a unit has something else", () => {
  const data = Buffer.alloc(10);
  data[5] = 1;
  const runs = [...runsOf(data, 4)];
  expect(runs).toEqual([
    { start: 0, end: 4, isZero: true },
    { start: 4, end: 8, isZero: false },
    { start: 8, end: 10, isZero: true },
  ]);
  expect([...runsOf(Buffer.alloc(10), 0)]).toEqual([{ start: 0, end: 10, isZero: false }]);
});

describe("several requests at a time", () => {
  test("end in their order, however long each takes", async () => {
    const done: number[] = [];
    const wait = async (turns: number) => {
      for (let i = 0; i < turns; i++) await Promise.resolve();
    };
    await inOrder([30, 1, 20, 2], wait, async (_, turns) => void done.push(turns));
    expect(done).toEqual([30, 1, 20, 2]);
  });

  test("are no more than so many, and the first failure comes out", async () => {
    const throttle = new Throttle(2);
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      for (let i = 0; i < 9; i++) await Promise.resolve();
      running--;
    };
    for (let i = 0; i < 6; i++) await throttle.start(work);
    await throttle.done();
    expect(most).toBe(2);
    await throttle.start(async () => {
      throw new Error("broken");
    });
    await expect(throttle.done()).rejects.toThrow("broken");
  });
});
