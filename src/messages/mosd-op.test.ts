import { describe, expect, it } from "vitest";
import { DecodeError, EMPTY, flatten } from "../encoding/index.ts";
import { type IncomingMessage, NOSNAP, type OutgoingMessage } from "../types/index.ts";
import {
  MOSDOp,
  MOSDOpReply,
  MStatfs,
  missingReplyVersions,
  OSD_FLAG,
  opCall,
  opRead,
  opStat,
  opWrite,
  replyFlags,
  replyVersions,
  requestId,
} from "./index.ts";

const BLANK = { name: { type: 0, num: 0n }, tid: 0, inc: 0 };

function request(): MOSDOp {
  return {
    pgid: { pgid: { pool: 3, seed: 5 }, shard: -1 },
    hash: 0x89abcdef,
    mapEpoch: 9,
    flags: OSD_FLAG.ONDISK | OSD_FLAG.WRITE,
    reqid: BLANK,
    clientInc: 2,
    mtime: { sec: 1, nsec: 2 },
    locator: { pool: 3, key: "", nspace: "ns", hash: -1 },
    oid: "o",
    ops: [opWrite(0x12345, Buffer.from("hello")), opStat(), opCall("rbd", "get_id")],
    snapid: NOSNAP,
    snapSeq: 5n,
    snaps: [5n, 2n ** 40n],
    retryAttempt: 0,
    features: 0n,
  };
}

function received(m: OutgoingMessage): IncomingMessage {
  const data = flatten(m.data ?? []);
  return { ...m, priority: 127, seq: 1, tid: m.tid ?? 0, middle: EMPTY, data };
}

describe("MOSDOp", () => {
  it("comes back as it was sent", () => {
    expect(MOSDOp.decode(received(MOSDOp.encode(request(), 4)))).toEqual({
      ...request(),
      ops: request().ops.map((op) => ({ ...op, indata: expect.anything() as Uint8Array })),
    });
  });

  it("splits the data among the ops without copying", () => {
    const m = received(MOSDOp.encode(request()));
    const ops = MOSDOp.decode(m).ops;
    expect(ops.map((op) => Buffer.from(op.indata).toString())).toEqual(["hello", "", "rbdget_id"]);
    expect(ops[0]?.indata.buffer).toBe(m.data.buffer);
  });

  it("gives each op the checksums of its own blocks", () => {
    const inputs = [8192, 4096, 100, 8192].map((size) => Buffer.alloc(size));
    const ops = inputs.map((input) => opWrite(0, input));
    const m = received(MOSDOp.encode({ ...request(), ops }));
    const decoded = MOSDOp.decode({ ...m, sums: [1, 2, 3, 4, 5] }).ops;
    // The input after the short one begins in the middle of a block.
    expect(decoded.map((op) => op.sums)).toEqual([[1, 2, 3, 4, 5], [3, 4, 5], [4, 5], undefined]);
  });

  it("is refused when its ops claim more input than there is", () => {
    const m = received(MOSDOp.encode(request()));
    const short = { ...m, data: m.data.subarray(0, m.data.length - 1) };
    expect(() => MOSDOp.decode(short)).toThrow(DecodeError);
  });

  it("is refused at any other version, by name", () => {
    const m = received(MOSDOp.encode(request()));
    expect(() => MOSDOp.decode({ ...m, version: 7 })).toThrow(/version 7/);
    expect(() => MOSDOp.decode({ ...m, version: 9 })).toThrow(DecodeError);
  });

  it("is known by sender, incarnation and tid unless it carries its own id", () => {
    const client = { type: 8, num: 4123n };
    expect(requestId(request(), client, 77)).toEqual({ name: client, tid: 77, inc: 2 });
    const own = { name: { type: 4, num: 1n }, tid: 3, inc: 9 };
    expect(requestId({ ...request(), reqid: own }, client, 77)).toBe(own);
  });
});

describe("MOSDOpReply", () => {
  const at = { version: 10, epoch: 3 };
  const chunks = [Buffer.from("ab"), Buffer.from("c")];
  const reply = (): MOSDOpReply => ({
    oid: "o",
    pgid: { pool: 3, seed: 5 },
    flags: replyFlags(request().flags, OSD_FLAG.ACK | OSD_FLAG.ONDISK),
    result: -2,
    ...replyVersions(at, 8),
    mapEpoch: 9,
    ops: [{ ...opRead(0x10001, 3), rval: -61, outdata: chunks }],
    retryAttempt: 1,
  });

  it("sends the store's own views", () => {
    const m = MOSDOpReply.encode(reply(), 4);
    expect(m.data?.[0]).toBe(chunks[0]);
    expect(m.data?.[1]).toBe(chunks[1]);
    expect(m.dataOff).toBe(1);
    expect(MOSDOpReply.encode({ ...reply(), dataCrc: 5 }).dataCrc).toBe(5);
  });

  it("comes back with results and outputs by op", () => {
    const got = MOSDOpReply.decode(received(MOSDOpReply.encode(reply(), 4)));
    expect(got).toMatchObject({ result: -2, mapEpoch: 9, retryAttempt: 1, userVersion: 8 });
    expect(got.badReplayVersion).toEqual({ version: 8, epoch: 3 });
    expect(got.ops.map((op) => [op.rval, Buffer.from(flatten(op.outdata)).toString()])).toEqual([
      [-61, "abc"],
    ]);
  });

  it("carries a redirect", () => {
    const redirect = { locator: request().locator, object: "elsewhere" };
    const m = MOSDOpReply.encode({ ...reply(), redirect });
    expect(MOSDOpReply.decode(received(m)).redirect).toEqual(redirect);
  });

  it("is refused when its ops claim more output than there is", () => {
    const m = received(MOSDOpReply.encode(reply()));
    expect(() => MOSDOpReply.decode({ ...m, data: m.data.subarray(1) })).toThrow(DecodeError);
  });

  it("replays nothing when refused before execution", () => {
    expect(missingReplyVersions(at, 0)).toEqual({
      replayVersion: { version: 0, epoch: 0 },
      badReplayVersion: at,
      userVersion: 0,
    });
  });
});

describe("versions of a message", () => {
  const value = { version: 0, fsid: "00000000-0000-0000-0000-000000000000", dataPool: 4 };

  it("are read from the oldest supported on", () => {
    const m = received(MStatfs.encode(value));
    expect(MStatfs.decode(m).dataPool).toBe(4);
    expect(MStatfs.decode({ ...m, version: 1 }).dataPool).toBeUndefined();
    expect(() => MStatfs.decode({ ...m, version: 0 })).toThrow(DecodeError);
  });

  it("may be newer if the compat version allows, and their tails are skipped", () => {
    const m = received(MStatfs.encode(value));
    const newer = { ...m, version: 9, front: Buffer.concat([m.front, Buffer.from("tail")]) };
    expect(MStatfs.decode(newer).dataPool).toBe(4);
    expect(() => MStatfs.decode({ ...newer, compatVersion: 3 })).toThrow(DecodeError);
  });
});
