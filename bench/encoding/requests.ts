/** The requests and replies that the benchmarks encode and decode: what librbd sends and is sent. */
import { EMPTY, flatten } from "../../src/encoding/index.ts";
import {
  MOSDOp,
  MOSDOpReply,
  OSD_FLAG,
  type OsdOp,
  type OsdReplyOp,
  opRead,
  opSetAllocHint,
  opWrite,
} from "../../src/messages/index.ts";
import { type IncomingMessage, NOSNAP, type OutgoingMessage } from "../../src/types/index.ts";

const OBJECT_SIZE = 4 * 1024 * 1024;
const OID = "rbd_data.10226b8b4567.00000000000000a1";

function request(ops: OsdOp[], flags: number): OutgoingMessage {
  const value: MOSDOp = {
    pgid: { pgid: { pool: 2, seed: 17 }, shard: -1 },
    hash: 0x89abcdf1,
    mapEpoch: 23,
    flags,
    reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
    clientInc: 0,
    mtime: { sec: 1_790_000_000, nsec: 123_456_789 },
    locator: { pool: 2, key: "", nspace: "", hash: -1 },
    oid: OID,
    ops,
    snapid: NOSNAP,
    snapSeq: 0n,
    snaps: [],
    retryAttempt: 0,
    features: 0n,
  };
  return MOSDOp.encode(value, 4711);
}

/** librbd's write: a hint of the object's size, and the data. */
export function writeRequest(bytes: number): OutgoingMessage {
  const data = Buffer.alloc(bytes, 0x5a);
  const ops = [opSetAllocHint(OBJECT_SIZE, OBJECT_SIZE, 0), opWrite(0, data)];
  return request(ops, OSD_FLAG.ONDISK | OSD_FLAG.WRITE);
}

export function readRequest(bytes: number): OutgoingMessage {
  return request([opRead(0, bytes)], OSD_FLAG.READ);
}

/** A request as the messenger hands it to an OSD. */
export function received(m: OutgoingMessage): IncomingMessage {
  const data = flatten(m.data ?? []);
  return { ...m, priority: 127, seq: 1, tid: m.tid ?? 0, middle: EMPTY, data };
}

/** The reply to a request. A read's data comes with its checksum, as the store's does. */
export function replyTo(m: OutgoingMessage, readBytes = 0): MOSDOpReply {
  const asked = MOSDOp.decode(received(m));
  const outdata = readBytes === 0 ? [] : [Buffer.alloc(readBytes, 0x5a)];
  const at = { version: 4711, epoch: 23 };
  const ops: OsdReplyOp[] = asked.ops.map(({ code, flags, args }, i) => ({
    code,
    flags,
    args,
    rval: 0,
    outdata: i === asked.ops.length - 1 ? outdata : [],
  }));
  return {
    oid: asked.oid,
    pgid: asked.pgid.pgid,
    flags: asked.flags,
    result: 0,
    badReplayVersion: at,
    mapEpoch: 23,
    ops,
    retryAttempt: 0,
    replayVersion: at,
    userVersion: 4711,
    ...(readBytes > 0 ? { dataCrc: 0x1234_5678 } : {}),
  };
}
