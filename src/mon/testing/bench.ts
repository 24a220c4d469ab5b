/**
 * A monitor on a bench, for unit tests: memory store, a clock that stands still, connections that only note
 * what is sent.
 */

import { ALLOW_ALL_CAPS, type EntityCaps } from "../../auth/index.ts";
import { type Clock, seededRandom, silentLogger, systemClock } from "../../base/index.ts";
import { type MPoolOp, messageTypeOf } from "../../messages/index.ts";
import type { Connection } from "../../messenger/index.ts";
import { MemStore, type ObjectStore } from "../../store/index.ts";
import type { IncomingMessage, MessageType, OutgoingMessage } from "../../types/index.ts";
import { Monitor, type MonitorOptions } from "../monitor.ts";
import { createPool } from "../services/osd-pools.ts";

/** Time moves only by `advance`; deferred work runs in a microtask. */
export class StillClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #periodic = new Set<() => void>();

  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
  every(_periodMs: number, fn: () => void): { cancel(): void } {
    this.#periodic.add(fn);
    return { cancel: () => this.#periodic.delete(fn) };
  }
  defer(fn: () => void): void {
    queueMicrotask(fn);
  }
  /** Lets everything periodic run once at the new time. */
  advance(ms: number): void {
    this.#now += ms;
    for (const fn of this.#periodic) fn();
  }
}

/** A store whose changes become durable only when they are let through. */
export class HeldStore extends MemStore {
  #held: (() => void)[] | undefined;

  hold(): void {
    this.#held = [];
  }
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }
  override async flush(): Promise<void> {
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    await super.flush();
  }
}

export const FSID = "00000000-1111-4222-8333-444444444444";
export const OSD_ADDR = { type: 2, ip: "127.0.0.1", port: 6800, nonce: 1 };

export function optionsFor(store: ObjectStore, clock: Clock): MonitorOptions {
  return {
    fsid: FSID,
    name: "a",
    addrs: [{ type: 2, ip: "127.0.0.1", port: 3300, nonce: 0 }],
    host: "bench",
    store,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    version: { version: "16.2.15", release: "pacific", text: "ceph version 16.2.15" },
  };
}

export interface Bench {
  readonly monitor: Monitor;
  readonly store: HeldStore;
  readonly clock: StillClock;
}

/** A fresh cluster with the pool "rbd" and OSDs that are up. */
export async function createBench({ numOsds = 1 } = {}): Promise<Bench> {
  const store = new HeldStore();
  const clock = new StillClock();
  const monitor = await Monitor.create(optionsFor(store, clock), {
    pools: [],
    numOsds,
    osdBytes: 2 ** 32,
  });
  // Made by hand: a cluster's first pools come with a snapshot mode already.
  await monitor.state.maps.change((pending) =>
    createPool(pending, {
      name: "rbd",
      pgNum: 32,
      size: 0,
      crushRule: 0,
      expectedNumObjects: 0,
      opts: new Map(),
      createTime: { sec: 1, nsec: 0 },
    }),
  );
  for (let id = 0; id < numOsds; id++) {
    const addr = { ...OSD_ADDR, port: OSD_ADDR.port + id };
    await monitor.osdBoot(id, [addr], `00000000-1111-4222-8333-55555555555${5 + id}`);
  }
  return { monitor, store, clock };
}

/** Enough turns for everything in memory to be done. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => systemClock.defer(resolve));
}

function incoming(message: OutgoingMessage): IncomingMessage {
  return {
    type: message.type,
    version: message.version,
    compatVersion: message.compatVersion,
    priority: 127,
    seq: 1,
    tid: message.tid ?? 0,
    front: message.front,
    middle: new Uint8Array(0),
    data: message.data?.[0] ?? new Uint8Array(0),
  };
}

/** A client's end of a session. */
export class FakeClient {
  readonly sent: OutgoingMessage[] = [];
  readonly connection: Connection;
  readonly #monitor: Monitor;
  closed: string | undefined;
  /** It is not read from. */
  isPaused = false;

  constructor(monitor: Monitor, caps: EntityCaps = ALLOW_ALL_CAPS) {
    this.#monitor = monitor;
    const addr = { type: 3, ip: "127.0.0.1", port: 0, nonce: 77 };
    this.connection = {
      id: 1,
      peerName: { type: 8, num: 5000n },
      peerAddrs: [addr],
      peerAddr: addr,
      features: 0x3f01cfbdfffdffffn,
      identity: { entity: { type: 8, id: "test" }, globalId: 5000n, caps },
      isOpen: true,
      session: undefined,
      queuedBytes: 0,
      takenBytes: 0,
      send: (message) => void this.sent.push(message),
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
      },
      close: (reason) => {
        this.closed = reason;
      },
    };
    monitor.dispatcher.onOpen(this.connection);
  }

  send<T>(type: MessageType<T>, message: T, tid = 1): void {
    this.#monitor.dispatcher.onMessage(this.connection, incoming(type.encode(message, tid)));
  }

  /** A message of a type that nobody knows. */
  sendUnknown(type: number): void {
    const front = new Uint8Array(0);
    const message = incoming({ type, version: 1, compatVersion: 1, front });
    this.#monitor.dispatcher.onMessage(this.connection, message);
  }

  /** What has been sent of a type since the last look. */
  take<T>(type: MessageType<T>): T[] {
    const found = this.sent.filter((message) => message.type === type.type);
    for (const message of found) this.sent.splice(this.sent.indexOf(message), 1);
    return found.map((message) => type.decode(incoming(message)));
  }

  get names(): string[] {
    return this.sent.map((message) => messageTypeOf(message.type)?.name ?? "unknown");
  }
}

export function poolOp(fields: Partial<MPoolOp> & { op: number }): MPoolOp {
  return { version: 0, fsid: FSID, pool: 1, snapid: 0n, poolName: "", crushRule: 0, ...fields };
}
