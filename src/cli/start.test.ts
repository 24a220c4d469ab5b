import { describe, expect, test } from "vitest";
import { ConfigError } from "../base/index.ts";
import { parseStartArguments } from "./start.ts";

/** The options without the log, which is a thing and not a value. */
function options(...args: string[]) {
  const { log, ...rest } = parseStartArguments(args).options;
  expect(log).toBeDefined();
  return rest;
}

test("nothing said: one cluster on this machine alone, on Ceph's port", () => {
  expect(options()).toEqual({
    data: "./data",
    listen: "127.0.0.1",
    port: 3300,
    memory: 256 * 2 ** 20,
    auth: "cephx",
    requireSecure: false,
  });
  expect(parseStartArguments([])).toMatchObject({ help: false, installConf: false });
});

test("everything said is taken", () => {
  const words = "--data /d --listen ::1 --port 0 --osds 3 --memory 2G --auth none --log debug";
  expect(options(...words.split(" "))).toEqual({
    data: "/d",
    listen: "::1",
    port: 0,
    osds: 3,
    memory: 2 * 2 ** 30,
    auth: "none",
    requireSecure: false,
  });
  expect(options("--require-secure").requireSecure).toBe(true);
  const parsed = parseStartArguments(["--install-conf", "--log", "debug"]);
  expect(parsed.installConf).toBe(true);
  expect(parsed.options.log?.debugOn).toBe(true);
  expect(parseStartArguments(["-h"]).help).toBe(true);
});

test("without authentication other machines are let in only by who understands", () => {
  const words = ["--auth", "none", "--i-understand", "--listen"];
  expect(options(...words, "0.0.0.0").auth).toBe("none");
  expect(options(...words, "fe80::1").auth).toBe("none");
  expect(options("--auth", "none", "--listen", "127.0.0.9").auth).toBe("none");
});

test("the number of OSDs is left open, so that an existing directory decides", () => {
  expect("osds" in options("--port", "0")).toBe(false);
});

test.each([
  ["1048576", 2 ** 20],
  ["64k", 64 * 2 ** 10],
  ["256M", 256 * 2 ** 20],
  ["256MB", 256 * 2 ** 20],
  ["1g", 2 ** 30],
])("--memory %s is %d bytes", (text, bytes) => {
  expect(options("--memory", text).memory).toBe(bytes);
});

describe("what can not be is said in one line that names the option and what would do", () => {
  test.each([
    [["--port", "70000"], /^--port 70000: a number from 0 to 65535 is needed$/],
    [["--port", "http"], /^--port http: a number/],
    [["--port", ""], /^--port : a number/],
    [["--port", "1.5"], /^--port 1.5: a number/],
    [["--port=-1"], /^--port -1: a number/],
    [
      ["--listen", "0.0.0.0", "--auth", "none"],
      /^--auth none with --listen 0.0.0.0: .*--i-understand$/,
    ],
    [["--osds", "0"], /^--osds 0: a number from 1 to 64 is needed$/],
    [["--osds", "65"], /^--osds 65: a number/],
    [["--osds", "1e1"], /^--osds 1e1: a number/],
    [["--memory", "lots"], /^--memory lots: not a size; try 256M$/],
    [["--memory", "1T"], /^--memory 1T: not a size/],
    [["--memory=-5M"], /^--memory -5M: not a size/],
    [["--auth", "kerberos"], /^--auth kerberos: cephx or none is needed$/],
    [["--auth", "None"], /^--auth None: /],
    [["--log", "loud"], /^--log loud: error, warn, info or debug is needed$/],
    [["--log", "toString"], /^--log toString: /],
    [["--listen", "localhost:3300"], /^--listen localhost:3300: an IP address/],
    [["--listen", "localhost"], /^--listen localhost: an IP address/],
    [["--data", ""], /^--data '': a directory is needed/],
    [["--colour"], /^start: .*--colour/],
    [["--port"], /^start: .*--port/],
    [["--install-conf=yes"], /^start: .*--install-conf/],
    [["mydata"], /^start: .*mydata/],
  ])("%j", (args, line) => {
    let caught: unknown;
    try {
      parseStartArguments(args);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigError);
    const { message } = caught as ConfigError;
    expect(message).toMatch(line);
    expect(message).not.toContain("\n");
  });
});
