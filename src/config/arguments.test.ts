/** The words that all of Ceph's commands take, apart from a command's own. */
import { describe, expect, it } from "vitest";
import { parseCephArguments, withEnvironment } from "./arguments.ts";

function parse(line: string) {
  const parsed = parseCephArguments(line.split(" "));
  if ("error" in parsed) throw new Error(parsed.error);
  return { ...parsed, options: Object.fromEntries(parsed.options) };
}

describe("arguments of every command", () => {
  it("name the cluster and the client", () => {
    expect(parse("-c /x.conf --cluster c ls -n client.a --id b -p rbd")).toMatchObject({
      conf: "/x.conf",
      cluster: "c",
      name: "client.a",
      id: "b",
      rest: ["ls", "-p", "rbd"],
    });
    expect(parse("--conf=/y --user u").conf).toBe("/y");
    expect(parse("--no-config-file").noConfigFile).toBe(true);
    expect(parse("--no-mon-config").noMonConfig).toBe(true);
  });

  it.each([
    ["-m 1.2.3.4 -k /k -K /f", { mon_host: "1.2.3.4", keyring: "/k", keyfile: "/f" }],
    ["--mon-host a --rbd_default_order=23", { mon_host: "a", rbd_default_order: "23" }],
    ["--rbd-cache false", { rbd_cache: "false" }],
    ["--rbd-cache", { rbd_cache: "true" }],
    ["--no-rbd-cache", { rbd_cache: "false" }],
    ["--rbd_cache=false", { rbd_cache: "false" }],
  ])("set options: %s", (line, options) => {
    expect(parse(line)).toMatchObject({ options, rest: [] });
  });

  it("leave words that are no option's alone, and all behind --", () => {
    expect(parse("--rbd-cache ls").rest).toEqual(["ls"]);
    expect(parse("create --size 1G x").rest).toEqual(["create", "--size", "1G", "x"]);
    expect(parse("put -- --id x")).toMatchObject({ rest: ["put", "--", "--id", "x"] });
  });

  it("are refused where a value is missing", () => {
    expect(parseCephArguments(["ls", "--id"])).toEqual({
      error: "Option --id requires an argument.",
    });
  });

  it("stand behind those of CEPH_ARGS", () => {
    expect(withEnvironment("--id a  -- x", ["ls", "--", "y"])).toEqual([
      "--id",
      "a",
      "ls",
      "--",
      "x",
      "y",
    ]);
    expect(withEnvironment(undefined, ["ls"])).toEqual(["ls"]);
  });
});
