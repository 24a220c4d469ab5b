/**
 * Requests on objects, and what it takes to get each done once: the map, the sessions with OSDs, and sending
 * again when one is lost or the map says that the objects are somewhere else.
 *
 * Requests go out in the order of their transaction ids. One is sent again, with the same id, on a new link,
 * when its placement group has another primary, splits or is merged, when it was held by a pause or for want
 * of space, and when epochs of the map were missed; its reply counts only for the last attempt, from the link
 * that this went out on. So one client's writes to one object happen in order and once each.
 * ceph: src/osdc/Objecter.cc
 */

import { CephError, ERRNO } from "../base/index.ts";
import { isBlocklisted, type OsdMap } from "../maps/index.ts";
import {
  MOSDBackoff,
  MOSDMap,
  MOSDOp,
  MOSDOpReply,
  OSD_FLAG,
  type OsdOp,
  osdOpName,
  type RequestRedirect,
} from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import {
  type IncomingMessage,
  NOSNAP,
  type OutgoingMessage,
  objectHash,
  type SnapContext,
  utimeFromMs,
} from "../types/index.ts";
import { bounded, type CallOptions, type Subject, watchLimits } from "./limits.ts";
import { closedError } from "./mon-client.ts";
import { isFull, isPaused, respectsFull, type Target, targetOf } from "./op-target.ts";
import { hasAfter, nextMap } from "./osd-map-feed.ts";
import { type OsdSession, OsdSessions } from "./osd-sessions.ts";
import type { LinkContext } from "./service-link.ts";

/** Such a read may be answered by a copy, which may not be able to. */
const REPLICA_READS = OSD_FLAG.BALANCE_READS | OSD_FLAG.LOCALIZE_READS;
const REDIRECTED = OSD_FLAG.REDIRECTED | OSD_FLAG.IGNORE_CACHE | OSD_FLAG.IGNORE_OVERLAY;

export interface OpRequest {
  readonly pool: number;
  readonly nspace: string;
  /** Byte string; "" for requests on a placement group. */
  readonly oid: string;
  /** Hashed in place of the name, byte string. @default "", none */
  readonly key?: string | undefined;
  /** Placement hash: the object's, or where a listing is. */
  readonly hash: number;
  readonly ops: readonly OsdOp[];
  /** OSD_FLAG bits; at least one of READ and WRITE. */
  readonly flags: number;
  /** @default NOSNAP */
  readonly snap?: bigint | undefined;
  readonly snapContext?: SnapContext | undefined;
  /** What a write has for its time, milliseconds since 1970. @default now */
  readonly mtimeMs?: number | undefined;
  /** Never sent again: rejects with ENOTCONN when its link is lost. For what belongs to a session. */
  readonly once?: boolean;
}

interface PendingOp {
  /** Changes when it is asked anew, as another request. */
  tid: number;
  request: OpRequest;
  readonly mtimeMs: number;
  readonly resolve: (done: OpDone) => void;
  readonly reject: (error: unknown) => void;
  /** Stops watching the caller's signal and time-out. */
  release: (() => void) | undefined;
  attempts: number;
  /** The way it went last. */
  sentBy: Route | undefined;
  /** Has to be sent again, even the same way. */
  isDue: boolean;
  /** Was held back by the map when last looked at. */
  isPaused: boolean;
}

/** The way to a placement group. */
export interface Route {
  readonly connection: Connection;
  /** The group's interval: what it has of watches it forgets with it. */
  readonly interval: string;
  /** What it has of requests it forgets with it. */
  readonly tenure: string;
}

export function isSameRoute(a: Route, b: Route): boolean {
  return a.connection === b.connection && a.interval === b.interval;
}

export interface OpDone {
  readonly reply: MOSDOpReply;
  /** The way that it went. */
  readonly route: Route;
}

export interface ObjecterOptions extends LinkContext {
  /** Time-out of requests that say none, milliseconds; 0: never. @default 0 */
  readonly opTimeoutMs?: number | undefined;
  /** Maps were missed: ask for those from this epoch on. */
  readonly wantMap: (start: number) => void;
  /** Sessions or the map have changed: whoever has something registered looks after it. */
  readonly onChange: () => void;
  /**
   * The next epoch of the map is there, `skipped` if others before it were not seen: what is registered with a
   * placement group is forgotten with each interval of it, however short.
   */
  readonly onEpoch: (skipped: boolean) => void;
  /** The cluster has locked this client out: what is registered is lost. */
  readonly onBlocklisted: (error: CephError) => void;
}

export class Objecter {
  readonly sessions: OsdSessions;
  readonly #options: ObjecterOptions;
  readonly #ops = new Map<number, PendingOp>();
  #waiters: { epoch: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  #map: OsdMap | undefined;
  #tid = 0;
  #isBlocklisted = false;
  #isClosed = false;

  constructor(options: ObjecterOptions) {
    this.#options = options;
    this.sessions = new OsdSessions(options, () => this.#kick());
  }

  get map(): OsdMap | undefined {
    return this.#map;
  }

  /** Time-out of requests that say none, milliseconds; 0: never. */
  get opTimeoutMs(): number {
    return this.#options.opTimeoutMs ?? 0;
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#ops.size;
  }

  /** Does the newest map lock this client out? */
  get isBlocklisted(): boolean {
    return this.#isBlocklisted;
  }

  /** Everything pending fails with ESHUTDOWN. */
  close(): void {
    this.#isClosed = true;
    const error = closedError();
    for (const op of this.#ops.values()) this.#fail(op, error);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.sessions.close();
  }

  /** Resolves with a map of that epoch or later. */
  async mapAtLeast(epoch: number, limits: CallOptions = {}): Promise<OsdMap> {
    const { signal, timeoutMs = 0 } = limits;
    if (signal === undefined && timeoutMs === 0) return await this.#mapAtLeast(epoch);
    const subject = () => ({ op: "wait for", target: `OSD map ${epoch}` });
    return await bounded(this.#options.clock, limits, subject, this.#mapAtLeast(epoch));
  }

  async #mapAtLeast(epoch: number): Promise<OsdMap> {
    while (this.#map === undefined || this.#map.epoch < epoch) {
      if (this.#isClosed) throw closedError();
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ epoch, resolve, reject });
      });
    }
    return this.#map;
  }

  /**
   * Resolves with the reply, whatever its result.
   * @throws the signal's reason; CephError ETIMEDOUT; ENOENT if the pool is gone; ESHUTDOWN if the client is
   * closed or locked out
   */
  submit(request: OpRequest, limits: CallOptions = {}): Promise<OpDone> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#isBlocklisted) return Promise.reject(lockedOut(subjectOf(request)));
    const { signal, timeoutMs = this.opTimeoutMs } = limits;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const op: PendingOp = {
        tid: ++this.#tid,
        request,
        mtimeMs: request.mtimeMs ?? this.#options.clock.now(),
        resolve,
        reject,
        release: undefined,
        attempts: 0,
        sentBy: undefined,
        isDue: false,
        isPaused: false,
      };
      if (signal !== undefined || timeoutMs > 0) {
        op.release = watchLimits(
          this.#options.clock,
          { signal, timeoutMs },
          () => subjectOf(request),
          (reason) => this.#fail(op, reason),
        );
      }
      this.#ops.set(op.tid, op);
      this.#trySend(op);
    });
  }

  #watchTarget(pool: number, hash: number): Target | undefined {
    // Watches are writes: that decides which tier has them.
    return this.#map && targetOf(this.#map, { pool, hash, flags: OSD_FLAG.WRITE });
  }

  /** The interval of the group that an object with this hash is in now; "" while nobody serves it. */
  intervalFor(pool: number, hash: number): string {
    return this.#watchTarget(pool, hash)?.interval ?? "";
  }

  /** The way that a request on an object with this hash would take now; undefined while there is none. */
  routeFor(pool: number, hash: number): Route | undefined {
    const map = this.#map;
    const target = this.#watchTarget(pool, hash);
    if (map === undefined || target === undefined) return undefined;
    const { connection } = this.sessions.get(map, target.osd).link;
    const { interval, tenure } = target;
    return connection && { connection, interval, tenure };
  }

  // --- Sending ----------------------------------------------------------------------------------

  #trySend(op: PendingOp): void {
    const { request } = op;
    const map = this.#map;
    if (map === undefined) return;
    if (!map.pools.has(request.pool)) return this.#fail(op, poolGone(request.pool));
    op.isPaused = isPaused(map, request);
    const target = targetOf(map, request);
    if (target === undefined || op.isPaused) return;
    const session = this.sessions.get(map, target.osd);
    const { connection } = session.link;
    if (connection === undefined) return;
    const { sentBy } = op;
    const isOnItsWay =
      sentBy?.connection === connection && sentBy.tenure === target.tenure && !op.isDue;
    if (isOnItsWay || isHeldOff(session, target, request)) return;
    if (request.once === true && op.attempts > 0) return this.#fail(op, linkLost());
    const { interval, tenure } = target;
    op.sentBy = { connection, interval, tenure };
    op.isDue = false;
    connection.send(this.#encode(op, target, map.epoch));
  }

  #encode(op: PendingOp, target: Target, mapEpoch: number): OutgoingMessage {
    const { oid, ops, flags, hash, key = "", nspace, snap, snapContext } = op.request;
    const retry = op.attempts > 0 ? OSD_FLAG.RETRY : 0;
    return MOSDOp.encode(
      {
        pgid: target.spg,
        hash,
        mapEpoch,
        flags: OSD_FLAG.ONDISK | flags | retry,
        reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
        clientInc: 0,
        mtime: utimeFromMs(op.mtimeMs),
        locator: { pool: target.pool, key, nspace, hash: -1 },
        oid,
        ops: [...ops],
        snapid: snap ?? NOSNAP,
        snapSeq: snapContext?.seq ?? 0n,
        snaps: snapContext?.snaps ?? [],
        retryAttempt: op.attempts++,
        features: 0n,
      },
      op.tid,
    );
  }

  #forget(op: PendingOp): void {
    this.#ops.delete(op.tid);
    op.release?.();
  }

  #fail(op: PendingOp, reason: unknown): void {
    this.#forget(op);
    op.reject(reason);
  }

  /** Asks again, as another request: what was answered was not about the object. */
  #resubmit(op: PendingOp, request: OpRequest): void {
    this.#ops.delete(op.tid);
    op.tid = ++this.#tid;
    op.request = request;
    op.attempts = 0;
    op.sentBy = undefined;
    this.#ops.set(op.tid, op);
    this.#trySend(op);
  }

  /** Sends whatever is not on its way on the right link, in order. */
  #kick(): void {
    for (const op of this.#ops.values()) this.#trySend(op);
    this.#options.onChange();
  }

  // --- What comes in ----------------------------------------------------------------------------

  onClose(connection: Connection): void {
    this.sessions.onClose(connection);
    for (const op of this.#ops.values()) {
      if (op.request.once === true && op.sentBy?.connection === connection) {
        this.#fail(op, linkLost());
      }
    }
  }

  onReply(connection: Connection, message: IncomingMessage): void {
    const op = this.#ops.get(message.tid);
    const route = op?.sentBy;
    if (op === undefined || route?.connection !== connection) return;
    const reply = MOSDOpReply.decode(message);
    if (reply.retryAttempt >= 0 && reply.retryAttempt !== op.attempts - 1) return;
    if (reply.redirect !== undefined) {
      return this.#resubmit(op, redirected(op.request, reply.redirect));
    }
    if (reply.result === -ERRNO.EAGAIN) {
      return this.#resubmit(op, { ...op.request, flags: op.request.flags & ~REPLICA_READS });
    }
    this.#forget(op);
    op.resolve({ reply, route });
  }

  onBackoff(connection: Connection, message: IncomingMessage): void {
    const map = this.#map;
    const session = this.sessions.on(connection);
    if (session === undefined || map === undefined) return;
    if (session.backoffs.handle(connection, MOSDBackoff.decode(message)) === "unblock") {
      this.#kick();
      return;
    }
    // What the OSD has of them it has dropped: they go again when it says so.
    for (const op of this.#ops.values()) {
      if (op.sentBy?.connection !== connection) continue;
      const target = targetOf(map, op.request);
      if (target === undefined) continue;
      if (isHeldOff(session, target, op.request)) op.isDue = true;
    }
  }

  onMap(message: IncomingMessage): void {
    const maps = MOSDMap.decode(message);
    const before = this.#map?.epoch ?? 0;
    for (;;) {
      const step = nextMap(this.#map, maps);
      if (step === undefined) break;
      const previous = this.#map;
      this.#map = step.map;
      // Each epoch counts: a primary that was another one for a moment has forgotten what it had.
      this.#scan(step.map, previous, step.skipped);
      this.#options.onEpoch(step.skipped);
      this.sessions.dropOldInstances(step.map);
    }
    const epoch = this.#map?.epoch ?? 0;
    if (epoch === before) {
      if (maps.oldest > epoch + 1 || !hasAfter(maps, epoch)) return;
      this.#options.wantMap(epoch + 1);
      return;
    }
    this.#checkBlocklist();
    const ready = this.#waiters.filter((w) => w.epoch <= epoch);
    this.#waiters = this.#waiters.filter((w) => w.epoch > epoch);
    for (const { resolve } of ready) resolve();
    this.#kick();
  }

  /** Marks what has to be sent again by this epoch. */
  #scan(map: OsdMap, previous: OsdMap | undefined, skipped: boolean): void {
    for (const op of this.#ops.values()) {
      this.#pruneSnaps(op, map);
      const { request, sentBy } = op;
      const paused = isPaused(map, request);
      const isReleased = op.isPaused && !paused;
      op.isPaused = paused;
      if (sentBy === undefined) continue;
      // An OSD drops writes while there is no space, and says nothing.
      const { pool } = request;
      const wasDropped =
        respectsFull(request) &&
        (isFull(map, pool) || (previous !== undefined && isFull(previous, pool)));
      const target = targetOf(map, request);
      if (skipped || isReleased || wasDropped || target?.tenure !== sentBy.tenure) op.isDue = true;
    }
  }

  /** A snapshot that is removed meanwhile must not get a clone any more.  ceph: Objecter::_prune_snapc */
  #pruneSnaps(op: PendingOp, map: OsdMap): void {
    const { snapContext, pool } = op.request;
    const removed = map.newRemovedSnaps.get(pool);
    if (snapContext === undefined || removed === undefined) return;
    const snaps = snapContext.snaps.filter((snap) => !removed.has(Number(snap)));
    if (snaps.length === snapContext.snaps.length) return;
    op.request = { ...op.request, snapContext: { ...snapContext, snaps } };
  }

  #checkBlocklist(): void {
    const [addr] = this.#options.messenger.addrs;
    const was = this.#isBlocklisted;
    this.#isBlocklisted =
      addr !== undefined && this.#map !== undefined && isBlocklisted(this.#map, addr);
    if (!this.#isBlocklisted || was) return;
    for (const op of this.#ops.values()) this.#fail(op, lockedOut(subjectOf(op.request)));
    this.#options.onBlocklisted(lockedOut({ op: "use", target: "the cluster" }));
  }
}

/** The object is at another place: it says so itself.  ceph: request_redirect_t::combine_with_locator */
function redirected(request: OpRequest, { locator, object }: RequestRedirect): OpRequest {
  const { pool, key, nspace } = locator;
  const oid = object === "" ? request.oid : object;
  const hash = objectHash(oid, nspace, key);
  return { ...request, pool, key, nspace, oid, hash, flags: request.flags | REDIRECTED };
}

/** For errors: the ops' names, and the object. */
function subjectOf({ pool, nspace, oid, hash, ops }: OpRequest): Subject {
  const op = ops.map(({ code }) => osdOpName(code)).join("+");
  const name = oid === "" ? `placement hash ${hash}` : oid;
  return { op, target: `pool ${pool}/${nspace === "" ? "" : `${nspace}/`}${name}` };
}

/** Has the OSD asked us to wait with requests like this one? */
function isHeldOff({ backoffs }: OsdSession, { pg }: Target, request: OpRequest): boolean {
  return !backoffs.isEmpty && backoffs.blocks(pg, hobjectOf(request));
}

function hobjectOf({ pool, nspace, oid, key = "", hash, snap }: OpRequest) {
  return { key, oid, snap: snap ?? NOSNAP, hash, max: 0, nspace, pool: BigInt(pool) };
}

function linkLost(): CephError {
  return new CephError(-ERRNO.ENOTCONN, { op: "send to", target: "an OSD" });
}

/** The cluster has locked this client out.  ceph: src/include/rados.h EBLOCKLISTED */
function lockedOut(subject: Subject): CephError {
  return new CephError(-ERRNO.ESHUTDOWN, { ...subject, cause: "this client is blocklisted" });
}

export function poolGone(pool: number | string): CephError {
  return new CephError(-ERRNO.ENOENT, { op: "open", target: `pool ${pool}` });
}
