import { describe, expect, it } from "vitest";
import { HOBJECT_MIN } from "../types/index.ts";
import {
  allocHintOf,
  assertVerOf,
  CMPXATTR_MODE,
  CMPXATTR_OP,
  checksumOf,
  clsOf,
  copyFromOf,
  extentOf,
  isCacheOp,
  isPgOp,
  isReadOp,
  isWriteOp,
  notifyCookieOf,
  OSD_OP,
  OSD_OP_FLAG,
  opAssertVer,
  opCall,
  opChecksum,
  opCmpXattr,
  opCopyFrom,
  opCreate,
  opNotify,
  opOmapGetVals,
  opPgnls,
  opRead,
  opRollback,
  opSetAllocHint,
  opWatch,
  opWriteSame,
  osdOpConstant,
  osdOpName,
  pglsOf,
  snapOf,
  WATCH_OP,
  watchOf,
  withFlags,
  writeSameOf,
  xattrOf,
} from "./index.ts";

describe("op codes", () => {
  it("has no two ops with one code", () => {
    const codes = Object.values(OSD_OP);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it("prints Ceph's names", () => {
    expect(osdOpName(OSD_OP.SPARSE_READ)).toBe("sparse-read");
    expect(osdOpName(OSD_OP.OMAPGETVALSBYKEYS)).toBe("omap-get-vals-by-keys");
    expect(osdOpName(OSD_OP.WRITESAME)).toBe("write-same");
    expect(osdOpName(OSD_OP.TMAP2OMAP)).toBe("tmap2omap");
    expect(osdOpName(OSD_OP.COPY_FROM2)).toBe("copy-from2");
    expect(osdOpName(0x7777)).toBe("???");
    expect(osdOpConstant(0x7777)).toBeUndefined();
  });

  it("tells reads from writes by code, and leaves a call to its method", () => {
    expect([OSD_OP.READ, OSD_OP.GETXATTR, OSD_OP.PGNLS].every(isReadOp)).toBe(true);
    expect([OSD_OP.WRITE, OSD_OP.WATCH, OSD_OP.SETXATTR].every(isWriteOp)).toBe(true);
    expect(isReadOp(OSD_OP.TMAPUP) && isWriteOp(OSD_OP.TMAPUP)).toBe(true);
    expect(isReadOp(OSD_OP.CALL) || isWriteOp(OSD_OP.CALL)).toBe(false);
    expect(isReadOp(OSD_OP.WRITE) || isWriteOp(OSD_OP.READ)).toBe(false);
    expect(isCacheOp(OSD_OP.CACHE_FLUSH) && !isCacheOp(OSD_OP.WRITE)).toBe(true);
    expect(isPgOp(OSD_OP.PGNLS) && !isPgOp(OSD_OP.CALL)).toBe(true);
  });
});

describe("unions", () => {
  it("gives back what a builder put in", () => {
    expect(extentOf(opRead(2 ** 40 + 1, 512))).toEqual({
      offset: 2 ** 40 + 1,
      length: 512,
      truncateSize: 0,
      truncateSeq: 0,
    });
    expect(writeSameOf(opWriteSame(4, 8, Buffer.from("ab")))).toEqual({
      offset: 4,
      length: 8,
      dataLength: 2,
    });
    expect(watchOf(opWatch(7n, WATCH_OP.RECONNECT, 2, 30))).toEqual({
      cookie: 7n,
      ver: 0n,
      op: 5,
      gen: 2,
      timeout: 30,
    });
    expect(snapOf(opRollback(9n))).toBe(9n);
    expect(assertVerOf(opAssertVer(12))).toBe(12);
    expect(allocHintOf(opSetAllocHint(4096, 512, 3))).toEqual({
      expectedObjectSize: 4096,
      expectedWriteSize: 512,
      flags: 3,
    });
    expect(checksumOf(opChecksum(2, 1, 2, 3, Buffer.alloc(4)))).toEqual({
      offset: 1,
      length: 2,
      chunkSize: 3,
      type: 2,
    });
    expect(pglsOf(opPgnls(10, 5, HOBJECT_MIN))).toEqual({ count: 10, startEpoch: 5 });
    expect(notifyCookieOf(opNotify(3n, Buffer.from("x")))).toBe(3n);
  });

  it("reads an all-ones size as beyond every limit, not as an error", () => {
    const args = Buffer.alloc(28, 0xff);
    expect(extentOf({ args })).toEqual({
      offset: Number.MAX_SAFE_INTEGER,
      length: Number.MAX_SAFE_INTEGER,
      truncateSize: Number.MAX_SAFE_INTEGER,
      truncateSeq: 0xffff_ffff,
    });
  });

  it("has lengths that cover names and inputs", () => {
    const call = opCall("rbd", "get_id", Buffer.from("in"));
    expect(clsOf(call)).toEqual({ classLength: 3, methodLength: 6, argc: 0, indataLength: 2 });
    expect(Buffer.from(call.indata).toString()).toBe("rbdget_idin");
    const compare = opCmpXattr("n", CMPXATTR_OP.EQ, CMPXATTR_MODE.STRING, Buffer.from("value"));
    expect(xattrOf(compare)).toEqual({ nameLength: 1, valueLength: 5, cmpOp: 1, cmpMode: 1 });
    expect(Buffer.from(compare.indata).toString()).toBe("nvalue");
    const vals = opOmapGetVals("a", 64, "p");
    expect(extentOf(vals).length).toBe(vals.indata.length);
    const source = { pool: 1, key: "", nspace: "", hash: -1 };
    expect(copyFromOf(opCopyFrom({ oid: "o", locator: source, snapid: 4n, version: 5 }))).toEqual({
      snapid: 4n,
      srcVersion: 5,
      flags: 0,
      srcFadviseFlags: 0,
    });
  });

  it("adds flags to a copy", () => {
    const plain = opCreate(false);
    expect(withFlags(plain, OSD_OP_FLAG.FAILOK).flags).toBe(2);
    expect(plain.flags).toBe(0);
    expect(opCreate(true).flags).toBe(OSD_OP_FLAG.EXCL);
  });
});
