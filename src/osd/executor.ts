/**
 * Runs one request on its PG and answers it.
 *
 * Everything from the first check to the store transaction happens in one call, so no two requests ever
 * interleave on an object; only bulk reads may come back later, with the content as of the call. The reply
 * leaves when what it tells of is durable.
 * ceph: src/osd/PrimaryLogPG.cc do_op, do_osd_ops, execute_ctx, complete_read_ctx
 */

import { ERRNO } from "../base/index.ts";
import {
  type BufferList,
  crc32cCombine,
  DecodeError,
  EMPTY,
  flatten,
  listLength,
} from "../encoding/index.ts";
import {
  type MOSDOp,
  MOSDOpReply,
  missingReplyVersions,
  OSD_FLAG,
  OSD_OP_FLAG,
  type OsdReplyOp,
  osdOpName,
  replyFlags,
  replyVersions,
  requestId,
} from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import {
  CorruptionError,
  NoSpaceError,
  type ObjectStore,
  TooLargeError,
  type TransactionSeq,
} from "../store/index.ts";
import {
  EVERSION_ZERO,
  headOf,
  isValidSnapContext,
  NOSNAP,
  type OsdReqId,
  SNAPDIR,
  type SnapContext,
} from "../types/index.ts";
import type { CommitQueue } from "./commit-queue.ts";
import {
  REMEMBERED_OUTPUTS_MAX,
  REMEMBERED_RESULTS_MAX,
  REQUEST_READ_MAX,
  WRITE_REPLY_MAX,
} from "./limits.ts";
import type { ObjectContext } from "./object-context.ts";
import { isWhiteout } from "./object-info.ts";
import { OpContext, type OpEnvironment, type OpSlot } from "./op-context.ts";
import type { CopySource, ObjectCopy } from "./ops/copy.ts";
import { AS_BEFORE, unsupported } from "./ops/op.ts";
import { runPgOp } from "./ops/pg-op.ts";
import { opEntry, pgOp } from "./ops/table.ts";
import type { Committed, Pg } from "./pg.ts";
import { NO_RETURNS, type OpReturns } from "./pg-log.ts";
import { checkNames, checkSnapDir, checkWrite, hasFlag, type OpInfo } from "./request.ts";

/** The checksum of a reply's data from its parts' at rest; undefined where one is not known. */
function dataCrc(slots: readonly OpSlot[], bytes: number): number | undefined {
  // The usual case, and the only one worth the bother: one read.
  const [slot] = slots;
  if (slots.length !== 1 || slot?.crc === undefined || bytes === 0) return undefined;
  return crc32cCombine(0xffff_ffff, slot.crc, bytes);
}

/**
 * What a resend is told of the ops: their results, and what they gave unless that is more than a write may give.
 * A request of very many ops is remembered without: thousands of requests are.
 */
function returnsOf(slots: readonly OpSlot[]): OpReturns {
  if (slots.length > REMEMBERED_RESULTS_MAX) return NO_RETURNS;
  const rvals = slots.map((slot) => slot.rval);
  const given = slots.filter(({ out }) => listLength(out as BufferList) > 0);
  if (given.length === 0 || given.length > REMEMBERED_OUTPUTS_MAX) return { rvals, outputs: [] };
  const outputs = slots.map(({ out }) => {
    const list = out as BufferList;
    return listLength(list) > WRITE_REPLY_MAX ? EMPTY : Uint8Array.from(flatten(list));
  });
  return { rvals, outputs };
}

type Versions = ReturnType<typeof replyVersions>;

/** One request, decoded and on its PG. */
export interface Request {
  readonly message: MOSDOp;
  readonly tid: number;
  readonly connection: Connection;
  readonly pg: Pg;
  /** PGs of the pool. */
  readonly pgNum: number;
  readonly info: OpInfo;
  /** The pool keeps snapshots itself: its context replaces the client's. */
  readonly poolSnaps: SnapContext | undefined;
  /** The pool takes no growth; which error FULL_TRY gets. */
  readonly full: "no" | "quota" | "space";
  /** The pool is a cache of another's objects, and none of those is here. */
  readonly isCache: boolean;
  /** Sources of its copies that have been read so far, by the number of the op. */
  readonly copies: ReadonlyMap<number, ObjectCopy> | undefined;
  keepCopy(index: number, copy: ObjectCopy): void;
  /** It has to wait: keeps what it needs. The function given back runs it again, from its start. */
  suspend(): () => void;
  /**
   * Told once, when the request is over and the network has its reply.
   * @param result of the reply; undefined: there is none
   */
  done(outBytes: number, result?: number): void;
}

export interface ExecutorHost {
  readonly store: ObjectStore;
  readonly commits: CommitQueue;
  /** Of the newest map here. */
  epoch(): number;
  isBlocklisted(connection: Connection): boolean;
  readonly environment: OpEnvironment;
  unsupportedOp(name: string): void;
  /** What a reply carried may be used again. */
  recycle(list: BufferList): void;
  /** Something of this request's object does not read as it was written. */
  corruption(error: CorruptionError, request: Request): void;
  /** Has the source read for one of the request's ops, and the request run again. */
  copy(request: Request, index: number, source: CopySource): void;
  /** Is the request dropped, because there is no space and its client does not know? */
  drops(request: Request): boolean;
  /** The store has refused a write. */
  noSpace(): void;
  /** Something happened that must not: the OSD stops. */
  bug(error: Error): void;
}

/** ceph: src/include/rados.h EOLDSNAPC, which is ERESTART: the client's snap context is out of date. */
const EOLDSNAPC = 85;

const EXECUTED = OSD_FLAG.ACK | OSD_FLAG.ONDISK;

export class Executor {
  readonly #host: ExecutorHost;

  constructor(host: ExecutorHost) {
    this.#host = host;
  }

  run(request: Request): void {
    const { message, info } = request;
    if (hasFlag(message, "PARALLELEXEC")) return this.refuse(request, -ERRNO.EINVAL);
    if (info.pgOp) return this.#runPgOp(request);
    const bad = checkNames(message);
    if (bad !== 0) return this.refuse(request, bad);
    if (this.#host.isBlocklisted(request.connection)) {
      return this.refuse(request, -ERRNO.ESHUTDOWN);
    }
    // Upstream fetches what is not here, or sends the client on: an answer without that would be a lie.
    if (request.isCache && !hasFlag(message, "IGNORE_CACHE")) {
      return this.refuse(request, -ERRNO.EOPNOTSUPP);
    }
    const isOrdered = info.write || hasFlag(message, "RWORDERED");
    if (isOrdered && this.#host.drops(request)) return request.done(0);
    if (info.write) {
      const badWrite = checkWrite(message, this.#host.environment.writeSizeMax);
      if (badWrite !== 0) return this.refuse(request, badWrite);
      try {
        if (this.#answerDuplicate(request)) return;
      } catch (error) {
        return this.refuse(request, this.#failure(error, request));
      }
    }
    const badSnap = checkSnapDir(message);
    if (badSnap !== 0) return this.refuse(request, badSnap);
    const head = headOf(request.pg.id.pool, message);
    let target: ObjectContext | undefined;
    try {
      target = request.pg.find(head, message.snapid);
    } catch (error) {
      return this.refuse(request, this.#failure(error, request));
    }
    const missing =
      target === undefined ||
      (!info.write && (!target.exists || (message.snapid !== SNAPDIR && isWhiteout(target.info))));
    if (missing || target === undefined) {
      const seq = target?.lastSeq ?? request.pg.objects.head(head).lastSeq;
      return this.#host.commits.after(seq, () => this.refuse(request, -ERRNO.ENOENT));
    }
    this.#execute(request, target);
  }

  #execute(request: Request, target: ObjectContext): void {
    const { message, info } = request;
    const ctx = new OpContext({
      store: this.#host.store,
      collection: request.pg.collection,
      environment: this.#host.environment,
      resolveSnap: (head, snap) => request.pg.resolveSnap(head, snap),
      connection: request.connection,
      message,
      before: target,
      lastUserVersion: request.pg.info.lastUserVersion,
      mayWrite: info.write,
      copies: request.copies,
    });
    if (info.write) {
      ctx.snapContext = this.#snapContext(request);
      if (hasFlag(message, "ORDERSNAP") && ctx.snapContext.seq < target.snapset.seq) {
        return this.refuse(request, -EOLDSNAPC);
      }
    }
    const slots = message.ops.map((op): OpSlot => ({ op, rval: 0, out: [] }));
    let result: number;
    if (info.write && !isValidSnapContext(ctx.snapContext)) {
      result = -ERRNO.EINVAL;
    } else {
      result = this.#runOps(request, ctx, slots);
    }
    if (ctx.awaits !== undefined) {
      return this.#host.copy(request, ctx.awaits.index, ctx.awaits.source);
    }
    if (info.write) this.#finishWrite(request, ctx, slots, result);
    else this.#finishRead(request, ctx, slots, result);
  }

  #snapContext(request: Request): SnapContext {
    const { message, pg, poolSnaps } = request;
    if (poolSnaps !== undefined && !hasFlag(message, "ENFORCE_SNAPC")) return poolSnaps;
    return { seq: message.snapSeq, snaps: pg.liveSnaps(message.snaps) };
  }

  /** Ops in order until one fails. */
  #runOps(request: Request, ctx: OpContext, slots: readonly OpSlot[]): number {
    let result = 0;
    let givenBytes = 0;
    for (const slot of slots) {
      if (Math.max(givenBytes, ctx.delta.readKb * 1024) > REQUEST_READ_MAX) {
        slot.rval = -ERRNO.EOVERFLOW;
        return slot.rval;
      }
      result = this.#runOp(request, ctx, slot, result);
      slot.rval = result;
      ctx.opsDone++;
      if (!(slot.out instanceof Promise)) givenBytes += listLength(slot.out);
      if (ctx.awaits !== undefined) break;
      if (result < 0 && (slot.op.flags & OSD_OP_FLAG.FAILOK) !== 0) result = 0;
      if (result < 0) break;
    }
    return result;
  }

  /** @param before result of the op before it */
  #runOp(request: Request, ctx: OpContext, slot: OpSlot, before: number): number {
    const entry = opEntry(slot.op.code);
    if (entry === unsupported || entry === pgOp) {
      this.#host.unsupportedOp(osdOpName(slot.op.code));
      return -ERRNO.EOPNOTSUPP;
    }
    try {
      // Even if it fails: the request may succeed without it.
      if (entry.mode === "write") ctx.userModify = true;
      const result = entry.run(ctx, slot);
      return result === AS_BEFORE ? before : result;
    } catch (error) {
      return this.#failure(error, request);
    }
  }

  /** Malformed input and unreadable blocks have an errno; anything else is our bug and goes on up. */
  #failure(error: unknown, request: Request): number {
    if (error instanceof DecodeError) return -ERRNO.EINVAL;
    if (error instanceof CorruptionError) {
      this.#host.corruption(error, request);
      return -ERRNO.EIO;
    }
    throw error;
  }

  #finishWrite(request: Request, ctx: OpContext, slots: OpSlot[], outcome: number): void {
    const { pg, message } = request;
    const reqid = this.#reqid(request);
    const returnVec = hasFlag(message, "RETURNVEC");
    const changes = outcome >= 0 && (ctx.staged.length > 0 || ctx.modify);
    let result = outcome;
    if (changes) {
      if (this.#isGrowthRefused(request, ctx)) return this.#refuseGrowth(request, slots);
      if (returnVec) result = this.#boundOutputs(slots, result);
      else {
        result = 0;
        for (const slot of slots) slot.out = [];
      }
    }
    // Too long an answer: nothing is done or kept, so that a resend is a request of its own.
    if (changes && result < 0) return this.#finishNothing(request, ctx, slots, result);
    const returns = returnVec ? returnsOf(slots) : NO_RETURNS;
    let committed: Committed;
    try {
      committed = changes
        ? pg.commit(ctx, reqid, returnVec ? result : 0, returns)
        : pg.commitNothing(reqid, message.hash, result, returns);
    } catch (error) {
      if (error instanceof NoSpaceError) return this.#runOutOfSpace(request);
      if (error instanceof TooLargeError) return this.refuse(request, -ERRNO.EMSGSIZE);
      // A write into a damaged block would have to keep the rest of it.
      if (error instanceof CorruptionError) {
        return this.refuse(request, this.#failure(error, request));
      }
      throw error;
    }
    const userVersion = changes ? committed.userVersion : ctx.before.info.userVersion;
    const versions =
      result === -ERRNO.ENOENT
        ? missingReplyVersions(pg.info.lastUpdate, pg.info.lastUserVersion)
        : replyVersions(committed.version, userVersion);
    const seq = Math.max(committed.seq, ctx.before.lastSeq);
    this.#whenDurable(seq, pg, ctx, result, () =>
      this.#reply(request, EXECUTED, result, slots, versions),
    );
  }

  /** Has the effects of a request that has succeeded happen once `seq` is durable, then runs `fn`. */
  #whenDurable(seq: TransactionSeq, pg: Pg, ctx: OpContext, result: number, fn: () => void): void {
    if (!ctx.hasEffects) return this.#host.commits.after(seq, fn);
    const { before } = ctx;
    before.pendingEffects++;
    this.#host.commits.after(seq, () => {
      if (result >= 0) pg.applyEffects(ctx, before);
      before.pendingEffects--;
      fn();
    });
  }

  #finishNothing(request: Request, ctx: OpContext, slots: OpSlot[], result: number): void {
    this.#host.commits.after(ctx.before.lastSeq, () =>
      this.#reply(request, EXECUTED, result, slots, replyVersions(EVERSION_ZERO, 0)),
    );
  }

  /** Results of a write may not be large: they are kept for resends. */
  #boundOutputs(slots: OpSlot[], result: number): number {
    let bounded = result;
    for (const slot of slots) {
      if (listLength(slot.out as BufferList) <= WRITE_REPLY_MAX) continue;
      slot.rval = -ERRNO.EOVERFLOW;
      slot.out = [];
      bounded = -ERRNO.EOVERFLOW;
    }
    return bounded;
  }

  #isGrowthRefused(request: Request, ctx: OpContext): boolean {
    const { message, full } = request;
    if (full === "no" || hasFlag(message, "FULL_FORCE")) return false;
    if (ctx.delta.bytes > 0) return true;
    if (ctx.delta.objects <= 0) return false;
    // compat: upstream refuses this too. But a removal begins by making the trash's directory, an object
    // without data: upstream's first `rbd rm` of a pool's life fails on a full disk, ours has to work.
    return full === "quota" || !hasFlag(message, "FULL_TRY");
  }

  /** The store refused before the monitor could say that the pool is full. */
  #runOutOfSpace(request: Request): void {
    this.#host.noSpace();
    if (hasFlag(request.message, "FULL_TRY")) this.refuse(request, -ERRNO.ENOSPC);
    else request.done(0);
  }

  /** A full pool: who tried knowingly is told; anyone else resends when there is room. */
  #refuseGrowth(request: Request, slots: OpSlot[]): void {
    if (!hasFlag(request.message, "FULL_TRY")) return request.done(0);
    const result = request.full === "quota" ? -ERRNO.EDQUOT : -ERRNO.ENOSPC;
    for (const slot of slots) slot.out = [];
    this.#reply(request, EXECUTED, result, slots, replyVersions(EVERSION_ZERO, 0));
  }

  #finishRead(request: Request, ctx: OpContext, slots: OpSlot[], outcome: number): void {
    const { pg } = request;
    pg.countReads(ctx.delta);
    // The version that goes with the bytes: a later write may change the context before they arrive.
    const { userVersion } = ctx.before.info;
    const answer = (result: number) => {
      const versions =
        result === -ERRNO.ENOENT
          ? missingReplyVersions(pg.info.lastUpdate, pg.info.lastUserVersion)
          : replyVersions(EVERSION_ZERO, result >= 0 ? userVersion : 0);
      this.#reply(request, EXECUTED, result, slots, versions);
    };
    // A read may fail before anybody waits for it; a rejection that nobody looks after would end the process.
    for (const { out } of slots) if (out instanceof Promise) out.catch(() => undefined);
    this.#whenDurable(ctx.before.lastSeq, pg, ctx, outcome, () => {
      if (slots.some((slot) => slot.out instanceof Promise)) {
        this.#gather(request, slots, outcome).then(answer, (error: Error) => this.#host.bug(error));
      } else {
        answer(outcome);
      }
    });
  }

  /** Waits for bulk reads; one that fails fails the request. */
  async #gather(request: Request, slots: OpSlot[], outcome: number): Promise<number> {
    let result = outcome;
    for (const slot of slots) {
      try {
        slot.out = await slot.out;
      } catch (error) {
        slot.out = [];
        slot.rval = this.#failure(error, request);
        if (result >= 0) result = slot.rval;
      }
    }
    return result;
  }

  #runPgOp(request: Request): void {
    const { message, pg } = request;
    const slots = message.ops.map((op): OpSlot => ({ op, rval: 0, out: [] }));
    let result = 0;
    for (const slot of slots) {
      if (opEntry(slot.op.code) !== pgOp) {
        this.#host.unsupportedOp(osdOpName(slot.op.code));
        result = -ERRNO.EOPNOTSUPP;
      } else if (message.snapid !== NOSNAP) {
        result = -ERRNO.EINVAL;
      } else {
        try {
          const where = {
            collection: pg.collection,
            pg: pg.id,
            pgNum: request.pgNum,
            nspace: message.locator.nspace,
          };
          const page = runPgOp(this.#host.store, where, slot.op);
          slot.out = [page.out];
          result = page.result;
        } catch (error) {
          result = this.#failure(error, request);
        }
      }
      slot.rval = result;
      if (result < 0) break;
    }
    // A listing may show objects whose creation is not durable yet: it waits for everything before it.
    this.#host.commits.after(this.#host.store.lastSubmitted, () =>
      this.#reply(request, EXECUTED, result, slots, replyVersions(EVERSION_ZERO, 0)),
    );
  }

  #reqid(request: Request): OsdReqId {
    return requestId(request.message, request.connection.peerName, request.tid);
  }

  /** A write seen before is answered from the log, once it is durable. */
  #answerDuplicate(request: Request): boolean {
    const known = request.pg.log.find(this.#reqid(request));
    if (known === undefined) return false;
    const slots = request.message.ops.map((op, i): OpSlot => {
      const output = known.outputs[i] ?? EMPTY;
      return { op, rval: known.rvals[i] ?? 0, out: output.length > 0 ? [output] : [] };
    });
    const versions = replyVersions(known.version, known.userVersion);
    this.#host.commits.after(known.seq, () =>
      this.#reply(request, OSD_FLAG.ONDISK, known.result, slots, versions),
    );
    return true;
  }

  /** Answers without having run anything. */
  refuse(request: Request, errno: number): void {
    const slots = request.message.ops.map((op): OpSlot => ({ op, rval: 0, out: [] }));
    this.#reply(request, OSD_FLAG.ONDISK, errno, slots, replyVersions(EVERSION_ZERO, 0));
  }

  #reply(
    request: Request,
    ack: number,
    result: number,
    slots: readonly OpSlot[],
    versions: Versions,
  ): void {
    const { message, tid, connection } = request;
    let bytes = 0;
    const ops = slots.map((slot): OsdReplyOp => {
      const outdata = slot.out as BufferList;
      bytes += listLength(outdata);
      const { code, flags, args } = slot.op;
      return { code, flags, args, rval: slot.rval, outdata };
    });
    connection.send(
      MOSDOpReply.encode(
        {
          oid: message.oid,
          pgid: message.pgid.pgid,
          flags: replyFlags(message.flags, ack),
          result,
          mapEpoch: this.#host.epoch(),
          ops,
          dataCrc: dataCrc(slots, bytes),
          retryAttempt: message.retryAttempt,
          badReplayVersion: versions.badReplayVersion,
          replayVersion: versions.replayVersion,
          userVersion: versions.userVersion,
        },
        tid,
      ),
      () => {
        for (const { outdata } of ops) if (outdata.length > 0) this.#host.recycle(outdata);
        request.done(bytes, result);
      },
    );
  }
}
