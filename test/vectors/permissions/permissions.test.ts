/**
 * Who is refused, by the recording of a real cluster: every grant's text put to our capabilities, without a network.
 * The whole tables, outcomes and all, are compared in test/interop/permissions.test.ts.
 */
import { expect, test } from "vitest";
import { parseOsdCap } from "../../../src/auth/index.ts";
import { objectClasses } from "../../../src/cls/index.ts";
import { askManager } from "../../../src/mgr/testing/ask.ts";
import { type Cell, cellsOf, RECORDED, readRecording } from "./recording.ts";

const cells = cellsOf(readRecording(RECORDED));

function bySection(section: string): Map<string, Cell[]> {
  const found = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (cell.section !== section || cell.request === "") continue;
    found.set(cell.caps, [...(found.get(cell.caps) ?? []), cell]);
  }
  return found;
}

/** `mon 'allow r' osd 'allow rw'`: the text for a service; undefined where there is none. */
function capOf(caps: string, service: string): string | undefined {
  return new RegExp(`(?:^|' )${service} '(.*?)'(?=$| (?:mon|mgr|osd) ')`).exec(caps)?.[1];
}

/** `prefix {"argument": …}` */
function requestOf(text: string): [prefix: string, args: object] {
  const at = text.indexOf(" {");
  if (at < 0) return [text, {}];
  const args = text.slice(at + 1).replaceAll("ENTITY", "client.test");
  return [text.slice(0, at), JSON.parse(args) as object];
}

/** They wait for a cluster that is not there, or are ours to refuse: see the test against the whole server. */
const ELSEWHERE = /^(rbd task list|osd in .*)$/;

test.each([...bySection("mon")])("a client with %s is refused the commands that it is", async (caps, row) => {
  const text = capOf(caps, "mon") ?? "";
  const { askMonitor } = await askManager({ caps: { mon: text } });
  for (const { request, outcome } of row) {
    if (ELSEWHERE.test(request)) continue;
    const [prefix, args] = requestOf(request);
    const { r } = await askMonitor(prefix, args);
    expect(r === -13, request).toBe(outcome === "A");
  }
});

/** What requests need besides their class calls. Not a listing: Python's binding takes a refused one for an empty one. */
const NEEDS: ReadonlyMap<string, "r" | "w" | "rw"> = new Map([
  ...["read", "stat", "getxattr", "getxattrs", "omap get vals", "notify"].map(
    (name) => [name, "r"] as const,
  ),
  ...["write", "write full", "append", "truncate", "zero", "write same", "set xattr"].map(
    (name) => [name, "w"] as const,
  ),
  ...["omap set", "omap clear", "create", "remove"].map((name) => [name, "w"] as const),
  ["watch", "rw"],
  ["write and hello.record_hello", "w"],
]);

/** The class call that a request is or contains; undefined: it has none, null: one that there is not. */
function callOf(request: string) {
  const [, name = "", method = ""] = /(\w+)\.(\w+)/.exec(request) ?? [];
  if (name === "") return undefined;
  const found = objectClasses.get(name)?.methods[method];
  if (found === undefined) return null;
  return { name, method, read: found.reads, write: found.writes, allowlisted: true };
}

const APPLICATIONS: Readonly<Record<string, [string, Map<string, string>][]>> = {
  "perm-a": [["rbd", new Map()]],
  "perm-b": [["permapp", new Map([["key1", "val1"]])]],
};

test.each([...bySection("object"), ...bySection("image")])(
  "a client with %s is refused the objects that it is",
  (caps, row) => {
    const text = capOf(caps, "osd");
    const cap = text === undefined ? undefined : parseOsdCap(text);
    let asked = 0;
    for (const { section, place, request, outcome } of row) {
      const call = callOf(request);
      const needs = NEEDS.get(request) ?? "";
      if (call === null || (call === undefined && needs === "")) continue;
      const [pool = "", nspace = "", object = ""] = place.split("/");
      const isCapable =
        cap?.isCapable({
          poolName: pool,
          nspace,
          appMetadata: new Map(APPLICATIONS[pool]),
          object: section === "object" ? `${object}.x` : object,
          read: needs.includes("r"),
          write: needs.includes("w"),
          classCalls: call === undefined ? [] : [call],
          addr: "127.0.0.1",
        }) ?? false;
      expect(!isCapable, `${place} ${request}`).toBe(outcome === "P");
      asked++;
    }
    expect(asked).toBeGreaterThan(100);
  },
);
