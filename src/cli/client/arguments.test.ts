import { describe, expect, test } from "vitest";
import { takeOptions } from "./arguments.ts";
import { CommandFailure } from "./failure.ts";

const TABLE = {
  pool: { names: ["-p", "--pool"], value: "POOL" },
  runName: { names: ["--run-name"], value: "NAME" },
  all: { names: ["--all"] },
} as const;

describe("a command's own options", () => {
  test("stand anywhere, in each of their spellings; the last of several counts", () => {
    const words = "ls -p=a --run_name x --all one --pool b --run-name=y=z two".split(" ");
    const { options, rest } = takeOptions(words, TABLE);
    expect(Object.fromEntries(options)).toEqual({ pool: "b", runName: "y=z", all: "" });
    expect(rest).toEqual(["ls", "one", "two"]);
  });

  test("end at a double dash; what is no option is left as it is", () => {
    const { options, rest } = takeOptions(["--odd", "-", "--all=1", "--", "--all", "-p"], TABLE);
    expect([...options]).toEqual([]);
    expect(rest).toEqual(["--odd", "-", "--all=1", "--all", "-p"]);
  });

  test("that lack their value are refused", () => {
    expect(() => takeOptions(["ls", "--pool"], TABLE)).toThrow(
      new CommandFailure("Option --pool requires an argument."),
    );
  });
});
