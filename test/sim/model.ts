/**
 * What an object is supposed to be: a request applied to a state gives the next state and the one answer
 * that is right. Written from what RADOS promises, not from the server's code.
 *
 * Snapshots are kept the way they are promised: the first write whose context knows a snapshot fixes what a
 * read at that snapshot finds from then on.
 */
import { crc32c, flatten, Reader } from "../../src/encoding/index.ts";
import {
  type MOSDOpReply,
  type OsdOp,
  opAppend,
  opCmpExt,
  opCreate,
  opDelete,
  opGetXattr,
  opOmapClear,
  opOmapGetVals,
  opOmapRmKeys,
  opOmapSetVals,
  opRead,
  opRmXattr,
  opRollback,
  opSetXattr,
  opStat,
  opTruncate,
  opWrite,
  opWriteFull,
  opZero,
} from "../../src/messages/index.ts";
import type { SnapContext } from "../../src/types/index.ts";

const ENOENT = -2;
const EEXIST = -17;
const ENODATA = -61;
const MAX_ERRNO = 4095;
const OMAP_MAX = 1000;

/** One op of a request. Names and values are ASCII. */
export type SubOp =
  | { op: "read"; offset: number; length: number }
  | { op: "stat" }
  | { op: "get-xattr"; name: string }
  | { op: "omap-get" }
  | { op: "cmpext"; offset: number; data: Buffer }
  | { op: "write"; offset: number; data: Buffer }
  | { op: "write-full"; data: Buffer }
  | { op: "append"; data: Buffer }
  | { op: "truncate"; size: number }
  | { op: "zero"; offset: number; length: number }
  | { op: "create" }
  | { op: "delete" }
  | { op: "rollback"; snap: bigint }
  | { op: "set-xattr"; name: string; value: string }
  | { op: "rm-xattr"; name: string }
  | { op: "omap-set"; entries: ReadonlyMap<string, string> }
  | { op: "omap-rm"; keys: readonly string[] }
  | { op: "omap-clear" };

export interface Request {
  readonly oid: string;
  readonly ops: readonly SubOp[];
  readonly isWrite: boolean;
  /** A read at a snapshot. */
  readonly snap?: bigint;
  readonly snapContext?: SnapContext;
}

/** An object that exists. Never changed once made. */
export interface Head {
  readonly data: Buffer;
  readonly xattrs: ReadonlyMap<string, string>;
  readonly omap: ReadonlyMap<string, string>;
}

export interface ObjectState {
  readonly head: Head | undefined;
  /** The newest snapshot that a write has known. */
  readonly seq: bigint;
  /** What the object was at snapshots up to `seq`. */
  readonly at: ReadonlyMap<bigint, Head | undefined>;
}

export const NEW_OBJECT: ObjectState = { head: undefined, seq: 0n, at: new Map() };
const EMPTY_HEAD: Head = {
  data: Buffer.alloc(0),
  xattrs: new Map(),
  omap: new Map(),
};

/** What came of a request. */
export interface Step {
  /** The very same object if nothing has changed. */
  readonly state: ObjectState;
  readonly outcome: string;
}

/** What the object was at a snapshot. */
function headAt(state: ObjectState, snap: bigint): Head | undefined {
  return snap > state.seq ? state.head : state.at.get(snap);
}

/** Steps by the state they begin at: the checker asks again and again. */
const steps = new WeakMap<ObjectState, Map<Request, Step>>();

export function apply(state: ObjectState, request: Request): Step {
  let known = steps.get(state);
  if (known === undefined) steps.set(state, (known = new Map()));
  let step = known.get(request);
  if (step === undefined) known.set(request, (step = compute(state, request)));
  return step;
}

function compute(state: ObjectState, request: Request): Step {
  if (request.isWrite) return applyWrite(state, request);
  const head = request.snap === undefined ? state.head : headAt(state, request.snap);
  if (head === undefined) return { state, outcome: `${ENOENT}` };
  const outs: string[] = [];
  for (const op of request.ops) {
    const out = readOp(head, op);
    if (typeof out === "number") return { state, outcome: `${out}` };
    outs.push(out);
  }
  return { state, outcome: outcomeOf(0, outs) };
}

function applyWrite(state: ObjectState, request: Request): Step {
  let { head } = state;
  let isChange = false;
  for (const op of request.ops) {
    const next = writeOp(state, head, op);
    if (typeof next === "number") return { state, outcome: `${next}` };
    if (next.head !== head) isChange = true;
    head = next.head;
  }
  if (!isChange) return { state, outcome: "0" };
  const { seq = 0n, snaps = [] } = request.snapContext ?? {};
  const at = new Map(state.at);
  for (const snap of snaps) if (snap > state.seq) at.set(snap, state.head);
  return { state: { head, seq: seq > state.seq ? seq : state.seq, at }, outcome: "0" };
}

function readOp(head: Head, op: SubOp): string | number {
  switch (op.op) {
    case "read": {
      const end = op.length === 0 ? head.data.length : op.offset + op.length;
      return describeData(head.data.subarray(op.offset, end));
    }
    case "stat":
      return `size ${head.data.length}`;
    case "get-xattr":
      return head.xattrs.get(op.name) ?? ENODATA;
    case "omap-get":
      return describeOmap(head.omap);
    default:
      throw new TypeError(`${op.op} is no read`);
  }
}

type Written = { head: Head | undefined };

/** `before` is the object as it was before the request: that is what its comparisons look at. */
function writeOp(before: ObjectState, head: Head | undefined, op: SubOp): Written | number {
  switch (op.op) {
    case "cmpext": {
      for (let i = 0; i < op.data.length; i++) {
        if (op.data[i] !== (before.head?.data[op.offset + i] ?? 0)) return -(MAX_ERRNO + i);
      }
      return { head };
    }
    case "create":
      return head === undefined ? { head: EMPTY_HEAD } : EEXIST;
    case "delete":
      return head === undefined ? ENOENT : { head: undefined };
    case "rollback": {
      const target = headAt(before, op.snap);
      // A version of its own, even where nothing is different.
      return { head: target && { ...target } };
    }
    case "set-xattr": {
      const old = head ?? EMPTY_HEAD;
      return { head: { ...old, xattrs: new Map([...old.xattrs, [op.name, op.value]]) } };
    }
    case "rm-xattr": {
      if (head === undefined) return ENOENT;
      const xattrs = new Map(head.xattrs);
      xattrs.delete(op.name);
      return { head: { ...head, xattrs } };
    }
    case "omap-set": {
      const old = head ?? EMPTY_HEAD;
      return { head: { ...old, omap: new Map([...old.omap, ...op.entries]) } };
    }
    case "omap-rm": {
      if (head === undefined) return ENOENT;
      const omap = new Map(head.omap);
      for (const key of op.keys) omap.delete(key);
      return { head: { ...head, omap } };
    }
    case "omap-clear":
      if (head === undefined) return ENOENT;
      return { head: { ...head, omap: new Map() } };
    default:
      return writeData(head, op);
  }
}

function writeData(head: Head | undefined, op: SubOp): Written | number {
  const old = head ?? EMPTY_HEAD;
  const { data } = old;
  switch (op.op) {
    case "write":
      return { head: { ...old, data: overwritten(data, op.offset, op.data) } };
    case "append":
      return { head: { ...old, data: overwritten(data, data.length, op.data) } };
    case "write-full":
      return { head: { ...old, data: op.data } };
    case "truncate": {
      if (head === undefined) return { head };
      const cut = Buffer.alloc(op.size);
      data.copy(cut);
      return { head: { ...old, data: cut } };
    }
    case "zero": {
      if (head === undefined || op.offset >= data.length || op.length === 0) return { head };
      const isTail = op.offset + op.length >= data.length;
      const zeroed = Buffer.from(isTail ? data.subarray(0, op.offset) : data);
      if (!isTail) zeroed.fill(0, op.offset, op.offset + op.length);
      return { head: { ...old, data: zeroed } };
    }
    default:
      throw new TypeError(`${op.op} is no write`);
  }
}

function overwritten(old: Buffer, offset: number, data: Buffer): Buffer {
  const out = Buffer.alloc(Math.max(old.length, offset + data.length));
  old.copy(out);
  data.copy(out, offset);
  return out;
}

/** By content. */
export function stateKey(state: ObjectState): string {
  const at = [...state.at].map(([snap, head]) => `${snap}:${headKey(head)}`);
  return `${headKey(state.head)} ${state.seq} ${at.join()}`;
}

const headKeys = new WeakMap<Head, string>();

function headKey(head: Head | undefined): string {
  if (head === undefined) return "-";
  let key = headKeys.get(head);
  if (key === undefined) {
    const xattrs = [...head.xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
    key = `${describeData(head.data)} ${xattrs.join(";")} ${describeOmap(head.omap)}`;
    headKeys.set(head, key);
  }
  return key;
}

// --- Outcomes ---------------------------------------------------------------------------------

function describeData(data: Uint8Array): string {
  return `${data.length} bytes ${crc32c(0, data).toString(16)}`;
}

function describeOmap(omap: ReadonlyMap<string, string>): string {
  const entries = [...omap].sort(([a], [b]) => (a < b ? -1 : 1));
  return `omap ${entries.map(([k, v]) => `${k}=${v}`).join()}`;
}

function outcomeOf(result: number, outs: readonly string[]): string {
  return [`${result}`, ...outs].join("; ");
}

/** A server's answer in the same words. */
export function outcomeOfReply(request: Request, reply: MOSDOpReply): string {
  if (reply.result < 0 || request.isWrite) return `${reply.result}`;
  const outs = request.ops.map((op, i) => {
    const out = flatten(reply.ops[i]?.outdata ?? []);
    switch (op.op) {
      case "stat":
        return `size ${new Reader(out).u64n()}`;
      case "get-xattr":
        return Buffer.from(out).toString("latin1");
      case "omap-get":
        return describeOmap(parseOmap(out));
      default:
        return describeData(out);
    }
  });
  return outcomeOf(reply.result, outs);
}

function parseOmap(bytes: Uint8Array): Map<string, string> {
  const r = new Reader(bytes);
  const omap = new Map<string, string>();
  for (let n = r.count(8); n > 0; n--) {
    const key = r.str();
    omap.set(key, Buffer.from(r.blob()).toString("latin1"));
  }
  return omap;
}

/** The request as it goes on the wire. */
export function wireOps(request: Request): OsdOp[] {
  return request.ops.flatMap(wireOp);
}

function wireOp(op: SubOp): OsdOp | OsdOp[] {
  const ascii = (text: string) => Buffer.from(text, "latin1");
  switch (op.op) {
    case "read":
      return opRead(op.offset, op.length);
    case "stat":
      return opStat();
    case "get-xattr":
      return opGetXattr(op.name);
    case "omap-get":
      return opOmapGetVals("", OMAP_MAX);
    case "cmpext":
      return opCmpExt(op.offset, op.data);
    case "write":
      return opWrite(op.offset, op.data);
    case "write-full":
      return opWriteFull(op.data);
    case "append":
      return opAppend(op.data);
    case "truncate":
      return opTruncate(op.size);
    case "zero":
      return opZero(op.offset, op.length);
    case "create":
      return opCreate(true);
    case "delete":
      return opDelete();
    case "rollback":
      return opRollback(op.snap);
    case "set-xattr":
      return opSetXattr(op.name, ascii(op.value));
    case "rm-xattr":
      return opRmXattr(op.name);
    case "omap-set":
      return opOmapSetVals(new Map([...op.entries].map(([k, v]) => [k, ascii(v)])));
    case "omap-rm":
      return opOmapRmKeys(op.keys);
    case "omap-clear":
      // By itself it is a change where there was an omap once, which a deleted object remembers until it is
      // trimmed. The removal of no keys is always one.
      return [opOmapRmKeys([]), opOmapClear()];
  }
}
