import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { flatten, Reader } from "../encoding/index.ts";
import { addrMapKey } from "../maps/index.ts";
import {
  CMPXATTR_MODE,
  CMPXATTR_OP,
  type MOSDOpReply,
  OSD_FLAG,
  OSD_OP,
  OSD_OP_FLAG,
  type OsdOp,
  opAppend,
  opAssertVer,
  opCall,
  opCmpExt,
  opCmpXattr,
  opCreate,
  opDelete,
  opGetXattr,
  opGetXattrs,
  opOmapCmp,
  opOmapGetHeader,
  opOmapGetVals,
  opOmapRmKeys,
  opOmapSetHeader,
  opOmapSetVals,
  opPgnls,
  opRead,
  opRmXattr,
  opScrubLs,
  opSetAllocHint,
  opSetXattr,
  opSparseRead,
  opStat,
  opTruncate,
  opWrite,
  opWriteFull,
  opWriteSame,
  opZero,
} from "../messages/index.ts";
import { CorruptionError } from "../store/index.ts";
import { HOBJECT_MIN, HObject } from "../types/index.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const out = (reply: MOSDOpReply, index = 0) =>
  Buffer.from(flatten(reply.ops[index]?.outdata ?? [])).toString("latin1");
const flagged = (op: OsdOp, flags: number): OsdOp => ({ ...op, flags });

function start() {
  const osd = new TestOsd();
  return { osd, client: osd.client(4100) };
}

describe("reads and writes", () => {
  it("a bulk read that fails while its answer waits for the disk is an EIO, not the end", async () => {
    // Found by the simulation: the rejection had nobody to look after it until then.
    const { osd, client } = start();
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      osd.store.read = () => Promise.reject(new CorruptionError("a", "damaged"));
      client.submit("a", [opWriteFull(bytes("hello"))]); // not durable before the clock says so
      const tid = client.submit("a", [opRead(0, 0)]);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      expect(client.reply(tid)).toBeUndefined();
      osd.clock.settle();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      expect(client.reply(tid)?.result).toBe(-ERRNO.EIO);
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  it("read returns what write wrote, short at the end and empty past it", async () => {
    const { client } = start();
    expect((await client.op("a", [opWrite(0, bytes("hello world"))])).result).toBe(0);
    expect(out(await client.op("a", [opRead(6, 100)]))).toBe("world");
    expect(out(await client.op("a", [opRead(50, 10)]))).toBe("");
    expect(out(await client.op("a", [opRead(0, 0)])), "length 0 is the whole object").toBe(
      "hello world",
    );
  });

  it("a locator key that is the object's name is none: it is one object by either name", async () => {
    const { osd, client } = start();
    const byKey = { key: "foo" };
    expect((await client.op("foo", [opStat()], byKey)).result).toBe(-ERRNO.ENOENT);
    await client.op("foo", [opWriteFull(bytes("0123456789"))]);
    await client.op("foo", [opWrite(0, bytes("abc"))], byKey);
    osd.restart();
    const read = await osd.client(4200).op("foo", [opRead(0, 0)]);
    expect(out(read)).toBe("abc3456789");
  });

  it("a missing object reads as ENOENT with every rval 0", async () => {
    const { client } = start();
    const reply = await client.op("nothing", [opStat(), opRead(0, 10)]);
    expect(reply.result).toBe(-ERRNO.ENOENT);
    expect(reply.ops.map((op) => op.rval)).toEqual([0, 0]);
    expect(reply.flags & (OSD_FLAG.ACK | OSD_FLAG.ONDISK)).toBe(OSD_FLAG.ONDISK);
  });

  it("writefull replaces data and keeps xattrs and omap", async () => {
    const { client } = start();
    await client.op("a", [
      opWrite(0, bytes("0123456789")),
      opSetXattr("x", bytes("v")),
      opOmapSetVals(new Map([["k", bytes("w")]])),
    ]);
    await client.op("a", [opWriteFull(bytes("abc"))]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("abc");
    expect(out(await client.op("a", [opGetXattr("x")]))).toBe("v");
    const vals = await client.op("a", [opOmapGetVals("", 10)]);
    expect(out(vals)).toContain("w");
  });

  it("a write of length 0 past the end extends the object", async () => {
    const { client } = start();
    await client.op("a", [opWrite(100, bytes(""))]);
    const stat = await client.op("a", [opStat()]);
    expect(new Reader(flatten(stat.ops[0]?.outdata ?? [])).u64n()).toBe(100);
  });

  it("truncate and zero on a missing object succeed and create nothing", async () => {
    const { client } = start();
    expect((await client.op("a", [opTruncate(10)])).result).toBe(0);
    expect((await client.op("a", [opZero(0, 10)])).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("zero in the middle clears, zero to the end truncates, zero past the end does nothing", async () => {
    const { client } = start();
    await client.op("a", [opWrite(0, bytes("aaaaaaaaaa"))]);
    await client.op("a", [opZero(2, 3)]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("aa\0\0\0aaaaa");
    await client.op("a", [opZero(8, 100)]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("aa\0\0\0aaa");
    expect((await client.op("a", [opZero(50, 10), opSetXattr("x", bytes("1"))])).result).toBe(0);
    expect(out(await client.op("a", [opGetXattr("x")])), "later ops still run").toBe("1");
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("aa\0\0\0aaa");
  });

  it("append goes to the end; writesame repeats its pattern", async () => {
    const { client } = start();
    await client.op("a", [opAppend(bytes("ab"))]);
    await client.op("a", [opAppend(bytes("cd"))]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("abcd");
    await client.op("a", [opWriteSame(0, 6, bytes("xyz"))]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("xyzxyz");
    expect((await client.op("a", [opWriteSame(0, 7, bytes("xyz"))])).result).toBe(-ERRNO.EINVAL);
  });

  it("an attribute holds what a whole object of an image does", async () => {
    const { client } = start();
    const value = new Uint8Array(4 << 20).fill(7);
    expect((await client.op("a", [opSetXattr("x", value)])).result).toBe(0);
    const reply = await client.op("a", [opGetXattr("x")]);
    expect(Buffer.compare(flatten(reply.ops[0]?.outdata ?? []), value)).toBe(0);
    const more = new Uint8Array((16 << 20) + 1);
    expect((await client.op("a", [opSetXattr("x", more)])).result).toBe(-ERRNO.EFBIG);
  });

  it("a truncation past the largest object that comes with a write is EFBIG", async () => {
    // Found by fuzzing: the store's refusal ended the OSD.
    const { client } = start();
    const late = opWrite(0, bytes("x"));
    late.args.writeBigUInt64LE(2n ** 40n, 16);
    late.args.writeUInt32LE(2, 24);
    await client.op("a", [opWriteFull(bytes("abc"))]);
    expect((await client.op("a", [late])).result).toBe(-ERRNO.EFBIG);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("abc");
    expect((await client.op("new", [late])).result).toBe(0);
  });

  it("a range past the largest object is EFBIG and changes nothing", async () => {
    const { client } = start();
    const reply = await client.op("a", [opWrite(128 * 1024 * 1024, bytes("x"))]);
    expect(reply.result).toBe(-ERRNO.EFBIG);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("sparse-read reports ascending extents and packs their bytes", async () => {
    const { client } = start();
    await client.op("a", [opWrite(8192, bytes("data"))]);
    const reply = await client.op("a", [opSparseRead(0, 16384)]);
    const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
    let end = 0;
    let total = 0;
    const extents: [number, number][] = [];
    for (let n = r.u32(); n > 0; n--) {
      const start = r.u64n();
      const length = r.u64n();
      expect(start).toBeGreaterThanOrEqual(end);
      end = start + length;
      total += length;
      extents.push([start, length]);
    }
    expect(end).toBe(8196);
    const data = r.blob();
    expect(data.length).toBe(total);
    expect(data.toString("latin1").endsWith("data")).toBe(true);
    expect(extents.length).toBeGreaterThan(0);
  });
});

describe("compound requests", () => {
  it("stop at the first failure and discard everything", async () => {
    const { client } = start();
    const reply = await client.op("a", [
      opWrite(0, bytes("x")),
      opGetXattr("missing"),
      opWrite(1, bytes("y")),
    ]);
    expect(reply.result).toBe(-ERRNO.ENOENT);
    expect(reply.ops.map((op) => op.rval)).toEqual([0, -ERRNO.ENOENT, 0]);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("FAILOK lets a request go on, with the op's own rval kept", async () => {
    const { client } = start();
    const reply = await client.op("a", [
      flagged(opDelete(), OSD_OP_FLAG.FAILOK),
      opWriteFull(bytes("new")),
    ]);
    expect(reply.result).toBe(0);
    expect(reply.ops.map((op) => op.rval)).toEqual([-ERRNO.ENOENT, 0]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("new");
  });

  it("reads see the bytes from before the request, stat sees the new size", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("A"))]);
    const reply = await client.op("a", [opWriteFull(bytes("BBB")), opRead(0, 0), opStat()], {
      flags: OSD_FLAG.RETURNVEC,
    });
    expect(out(reply, 1)).toBe("A");
    expect(new Reader(flatten(reply.ops[2]?.outdata ?? [])).u64n()).toBe(3);
  });

  it("a write without RETURNVEC answers 0 and no output", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("A")), opSetXattr("x", bytes("1"))]);
    const reply = await client.op("a", [
      opCmpXattr("x", CMPXATTR_OP.EQ, CMPXATTR_MODE.STRING, bytes("1")),
      opRead(0, 0),
      opWriteFull(bytes("B")),
    ]);
    expect(reply.result).toBe(0);
    expect(out(reply, 1)).toBe("");
  });

  it("with RETURNVEC too much output is EOVERFLOW and nothing is written", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(Buffer.alloc(100, 65))]);
    const readAndWrite = (length: number) =>
      client.op("a", [opRead(0, length), opWriteFull(bytes("B"))], { flags: OSD_FLAG.RETURNVEC });
    expect((await readAndWrite(65)).result).toBe(-ERRNO.EOVERFLOW);
    expect(out(await client.op("a", [opRead(0, 1)]))).toBe("A");
    expect((await readAndWrite(64)).result).toBe(0);
    expect(out(await client.op("a", [opRead(0, 1)]))).toBe("B");
  });

  it("delete then write leaves a fresh object", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("old")), opSetXattr("x", bytes("1"))]);
    await client.op("a", [opDelete(), opWrite(0, bytes("new"))]);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("new");
    expect((await client.op("a", [opGetXattr("x")])).result).toBe(-ERRNO.ENODATA);
  });

  it("a request without ops is EINVAL", async () => {
    const { client } = start();
    expect((await client.op("a", [])).result).toBe(-ERRNO.EINVAL);
  });

  it("an op that is not offered is EOPNOTSUPP and counted", async () => {
    const { osd, client } = start();
    const op = { ...opStat(), code: OSD_OP.CACHE_PIN };
    expect((await client.op("a", [op])).result).toBe(-ERRNO.EOPNOTSUPP);
    expect([...osd.server.counters.unsupported.values()]).toEqual([1]);
  });
});

describe("existence", () => {
  it("exclusive create of what exists is EEXIST", async () => {
    const { client } = start();
    expect((await client.op("a", [opCreate(true)])).result).toBe(0);
    expect((await client.op("a", [opCreate(true)])).result).toBe(-ERRNO.EEXIST);
    expect((await client.op("a", [opCreate(false)])).result).toBe(0);
  });

  it("delete of a missing object is ENOENT", async () => {
    const { client } = start();
    expect((await client.op("a", [opDelete()])).result).toBe(-ERRNO.ENOENT);
  });

  it("set-alloc-hint, setxattr and omap-set create; rmxattr and omap-rm do not", async () => {
    const { client } = start();
    expect((await client.op("a", [opSetAllocHint(4096, 4096)])).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(0);
    expect((await client.op("b", [opRmXattr("x")])).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("b", [opOmapRmKeys(["k"])])).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opRmXattr("x")])).result).toBe(0);
  });

  it("names that are too long or empty are refused", async () => {
    const { client } = start();
    const tooLong = await client.op("n".repeat(2049), [opCreate(false)]);
    expect(tooLong.result).toBe(-ERRNO.ENAMETOOLONG);
    expect((await client.op("n".repeat(2048), [opCreate(false)])).result).toBe(0);
    const nspace = "s".repeat(257);
    expect((await client.op("a", [opCreate(false)], { nspace })).result).toBe(-ERRNO.ENAMETOOLONG);
  });
});

describe("comparisons", () => {
  it("cmpxattr answers 1 on a match and ECANCELED otherwise", async () => {
    const { client } = start();
    await client.op("a", [opSetXattr("s", bytes("b")), opSetXattr("n", bytes("10"))]);
    const compare = async (name: string, op: number, mode: number, value: Uint8Array) =>
      (await client.op("a", [opCmpXattr(name, op, mode, value)])).result;
    const { STRING, U64 } = CMPXATTR_MODE;
    const u64 = (n: bigint) => {
      const b = Buffer.alloc(8);
      b.writeBigUInt64LE(n);
      return b;
    };
    expect(await compare("s", CMPXATTR_OP.EQ, STRING, bytes("b"))).toBe(1);
    expect(await compare("s", CMPXATTR_OP.GT, STRING, bytes("c"))).toBe(1);
    expect(await compare("s", CMPXATTR_OP.GT, STRING, bytes("a"))).toBe(-ERRNO.ECANCELED);
    expect(await compare("n", CMPXATTR_OP.EQ, U64, u64(10n))).toBe(1);
    expect(await compare("n", CMPXATTR_OP.LT, U64, u64(11n))).toBe(-ERRNO.ECANCELED);
  });

  it("their answer stands through a zero past the end, and not through one of nothing", async () => {
    // Found by the differential test.
    const { client } = start();
    await client.op("a", [opSetXattr("s", bytes("b"))]);
    const same = opCmpXattr("s", CMPXATTR_OP.EQ, CMPXATTR_MODE.STRING, bytes("b"));
    expect((await client.op("a", [same, opZero(10, 10)])).result).toBe(1);
    expect((await client.op("a", [same, opZero(10, 0)])).result).toBe(0);
  });

  it("cmpext tells where the first difference is; past the end compares as zeros", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("abc"))]);
    expect((await client.op("a", [opCmpExt(0, bytes("abc"))])).result).toBe(0);
    expect((await client.op("a", [opCmpExt(0, bytes("axc"))])).result).toBe(-4096);
    expect((await client.op("a", [opCmpExt(2, bytes("c\0\0"))])).result).toBe(0);
    const guarded = await client.op("a", [opCmpExt(0, bytes("zbc")), opWrite(0, bytes("new"))]);
    expect(guarded.result).toBe(-4095);
    expect(out(await client.op("a", [opRead(0, 0)])), "the write did not happen").toBe("abc");
  });

  it("omap-cmp compares values, missing keys as empty", async () => {
    const { client } = start();
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("v")]]))]);
    const compare = async (key: string, value: string) =>
      (
        await client.op("a", [
          opOmapCmp(new Map([[key, { value: bytes(value), cmp: CMPXATTR_OP.EQ }]])),
        ])
      ).result;
    expect(await compare("k", "v")).toBe(0);
    expect(await compare("k", "w")).toBe(-ERRNO.ECANCELED);
    expect(await compare("none", "")).toBe(0);
  });

  it("assert-version compares with the user version", async () => {
    const { client } = start();
    const { userVersion } = await client.op("a", [opWriteFull(bytes("x"))]);
    expect((await client.op("a", [opAssertVer(userVersion)])).result).toBe(0);
    expect((await client.op("a", [opAssertVer(userVersion + 1)])).result).toBe(-ERRNO.EOVERFLOW);
    await client.op("a", [opWriteFull(bytes("y"))]);
    expect((await client.op("a", [opAssertVer(userVersion)])).result).toBe(-ERRNO.ERANGE);
  });
});

describe("omap and xattrs", () => {
  it("omap values page in byte order, with a prefix", async () => {
    const { client } = start();
    await client.op("a", [
      opOmapSetVals(new Map(["b2", "a1", "b1", "c"].map((k) => [k, bytes(k)] as const))),
    ]);
    const list = async (after: string, max: number, prefix: string) => {
      const reply = await client.op("a", [opOmapGetVals(after, max, prefix)]);
      const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
      const keys: string[] = [];
      for (let n = r.u32(); n > 0; n--) {
        keys.push(r.str());
        r.blob();
      }
      return { keys, more: r.bool() };
    };
    expect(await list("", 10, "")).toEqual({ keys: ["a1", "b1", "b2", "c"], more: false });
    expect(await list("", 2, "")).toEqual({ keys: ["a1", "b1"], more: true });
    expect(await list("b1", 10, "")).toEqual({ keys: ["b2", "c"], more: false });
    expect(await list("", 10, "b")).toEqual({ keys: ["b1", "b2"], more: false });
    expect(await list("", 10, "b1")).toEqual({ keys: ["b1"], more: false });
  });

  it("the omap header is kept beside the keys", async () => {
    const { client } = start();
    await client.op("a", [opOmapSetHeader(bytes("head"))]);
    expect(out(await client.op("a", [opOmapGetHeader()]))).toBe("head");
  });

  it("getxattrs lists clients' attributes only", async () => {
    const { client } = start();
    await client.op("a", [opSetXattr("snapset", bytes("1")), opSetXattr("", bytes("2"))]);
    const reply = await client.op("a", [opGetXattrs()]);
    const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
    const names: string[] = [];
    for (let n = r.u32(); n > 0; n--) {
      names.push(r.str());
      r.blob();
    }
    expect(names).toContain("snapset");
  });
});

describe("class calls", () => {
  it("an unknown class is EPERM, an unknown method EOPNOTSUPP", async () => {
    const { client } = start();
    await client.op("a", [opCreate(false)]);
    expect((await client.op("a", [opCall("nosuch", "m")])).result).toBe(-ERRNO.EPERM);
    expect((await client.op("a", [opCall("rbd", "nosuch")])).result).toBe(-ERRNO.EOPNOTSUPP);
    expect((await client.op("a", [opCall("rbd", "constructor")])).result).toBe(-ERRNO.EOPNOTSUPP);
  });

  it("malformed input is EINVAL", async () => {
    const { client } = start();
    await client.op("a", [opCreate(false)]);
    expect((await client.op("a", [opCall("rbd", "get_size", bytes("x"))])).result).toBe(
      -ERRNO.EINVAL,
    );
  });
});

describe("duplicates", () => {
  it("a resent write is answered and not done again", async () => {
    const { client } = start();
    const first = await client.op("a", [opAppend(bytes("x"))]);
    const tid = client.lastTid;
    const again = await client.op("a", [opAppend(bytes("x"))], { tid });
    expect(again.result).toBe(0);
    expect(again.replayVersion).toEqual(first.replayVersion);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("x");
  });

  it("so is one that failed, with its code, even if it would succeed now", async () => {
    const { client } = start();
    const failed = await client.op("a", [opDelete()]);
    expect(failed.result).toBe(-ERRNO.ENOENT);
    const tid = client.lastTid;
    await client.op("a", [opCreate(false)]);
    expect((await client.op("a", [opDelete()], { tid })).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opStat()])).result).toBe(0);
  });

  it("and after a restart on the same store", async () => {
    const { osd, client } = start();
    await client.op("a", [opAppend(bytes("x"))]);
    const tid = client.lastTid;
    osd.restart();
    const back = osd.client(4100);
    expect((await back.op("a", [opAppend(bytes("x"))], { tid })).result).toBe(0);
    expect(out(await back.op("a", [opRead(0, 0)], { tid: tid + 1 }))).toBe("x");
  });

  it("another client's transaction of the same number is another one", async () => {
    const { osd, client } = start();
    await client.op("a", [opAppend(bytes("x"))]);
    await osd.client(4200).op("a", [opAppend(bytes("y"))], { tid: client.lastTid });
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("xy");
  });
});

describe("who may", () => {
  it("no caps is EPERM, for reads and writes", async () => {
    const { osd } = start();
    const nobody = osd.client(1, "");
    expect((await nobody.op("a", [opStat()])).result).toBe(-ERRNO.EPERM);
    expect((await nobody.op("a", [opCreate(false)])).result).toBe(-ERRNO.EPERM);
  });

  it("a reader may not write", async () => {
    const { osd, client } = start();
    await client.op("a", [opCreate(false)]);
    const reader = osd.client(1, "allow r");
    expect((await reader.op("a", [opStat()])).result).toBe(0);
    expect((await reader.op("a", [opDelete()])).result).toBe(-ERRNO.EPERM);
  });

  it("a blocklisted client gets ESHUTDOWN on everything", async () => {
    const { osd, client } = start();
    await client.op("a", [opCreate(false)]);
    osd.changeMap((inc) => {
      const addr = client.peerAddr;
      inc.newBlocklist.set(addrMapKey(addr), { addr, until: { sec: 2 ** 31, nsec: 0 } });
    });
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ESHUTDOWN);
    expect((await client.op("a", [opDelete()])).result).toBe(-ERRNO.ESHUTDOWN);
    expect((await osd.client(4200).op("a", [opStat()])).result).toBe(0);
  });
});

describe("maps", () => {
  it("a request with a newer map waits for it", async () => {
    const { osd, client } = start();
    const tid = client.submit("a", [opCreate(false)], { epoch: osd.map.epoch + 1 });
    osd.clock.settle();
    expect(client.reply(tid)).toBeUndefined();
    osd.changeMap(() => {});
    osd.clock.settle();
    expect(client.reply(tid)?.result).toBe(0);
  });

  it("a client that is behind gets the increments before its reply", async () => {
    const { osd, client } = start();
    const epoch = osd.map.epoch;
    osd.changeMap(() => {});
    await client.op("a", [opCreate(false)], { epoch });
    expect(client.received.map((m) => m.type)).toEqual([41, 43]);
    await client.op("a", [opStat()], { epoch });
    expect(
      client.received.map((m) => m.type),
      "once",
    ).toEqual([41, 43, 43]);
  });
});

describe("listing", () => {
  it("pages through the PGs and ends where the next begins", async () => {
    const { client } = start();
    const names = Array.from({ length: 40 }, (_, i) => `obj-${i}`);
    for (const name of names) await client.op(name, [opCreate(false)]);
    await client.op("hidden", [opCreate(false)], { nspace: "other" });
    const found: string[] = [];
    for (let seed = 0; seed < 8; seed++) {
      let cursor: HObject = HOBJECT_MIN;
      for (;;) {
        const reply = await client.list(seed, opPgnls(3, 0, cursor));
        const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
        r.begin("pg_nls_response_t", 1);
        cursor = HObject.decode(r);
        for (let n = r.u32(); n > 0; n--) {
          r.str();
          found.push(r.str());
          r.str();
        }
        if (reply.result === 1) break;
      }
    }
    expect(found.sort()).toEqual(names.sort());
  });

  it("of what a scrub has found: none has run, which is ENOENT; a bad argument is EINVAL", async () => {
    const { client } = start();
    expect((await client.list(0, opScrubLs(100))).result).toBe(-ERRNO.ENOENT);
    const short = { ...opScrubLs(100), indata: Buffer.of(1, 1, 0, 0) };
    expect((await client.list(0, short)).result).toBe(-ERRNO.EINVAL);
  });
});

describe("full pools", () => {
  it("FULL_TRY is told EDQUOT, deletes pass", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("x"))]);
    osd.changeMap((inc) => {
      const pool = osd.map.pools.get(1);
      if (pool !== undefined) inc.newPools.set(1, { ...pool, flags: pool.flags | 0x402 });
    });
    const flags = OSD_FLAG.FULL_TRY;
    expect((await client.op("b", [opWriteFull(bytes("x"))], { flags })).result).toBe(-ERRNO.EDQUOT);
    expect((await client.op("a", [opDelete()], { flags })).result).toBe(0);
  });
});

describe("what the store can not keep", () => {
  it("an omap key beyond its limit is EMSGSIZE, and the OSD lives", async () => {
    const { client } = start();
    const reply = await client.op("a", [
      opOmapSetVals(new Map([["k".repeat(70_000), bytes("v")]])),
    ]);
    expect(reply.result).toBe(-ERRNO.EMSGSIZE);
    expect((await client.op("a", [opCreate(true)])).result).toBe(0);
  });
});
