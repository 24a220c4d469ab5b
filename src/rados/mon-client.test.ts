import { expect, test } from "vitest";
import { ManualClock, until } from "../../test/harness/manual-clock.ts";
import { NoneClient } from "../auth/index.ts";
import { CephError, ERRNO, seededRandom, silentLogger } from "../base/index.ts";
import { encodeToBytes } from "../encoding/index.ts";
import { MonMap, newMonMap } from "../maps/index.ts";
import { MMonGetVersion, MMonGetVersionReply, MMonMap, MMonSubscribe } from "../messages/index.ts";
import type { Messenger, OpenedConnection } from "../messenger/index.ts";
import { ADDR_TYPE, type AddrVec, ENTITY_TYPE, type OutgoingMessage } from "../types/index.ts";
import { MonClient } from "./mon-client.ts";
import { FSID, toIncoming } from "./testing/scripted-osds.ts";

const addrOf = (port: number): AddrVec => [
  { type: ADDR_TYPE.MSGR2, nonce: 0, ip: "10.0.0.1", port },
];

class Link {
  readonly port: number;
  readonly sent: OutgoingMessage[] = [];
  heardBytes = 0;
  keepAlives = 0;
  isOpen = true;
  readonly #onClose: () => void;

  constructor(port: number, onClose: () => void) {
    this.port = port;
    this.#onClose = onClose;
  }
  send(message: OutgoingMessage): void {
    this.sent.push(message);
  }
  keepAlive(): void {
    this.keepAlives++;
  }
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#onClose();
  }
  subscriptions(): Record<string, number>[] {
    return this.sent
      .filter((m) => m.type === MMonSubscribe.type)
      .map((m) => {
        const { what } = MMonSubscribe.decode(toIncoming(m));
        return Object.fromEntries([...what].map(([name, { start }]) => [name, start]));
      });
  }
}

/** A client of monitors on those ports. `silent` ones take the connection and never finish it. */
function fixture(ports: number[], silent: number[] = []) {
  const clock = new ManualClock();
  const links: Link[] = [];
  /** Of the attempts at silent ones. */
  const signals: AbortSignal[] = [];
  const tried: number[] = [];
  const connect: Messenger["connect"] = (addrs, _type, _auth, options) => {
    const { port } = addrs[0]!;
    tried.push(port);
    const link = new Link(port, () => {
      if (mon.connection === (link as unknown)) mon.onClose();
    });
    links.push(link);
    const opened = link as unknown as OpenedConnection;
    if (!silent.includes(port)) return Promise.resolve(opened);
    const signal = options?.signal as AbortSignal;
    signals.push(signal);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  };
  const mon: MonClient = new MonClient({
    monitors: ports.map(addrOf),
    auth: new NoneClient({ type: ENTITY_TYPE.CLIENT, id: "admin" }),
    messenger: { connect } as unknown as Messenger,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    onSession: () => undefined,
  });
  return { clock, links, signals, tried, mon };
}

/** Lets time pass in steps, so that what begins in one of them has its time, too. */
async function pass(clock: ManualClock, ms: number, each: () => void = () => undefined) {
  for (let gone = 0; gone < ms; gone += 500) {
    each();
    clock.advance(500);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

test("a monitor that says nothing for 30 s is given up for another; one that does is kept", async () => {
  const { clock, links, mon } = fixture([1, 2]);
  await mon.start();
  await pass(clock, 120_000, () => void links[0]!.heardBytes++);
  expect(links).toHaveLength(1);
  expect(links[0]!.keepAlives).toBeGreaterThanOrEqual(11);
  await pass(clock, 60_000);
  expect(links[0]!.isOpen).toBe(false);
  expect(links[1]!.port).not.toBe(links[0]!.port);
  mon.close();
});

test("a monitor that never finishes a connection keeps nobody: it is given up, then the next is tried", async () => {
  const { clock, signals, tried, mon } = fixture([1, 2], [1, 2]);
  const starting = mon.start().catch((error: CephError) => error.code);
  await pass(clock, 60_000);
  expect(tried.length).toBeGreaterThan(3);
  expect(new Set(tried).size).toBe(2);
  expect((mon.lastFailure as CephError).code).toBe("ETIMEDOUT");
  expect(signals.slice(0, -1).every((signal) => signal.aborted)).toBe(true);
  mon.close();
  expect(await starting).toBe("ESHUTDOWN");
  expect(signals.every((signal) => signal.aborted)).toBe(true);
});

test("another session gets what had no answer again, and subscriptions from where they were", async () => {
  const { clock, links, mon } = fixture([1, 2]);
  await mon.start();
  mon.subscribe("osdmap", 0);
  mon.subscribe("log-info", 0);
  mon.subscribe("once", 0, { once: true });
  mon.got("osdmap", 41);
  mon.got("once", 7);
  const answer = mon.ask((tid) => MMonGetVersion.encode({ handle: tid, what: "osdmap" }, tid));
  const gone = new AbortController();
  const forgotten = mon
    .ask((tid) => MMonGetVersion.encode({ handle: tid, what: "gone" }, tid), {
      signal: gone.signal,
    })
    .catch((error: unknown) => error);
  gone.abort("gone");
  expect(await forgotten).toBe("gone");
  links[0]!.close();
  await until(() => links.length === 2 && links[1]!.sent.length > 0);
  expect(links[1]!.subscriptions()).toEqual([{ monmap: 0, osdmap: 42, "log-info": 0 }]);
  const asked = links[1]!.sent.filter((m) => m.type === MMonGetVersion.type);
  expect(asked.map((m) => MMonGetVersion.decode(toIncoming(m)).what)).toEqual(["osdmap"]);
  const reply = { handle: asked[0]!.tid!, version: 50, oldestVersion: 1 };
  mon.onMessage(toIncoming(MMonGetVersionReply.encode(reply, asked[0]!.tid)));
  expect(MMonGetVersionReply.decode(await answer).version).toBe(50);
  mon.close();
  expect(clock.timers).toBe(0);
});

test("monitors are those of their map, then those that were named", async () => {
  const { mon } = fixture([1, 2]);
  await mon.start();
  const waiting = mon.waitForMonMap();
  const map = newMonMap({ fsid: FSID, name: "a", addrs: addrOf(9) });
  mon.onMessage(toIncoming(MMonMap.encode({ monmap: encodeToBytes(MonMap, map) })));
  expect((await waiting).ranks).toEqual(["a"]);
  expect(mon.monitors.map((addrs) => addrs[0]?.port)).toEqual([9, 1, 2]);
  mon.close();
  const error = await mon.ask(() => ({}) as OutgoingMessage).catch((e: CephError) => e);
  expect((error as CephError).errno).toBe(-ERRNO.ESHUTDOWN);
});
