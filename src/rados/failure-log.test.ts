import { expect, test } from "vitest";
import type { Logger } from "../base/index.ts";
import { FeatureError } from "../messenger/index.ts";
import { FailureLog } from "./failure-log.ts";

test("what no further attempt will change is a warning, once; the rest is for who debugs", () => {
  const lines: string[] = [];
  const note = (level: string) => (event: string, fields?: object) =>
    void lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  const log = { debug: note("debug"), warn: note("warn") } as Partial<Logger> as Logger;
  const failures = new FailureLog(log, "monitor not reached");
  const who = { monitor: "a" };
  failures.note(who, new Error("ECONNREFUSED"));
  failures.note(who, new FeatureError("the cluster is newer"));
  failures.note(who, new Error("ECONNREFUSED"));
  failures.note(who, new FeatureError("the cluster is newer"));
  expect(lines).toEqual([
    'debug monitor not reached {"monitor":"a","why":"ECONNREFUSED"}',
    'warn monitor not reached {"monitor":"a","why":"the cluster is newer"}',
    'debug monitor not reached {"monitor":"a","why":"ECONNREFUSED"}',
  ]);
});
