import { expect, test } from "vitest";
import { ERRNO } from "../base/index.ts";
import { encodeToBytes, flatten, map, record, str, u8, Writer } from "../encoding/index.ts";
import {
  type MOSDOpReply,
  type OsdOp,
  opOmapGetHeader,
  opOmapGetVals,
  opTmap2Omap,
  opTmapGet,
  opTmapPut,
  opTmapUp,
  opWriteFull,
} from "../messages/index.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

const Content = record("content", { header: str, entries: map(str, str) });
const Keyed = record("command", { what: u8, key: str });
const Valued = record("command", { what: u8, key: str, value: str });

const code = (what: string) => what.charCodeAt(0);
const set = (key: string, value: string, what = "s") =>
  encodeToBytes(Valued, { what: code(what), key, value });
const remove = (key: string, what = "r") => encodeToBytes(Keyed, { what: code(what), key });
const header = (text: string) => remove(text, "h");

function content(head: string, entries: Record<string, string>): Uint8Array {
  return encodeToBytes(Content, { header: head, entries: new Map(Object.entries(entries)) });
}

function client() {
  const session = new TestOsd().client(4100);
  return (oid: string, ops: OsdOp[]) => session.op(oid, ops);
}

const hex = (reply: MOSDOpReply, index = 0) =>
  Buffer.from(flatten(reply.ops[index]?.outdata ?? [])).toString("hex");
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("an update makes the map, and its keys stay sorted in whatever order they came", async () => {
  const op = client();
  const commands = Buffer.concat([header("h"), set("b", "2"), set("a", "1"), set("b", "3")]);
  expect((await op("m", [opTmapUp(commands)])).result).toBe(0);
  expect(hex(await op("m", [opTmapGet()]))).toBe(hexOf(content("h", { a: "1", b: "3" })));
});

test("removing a key that is not there fails, unless it may be missing, and changes nothing", async () => {
  const op = client();
  expect((await op("m", [opTmapUp(remove("a"))])).result).toBe(-ERRNO.ENOENT);
  await op("m", [opTmapUp(set("a", "1"))]);
  const bad = Buffer.concat([set("b", "2"), remove("c")]);
  expect((await op("m", [opTmapUp(bad)])).result).toBe(-ERRNO.ENOENT);
  expect((await op("m", [opTmapUp(remove("c", "R"))])).result).toBe(0);
  expect(hex(await op("m", [opTmapGet()]))).toBe(hexOf(content("", { a: "1" })));
  expect((await op("m", [opTmapUp(remove("a"))])).result).toBe(0);
  expect(hex(await op("m", [opTmapGet()]))).toBe(hexOf(content("", {})));
});

test("creating a key demands that there is none", async () => {
  const op = client();
  expect((await op("m", [opTmapUp(set("a", "1", "c"))])).result).toBe(0);
  expect((await op("m", [opTmapUp(set("a", "2", "c"))])).result).toBe(-ERRNO.EEXIST);
});

test("a command that nobody knows, one cut short, and an object that is no map are EINVAL", async () => {
  const op = client();
  expect((await op("m", [opTmapUp(set("a", "1", "x"))])).result).toBe(-ERRNO.EINVAL);
  expect((await op("m", [opTmapUp(set("a", "1").subarray(0, 8))])).result).toBe(-ERRNO.EINVAL);
  expect((await op("m", [opTmapPut(Buffer.from("xyz"))])).result).toBe(-ERRNO.EINVAL);
  await op("n", [opWriteFull(Buffer.from("xyz"))]);
  expect((await op("n", [opTmapUp(set("a", "1"))])).result).toBe(-ERRNO.EINVAL);
  expect((await op("n", [opTmap2Omap(false)])).result).toBe(-ERRNO.EINVAL);
});

test("a map becomes an omap", async () => {
  const op = client();
  await op("m", [opTmapPut(content("h", { a: "1" }))]);
  expect((await op("m", [opTmap2Omap(false)])).result).toBe(0);
  const omap = await op("m", [opOmapGetHeader(), opOmapGetVals("", 10, "")]);
  const w = new Writer();
  map(str, str).encode(w, new Map([["a", "1"]]));
  w.bool(false);
  expect([hex(omap), hex(omap, 1)]).toEqual([hexOf(Buffer.from("h")), hexOf(w.finish())]);
  expect((await op("m", [opTmap2Omap(false)])).result).toBe(-ERRNO.ENODATA);
  expect((await op("m", [opTmap2Omap(true)])).result).toBe(0);
});
