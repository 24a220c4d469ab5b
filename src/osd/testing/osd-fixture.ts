/**
 * One OSD on a memory store with a client beside it, for tests: requests go in as messages and come back
 * as replies, without a socket in between.
 */

import {
  BufferPool,
  type Clock,
  seededRandom,
  silentLogger,
  type Timer,
} from "../../base/index.ts";
import { EMPTY, encodeToBytes, flatten, textOf } from "../../encoding/index.ts";
import {
  commitIncremental,
  emptyOsdMap,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  newIncremental,
  newPool,
  OSD_IN,
  OSD_STATE,
  OsdMap,
  type OsdMapIncremental,
  type OsdReport,
  type PgPool,
  pgKey,
} from "../../maps/index.ts";
import {
  MCommand,
  MCommandReply,
  MOSDOp,
  MOSDOpReply,
  MWatchNotify,
  type OsdOp,
} from "../../messages/index.ts";
import type { Connection } from "../../messenger/index.ts";
import { MemStore, type ObjectStore } from "../../store/index.ts";
import {
  ADDR_TYPE,
  ENTITY_TYPE,
  type IncomingMessage,
  IntervalSet,
  NOSNAP,
  type OutgoingMessage,
  objectHash,
  type SnapContext,
  stableMod,
  stableModMask,
} from "../../types/index.ts";
import { OsdServer } from "../server.ts";

export const POOL = 1;
export const PG_NUM = 8;
const MEMORY_BYTES = 1 << 20;
const FSID = "00000000-1111-2222-3333-444444444444";

/** A clock that moves when told. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #timers: { at: number; fn: () => void; period: number | undefined }[] = [];
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(delayMs: number, fn: () => void): Timer {
    return this.#add(delayMs, fn, undefined);
  }
  every(periodMs: number, fn: () => void): Timer {
    return this.#add(periodMs, fn, periodMs);
  }
  defer(fn: () => void): void {
    this.#deferred.push(fn);
  }
  #add(delayMs: number, fn: () => void, period: number | undefined): Timer {
    const timer = { at: this.#now + delayMs, fn, period };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((t) => t !== timer)) };
  }

  /** Runs what was deferred, and what that defers, until nothing is left. */
  settle(): void {
    for (let fn = this.#deferred.shift(); fn !== undefined; fn = this.#deferred.shift()) fn();
  }

  /** Runs what has been deferred until now, and no more. */
  turn(): void {
    for (const fn of this.#deferred.splice(0)) fn();
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    this.settle();
    for (;;) {
      const [next] = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = next.at;
      if (next.period === undefined) this.#timers = this.#timers.filter((t) => t !== next);
      else next.at += next.period;
      next.fn();
      this.settle();
    }
    this.#now = end;
  }
}

export function initialMap(pool: PgPool): OsdMap {
  const addr = [{ type: ADDR_TYPE.MSGR2, nonce: 1, ip: "127.0.0.1", port: 6800 }];
  return {
    ...emptyOsdMap(FSID),
    epoch: 10,
    pools: new Map([[POOL, pool]]),
    poolNames: new Map([[POOL, "rbd"]]),
    poolMax: POOL,
    maxOsd: 1,
    osdState: [OSD_STATE.EXISTS | OSD_STATE.UP],
    osdWeight: [OSD_IN],
    clientAddrs: [addr],
    // Every PG is ours, whatever CRUSH would say.
    pgTemp: new Map(
      Array.from({ length: PG_NUM }, (_, seed) => [pgKey({ pool: POOL, seed }), [0]] as const),
    ),
    hbBackAddrs: [addr],
    osdInfo: [NEW_OSD_INFO],
    clusterAddrs: [addr],
    osdUuid: [FSID],
    osdXinfo: [NEW_OSD_XINFO],
    hbFrontAddrs: [addr],
  };
}

function toIncoming(m: OutgoingMessage): IncomingMessage {
  return {
    type: m.type,
    version: m.version,
    compatVersion: m.compatVersion,
    priority: m.priority ?? 127,
    seq: 0,
    tid: m.tid ?? 0,
    front: m.front,
    middle: m.middle ?? EMPTY,
    data: flatten(m.data ?? []),
  };
}

export interface OpOptions {
  snap?: bigint;
  snapContext?: SnapContext;
  flags?: number;
  nspace?: string;
  key?: string;
  /** Sent as a resend of this transaction. */
  tid?: number;
  mtimeSec?: number;
  /** The PG of a listing. */
  seed?: number;
  epoch?: number;
  /** PGs of the pool, as the client knows it. @default as the OSD's map has it */
  pgNum?: number;
}

/** A client on a connection of its own. */
export class TestClient implements Connection {
  static #lastId = 0;
  readonly id = ++TestClient.#lastId;
  readonly peerName: { type: number; num: bigint };
  readonly peerAddr: Connection["peerAddr"];
  readonly features = 0n;
  readonly identity: Connection["identity"];
  readonly queuedBytes = 0;
  readonly takenBytes = 0;
  session: unknown;
  isOpen = true;
  readonly received: OutgoingMessage[] = [];
  readonly #osd: TestOsd;
  #tid = 0;

  constructor(osd: TestOsd, globalId: number, caps = "allow *") {
    this.#osd = osd;
    this.peerName = { type: ENTITY_TYPE.CLIENT, num: BigInt(globalId) };
    this.peerAddr = { type: ADDR_TYPE.ANY, nonce: globalId, ip: "127.0.0.1", port: 0 };
    this.identity = {
      entity: { type: ENTITY_TYPE.CLIENT, id: "admin" },
      globalId: BigInt(globalId),
      caps: { osd: caps },
    };
    osd.server.onOpen(this);
  }

  get peerAddrs(): Connection["peerAddrs"] {
    return [this.peerAddr];
  }
  send(message: OutgoingMessage, taken?: () => void): void {
    // As a socket does it: never within the call, unless the link is closed.
    if (!this.isOpen) taken?.();
    else if (taken !== undefined) queueMicrotask(taken);
    this.received.push(message);
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#osd.server.onClose(this);
  }

  get lastTid(): number {
    return this.#tid;
  }

  /** Sends a request and returns its transaction id. */
  submit(oid: string, ops: OsdOp[], o: OpOptions = {}): number {
    const tid = o.tid ?? ++this.#tid;
    const nspace = o.nspace ?? "";
    const key = o.key ?? "";
    const hash = o.seed ?? objectHash(oid, nspace, key);
    const pgNum = o.pgNum ?? this.#osd.pgNum;
    const seed = stableMod(hash, pgNum, stableModMask(pgNum));
    const message = MOSDOp.encode(
      {
        pgid: { pgid: { pool: POOL, seed }, shard: -1 },
        hash,
        mapEpoch: o.epoch ?? this.#osd.map.epoch,
        flags: o.flags ?? 0,
        reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
        clientInc: 0,
        mtime: { sec: o.mtimeSec ?? 100, nsec: 0 },
        locator: { pool: POOL, key, nspace, hash: -1 },
        oid,
        ops,
        snapid: o.snap ?? NOSNAP,
        snapSeq: o.snapContext?.seq ?? 0n,
        snaps: o.snapContext?.snaps ?? [],
        retryAttempt: 0,
        features: 0n,
      },
      tid,
    );
    this.#osd.server.onMessage(this, toIncoming(message));
    return tid;
  }

  /** The reply to a transaction, if it has come. */
  reply(tid: number): MOSDOpReply | undefined {
    const found = this.received.findLast((m) => m.type === MOSDOpReply.type && m.tid === tid);
    return found === undefined ? undefined : MOSDOpReply.decode(toIncoming(found));
  }

  /** Sends a request and waits for its reply. */
  async op(oid: string, ops: OsdOp[], o: OpOptions = {}): Promise<MOSDOpReply> {
    const tid = this.submit(oid, ops, o);
    for (let i = 0; i < 50; i++) {
      this.#osd.clock.settle();
      const reply = this.reply(tid);
      if (reply !== undefined) return reply;
      await Promise.resolve();
    }
    throw new Error(`no reply to transaction ${tid}`);
  }

  /** What `ceph tell osd.0 …` gets; the clock is left to run while the OSD is at it. */
  async command(request: object): Promise<{ r: number; status: string; value: unknown }> {
    const tid = ++this.#tid;
    const cmd = [JSON.stringify(request)];
    const message = MCommand.encode({ fsid: FSID, cmd, data: EMPTY }, tid);
    this.#osd.server.onMessage(this, toIncoming(message));
    for (let i = 0; i < 5000; i++) {
      this.#osd.clock.advance(1);
      const found = this.received.find((m) => m.type === MCommandReply.type && m.tid === tid);
      if (found !== undefined) {
        const { r, rs, data } = MCommandReply.decode(toIncoming(found));
        const text = Buffer.from(data).toString();
        return { r, status: textOf(rs), value: text === "" ? undefined : JSON.parse(text) };
      }
      await Promise.resolve();
    }
    throw new Error(`no reply to command ${tid}`);
  }

  /** One page of a PG's listing. */
  list(seed: number, op: OsdOp): Promise<MOSDOpReply> {
    return this.op("", [op], { seed });
  }

  notifications(): MWatchNotify[] {
    return this.received
      .filter((m) => m.type === MWatchNotify.type)
      .map((m) => MWatchNotify.decode(toIncoming(m)));
  }
}

export class TestOsd {
  readonly clock = new ManualClock();
  readonly store: ObjectStore;
  server: OsdServer;
  map: OsdMap;
  readonly purged: [number, IntervalSet][] = [];
  /** Reports to the monitor. */
  readonly reports: OsdReport[] = [];
  /** Objects told of as damaged. */
  readonly corrupt: string[] = [];

  readonly #fatal: (error: Error) => void = (error) => {
    throw error;
  };

  /** Where bulk data comes from. */
  readonly memory = new BufferPool(MEMORY_BYTES, this.clock);

  constructor(
    options: {
      pool?: Partial<PgPool>;
      store?: ObjectStore | ((clock: Clock) => ObjectStore);
      /** @default it is thrown */
      fatal?: (error: Error) => void;
    } = {},
  ) {
    const { store = (clock: Clock) => new MemStore({ clock }) } = options;
    if (options.fatal !== undefined) this.#fatal = options.fatal;
    this.store = typeof store === "function" ? store(this.clock) : store;
    this.map = initialMap({ ...newPool({ pgNum: PG_NUM, size: 1 }), ...options.pool });
    this.server = this.#start();
  }

  #start(): OsdServer {
    const server = new OsdServer({
      id: 0,
      store: this.store,
      pool: this.memory,
      map: encodeToBytes(OsdMap, this.map),
      clock: this.clock,
      random: seededRandom(1),
      log: silentLogger,
      version: { version: "16.2.15", release: "pacific" },
      report: (report) => this.reports.push(report),
      ask: () => Promise.reject(new Error("there is no other OSD")),
      snapsPurged: (pool, snaps) => this.purged.push([pool, snaps]),
      corruption: (object) => this.corrupt.push(object),
      fatal: this.#fatal,
    });
    server.start();
    return server;
  }

  /** The OSD stops and comes back on the same store. Clients have to connect anew. */
  restart(): void {
    this.server.stop();
    this.server = this.#start();
  }

  /** PGs of the pool in the newest map. */
  get pgNum(): number {
    return this.map.pools.get(POOL)?.pgNum ?? PG_NUM;
  }

  /** The pool has so many PGs from now on. */
  split(pgNum: number): void {
    this.changeMap((inc) => {
      const pool = this.map.pools.get(POOL);
      if (pool === undefined) throw new RangeError("the pool is gone");
      const fields = { pgNum, pgpNum: pgNum, pgNumTarget: pgNum, pgpNumTarget: pgNum };
      const lastForceOpResendPreluminous = this.map.epoch + 1;
      inc.newPools.set(POOL, {
        ...pool,
        ...fields,
        pgNumPending: pgNum,
        lastForceOpResendPreluminous,
      });
      for (let seed = pool.pgNum; seed < pgNum; seed++) {
        inc.newPgTemp.set(pgKey({ pool: POOL, seed }), [0]);
      }
    });
  }

  client(globalId: number, caps?: string): TestClient {
    return new TestClient(this, globalId, caps);
  }

  /** Publishes the next epoch. */
  changeMap(change: (inc: OsdMapIncremental) => void): void {
    const inc = newIncremental(this.map);
    change(inc);
    const { map, full, incremental } = commitIncremental(this.map, inc);
    this.map = map;
    this.server.handleMap(incremental, full);
  }

  /** The monitor says that snaps are removed. */
  removeSnaps(snaps: IntervalSet): void {
    this.changeMap((inc) => {
      inc.newRemovedSnaps.set(POOL, snaps);
    });
  }
}
