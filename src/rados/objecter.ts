/**
 * Requests on objects, and what it takes to get each done once: the map, the sessions with OSDs, and sending
 * again when one is lost or the map says that the objects are somewhere else.
 *
 * Requests go out in the order of their transaction ids; one is sent again, with the same id, on a new link and
 * in a new interval of its placement group; its reply counts only from the link it went out on last. So one client's writes to one object happen in order and
 * once each.
 * ceph: src/osdc/Objecter.cc
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  type Random,
  randomU32,
  sleep,
} from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import {
  applyIncremental,
  isUp,
  mapPg,
  OSDMAP_FLAG,
  OsdMap,
  OsdMapIncremental,
  type PgMapping,
  type PgPool,
  POOL_FLAG,
  pgOfHash,
} from "../maps/index.ts";
import {
  MOSDBackoff,
  MOSDMap,
  MOSDOp,
  MOSDOpReply,
  OSD_FLAG,
  type OsdOp,
} from "../messages/index.ts";
import type { Connection, Messenger } from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  formatAddrVec,
  type IncomingMessage,
  NOSNAP,
  type OutgoingMessage,
  type PgId,
  type SnapContext,
  utimeFromMs,
} from "../types/index.ts";
import { Backoffs } from "./backoffs.ts";
import { closedError } from "./mon-client.ts";

/** Wait before an OSD is tried again, milliseconds; half to one and a half times that. */
const RETRY_MS = 200;

export interface OpRequest {
  readonly pool: number;
  readonly nspace: string;
  /** Byte string; "" for requests on a placement group. */
  readonly oid: string;
  /** Placement hash: the object's, or where a listing is. */
  readonly hash: number;
  readonly ops: readonly OsdOp[];
  /** OSD_FLAG bits; at least one of READ and WRITE. */
  readonly flags: number;
  /** @default NOSNAP */
  readonly snap?: bigint;
  readonly snapContext?: SnapContext;
  /** Never sent again: rejects with ENOTCONN when its link is lost. For what belongs to a session. */
  readonly once?: boolean;
}

interface PendingOp {
  readonly tid: number;
  readonly request: OpRequest;
  readonly mtimeMs: number;
  readonly resolve: (done: OpDone) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
  /** The way it went last. */
  sentBy: Route | undefined;
}

/** The way to a placement group. */
export interface Route {
  readonly connection: Connection;
  /** The group's interval: what it has of requests and watches it forgets with it. */
  readonly interval: string;
}

export function isSameRoute(a: Route, b: Route): boolean {
  return a.connection === b.connection && a.interval === b.interval;
}

export interface OpDone {
  readonly reply: MOSDOpReply;
  /** The way that it went. */
  readonly route: Route;
}

/** Where a request has to go by the map. */
interface Target {
  readonly osd: number;
  readonly pg: PgId;
  /** Of an erasure-coded PG, the OSD's; else -1. */
  readonly shard: number;
  readonly interval: string;
}

/** The way to one instance of an OSD. */
interface OsdSession {
  readonly osd: number;
  readonly addrs: AddrVec;
  /** Address and the epoch it came up in: another instance is another session. */
  readonly instance: string;
  connection: Connection | undefined;
  backoffs: Backoffs;
  isClosed: boolean;
}

export interface ObjecterOptions {
  readonly auth: ClientAuth;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** New tickets are wanted: an OSD has refused ours. */
  readonly renewTickets: () => void;
  /** Maps were missed: ask for those from this epoch on. */
  readonly wantMap: (start: number) => void;
  /** Sessions or the map have changed: whoever has something registered looks after it. */
  readonly onChange: () => void;
}

export class Objecter {
  readonly #options: ObjecterOptions;
  readonly #ops = new Map<number, PendingOp>();
  readonly #sessions = new Map<number, OsdSession>();
  #waiters: { epoch: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  #map: OsdMap | undefined;
  #tid = 0;
  #isClosed = false;

  constructor(options: ObjecterOptions) {
    this.#options = options;
  }

  get map(): OsdMap | undefined {
    return this.#map;
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#ops.size;
  }

  /** Everything pending fails with ESHUTDOWN. */
  close(): void {
    this.#isClosed = true;
    const error = closedError();
    for (const op of this.#ops.values()) this.#fail(op, error);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    for (const session of this.#sessions.values()) this.#endSession(session);
  }

  /** Resolves with a map of that epoch or later. */
  async mapAtLeast(epoch: number): Promise<OsdMap> {
    while (this.#map === undefined || this.#map.epoch < epoch) {
      if (this.#isClosed) throw closedError();
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ epoch, resolve, reject });
      });
    }
    return this.#map;
  }

  /** Resolves with the reply, whatever its result, however long it takes. */
  submit(request: OpRequest): Promise<OpDone> {
    if (this.#isClosed) return Promise.reject(closedError());
    const tid = ++this.#tid;
    const mtimeMs = this.#options.clock.now();
    return new Promise((resolve, reject) => {
      const op = { tid, request, mtimeMs, resolve, reject, attempts: 0, sentBy: undefined };
      this.#ops.set(tid, op);
      this.#trySend(op);
    });
  }

  /** The way that a request on an object with this hash would take now; undefined while there is none. */
  routeFor(pool: number, hash: number): Route | undefined {
    const target = this.#target(pool, hash);
    if (target === undefined) return undefined;
    const { connection } = this.#session(target);
    return connection && { connection, interval: target.interval };
  }

  // --- Where things are -------------------------------------------------------------------------

  #target(pool: number, hash: number): Target | undefined {
    const map = this.#map;
    const pgPool = map?.pools.get(pool);
    if (map === undefined || pgPool === undefined) return undefined;
    const pg = pgOfHash(pgPool, pool, hash);
    const mapping = mapPg(map, pg);
    const osd = mapping.actingPrimary;
    if (osd < 0 || !isUp(map, osd)) return undefined;
    const shard = mapping.actingShard;
    return { osd, pg, shard, interval: intervalOf(pg, pgPool, mapping) };
  }

  /** Does the map tell clients to hold such requests?  ceph: Objecter::target_should_be_paused */
  #isPaused({ pool, flags }: OpRequest): boolean {
    const map = this.#map;
    if (map === undefined) return true;
    if ((flags & OSD_FLAG.WRITE) === 0) return (map.flags & OSDMAP_FLAG.PAUSERD) !== 0;
    if ((map.flags & OSDMAP_FLAG.PAUSEWR) !== 0) return true;
    if ((flags & (OSD_FLAG.FULL_TRY | OSD_FLAG.FULL_FORCE)) !== 0) return false;
    const poolFlags = map.pools.get(pool)?.flags ?? 0;
    return (map.flags & OSDMAP_FLAG.FULL) !== 0 || (poolFlags & POOL_FLAG.FULL) !== 0;
  }

  #session({ osd }: { osd: number }): OsdSession {
    const { addrs, instance } = instanceOf(this.#map!, osd);
    const known = this.#sessions.get(osd);
    if (known?.instance === instance) return known;
    if (known !== undefined) this.#endSession(known);
    const session: OsdSession = {
      osd,
      addrs,
      instance,
      connection: undefined,
      backoffs: new Backoffs(),
      isClosed: false,
    };
    this.#sessions.set(osd, session);
    this.#open(session);
    return session;
  }

  #trySend(op: PendingOp): void {
    const { request } = op;
    const map = this.#map;
    if (map === undefined) return;
    const pgPool = map.pools.get(request.pool);
    if (pgPool === undefined) return this.#fail(op, poolGone(request.pool));
    const target = this.#target(request.pool, request.hash);
    if (target === undefined || this.#isPaused(request)) return;
    const session = this.#session(target);
    const { connection } = session;
    if (connection === undefined) return;
    const route = { connection, interval: target.interval };
    if (op.sentBy !== undefined && isSameRoute(op.sentBy, route)) return;
    if (session.backoffs.blocks(target.pg, hobjectOf(request))) return;
    if (request.once === true && op.attempts > 0) return this.#fail(op, linkLost());
    op.sentBy = route;
    connection.send(this.#encode(op, target, map.epoch));
  }

  #encode(op: PendingOp, { pg, shard }: Target, mapEpoch: number): OutgoingMessage {
    const { oid, ops, flags, hash, pool, nspace, snap, snapContext } = op.request;
    const retry = op.attempts > 0 ? OSD_FLAG.RETRY : 0;
    return MOSDOp.encode(
      {
        pgid: { pgid: pg, shard },
        hash,
        mapEpoch,
        flags: OSD_FLAG.ONDISK | flags | retry,
        reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
        clientInc: 0,
        mtime: utimeFromMs(op.mtimeMs),
        locator: { pool, key: "", nspace, hash: -1 },
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

  #fail(op: PendingOp, error: Error): void {
    this.#ops.delete(op.tid);
    op.reject(error);
  }

  /** Sends whatever is not on its way on the right link, in order. */
  #kick(): void {
    for (const op of this.#ops.values()) this.#trySend(op);
    this.#options.onChange();
  }

  // --- Sessions ---------------------------------------------------------------------------------

  #open(session: OsdSession): void {
    this.#connect(session).catch((error: unknown) => {
      this.#options.log.error("session with an OSD", { why: String(error) });
    });
  }

  async #connect(session: OsdSession): Promise<void> {
    const { auth, messenger, clock, random, log } = this.#options;
    while (!session.isClosed && session.connection === undefined) {
      try {
        const connection = await messenger.connect(
          session.addrs,
          ENTITY_TYPE.OSD,
          auth.serviceInitiator(ENTITY_TYPE.OSD),
          { globalId: auth.globalId },
        );
        if (session.isClosed) return connection.close("not needed any more");
        // Lost again before we could know it: its end has been told already.
        if (!connection.isOpen) continue;
        session.connection = connection;
        session.backoffs = new Backoffs();
      } catch (error) {
        log.debug("OSD not reached", { osd: session.osd, why: (error as Error).message });
        if (error instanceof CephError && error.errno === -ERRNO.EACCES) {
          auth.dropTicket(ENTITY_TYPE.OSD);
          this.#options.renewTickets();
        }
        await sleep(clock, RETRY_MS * (0.5 + (randomU32(random) % 1000) / 1000));
      }
    }
    if (!session.isClosed) this.#kick();
  }

  #endSession(session: OsdSession): void {
    session.isClosed = true;
    if (this.#sessions.get(session.osd) === session) this.#sessions.delete(session.osd);
    session.connection?.close("not needed any more");
  }

  #sessionOn(connection: Connection): OsdSession | undefined {
    for (const session of this.#sessions.values()) {
      if (session.connection === connection) return session;
    }
    return undefined;
  }

  onClose(connection: Connection): void {
    const session = this.#sessionOn(connection);
    if (session !== undefined) {
      session.connection = undefined;
      if (!this.#isClosed) this.#open(session);
    }
    for (const op of this.#ops.values()) {
      if (op.request.once === true && op.sentBy?.connection === connection) {
        this.#fail(op, linkLost());
      }
    }
  }

  // --- What comes in ----------------------------------------------------------------------------

  onReply(connection: Connection, message: IncomingMessage): void {
    const op = this.#ops.get(message.tid);
    const route = op?.sentBy;
    if (op === undefined || route?.connection !== connection) return;
    const reply = MOSDOpReply.decode(message);
    if (reply.retryAttempt !== op.attempts - 1) return;
    this.#ops.delete(op.tid);
    op.resolve({ reply, route });
  }

  onBackoff(connection: Connection, message: IncomingMessage): void {
    const session = this.#sessionOn(connection);
    if (session === undefined) return;
    if (session.backoffs.handle(connection, MOSDBackoff.decode(message)) === "unblock") {
      this.#kick();
      return;
    }
    // What the OSD has of them it has dropped: they go again when it says so.
    for (const op of this.#ops.values()) {
      const target = this.#target(op.request.pool, op.request.hash);
      if (op.sentBy?.connection !== connection || target === undefined) continue;
      if (session.backoffs.blocks(target.pg, hobjectOf(op.request))) op.sentBy = undefined;
    }
  }

  onMap(message: IncomingMessage): void {
    const maps = MOSDMap.decode(message);
    const before = this.#map?.epoch ?? 0;
    while (this.#advance(maps)) this.#dropOldInstances(this.#map!);
    const epoch = this.#map?.epoch ?? 0;
    if (epoch === before) {
      if (maps.oldest > epoch + 1 || !hasAfter(maps, epoch)) return;
      this.#options.wantMap(epoch + 1);
      return;
    }
    const ready = this.#waiters.filter((w) => w.epoch <= epoch);
    this.#waiters = this.#waiters.filter((w) => w.epoch > epoch);
    for (const { resolve } of ready) resolve();
    this.#kick();
  }

  /** Takes the next epoch that the message has, if it has one. */
  #advance(maps: MOSDMap): boolean {
    const next = (this.#map?.epoch ?? 0) + 1;
    const incremental = maps.incrementals.get(next);
    const newest = maps.maps.get(maps.newest);
    const full = maps.maps.get(next) ?? (maps.newest >= next ? newest : undefined);
    if (this.#map !== undefined && incremental !== undefined) {
      this.#map = applyIncremental(this.#map, decodeFromBytes(OsdMapIncremental, incremental));
    } else if (full !== undefined) {
      this.#map = decodeFromBytes(OsdMap, full);
    } else {
      return false;
    }
    return true;
  }

  /** Whoever is down or new by this epoch has to be asked anew. */
  #dropOldInstances(map: OsdMap): void {
    for (const session of this.#sessions.values()) {
      const { osd, instance } = session;
      if (isUp(map, osd) && instanceOf(map, osd).instance === instance) continue;
      this.#endSession(session);
    }
  }
}

/** As text: what begins a new interval changes it.  ceph: PastIntervals::is_new_interval, Objecter::_calc_target */
function intervalOf(pg: PgId, pool: PgPool, mapping: PgMapping): string {
  const { pgNum, size, minSize, lastForceOpResend } = pool;
  const { up, upPrimary, acting, actingPrimary } = mapping;
  return [
    pg.seed,
    pgNum,
    size,
    minSize,
    lastForceOpResend,
    upPrimary,
    actingPrimary,
    up,
    "",
    acting,
  ].join();
}

function hasAfter(maps: MOSDMap, epoch: number): boolean {
  return [...maps.maps.keys(), ...maps.incrementals.keys()].some((e) => e > epoch);
}

function instanceOf(map: OsdMap, osd: number): { addrs: AddrVec; instance: string } {
  const addrs = map.clientAddrs[osd] ?? [];
  return { addrs, instance: `${formatAddrVec(addrs)} ${map.osdInfo[osd]?.upFrom ?? 0}` };
}

function hobjectOf({ pool, nspace, oid, hash, snap }: OpRequest) {
  return { key: "", oid, snap: snap ?? NOSNAP, hash, max: 0, nspace, pool: BigInt(pool) };
}

function linkLost(): CephError {
  return new CephError(-ERRNO.ENOTCONN, { op: "send to", target: "an OSD" });
}

export function poolGone(pool: number | string): CephError {
  return new CephError(-ERRNO.ENOENT, { op: "open", target: `pool ${pool}` });
}
