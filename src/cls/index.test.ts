import { expect, test } from "vitest";
import { objectClasses } from "./index.ts";

function methodNames(cls: string): string[] {
  return Object.keys(objectClasses.get(cls)?.methods ?? {});
}

test("rbd, journal and lock have every method that Ceph 16.2 registers", () => {
  expect(methodNames("rbd")).toHaveLength(130);
  expect(methodNames("journal")).toHaveLength(21);
  expect(methodNames("lock").sort()).toEqual([
    "assert_locked",
    "break_lock",
    "get_info",
    "list_locks",
    "lock",
    "set_cookie",
    "unlock",
  ]);
});

test("a method that looks at an image is no write", () => {
  const writes = methodNames("rbd").filter((name) => {
    const method = objectClasses.get("rbd")?.methods[name];
    return method?.writes === true && /(^|_)(get|list|load|assert)(_|$)/.test(name);
  });
  // Registered as a write upstream: it guards one.
  expect(writes).toEqual(["assert_snapc_seq"]);
});
