/**
 * Requests between OSDs of this machine: one reads an object of which another (or it itself) is primary.
 *
 * A request goes to the primary by the newest map, and again when a new map has another one, or more PGs in the
 * pool: what was sent to the wrong OSD or PG is dropped there, as a client's would be. One that could not be asked, as
 * it has not started yet, is asked again, at the next map or after a pause. The one who is asked sees a client like any
 * other, on a connection that is no socket.
 * ceph: src/osdc/Objecter.cc (every OSD has one)
 */

import type { Clock, Logger } from "../base/index.ts";
import { EMPTY, flatten } from "../encoding/index.ts";
import { mapPg, type OsdMap } from "../maps/index.ts";
import { MOSDOp, MOSDOpReply, type OsdOp } from "../messages/index.ts";
import type { Connection, Dispatcher } from "../messenger/index.ts";
import {
  ADDR_TYPE,
  ENTITY_TYPE,
  type EntityAddr,
  type EntityName,
  type IncomingMessage,
  type ObjectLocator,
  type OutgoingMessage,
  type PgId,
} from "../types/index.ts";
import { seedOf } from "./pg-parts.ts";

/** Pause before one that could not be asked is asked again, milliseconds. */
const RETRY_MS = 1000;

/** A message between OSDs: goes between threads as it is. */
export type PeerMessage = Pick<
  IncomingMessage,
  "type" | "version" | "compatVersion" | "tid" | "front" | "data"
>;

/** Asks an OSD, which may be the one who asks. Stays pending while that one does not answer. */
export type AskPeer = (osd: number, request: PeerMessage) => Promise<PeerMessage>;

/** An object to be read. */
export interface PeerObject {
  /** By the map that it was looked for in. */
  readonly pg: PgId;
  readonly hash: number;
  readonly oid: string;
  readonly locator: ObjectLocator;
  readonly snap: bigint;
}

function toPeerMessage(m: OutgoingMessage): PeerMessage {
  const { type, version, compatVersion, tid = 0, front } = m;
  return { type, version, compatVersion, tid, front, data: flatten(m.data ?? []) };
}

function toIncoming(m: PeerMessage): IncomingMessage {
  return { ...m, priority: 127, seq: 0, middle: EMPTY };
}

interface Reading {
  readonly object: PeerObject;
  readonly ops: OsdOp[];
  readonly flags: number;
  /** The OSD that was asked last; negative: none, or it could not be asked. */
  askedOsd: number;
  /** PGs of the pool then. */
  askedPgNum: number;
  /** How often somebody was asked. */
  attempts: number;
  readonly resolve: (reply: MOSDOpReply | undefined) => void;
}

export interface PeersHost {
  /** Of this OSD. */
  readonly id: number;
  /** Asks another one. */
  readonly ask: AskPeer;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly log: Logger;
  map(): OsdMap;
}

/** What an OSD asks others, and what they ask. */
export class Peers {
  readonly #host: PeersHost;
  readonly #pending = new Set<Reading>();
  #tid = 0;
  #stopped = false;
  /** OSDs that have asked. */
  readonly #connections = new Map<number, PeerConnection>();

  constructor(host: PeersHost) {
    this.#host = host;
  }

  /** Answers a request of another OSD. Stays pending if it is dropped, as a client's would be. */
  answer(osd: number, request: PeerMessage): Promise<PeerMessage> {
    const { dispatcher } = this.#host;
    let connection = this.#connections.get(osd);
    if (connection === undefined) {
      connection = new PeerConnection(osd);
      this.#connections.set(osd, connection);
      dispatcher.onOpen(connection);
    }
    return connection.ask(request, dispatcher);
  }

  /** @returns the reply; undefined if the object's pool is gone */
  read(object: PeerObject, ops: OsdOp[], flags: number): Promise<MOSDOpReply | undefined> {
    return new Promise((resolve) => {
      const asked = { askedOsd: -1, askedPgNum: 0, attempts: 0 };
      const reading: Reading = { object, ops, flags, ...asked, resolve };
      this.#pending.add(reading);
      this.#target(reading);
    });
  }

  mapChanged(): void {
    for (const reading of this.#pending) this.#target(reading);
  }

  stop(): void {
    this.#stopped = true;
  }

  #target(reading: Reading): void {
    if (this.#stopped || !this.#pending.has(reading)) return;
    const map = this.#host.map();
    const { pg: seen, hash } = reading.object;
    const pool = map.pools.get(seen.pool);
    if (pool === undefined) return this.#finish(reading, undefined);
    const { pgNum } = pool;
    const pg: PgId = { pool: seen.pool, seed: seedOf(hash, pgNum) };
    const primary = mapPg(map, pg).actingPrimary;
    if (primary === reading.askedOsd && pgNum === reading.askedPgNum) return;
    reading.askedOsd = primary;
    reading.askedPgNum = pgNum;
    if (primary < 0) return;
    const attempt = ++reading.attempts;
    const request = this.#request(map, pg, reading);
    const { id, ask, clock, log } = this.#host;
    const asked = primary === id ? this.answer(id, request) : ask(primary, request);
    asked.then(
      (reply) => {
        if (reading.askedOsd === primary && reading.askedPgNum === pgNum) {
          this.#finish(reading, MOSDOpReply.decode(toIncoming(reply)));
        }
      },
      (error: Error) => {
        log.warn("another OSD can not be asked", { why: error.message });
        // A new map may have had somebody asked since, be it the same one.
        if (reading.attempts !== attempt) return;
        reading.askedOsd = -1;
        clock.after(RETRY_MS, () => this.#target(reading));
      },
    );
  }

  #request(map: OsdMap, pg: PgId, { object, ops, flags }: Reading): PeerMessage {
    const { hash, oid, locator, snap } = object;
    const message = MOSDOp.encode(
      {
        pgid: { pgid: pg, shard: -1 },
        hash,
        mapEpoch: map.epoch,
        flags,
        reqid: { name: { type: 0, num: 0n }, tid: 0, inc: 0 },
        clientInc: 0,
        mtime: { sec: 0, nsec: 0 },
        locator,
        oid,
        ops,
        snapid: snap,
        snapSeq: 0n,
        snaps: [],
        retryAttempt: 0,
        features: 0n,
      },
      ++this.#tid,
    );
    return toPeerMessage(message);
  }

  #finish(reading: Reading, reply: MOSDOpReply | undefined): void {
    if (this.#pending.delete(reading)) reading.resolve(reply);
  }
}

const NO_ADDR: EntityAddr = { type: ADDR_TYPE.NONE, nonce: 0, ip: "", port: 0 };
let lastId = 0;

/** Another OSD, or this one itself, as a client of an OSD: a connection that is no socket. */
class PeerConnection implements Connection {
  /** Below those of real links. */
  readonly id: number = --lastId;
  readonly peerName: EntityName;
  readonly peerAddrs: EntityAddr[] = [];
  readonly peerAddr: EntityAddr = NO_ADDR;
  readonly features: bigint = 0n;
  readonly identity: Connection["identity"];
  readonly queuedBytes: number = 0;
  readonly takenBytes: number = 0;
  readonly isOpen: boolean = true;
  session: unknown;
  /** Who waits for the reply to a transaction. */
  readonly #waiting = new Map<number, (reply: PeerMessage) => void>();

  /** @param osd who asks */
  constructor(osd: number) {
    this.peerName = { type: ENTITY_TYPE.OSD, num: BigInt(osd) };
    this.identity = {
      entity: { type: ENTITY_TYPE.OSD, id: `${osd}` },
      globalId: 0n,
      caps: { osd: "allow *" },
    };
  }

  /** Has the OSD answer a request. */
  ask(request: PeerMessage, dispatcher: Dispatcher): Promise<PeerMessage> {
    return new Promise((resolve) => {
      this.#waiting.set(request.tid, resolve);
      dispatcher.onMessage(this, toIncoming(request));
    });
  }

  /** Maps that it is sent it has from the monitor. */
  send(message: OutgoingMessage, taken?: () => void): void {
    if (message.type === MOSDOpReply.type) {
      const { tid = 0 } = message;
      const resolve = this.#waiting.get(tid);
      this.#waiting.delete(tid);
      // The bytes are the sender's again afterwards: the reply has its own.
      resolve?.({ ...toPeerMessage(message), data: Buffer.concat(message.data ?? []) });
    }
    taken?.();
  }

  // What fits into memory on one side fits on the other: there is nobody to hold back.
  pause(): void {}
  resume(): void {}
  close(): void {}
}
