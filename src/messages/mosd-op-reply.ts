/**
 * MOSDOpReply: what came of a request, op by op.
 *
 *   front: string oid; pg_t; u64 flags; i32 result; eversion bad_replay_version; u32 epoch; u32 n;
 *          n × osd op (38 bytes, payload length = the output's); i32 retry attempt; n × i32 rval;
 *          eversion replay_version; u64 user_version; u8 redirected; [redirect]; 24 bytes of trace
 *   data:  the ops' outputs one after the other
 *
 * Hot path: outputs travel as views from the store to the socket and from the frame to the caller.
 * ceph: src/messages/MOSDOpReply.h
 */

import { assert } from "../base/index.ts";
import {
  DecodeError,
  fixed,
  type Infer,
  listLength,
  Reader,
  str,
  struct,
  u32,
  Writer,
} from "../encoding/index.ts";
import {
  EVERSION_ZERO,
  EVersion,
  type IncomingMessage,
  type MessageType,
  ObjectLocator,
  type OutgoingMessage,
  PgId,
} from "../types/index.ts";
import {
  encodeOsdOp,
  extentOffset,
  isReadOp,
  OSD_FLAG,
  OSD_OP_ARGS_SIZE,
  OSD_OP_SIZE,
  type OsdReplyOp,
  usesExtent,
} from "./osd-op.ts";

const TYPE = 43;
const VERSION = 8;
const COMPAT_VERSION = 2;
const TRACE_SIZE = 24;
/** Front bytes beside the name and the ops. */
const FRONT_SIZE = 128;
/** What an op and its rval take. */
const OP_SIZE = OSD_OP_SIZE + 4;

/** Where to send the request instead: only cache tiers and manifests answer so. */
export const RequestRedirect = struct(
  "request_redirect_t",
  { v: 1 },
  { locator: ObjectLocator, object: str, osdInstructions: fixed(u32, 0) },
);
export type RequestRedirect = Infer<typeof RequestRedirect>;

export interface MOSDOpReply {
  oid: string;
  pgid: PgId;
  /** OSD_FLAG bits: see replyFlags. */
  flags: number;
  /** Negative errno, or 0; positive only for reads and with RETURNVEC. */
  result: number;
  /** What clients older than replayVersion and userVersion look at: see replyVersions. */
  badReplayVersion: EVersion;
  mapEpoch: number;
  ops: OsdReplyOp[];
  /** The request's. */
  retryAttempt: number;
  replayVersion: EVersion;
  userVersion: number;
  redirect?: RequestRedirect | undefined;
  /** crc32c (seed 0xffffffff) of all outputs, when the sender has it from checksums at rest. */
  dataCrc?: number | undefined;
}

/** A request's flags as its reply has them: `ack` bits replaced by what is true now. */
export function replyFlags(requestFlags: number, ack: number): number {
  return (requestFlags & ~(OSD_FLAG.ONDISK | OSD_FLAG.ONNVRAM | OSD_FLAG.ACK)) | ack;
}

/** The three version fields of an executed request, the oldest one for clients that know no other. */
export function replyVersions(
  at: EVersion,
  userVersion: number,
): Pick<MOSDOpReply, "replayVersion" | "badReplayVersion" | "userVersion"> {
  return {
    replayVersion: at,
    badReplayVersion: userVersion === 0 ? at : { version: userVersion, epoch: at.epoch },
    userVersion,
  };
}

/** Versions of a refusal: there is nothing to replay. */
export function missingReplyVersions(
  at: EVersion,
  userVersion: number,
): Pick<MOSDOpReply, "replayVersion" | "badReplayVersion" | "userVersion"> {
  return { replayVersion: EVERSION_ZERO, badReplayVersion: at, userVersion };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function encodeFront(x: MOSDOpReply): Buffer {
  const w = new Writer(FRONT_SIZE + x.oid.length + x.ops.length * OP_SIZE);
  w.str(x.oid);
  PgId.encode(w, x.pgid);
  w.u64n(x.flags);
  w.s32(x.result);
  EVersion.encode(w, x.badReplayVersion);
  w.u32(x.mapEpoch);
  w.u32(x.ops.length);
  for (const op of x.ops) {
    assert(op.args.length === OSD_OP_ARGS_SIZE, "an op's union is 28 bytes");
    encodeOsdOp(w, op, listLength(op.outdata));
  }
  w.s32(x.retryAttempt);
  for (const op of x.ops) w.s32(op.rval);
  EVersion.encode(w, x.replayVersion);
  w.u64n(x.userVersion);
  w.bool(x.redirect !== undefined);
  if (x.redirect !== undefined) RequestRedirect.encode(w, x.redirect);
  w.zeros(TRACE_SIZE);
  return w.finish();
}

/** All outputs as one list of views. */
function outputs(ops: readonly OsdReplyOp[]): Uint8Array[] {
  const data: Uint8Array[] = [];
  for (const op of ops) for (const chunk of op.outdata) if (chunk.length > 0) data.push(chunk);
  return data;
}

/** Where the data was read, so that the receiver can align it. */
function dataOffset(x: MOSDOpReply): number {
  const read = x.ops[0];
  if (read === undefined || !isReadOp(read.code) || !usesExtent(read.code)) return 0;
  return extentOffset(read) % 0x1_0000;
}

function decodeOps(r: Reader, data: Uint8Array): OsdReplyOp[] {
  const count = r.count(OP_SIZE);
  const ops: OsdReplyOp[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const code = r.u16();
    const flags = r.u32();
    const args = r.view(OSD_OP_ARGS_SIZE);
    const length = r.u32();
    if (length > data.length - at) {
      throw r.fail(`op ${i} claims ${length} bytes of output, ${data.length - at} left`);
    }
    const outdata = length === 0 ? [] : [data.subarray(at, at + length)];
    ops.push({ code, flags, args, rval: 0, outdata });
    at += length;
  }
  return ops;
}

function decodeFront(r: Reader, data: Uint8Array): MOSDOpReply {
  const oid = r.str();
  const pgid = PgId.decode(r);
  const flags = r.u64n();
  const result = r.s32();
  const badReplayVersion = EVersion.decode(r);
  const mapEpoch = r.u32();
  const ops = decodeOps(r, data);
  const retryAttempt = r.s32();
  for (const op of ops) op.rval = r.s32();
  const replayVersion = EVersion.decode(r);
  const userVersion = r.u64n();
  const redirect = r.bool() ? RequestRedirect.decode(r) : undefined;
  r.advance(TRACE_SIZE);
  return {
    oid,
    pgid,
    flags,
    result,
    badReplayVersion,
    mapEpoch,
    ops,
    retryAttempt,
    replayVersion,
    userVersion,
    redirect,
  };
}

export const MOSDOpReply: MessageType<MOSDOpReply> = {
  type: TYPE,
  name: "osd_op_reply",
  encode(x, tid = 0): OutgoingMessage {
    // One literal: spreading two objects into a third costs more than all the rest of the encoding.
    const m: Mutable<OutgoingMessage> = {
      type: TYPE,
      version: VERSION,
      compatVersion: COMPAT_VERSION,
      tid,
      front: encodeFront(x),
      data: outputs(x.ops),
      dataOff: dataOffset(x),
    };
    if (x.dataCrc !== undefined) m.dataCrc = x.dataCrc;
    return m;
  },
  decode(m: IncomingMessage): MOSDOpReply {
    if (m.version !== VERSION) {
      throw new DecodeError("osd_op_reply", 0, `version ${m.version}, only ${VERSION} is read`);
    }
    return decodeFront(new Reader(m.front), m.data);
  },
};
