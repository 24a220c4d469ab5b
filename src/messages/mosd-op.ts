/**
 * MOSDOp: a client's request, a list of ops on one object (or placement group).
 *
 *   front: spg_t; u32 hash; u32 epoch; u32 flags; osd_reqid_t; 24 bytes of trace; u32 client_inc;
 *          utime mtime; object_locator_t; string oid; u16 n; n × osd op (38 bytes); u64 snapid;
 *          u64 snap_seq; list<u64> snaps; i32 retry attempt; u64 features
 *   data:  the ops' inputs one after the other, as long as their payload lengths say
 *
 * Written by hand because it is the hot path: nothing is made but the result, and inputs are views.
 * Version 8 only: all clients since Luminous speak it to a server with our features.
 * ceph: src/messages/MOSDOp.h
 */

import { assert } from "../base/index.ts";
import { DecodeError, Reader, SUM_BLOCK, Writer } from "../encoding/index.ts";
import {
  type EntityName,
  type IncomingMessage,
  type MessageType,
  ObjectLocator,
  OsdReqId,
  type OutgoingMessage,
  type SnapId,
  SpgId,
  type Utime,
} from "../types/index.ts";
import { encodeOsdOp, OSD_OP_ARGS_SIZE, OSD_OP_SIZE, type OsdOp } from "./osd-op.ts";
import { readSnapId } from "./osd-snap-id.ts";

const TYPE = 42;
const VERSION = 8;
const COMPAT_VERSION = 3;
/** blkin_trace_info: three ids that nobody fills in. */
const TRACE_SIZE = 24;
/** Front bytes beside names, ops and snaps: what an encoder reserves. */
const FRONT_SIZE = 192;
const NO_SUMS: readonly number[] = [];

export interface MOSDOp {
  pgid: SpgId;
  /** Full 32-bit placement hash of the object, or of a listing's cursor. */
  hash: number;
  /** Epoch of the map that the client computed the target with. */
  mapEpoch: number;
  /** OSD_FLAG bits. */
  flags: number;
  /** Blank from clients: see requestId. */
  reqid: OsdReqId;
  clientInc: number;
  /** Time of a write by the client's clock. */
  mtime: Utime;
  locator: ObjectLocator;
  /** Byte string; empty for ops on a placement group. */
  oid: string;
  ops: OsdOp[];
  /** What is read or (NOSNAP) written. */
  snapid: SnapId;
  /** The write's snap context, as sent: unchecked. */
  snapSeq: SnapId;
  snaps: SnapId[];
  /** 0 for the first send; -1 unknown. */
  retryAttempt: number;
  /** Features of whoever made the request, when forwarded; 0 means the connection's. */
  features: bigint;
}

/** The request's identity: its own if it carries one, else sender, incarnation and transaction id. */
export function requestId(op: MOSDOp, sender: EntityName, tid: number): OsdReqId {
  const own = op.reqid;
  if (own.tid !== 0 || own.name.type !== 0 || own.name.num !== 0n) return own;
  return { name: sender, tid, inc: op.clientInc };
}

function encodeFront(x: MOSDOp): Buffer {
  const w = new Writer(
    FRONT_SIZE +
      x.oid.length +
      x.locator.key.length +
      x.locator.nspace.length +
      x.ops.length * OSD_OP_SIZE +
      x.snaps.length * 8,
  );
  SpgId.encode(w, x.pgid);
  w.u32(x.hash);
  w.u32(x.mapEpoch);
  w.u32(x.flags);
  OsdReqId.encode(w, x.reqid);
  w.zeros(TRACE_SIZE);
  w.u32(x.clientInc);
  w.u32(x.mtime.sec);
  w.u32(x.mtime.nsec);
  ObjectLocator.encode(w, x.locator);
  w.str(x.oid);
  assert(x.ops.length <= 0xffff, `${x.ops.length} ops in one request`);
  w.u16(x.ops.length);
  for (const op of x.ops) {
    assert(op.args.length === OSD_OP_ARGS_SIZE, "an op's union is 28 bytes");
    encodeOsdOp(w, op, op.indata.length);
  }
  w.u64(x.snapid);
  w.u64(x.snapSeq);
  w.u32(x.snaps.length);
  for (const snap of x.snaps) w.u64(snap);
  w.s32(x.retryAttempt);
  w.u64(x.features);
  return w.finish();
}

/** Checksums of the data's blocks from an op's input on, if the input begins with a block. */
function sumsFrom(sums: readonly number[], at: number): readonly number[] | undefined {
  if (sums.length * SUM_BLOCK <= at || at % SUM_BLOCK !== 0) return undefined;
  return at === 0 ? sums : sums.slice(at / SUM_BLOCK);
}

/** Reads the ops and splits the data segment among them. */
function decodeOps(r: Reader, data: Uint8Array, sums: readonly number[]): OsdOp[] {
  const count = r.u16();
  if (count * OSD_OP_SIZE > r.remaining) throw r.fail(`${count} ops in ${r.remaining} bytes`);
  const ops: OsdOp[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const code = r.u16();
    const flags = r.u32();
    const args = r.view(OSD_OP_ARGS_SIZE);
    const length = r.u32();
    if (length > data.length - at) {
      throw r.fail(`op ${i} claims ${length} bytes of input, ${data.length - at} left`);
    }
    const indata = data.subarray(at, at + length);
    ops.push({ code, flags, args, indata, sums: sumsFrom(sums, at) });
    at += length;
  }
  return ops;
}

function decodeFront(r: Reader, data: Uint8Array, sums: readonly number[]): MOSDOp {
  const pgid = SpgId.decode(r);
  const hash = r.u32();
  const mapEpoch = r.u32();
  const flags = r.u32();
  const reqid = OsdReqId.decode(r);
  r.advance(TRACE_SIZE);
  const clientInc = r.u32();
  const mtime = { sec: r.u32(), nsec: r.u32() };
  const locator = ObjectLocator.decode(r);
  const oid = r.str();
  const ops = decodeOps(r, data, sums);
  const snapid = readSnapId(r);
  const snapSeq = readSnapId(r);
  const snaps: SnapId[] = [];
  for (let n = r.count(8); n > 0; n--) snaps.push(readSnapId(r));
  const retryAttempt = r.s32();
  const features = r.u64();
  return {
    pgid,
    hash,
    mapEpoch,
    flags,
    reqid,
    clientInc,
    mtime,
    locator,
    oid,
    ops,
    snapid,
    snapSeq,
    snaps,
    retryAttempt,
    features,
  };
}

export const MOSDOp: MessageType<MOSDOp> = {
  type: TYPE,
  name: "osd_op",
  encode(x, tid = 0): OutgoingMessage {
    return {
      type: TYPE,
      version: VERSION,
      compatVersion: COMPAT_VERSION,
      tid,
      front: encodeFront(x),
      data: x.ops.filter((op) => op.indata.length > 0).map((op) => op.indata),
    };
  },
  decode(m: IncomingMessage): MOSDOp {
    // Not checkVersion: every version has its own order of fields.
    if (m.version !== VERSION) {
      throw new DecodeError("osd_op", 0, `version ${m.version}, only ${VERSION} is read`);
    }
    return decodeFront(new Reader(m.front), m.data, m.sums ?? NO_SUMS);
  },
};
