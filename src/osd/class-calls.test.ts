import { expect, test } from "vitest";
import { ERRNO } from "../base/index.ts";
import { AddArgs, ListArgs, ListReply } from "../cls/log/ops.ts";
import { decodeFromBytes, encodeToBytes, flatten, str } from "../encoding/index.ts";
import {
  OSD_FLAG,
  OSD_OP_FLAG,
  opCall,
  opCreate,
  opOmapClear,
  opOmapSetVals,
  opRmXattr,
} from "../messages/index.ts";
import { UTIME_ZERO } from "../types/index.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

const NOW = { sec: 100, nsec: 0 };

function add(...texts: string[]) {
  const entries = texts.map((text) => ({
    section: "",
    name: text,
    timestamp: NOW,
    data: new Uint8Array(0),
    id: "",
  }));
  return opCall("log", "add", encodeToBytes(AddArgs, { entries, monotonic: true }));
}

test("entries logged at one moment are told apart, in one call, in one request and over several", async () => {
  const client = new TestOsd().client(4100);
  await client.op("log", [add("a", "b"), add("c")]);
  await client.op("log", [add("d")]);
  const args = { from: UTIME_ZERO, marker: "", to: UTIME_ZERO, maxEntries: 0 };
  const reply = await client.op("log", [opCall("log", "list", encodeToBytes(ListArgs, args))]);
  const { entries } = decodeFromBytes(ListReply, flatten(reply.ops[0]?.outdata ?? []));
  expect(entries.map((entry) => entry.name)).toEqual(["a", "b", "c", "d"]);
});

test("an entry's id tells how many ops came before it in its request, those that failed too", async () => {
  // As a real 16.2.15 has it: what was removed is not there, the method has read the header.
  const client = new TestOsd().client(4100);
  const failing = { ...opRmXattr("not there"), flags: OSD_OP_FLAG.FAILOK };
  await client.op("log", [failing, add("a"), add("b")]);
  const args = { from: UTIME_ZERO, marker: "", to: UTIME_ZERO, maxEntries: 0 };
  const reply = await client.op("log", [opCall("log", "list", encodeToBytes(ListArgs, args))]);
  const { entries } = decodeFromBytes(ListReply, flatten(reply.ops[0]?.outdata ?? []));
  expect(entries.map((entry) => entry.id)).toEqual([
    "1_0000000100.000000_0.2",
    "1_0000000100.000000_0.6",
  ]);
});

test("of an omap that the request has cleared a method sees nothing, neither keys nor header", async () => {
  const client = new TestOsd().client(4100);
  const id = encodeToBytes(str, "id");
  await client.op("dir", [opOmapSetVals(new Map([["name_x", id]]))]);
  const get = opCall("rbd", "dir_get_id", encodeToBytes(str, "x"));
  const listArgs = Buffer.concat([encodeToBytes(str, ""), Buffer.of(10, 0, 0, 0, 0, 0, 0, 0)]);
  const list = opCall("rbd", "dir_list", listArgs);
  expect((await client.op("dir", [get])).result).toBe(0);
  expect((await client.op("dir", [opOmapClear(), get])).result).toBe(-ERRNO.ENOENT);
  const flags = OSD_FLAG.RETURNVEC;
  const { ops } = await client.op("dir", [opOmapClear(), list], { flags });
  expect(Buffer.from(flatten(ops[1]!.outdata)).toString("hex")).toBe("00000000");
  await client.op("log", [add("a")]);
  const info = opCall("log", "info");
  const cleared = await client.op("log", [opOmapClear(), info], { flags });
  const never = await client.op("empty", [opCreate(false), info], { flags });
  expect(flatten(cleared.ops[1]!.outdata)).toEqual(flatten(never.ops[1]!.outdata));
});
