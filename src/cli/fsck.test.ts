import { describe, expect, test } from "vitest";
import { ConfigError } from "../base/index.ts";
import { parseFsckArguments, summary } from "./fsck.ts";
import { parseStoreArguments } from "./store.ts";
import { jsonFormat } from "./store-json.ts";
import { plainFormat } from "./store-plain.ts";

test("fsck takes one directory, and --deep", () => {
  expect(parseFsckArguments(["/d"])).toEqual({ directory: "/d", deep: false, help: false });
  expect(parseFsckArguments(["--deep", "d"])).toMatchObject({ directory: "d", deep: true });
  expect(parseFsckArguments(["-h"]).help).toBe(true);
});

test("store dump takes one directory and what to show of it", () => {
  const plain = { collection: undefined, object: undefined, format: plainFormat, help: false };
  expect(parseStoreArguments(["dump", "/d"])).toEqual({ directory: "/d", ...plain });
  const words = "dump d --collection 1.0 --object 1://a:head --format json".split(" ");
  expect(parseStoreArguments(words)).toEqual({
    directory: "d",
    collection: "1.0",
    object: "1://a:head",
    format: jsonFormat,
    help: false,
  });
  expect(parseStoreArguments(["--help"]).help).toBe(true);
});

describe("what can not be is said in one line", () => {
  test.each([
    [parseFsckArguments, [], /^fsck: one directory is needed/],
    [parseFsckArguments, ["a", "b"], /^fsck: one directory is needed/],
    [parseFsckArguments, [""], /^fsck: one directory is needed/],
    [parseFsckArguments, ["--repair", "a"], /^fsck: .*--repair/],
    [parseFsckArguments, ["--deep=yes", "a"], /^fsck: .*--deep/],
    [parseStoreArguments, [], /^store: 'dump' is all there is/],
    [parseStoreArguments, ["list", "a"], /^store: 'dump' is all there is/],
    [parseStoreArguments, ["dump"], /^store dump: one directory is needed/],
    [parseStoreArguments, ["dump", "a", "b"], /^store dump: one directory is needed/],
    [parseStoreArguments, ["dump", "a", "--object"], /^store: .*--object/],
    [parseStoreArguments, ["dump", "a", "--format", "xml"], /^--format xml: plain or json/],
    [parseStoreArguments, ["dump", "a", "--format", "toString"], /^--format toString: plain/],
  ])("%o %j", (parse, args, line) => {
    let caught: unknown;
    try {
      parse(args);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigError);
    const { message } = caught as ConfigError;
    expect(message).toMatch(line);
    expect(message).not.toContain("\n");
  });
});

describe("the line that sums up a store", () => {
  const sound = {
    faults: [],
    faultCount: 0,
    collections: 1,
    objects: 21,
    data: 8192,
    clean: true,
    complete: true,
  };

  test.each([
    [sound, true, "osd.0: sound; 1 collection, 21 objects, 8192 bytes of data, 1.50 s"],
    [sound, false, "osd.0: sound; 1 collection, 21 objects, 8192 bytes of data (not read), 1.50 s"],
    [
      { ...sound, objects: 1, collections: 2, clean: false },
      true,
      "osd.0: sound; 2 collections, 1 object, 8192 bytes of data, not closed cleanly, 1.50 s",
    ],
    [
      { ...sound, faults: ["x"], faultCount: 1 },
      true,
      "osd.0: 1 fault; 1 collection, 21 objects, 8192 bytes of data, 1.50 s",
    ],
    [
      { ...sound, faults: ["x", "y"], faultCount: 5, complete: false },
      true,
      "osd.0: 5 faults (the first 2 shown); the rest could not be checked; 1.50 s",
    ],
  ])("%#", (report, deep, line) => {
    expect(summary("osd.0", report, deep, 1.5)).toBe(line);
  });
});
