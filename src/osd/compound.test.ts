/** Rules of compound requests that the differential test found: see test/differential/. */
import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { AddArgs, InfoReply } from "../cls/log/ops.ts";
import { decodeFromBytes, encodeToBytes, flatten, Reader } from "../encoding/index.ts";
import {
  CHECKSUM_TYPE,
  CMPXATTR_MODE,
  CMPXATTR_OP,
  type MOSDOpReply,
  OSD_FLAG,
  OSD_OP_FLAG,
  type OsdOp,
  opCall,
  opChecksum,
  opCmpExt,
  opCmpXattr,
  opCreate,
  opDelete,
  opGetXattr,
  opOmapCmp,
  opOmapGetKeys,
  opOmapGetVals,
  opOmapSetHeader,
  opOmapSetVals,
  opRead,
  opSetXattr,
  opSparseRead,
  opStat,
  opTruncate,
  opWatch,
  opWrite,
  opWriteFull,
} from "../messages/index.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const u64 = (value: bigint) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(value);
  return out;
};
const out = (reply: MOSDOpReply, index = 0) =>
  Buffer.from(flatten(reply.ops[index]?.outdata ?? []));
const failOk = (op: OsdOp): OsdOp => ({ ...op, flags: op.flags | OSD_OP_FLAG.FAILOK });
const rvals = (reply: MOSDOpReply) => reply.ops.map((op) => op.rval);
const start = () => new TestOsd().client(4100);
const SNAP = { snapContext: { seq: 4n, snaps: [4n] } };

describe("an object that the request itself makes", () => {
  it("has no attributes to read or compare yet: ENOENT, not ENODATA or a mismatch", async () => {
    const client = start();
    const compare = opCmpXattr("x", CMPXATTR_OP.EQ, CMPXATTR_MODE.STRING, bytes("v"));
    for (const op of [compare, opGetXattr("x")]) {
      const reply = await client.op("a", [opCreate(false), opSetXattr("x", bytes("v")), op]);
      expect(reply.result).toBe(-ERRNO.ENOENT);
    }
  });

  it("has no bytes and no omap to read yet", async () => {
    const client = start();
    const reads = [
      opRead(0, 2),
      opSparseRead(0, 2),
      opChecksum(CHECKSUM_TYPE.CRC32C, 0, 2, 0, bytes("0000")),
      opOmapGetVals("", 10),
      opOmapGetKeys("", 10),
      opOmapCmp(new Map([["k", { value: bytes("v"), cmp: CMPXATTR_OP.EQ }]])),
    ];
    for (const read of reads) {
      const writes = [opWriteFull(bytes("data")), opOmapSetVals(new Map([["k", bytes("v")]]))];
      expect((await client.op("a", [...writes, read])).result).toBe(-ERRNO.ENOENT);
    }
  });

  it("and removes again was never there: nothing is written, no version spent", async () => {
    const client = start();
    const reply = await client.op("a", [opWrite(0, bytes("x")), opCreate(false), opDelete()]);
    expect([reply.result, reply.userVersion]).toEqual([0, 0]);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("anew, after it was removed twice, has nothing of the old one", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("old")), opSetXattr("x", bytes("v"))]);
    const ops = [opDelete(), opWrite(0, bytes("new")), opDelete(), opWrite(2, bytes("!"))];
    expect((await client.op("a", ops)).result).toBe(0);
    expect(out(await client.op("a", [opRead(0, 0)])).toString()).toBe("\0\0!");
    expect((await client.op("a", [opGetXattr("x")])).result).toBe(-ERRNO.ENODATA);
  });

  it("anew after a removal, and removes once more, is still the old one", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("old"))]);
    const reply = await client.op("a", [opDelete(), opWrite(0, bytes("new")), opDelete()]);
    expect([reply.result, reply.userVersion]).toEqual([0, 1]);
    expect(out(await client.op("a", [opRead(0, 0)])).toString()).toBe("old");
  });
});

describe("results", () => {
  it("of reads without one of their own are that of the op before, as after a comparison", async () => {
    const client = start();
    await client.op("a", [opSetXattr("x", bytes("v")), opOmapSetHeader(bytes("h"))]);
    const compare = opCmpXattr("x", CMPXATTR_OP.EQ, CMPXATTR_MODE.STRING, bytes("v"));
    const reply = await client.op("a", [compare, opStat(), opOmapGetVals("", 1), opRead(0, 0)]);
    expect([reply.result, ...rvals(reply)]).toEqual([0, 1, 1, 1, 0]);
    expect((await client.op("a", [compare, opStat()])).result).toBe(1);
  });

  it("a failed change raises the user version where the request goes on", async () => {
    const client = start();
    await client.op("a", [opCreate(false)]);
    const reply = await client.op("a", [failOk(opCreate(true)), opWatch(7n)]);
    expect([reply.result, reply.userVersion]).toEqual([0, 2]);
  });

  it("a write whose answer is too long spends no version and tells none", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("x".repeat(100)))]);
    const ops = [opRead(0, 0), opSetXattr("x", bytes("v"))];
    const reply = await client.op("a", ops, { flags: OSD_FLAG.RETURNVEC });
    expect([reply.result, reply.userVersion]).toEqual([-ERRNO.EOVERFLOW, 0]);
    expect((await client.op("a", [opWriteFull(bytes("y"))])).userVersion, "no version spent").toBe(
      2,
    );
  });
});

describe("comparisons", () => {
  it("read numbers as C does: what a text begins with, wrapped around, cut off at the largest", async () => {
    const client = start();
    const numbers: [string, bigint][] = [
      ["x", 0n],
      [" 12ab", 12n],
      ["007", 7n],
      ["-1", 2n ** 64n - 1n],
      ["99999999999999999999999", 2n ** 64n - 1n],
    ];
    for (const [text, number] of numbers) {
      await client.op("a", [opSetXattr("n", bytes(text))]);
      const equal = opCmpXattr("n", CMPXATTR_OP.EQ, CMPXATTR_MODE.U64, u64(number));
      expect((await client.op("a", [equal])).result, text).toBe(1);
    }
  });

  it("of omap values take bytes for signed", async () => {
    const client = start();
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("\u00ff")]]))]);
    const less = opOmapCmp(new Map([["k", { value: bytes("1"), cmp: CMPXATTR_OP.LT }]]));
    expect((await client.op("a", [less])).result).toBe(0);
  });

  it("of extents reach no further than the size that the request has given", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("abcdef"))]);
    const ops = [opTruncate(2), opCmpExt(0, bytes("ab\0\0\0\0"))];
    expect((await client.op("a", ops)).result).toBe(0);
  });
});

describe("checksums", () => {
  const seed = bytes("\0\0\0\0");

  it("of a range past the end are none at all, of an empty object none, counted", async () => {
    const client = start();
    await client.op("a", [opCreate(false)]);
    const none = await client.op("a", [opChecksum(CHECKSUM_TYPE.CRC32C, 5, 0, 0, seed)]);
    expect([none.result, out(none).length]).toEqual([0, 0]);
    const counted = await client.op("a", [opChecksum(CHECKSUM_TYPE.CRC32C, 0, 0, 0, seed)]);
    expect([counted.result, out(counted).toString("hex")]).toEqual([0, "00000000"]);
  });

  it("come as xxhash too, one for each chunk", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("abcabc"))]);
    const short = await client.op("a", [opChecksum(CHECKSUM_TYPE.XXHASH32, 0, 6, 3, seed)]);
    expect(out(short).toString("hex")).toBe("02000000ff53d132ff53d132");
    const start64 = Buffer.alloc(8);
    const long = await client.op("a", [opChecksum(CHECKSUM_TYPE.XXHASH64, 0, 3, 0, start64)]);
    expect(new Reader(out(long), 4).u64()).toBe(0x44bc2cf5ad770999n);
  });

  it("are EINVAL where length and chunks do not go together, or the start value is short", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("abcdef"))]);
    for (const [length, chunk, init] of [
      [0, 4, seed],
      [6, 4, seed],
      [8, 4, seed],
      [6, 0, bytes("\0")],
    ] as const) {
      const reply = await client.op("a", [
        opChecksum(CHECKSUM_TYPE.CRC32C, 0, length, chunk, init),
      ]);
      expect(reply.result, `${length} by ${chunk}`).toBe(-ERRNO.EINVAL);
    }
  });
});

describe("what changes nothing", () => {
  it("writefull of nothing on an empty object spends no version", async () => {
    const client = start();
    await client.op("a", [opCreate(false)]);
    expect((await client.op("a", [opWriteFull(bytes(""))])).userVersion).toBe(1);
  });

  it("nor does it bring a removed object back; it can be watched all the same", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("x"))]);
    await client.op("a", [opDelete()], SNAP);
    expect((await client.op("a", [opWriteFull(bytes(""))], SNAP)).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opWatch(7n)], SNAP)).result).toBe(0);
  });
});

describe("class calls", () => {
  it("make keys of the PG's newest version, not of the object's", async () => {
    const client = start();
    await client.op("log", [opCreate(false)]);
    const entry = {
      section: "",
      name: "n",
      timestamp: { sec: 5, nsec: 0 },
      data: bytes(""),
      id: "",
    };
    const add = encodeToBytes(AddArgs, { entries: [entry], monotonic: true });
    // The same hash, so the same PG.
    for (const oid of ["b", "c"]) await client.op(oid, [opCreate(false)], { key: "log" });
    await client.op("log", [opCall("log", "add", add)]);
    const reply = await client.op("log", [opCall("log", "info")]);
    expect(reply.result).toBe(-ERRNO.EINVAL);
    const info = Buffer.from("010100000000", "hex");
    const { header } = decodeFromBytes(
      InfoReply,
      out(await client.op("log", [opCall("log", "info", info)])),
    );
    expect(header.maxMarker).toMatch(/_3\.\d+$/);
  });

  it("read nothing of what is not there, and ENOENT of what the request makes", async () => {
    const client = start();
    const limit = opCall("rbd", "snapshot_set_limit", u64(5n));
    expect((await client.op("a", [limit])).result).toBe(0);
    expect((await client.op("b", [opWrite(0, bytes("x")), limit])).result).toBe(-ERRNO.ENOENT);
  });

  it("know the newest snapshot of what is removed and has clones", async () => {
    const client = start();
    await client.op("a", [opWriteFull(bytes("x"))]);
    await client.op("a", [opDelete()], SNAP);
    const notNewer = (seq: bigint) =>
      opCall("rbd", "assert_snapc_seq", Buffer.concat([u64(seq), Buffer.of(1)]));
    expect((await client.op("a", [notNewer(4n)], SNAP)).result).toBe(0);
    expect((await client.op("a", [notNewer(5n)], SNAP)).result).toBe(-ERRNO.ERANGE);
    expect((await client.op("b", [notNewer(0n)], SNAP)).result).toBe(-ERRNO.ERANGE);
  });

  it("that give up keep what they did before, where the request goes on", async () => {
    const client = start();
    const struct = (...parts: string[]) => {
      const body = parts.join("");
      const length = Buffer.of(body.length / 2, 0, 0, 0).toString("hex");
      return `0101${length}${body}`;
    };
    const versionOf = (ver: number) => struct(u64(BigInt(ver)).toString("hex"), "00000000");
    const equalsNine = struct(versionOf(9), "01000000");
    const conditions = struct(versionOf(0), "01000000", equalsNine);
    const increment = failOk(opCall("version", "inc_conds", Buffer.from(conditions, "hex")));
    const reply = await client.op("a", [increment]);
    expect([reply.result, ...rvals(reply)]).toEqual([0, -ERRNO.ECANCELED]);
    const version = out(await client.op("a", [opCall("version", "read")]));
    expect(new Reader(version, 12).u64()).toBe(1n);
  });
});
