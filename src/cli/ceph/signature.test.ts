import { describe, expect, test } from "vitest";
import { chooseCommand } from "./choose.ts";
import { parseSignatures, usageLine } from "./signature.ts";

/** As a manager of 18.2 has them: arguments that may only be said by name. */
const signatures = parseSignatures(
  JSON.stringify({
    cmd000: {
      sig: [
        "orch",
        "ls",
        { name: "service_type", type: "CephString", req: "false" },
        { name: "export", type: "CephBool", req: "false", positional: "false" },
        {
          name: "format",
          type: "CephChoices",
          strings: "plain|json",
          req: "false",
          positional: false,
        },
        { name: "limit", type: "CephInt", req: "false", positional: "false" },
        { name: "hosts", type: "CephString", n: "N", req: "false", positional: "false" },
      ],
      help: "List services",
      flags: 8,
    },
    cmd001: { sig: ["orch", "rest"], help: "not for a command line", avail: "rest" },
  }),
);

const said = (words: string) => {
  const chosen = chooseCommand(signatures, words.split(" "));
  return "words" in chosen ? Object.fromEntries(chosen.words) : chosen.advice[0];
};

describe("arguments that are not positional", () => {
  test("are shown by their names", () => {
    expect(signatures.map(usageLine)).toEqual([
      "orch ls [<service_type>] [--export] [--format {plain|json}] [--limit <int>] [--hosts <value>...]",
    ]);
  });

  test("are taken by their names alone", () => {
    expect(said("orch ls mon --format json --limit=3 --export --hosts a,b --hosts c")).toEqual({
      prefix: "orch ls",
      service_type: "mon",
      format: "json",
      limit: 3n,
      export: true,
      hosts: ["a", "b", "c"],
    });
    expect(said("orch ls mon json")).toBe("Invalid command: Unexpected argument 'json'");
    expect(said("orch ls mon --format yaml")).toBe("Invalid command: yaml not in plain|json");
  });
});

test("commands of a type that is not known are refused by name", () => {
  const odd = JSON.stringify({ cmd000: { sig: ["x", { name: "y", type: "CephMoon" }] } });
  expect(() => parseSignatures(odd)).toThrow("unknown type CephMoon in a daemon's commands");
  expect(() => parseSignatures("{")).toThrow("the daemon's command descriptions are not JSON");
  expect(() => parseSignatures('{"cmd000":{}}')).toThrow("JSON descriptor cmd000 has no 'sig'");
});
