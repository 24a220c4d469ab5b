/**
 * A small client of our own wire code: what of librados it takes to find objects and get requests done.
 *
 * Requests are sent in the order of their transaction ids, and sent again, with the same id, when the link
 * is lost or the map says that the OSD is another instance; a reply counts only from the link that the
 * request went out on last. So one client's writes to one object happen in order and once each.
 * ceph: src/osdc/Objecter.cc, src/mon/MonClient.cc
 */
import { CephxClient, type CryptoKey } from "../../src/auth/index.ts";
import { CephError, ERRNO, silentLogger, sleep } from "../../src/base/index.ts";
import { decodeFromBytes, u64 } from "../../src/encoding/index.ts";
import {
  applyIncremental,
  isUp,
  locateObject,
  mapPg,
  OsdMap,
  OsdMapIncremental,
} from "../../src/maps/index.ts";
import {
  MAuth,
  MAuthReply,
  MMonCommand,
  MMonCommandAck,
  MMonSubscribe,
  MOSDMap,
  MOSDOp,
  MOSDOpReply,
  MPoolOp,
  MPoolOpReply,
  OSD_FLAG,
  type OsdOp,
  POOL_OP,
} from "../../src/messages/index.ts";
import { type Connection, type Dispatcher, Messenger } from "../../src/messenger/index.ts";
import { childSeeds } from "../../src/osd/pg-parts.ts";
import {
  ADDR_TYPE,
  type AddrVec,
  ENTITY_TYPE,
  formatAddrVec,
  type IncomingMessage,
  NOSNAP,
  type OutgoingMessage,
  type SnapContext,
  utimeFromMs,
} from "../../src/types/index.ts";
import type { Dice } from "../harness/dice.ts";
import type { SimProcess } from "./machine.ts";
import { MON_PORT, SERVER_HOST } from "./server.ts";
import type { World } from "./world.ts";

export const POOL = 1;
const ENTITY = { type: ENTITY_TYPE.CLIENT, id: "admin" };
const MON_ADDR: AddrVec = [{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: SERVER_HOST, port: MON_PORT }];
/** Mean wait before another try, milliseconds. */
const RETRY_MS = 100;
/** How often tickets are looked at, milliseconds. */
const TICKETS_MS = 10_000;
/** Refusals in a row that can not be a race any more. */
const REFUSALS_MAX = 10;

export interface OpRequest {
  readonly oid: string;
  readonly ops: readonly OsdOp[];
  readonly isWrite: boolean;
  /** @default the head */
  readonly snap?: bigint;
  readonly snapContext?: SnapContext;
}

interface PendingOp {
  readonly tid: number;
  readonly request: OpRequest;
  readonly mtimeMs: number;
  readonly resolve: (reply: MOSDOpReply) => void;
  attempts: number;
  /** The link it went out on last. */
  sentOn: Connection | undefined;
  /** To which PG, and of how many. */
  sentTo: { seed: number; pgNum: number };
}

const NOT_SENT = { seed: 0, pgNum: 0 };

interface PendingMonRequest {
  readonly message: OutgoingMessage;
  readonly resolve: (message: IncomingMessage) => void;
}

/** The way to one instance of an OSD. */
class OsdSession {
  readonly addrs: AddrVec;
  /** Address and the epoch it came up in: another instance is another session. */
  readonly instance: string;
  connection: Connection | undefined;
  isClosed = false;

  constructor(addrs: AddrVec, instance: string) {
    this.addrs = addrs;
    this.instance = instance;
  }
}

export class SimClient implements Dispatcher {
  readonly process: SimProcess;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #cephx: CephxClient;
  readonly #messenger: Messenger;
  readonly #ops = new Map<number, PendingOp>();
  readonly #monRequests = new Map<number, PendingMonRequest>();
  readonly #sessions = new Map<number, OsdSession>();
  #mapWaiters: { epoch: number; resolve: () => void }[] = [];
  #mon: Connection | undefined;
  #map: OsdMap | undefined;
  #tid = 0;
  #isRenewing = false;
  #refusals = 0;

  constructor(options: { world: World; process: SimProcess; dice: Dice; key: CryptoKey }) {
    const { world, process, dice, key } = options;
    const { clock, random, transport } = process;
    this.#world = world;
    this.process = process;
    this.#dice = dice;
    this.#cephx = new CephxClient({ entity: ENTITY, key, clock, random });
    this.#messenger = new Messenger({
      name: { type: ENTITY_TYPE.CLIENT, num: 0n },
      transport,
      clock,
      random,
      log: silentLogger,
      dispatcher: this,
    });
  }

  /** Begins to connect, for as long as the process lives. */
  start(): void {
    this.#background(this.#connectMon());
    this.process.clock.every(TICKETS_MS, () => this.#renewTickets());
  }

  get map(): OsdMap | undefined {
    return this.#map;
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#ops.size + this.#monRequests.size;
  }

  /** A request on one object. Resolves with the reply, however long it takes. */
  submit(request: OpRequest): { tid: number; reply: Promise<MOSDOpReply> } {
    const tid = ++this.#tid;
    const mtimeMs = this.process.clock.now();
    const reply = new Promise<MOSDOpReply>((resolve) => {
      const op = {
        tid,
        request,
        mtimeMs,
        resolve,
        attempts: 0,
        sentOn: undefined,
        sentTo: NOT_SENT,
      };
      this.#ops.set(tid, op);
      this.#trySend(op);
    });
    return { tid, reply };
  }

  /** A new snapshot id of the pool. */
  async createSnap(): Promise<bigint> {
    const reply = await this.#poolOp(POOL_OP.CREATE_UNMANAGED_SNAP, 0n);
    if (reply.replyCode !== 0 || reply.responseData === undefined) {
      throw new Error(`snapshot id: ${reply.replyCode}`);
    }
    return decodeFromBytes(u64, reply.responseData);
  }

  async removeSnap(snap: bigint): Promise<void> {
    const { replyCode } = await this.#poolOp(POOL_OP.DELETE_UNMANAGED_SNAP, snap);
    if (replyCode !== 0) throw new Error(`removal of snapshot ${snap}: ${replyCode}`);
  }

  /** A monitor command; its code and output. */
  async command(args: Readonly<Record<string, unknown>>): Promise<{ r: number; out: string }> {
    const map = await this.#anyMap();
    const message = await this.#askMon((tid) =>
      MMonCommand.encode(
        { version: 0, fsid: map.fsid, cmd: [JSON.stringify(args)], data: new Uint8Array(0) },
        tid,
      ),
    );
    const { r, data } = MMonCommandAck.decode(message);
    return { r, out: Buffer.from(data).toString("utf8") };
  }

  async #poolOp(op: number, snapid: bigint): Promise<MPoolOpReply> {
    const map = await this.#anyMap();
    const { fsid } = map;
    const message = await this.#askMon((tid) =>
      MPoolOp.encode({ version: 0, fsid, pool: POOL, op, snapid, poolName: "", crushRule: 0 }, tid),
    );
    const reply = MPoolOpReply.decode(message);
    await this.#mapAtLeast(reply.epoch);
    return reply;
  }

  #askMon(encode: (tid: number) => OutgoingMessage): Promise<IncomingMessage> {
    const tid = ++this.#tid;
    const message = encode(tid);
    return new Promise((resolve) => {
      this.#monRequests.set(tid, { message, resolve });
      this.#mon?.send(message);
    });
  }

  async #anyMap(): Promise<OsdMap> {
    await this.#mapAtLeast(1);
    return this.#map!;
  }

  #mapAtLeast(epoch: number): Promise<void> {
    if ((this.#map?.epoch ?? 0) >= epoch) return Promise.resolve();
    return new Promise((resolve) => {
      this.#mapWaiters.push({ epoch, resolve });
    });
  }

  // --- The monitor ----------------------------------------------------------------------------

  async #connectMon(): Promise<void> {
    while (this.#mon === undefined) {
      try {
        const auth = this.#cephx.monInitiator();
        this.#mon = await this.#messenger.connect(MON_ADDR, ENTITY_TYPE.MON, auth);
      } catch (error) {
        this.#refused(error as Error);
        await this.#pause();
      }
    }
    const start = this.#map === undefined ? 0 : this.#map.epoch + 1;
    const what = new Map([["osdmap", { start, flags: 0 }]]);
    this.#mon.send(MMonSubscribe.encode({ what, hostname: this.process.name }));
    for (const { message } of this.#monRequests.values()) this.#mon.send(message);
    this.#kick();
  }

  /** A peer that is there and will not have us, again and again, is wrong: our key is good. */
  #refused(error: Error): void {
    if (!(error instanceof CephError) || error.errno !== -ERRNO.EACCES) return;
    this.#world.trace(`${this.process.name} refused: ${error.message}`);
    if (++this.#refusals > REFUSALS_MAX) {
      this.#world.fail(new Error(`${this.process.name} is refused: ${error.message}`));
    }
  }

  #renewTickets(): void {
    if (this.#mon === undefined || this.#isRenewing) return;
    const payload = this.#cephx.buildRenewal();
    if (payload === undefined) return;
    this.#isRenewing = true;
    this.#world.trace(`${this.process.name} renews tickets`);
    this.#mon.send(MAuth.encode({ version: 0, protocol: 2, payload, monmapEpoch: 0 }));
  }

  // --- OSDs -----------------------------------------------------------------------------------

  /** Where a request has to go by the present map. */
  #target(request: OpRequest): { osd: number; addrs: AddrVec; instance: string } | undefined {
    const map = this.#map;
    const at = map && locateObject(map, { pool: POOL, nspace: "", key: "" }, request.oid);
    if (map === undefined || at === undefined) return undefined;
    const osd = mapPg(map, at.pg).actingPrimary;
    if (osd < 0 || !isUp(map, osd)) return undefined;
    return { osd, ...instanceOf(map, osd) };
  }

  /** What is on its way to a PG that has split since is dropped there: it goes again. */
  #recallSplit(pgNum: number): void {
    for (const op of this.#ops.values()) {
      const { sentTo } = op;
      if (sentTo.pgNum === 0 || pgNum <= sentTo.pgNum) continue;
      if (childSeeds(sentTo.seed, sentTo.pgNum, pgNum).length > 0) op.sentOn = undefined;
    }
  }

  /** Sends whatever is not on its way on the right link, in order. */
  #kick(): void {
    for (const op of this.#ops.values()) this.#trySend(op);
  }

  #trySend(op: PendingOp): void {
    const target = this.#target(op.request);
    if (target === undefined) return;
    let session = this.#sessions.get(target.osd);
    if (session?.instance !== target.instance) {
      if (session !== undefined) this.#endSession(target.osd, session);
      session = new OsdSession(target.addrs, target.instance);
      this.#sessions.set(target.osd, session);
      this.#background(this.#open(target.osd, session));
    }
    const { connection } = session;
    if (connection === undefined || op.sentOn === connection) return;
    op.sentOn = connection;
    connection.send(this.#encode(op));
  }

  #encode(op: PendingOp): OutgoingMessage {
    const { oid, ops, isWrite, snap, snapContext } = op.request;
    const map = this.#map!;
    const at = locateObject(map, { pool: POOL, nspace: "", key: "" }, oid)!;
    op.sentTo = { seed: at.pg.seed, pgNum: map.pools.get(POOL)!.pgNum };
    const retry = op.attempts > 0 ? OSD_FLAG.RETRY : 0;
    return MOSDOp.encode(
      {
        pgid: { pgid: at.pg, shard: -1 },
        hash: at.hash,
        mapEpoch: map.epoch,
        flags: OSD_FLAG.ONDISK | (isWrite ? OSD_FLAG.WRITE : OSD_FLAG.READ) | retry,
        reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
        clientInc: 0,
        mtime: utimeFromMs(op.mtimeMs),
        locator: { pool: POOL, key: "", nspace: "", hash: -1 },
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

  async #open(osd: number, session: OsdSession): Promise<void> {
    while (!session.isClosed && session.connection === undefined) {
      try {
        const connection = await this.#messenger.connect(
          session.addrs,
          ENTITY_TYPE.OSD,
          this.#cephx.serviceInitiator(ENTITY_TYPE.OSD),
          { globalId: this.#cephx.globalId },
        );
        if (session.isClosed) return connection.close("not needed any more");
        session.connection = connection;
      } catch (error) {
        this.#refused(error as Error);
        if (error instanceof CephError && error.errno === -ERRNO.EACCES) {
          this.#cephx.dropTicket(ENTITY_TYPE.OSD);
          this.#renewTickets();
        }
        await this.#pause();
      }
    }
    this.#world.trace(`${this.process.name} has osd.${osd}`);
    this.#refusals = 0;
    this.#kick();
  }

  #endSession(osd: number, session: OsdSession): void {
    session.isClosed = true;
    this.#sessions.delete(osd);
    session.connection?.close("another instance");
  }

  // --- Dispatcher -----------------------------------------------------------------------------

  onOpen(): void {}

  onClose(connection: Connection): void {
    if (connection === this.#mon) {
      this.#mon = undefined;
      this.#isRenewing = false;
      this.#background(this.#retry(() => this.#connectMon()));
      return;
    }
    for (const [osd, session] of this.#sessions) {
      if (session.connection !== connection) continue;
      session.connection = undefined;
      this.#background(this.#retry(() => this.#open(osd, session)));
    }
  }

  onMessage(connection: Connection, incoming: IncomingMessage): void {
    // Decoded values are views: they outlive the receive ring here.
    const message = { ...incoming, front: Buffer.from(incoming.front) };
    switch (message.type) {
      case MOSDOpReply.type:
        return this.#onReply(connection, message);
      case MOSDMap.type:
        return this.#onMap(MOSDMap.decode(message));
      case MAuthReply.type: {
        const { result, payload } = MAuthReply.decode(message);
        this.#isRenewing = false;
        this.#cephx.takeRenewal(result, payload);
        return;
      }
      case MPoolOpReply.type:
      case MMonCommandAck.type: {
        const request = this.#monRequests.get(message.tid);
        this.#monRequests.delete(message.tid);
        request?.resolve(message);
      }
    }
  }

  #onReply(connection: Connection, message: IncomingMessage): void {
    const op = this.#ops.get(message.tid);
    if (op === undefined || op.sentOn !== connection) return;
    const reply = MOSDOpReply.decode(message);
    if (reply.retryAttempt !== op.attempts - 1) return;
    this.#ops.delete(op.tid);
    op.resolve(reply);
  }

  #onMap(message: MOSDMap): void {
    const before = this.#map?.epoch ?? 0;
    for (;;) {
      const epoch = (this.#map?.epoch ?? 0) + 1;
      const incremental = message.incrementals.get(epoch);
      const full = message.maps.get(epoch);
      if (this.#map !== undefined && incremental !== undefined) {
        this.#map = applyIncremental(this.#map, decodeFromBytes(OsdMapIncremental, incremental));
      } else if (full !== undefined) {
        this.#map = decodeFromBytes(OsdMap, full);
      } else if (message.maps.has(message.newest) && message.newest >= epoch) {
        this.#map = decodeFromBytes(OsdMap, message.maps.get(message.newest)!);
      } else {
        break;
      }
      this.#dropOldInstances(this.#map);
    }
    const epoch = this.#map?.epoch ?? 0;
    if (epoch === before) return;
    this.#recallSplit(this.#map?.pools.get(POOL)?.pgNum ?? 0);
    this.#world.trace(`${this.process.name} map ${epoch}`);
    for (const { resolve } of this.#mapWaiters.filter((w) => w.epoch <= epoch)) resolve();
    this.#mapWaiters = this.#mapWaiters.filter((w) => w.epoch > epoch);
    this.#kick();
  }

  /** Whoever is down or new by this epoch has to be asked anew. */
  #dropOldInstances(map: OsdMap): void {
    for (const [osd, session] of this.#sessions) {
      if (isUp(map, osd) && instanceOf(map, osd).instance === session.instance) continue;
      this.#endSession(osd, session);
    }
  }

  #pause(): Promise<void> {
    return sleep(this.process.clock, this.#dice.exponential(RETRY_MS));
  }

  async #retry(fn: () => Promise<void>): Promise<void> {
    await this.#pause();
    await fn();
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#world.fail(error as Error));
  }
}

/** Removed snapshots that the OSDs have not trimmed yet, as this client knows. */
export function poolSnapsToTrim(client: SimClient): number {
  return client.map?.removedSnapsQueue.get(POOL)?.size ?? 0;
}

function instanceOf(map: OsdMap, osd: number): { addrs: AddrVec; instance: string } {
  const addrs = map.clientAddrs[osd] ?? [];
  return { addrs, instance: `${formatAddrVec(addrs)} ${map.osdInfo[osd]?.upFrom ?? 0}` };
}
