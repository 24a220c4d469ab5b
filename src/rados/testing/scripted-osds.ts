/**
 * An `Objecter` whose OSDs are links in memory that a test reads and answers, and whose map a test changes
 * epoch by epoch.
 */

import { ManualClock } from "../../../test/harness/manual-clock.ts";
import { NoneClient } from "../../auth/index.ts";
import { type CephError, seededRandom, silentLogger } from "../../base/index.ts";
import { EMPTY, flatten } from "../../encoding/index.ts";
import {
  type CommittedEpoch,
  commitIncremental,
  emptyOsdMap,
  encodeOsdMap,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  newIncremental,
  newPool,
  OSD_IN,
  OSD_STATE,
  type OsdMap,
  type OsdMapIncremental,
  type PgPool,
  pgKey,
} from "../../maps/index.ts";
import { MOSDMap, MOSDOp, MOSDOpReply, OSD_FLAG, type OsdOp } from "../../messages/index.ts";
import type { Messenger, OpenedConnection } from "../../messenger/index.ts";
import {
  ADDR_TYPE,
  type AddrVec,
  ENTITY_TYPE,
  EVERSION_ZERO,
  type IncomingMessage,
  type OutgoingMessage,
  objectHash,
} from "../../types/index.ts";
import type { CallOptions } from "../limits.ts";
import { Objecter, type ObjecterOptions, type OpRequest } from "../objecter.ts";

export const POOL = 1;
export const FSID = "00000000-1111-4222-8333-444444444444";
export const OUR_ADDR = { type: ADDR_TYPE.ANY, nonce: 77, ip: "10.0.0.9", port: 0 };
const OSDS = 3;

export function toIncoming(m: OutgoingMessage): IncomingMessage {
  const { type, version, compatVersion, front } = m;
  const data = flatten(m.data ?? []);
  const tid = m.tid ?? 0;
  return { type, version, compatVersion, priority: 127, seq: 0, tid, front, middle: EMPTY, data };
}

function addrsOf(osd: number, nonce = 1): AddrVec {
  return [{ type: ADDR_TYPE.MSGR2, nonce, ip: "10.0.0.1", port: 6800 + osd }];
}

/** One link to an OSD, from the OSD's side. */
export class ScriptedLink {
  readonly port: number;
  readonly sent: OutgoingMessage[] = [];
  isOpen = true;
  heardBytes = 0;
  readonly #onClose: (link: ScriptedLink) => void;

  constructor(port: number, onClose: (link: ScriptedLink) => void) {
    this.port = port;
    this.#onClose = onClose;
  }

  send(message: OutgoingMessage): void {
    if (this.isOpen) this.sent.push(message);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#onClose(this);
  }

  /** Requests that came this way, with their transaction ids. */
  get requests(): { tid: number; op: MOSDOp }[] {
    return this.sent
      .filter((m) => m.type === MOSDOp.type)
      .map((m) => ({ tid: m.tid ?? 0, op: MOSDOp.decode(toIncoming(m)) }));
  }
}

export class ScriptedOsds {
  readonly clock = new ManualClock();
  readonly links: ScriptedLink[] = [];
  readonly objecter: Objecter;
  readonly blocklisted: CephError[] = [];
  readonly wantedMaps: number[] = [];
  map: OsdMap;

  constructor(pool: Partial<PgPool> = {}, options: Partial<ObjecterOptions> = {}) {
    const messenger = {
      addrs: [OUR_ADDR],
      connect: (addrs: AddrVec) => Promise.resolve(this.#connect(addrs)),
    } as unknown as Messenger;
    this.objecter = new Objecter({
      auth: new NoneClient({ type: ENTITY_TYPE.CLIENT, id: "admin" }),
      messenger,
      clock: this.clock,
      random: seededRandom(1),
      log: silentLogger,
      renewTickets: () => undefined,
      wantMap: (start) => this.wantedMaps.push(start),
      onChange: () => undefined,
      onEpoch: () => undefined,
      onBlocklisted: (error) => this.blocklisted.push(error),
      ...options,
    });
    this.map = firstMap({ ...newPool({ pgNum: 4, size: 2 }), ...pool });
    const { bytes } = encodeOsdMap(this.map);
    this.#deliver(new Map(), new Map([[this.map.epoch, bytes]]));
  }

  /** Links to that OSD, oldest first. */
  to(osd: number): ScriptedLink[] {
    return this.links.filter((link) => link.port === 6800 + osd);
  }

  /** The next epoch, without telling the client. */
  commit(change: (inc: OsdMapIncremental) => void): CommittedEpoch {
    const inc = newIncremental(this.map);
    change(inc);
    const epoch = commitIncremental(this.map, inc);
    this.map = epoch.map;
    return epoch;
  }

  /** Tells the client of epochs, as one message. */
  publish(epochs: readonly CommittedEpoch[], as: "incrementals" | "full" = "incrementals"): void {
    const pick = (e: CommittedEpoch) => (as === "full" ? e.full : e.incremental);
    const encoded = new Map(epochs.map((e) => [e.map.epoch, pick(e)]));
    if (as === "full") this.#deliver(new Map(), encoded);
    else this.#deliver(encoded, new Map());
  }

  /** The next epoch, and the client hears of it. */
  change(change: (inc: OsdMapIncremental) => void): void {
    this.publish([this.commit(change)]);
  }

  /** Has every group of the pool served by these OSDs, the first as primary. */
  serveBy(inc: OsdMapIncremental, acting: readonly number[]): void {
    const { pgNum } = inc.newPools.get(POOL) ?? this.map.pools.get(POOL)!;
    for (let seed = 0; seed < pgNum; seed++) {
      inc.newPgTemp.set(pgKey({ pool: POOL, seed }), [...acting]);
    }
  }

  submit(oid: string, ops: OsdOp[], more: Partial<OpRequest> & CallOptions = {}) {
    const { signal, timeoutMs, ...rest } = more;
    const limits = {
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const hash = objectHash(oid, "", "");
    const request = { pool: POOL, nspace: "", oid, hash, ops, flags: OSD_FLAG.WRITE, ...rest };
    const outcome: { result?: number; error?: unknown; tid?: number } = {};
    const done = this.objecter.submit(request, limits).then(
      ({ reply }) => void (outcome.result = reply.result),
      (error: unknown) => void (outcome.error = error),
    );
    return { outcome, done };
  }

  /** Answers a request as the OSD at the end of that link. */
  reply(link: ScriptedLink, tid: number, fields: Partial<MOSDOpReply> = {}): void {
    const { op } = link.requests.findLast((r) => r.tid === tid)!;
    const message = MOSDOpReply.encode(
      {
        oid: op.oid,
        pgid: op.pgid.pgid,
        flags: op.flags,
        result: 0,
        badReplayVersion: EVERSION_ZERO,
        mapEpoch: this.map.epoch,
        ops: op.ops.map(({ code, flags, args }) => ({ code, flags, args, rval: 0, outdata: [] })),
        retryAttempt: op.retryAttempt,
        replayVersion: EVERSION_ZERO,
        userVersion: 1,
        ...fields,
      },
      tid,
    );
    this.objecter.onReply(link as unknown as OpenedConnection, toIncoming(message));
  }

  #connect(addrs: AddrVec): OpenedConnection {
    const link = new ScriptedLink(addrs[0]!.port, (closed) =>
      this.objecter.onClose(closed as unknown as OpenedConnection),
    );
    this.links.push(link);
    return link as unknown as OpenedConnection;
  }

  #deliver(incrementals: Map<number, Uint8Array>, maps: Map<number, Uint8Array>): void {
    const newest = Math.max(...incrementals.keys(), ...maps.keys());
    const message = MOSDMap.encode({ fsid: FSID, incrementals, maps, oldest: 1, newest });
    this.objecter.onMap(toIncoming(message));
  }
}

function firstMap(pool: PgPool): OsdMap {
  const ids = [...Array(OSDS).keys()];
  const addrs = ids.map((osd) => addrsOf(osd));
  const acting = [0, 1];
  const pgTemp = Array.from({ length: pool.pgNum }, (_, seed) => {
    return [pgKey({ pool: POOL, seed }), acting] as const;
  });
  return {
    ...emptyOsdMap(FSID),
    epoch: 10,
    pools: new Map([[POOL, pool]]),
    poolNames: new Map([[POOL, "rbd"]]),
    poolMax: POOL,
    maxOsd: OSDS,
    osdState: ids.map(() => OSD_STATE.EXISTS | OSD_STATE.UP),
    osdWeight: ids.map(() => OSD_IN),
    clientAddrs: addrs,
    pgTemp: new Map(pgTemp),
    hbBackAddrs: addrs,
    osdInfo: ids.map(() => NEW_OSD_INFO),
    clusterAddrs: addrs,
    osdUuid: ids.map(() => FSID),
    osdXinfo: ids.map(() => NEW_OSD_XINFO),
    hbFrontAddrs: addrs,
  };
}
