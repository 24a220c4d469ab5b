import { describe, expect, test } from "vitest";
import { createLogger, LOG_LEVEL, type LogFields, type LogLevel, silentLogger } from "./log.ts";

const LEVELS = Object.keys(LOG_LEVEL) as LogLevel[];
const AT_MS = Date.UTC(2026, 10, 23, 4, 27, 22, 123);

function logAt(level: LogLevel, subsystem?: string) {
  const lines: [LogLevel, string][] = [];
  const log = createLogger({
    level,
    now: () => AT_MS,
    sink: (lineLevel, line) => lines.push([lineLevel, line]),
    ...(subsystem === undefined ? {} : { subsystem }),
  });
  return { log, lines };
}

test("a line is time, level, subsystem, event, fields", () => {
  const { log, lines } = logAt("info", "mon.a");
  log.info("map", { epoch: 7, tid: 12n, full: true });
  expect(lines).toEqual([
    ["info", "2026-11-23T04:27:22.123Z info mon.a: map epoch=7 tid=12 full=true"],
  ]);
});

test("a text that could be taken for more than one field is quoted; an absent field is left out", () => {
  const { log, lines } = logAt("info", "x");
  log.info("e", {
    a: "two words",
    b: 'q"uote',
    c: "k=v",
    d: "line\nbreak",
    e: undefined,
    f: "plain",
  });
  expect(lines[0]?.[1]).toContain(
    String.raw`a="two words" b="q\"uote" c="k=v" d="line\nbreak" f=plain`,
  );
  expect(lines[0]?.[1]).not.toContain("\n");
});

describe("levels", () => {
  test.each(LEVELS)("%s lets through itself and what is graver, nothing else", (level) => {
    const { log, lines } = logAt(level);
    for (const each of LEVELS) log[each]("event");
    const expected = LEVELS.filter((each) => LOG_LEVEL[each] <= LOG_LEVEL[level]);
    expect(lines.map(([at]) => at)).toEqual(expected);
    expect(log.debugOn).toBe(level === "debug");
  });

  test("a line below the level is not even built", () => {
    const { log, lines } = logAt("warn");
    const fields: LogFields = Object.defineProperty({}, "costly", {
      enumerable: true,
      get: () => expect.unreachable("a field was read"),
    });
    log.info("event", fields);
    log.debug("event", fields);
    expect(lines).toEqual([]);
  });
});

test("a child logs to the same place under its own name", () => {
  const { log, lines } = logAt("debug", "cluster");
  const child = log.child("osd.0");
  child.warn("slow");
  child.child("osd.1").debug("fine");
  expect(child.debugOn).toBe(true);
  expect(lines.map(([, line]) => line.split(" ").slice(1).join(" "))).toEqual([
    "warn osd.0: slow",
    "debug osd.1: fine",
  ]);
});

test("the silent logger takes even errors without a word", () => {
  expect(silentLogger.debugOn).toBe(false);
  expect(() => silentLogger.child("x").error("event", { a: 1 })).not.toThrow();
});
