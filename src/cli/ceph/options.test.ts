import { describe, expect, test } from "vitest";
import { CommandFailure } from "../client/index.ts";
import { parseOptions } from "./options.ts";

const parse = (line: string) => {
  const { options, rest } = parseOptions(line === "" ? [] : line.split(" "));
  return { options: Object.fromEntries(options), rest };
};

// Each as Python's argparse reads it, with the original's options.
describe("options of the ceph command", () => {
  test.each<[string, Record<string, string>, string[]]>([
    ["", {}, []],
    ["osd tree -f json", { format: "json" }, ["osd", "tree"]],
    ["-fjson osd tree", { format: "json" }, ["osd", "tree"]],
    ["--format=json-pretty osd tree", { format: "json-pretty" }, ["osd", "tree"]],
    ["--form xml osd tree", { format: "xml" }, ["osd", "tree"]],
    ["-sf json", { status: "", format: "json" }, []],
    ["-f json -f xml", { format: "xml" }, []],
    [
      "osd pool rm a a --yes-i-really-really-mean-it",
      {},
      "osd pool rm a a --yes-i-really-really-mean-it".split(" "),
    ],
    ["--user x -n client.y --id z", { id: "z", name: "client.y" }, []],
    ["put -i - -o out", { inFile: "-", outFile: "out" }, ["put"]],
    ["-p -1 iostat", { period: "-1" }, ["iostat"]],
    ["osd -1 x", {}, ["osd", "-1", "x"]],
    ["ls -- -s --format json", {}, ["ls", "--", "-s", "--format", "json"]],
    ["-k keyring --debug_ms 1 -s", { status: "" }, ["-k", "keyring", "--debug_ms", "1"]],
    ["--verbose --concise -w", { concise: "", watch: "" }, []],
    ["--watch-w", { watchWarn: "" }, []],
  ])("%s", (line, options, rest) => {
    expect(parse(line)).toEqual({ options, rest });
  });

  test.each([
    ["-f", "argument -f/--format: expected one argument"],
    ["-f -s", "argument -f/--format: expected one argument"],
    ["-i -- x", "argument -i/--in-file: expected one argument"],
    [
      "-f foo",
      "argument -f/--format: invalid choice: 'foo' (choose from 'json', 'json-pretty', 'xml', 'xml-pretty', 'plain', 'yaml')",
    ],
    ["--connect-timeout 1.5", "argument --connect-timeout: invalid int value: '1.5'"],
    ["-p x", "argument --period/-p: invalid float value: 'x'"],
    ["-sx", "argument -s/--status: ignored explicit argument 'x'"],
    ["--status=1", "argument -s/--status: ignored explicit argument '1'"],
    ["--set x", "ambiguous option: --set could match --setuser, --setgroup"],
  ])("%s is refused", (line, message) => {
    const failure = (() => {
      try {
        return parse(line);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(CommandFailure);
    const { message: said, exitCode } = failure as CommandFailure;
    expect([said.split("\n")[0], exitCode]).toEqual([`ceph: error: ${message}`, 2]);
  });
});
