import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { decodeFromBytes, flatten, Reader } from "../encoding/index.ts";
import { addrMapKey } from "../maps/index.ts";
import {
  NotifyResult,
  opCreate,
  opDelete,
  opListWatchers,
  opNotify,
  opNotifyAck,
  opStat,
  opWatch,
  WATCH_EVENT,
  WATCH_OP,
} from "../messages/index.ts";
import { CorruptionError } from "../store/index.ts";
import { ADDR_TYPE, IntervalSet, objectHash } from "../types/index.ts";
import { seedOf } from "./pg-parts.ts";
import { CONTEXTS_MAX } from "./pg-table.ts";
import { PG_NUM, POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const TIMEOUT_MS = 31_000;

async function start() {
  const osd = new TestOsd();
  const watcher = osd.client(4100);
  const notifier = osd.client(4200);
  await watcher.op("a", [opCreate(false)]);
  return { osd, watcher, notifier };
}

async function watcherCount(client: Awaited<ReturnType<typeof start>>["notifier"]) {
  const reply = await client.op("a", [opListWatchers()]);
  const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
  r.begin("obj_list_watch_response_t", 1);
  return r.u32();
}

function lockOut(osd: TestOsd, client: TestClient): void {
  osd.changeMap((inc) => {
    const addr = client.peerAddr;
    inc.newBlocklist.set(addrMapKey(addr), { addr, until: { sec: 2 ** 31, nsec: 0 } });
  });
}

describe("watch and notify", () => {
  it("a notification reaches the watcher and completes with its answer", async () => {
    const { watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    await notifier.op("a", [opNotify(9n, bytes("ping"))]);
    const [event] = watcher.notifications();
    expect(event).toMatchObject({ opcode: WATCH_EVENT.NOTIFY, cookie: 7n, notifierGid: 4200n });
    expect(Buffer.from(event?.payload ?? []).toString()).toBe("ping");
    await watcher.op("a", [opNotifyAck(event?.notifyId ?? 0n, 7n, bytes("pong"))]);
    const [complete] = notifier.notifications();
    expect(complete).toMatchObject({
      opcode: WATCH_EVENT.NOTIFY_COMPLETE,
      cookie: 9n,
      returnCode: 0,
    });
    const result = decodeFromBytes(NotifyResult, complete?.data ?? new Uint8Array());
    expect(result.missed).toEqual([]);
    expect(result.replies.map(([w, reply]) => [w.gid, Buffer.from(reply).toString()])).toEqual([
      [4100n, "pong"],
    ]);
  });

  it("with nobody watching it completes at once, empty", async () => {
    const { notifier } = await start();
    await notifier.op("a", [opNotify(9n, bytes("ping"))]);
    const [complete] = notifier.notifications();
    expect(complete?.opcode).toBe(WATCH_EVENT.NOTIFY_COMPLETE);
    expect(complete?.data.length).toBe(8);
    expect(
      notifier.received.map((m) => m.type),
      "completion before the op's reply",
    ).toEqual([44, 43]);
  });

  it("a silent watcher is missed after the notification's timeout", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    await notifier.op("a", [opNotify(9n, bytes("ping"), 5)]);
    osd.clock.advance(6000);
    const [complete] = notifier.notifications();
    expect(complete?.returnCode).toBe(-ERRNO.ETIMEDOUT);
    const result = decodeFromBytes(NotifyResult, complete?.data ?? new Uint8Array());
    expect(result.missed).toEqual([{ gid: 4100n, cookie: 7n }]);
  });

  it("watching what does not exist is ENOENT; pinging no watch is ENOTCONN", async () => {
    const { watcher } = await start();
    expect((await watcher.op("b", [opWatch(1n, WATCH_OP.WATCH)])).result).toBe(-ERRNO.ENOENT);
    expect((await watcher.op("a", [opWatch(1n, WATCH_OP.PING)])).result).toBe(-ERRNO.ENOTCONN);
    expect((await watcher.op("a", [opWatch(1n, WATCH_OP.RECONNECT)])).result).toBe(-ERRNO.ENOTCONN);
    expect((await watcher.op("a", [opWatch(1n, WATCH_OP.UNWATCH)])).result).toBe(0);
  });

  it("a watch survives its session for its timeout, and a reconnect keeps it", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    watcher.close();
    osd.clock.advance(20_000);
    expect(await watcherCount(notifier)).toBe(1);
    const back = osd.client(4100);
    const again = await back.op("a", [opWatch(7n, WATCH_OP.RECONNECT)], { tid: 100 });
    expect(again.result).toBe(0);
    osd.clock.advance(20_000);
    expect(await watcherCount(notifier)).toBe(1);
    osd.clock.advance(TIMEOUT_MS);
    expect(await watcherCount(notifier)).toBe(0);
  });

  it("pings keep a watch alive", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    for (let i = 0; i < 10; i++) {
      osd.clock.advance(5000);
      expect((await watcher.op("a", [opWatch(7n, WATCH_OP.PING)])).result).toBe(0);
    }
    expect(await watcherCount(notifier)).toBe(1);
  });

  it("a watch survives a restart of the OSD for its timeout", async () => {
    const { osd, watcher } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.restart();
    const other = osd.client(4200);
    expect(await watcherCount(other)).toBe(1);
    osd.clock.advance(TIMEOUT_MS);
    expect(await watcherCount(other)).toBe(0);
  });

  it("a watch is there once it is answered, however much else is asked of its PG meanwhile", async () => {
    const { osd, watcher, notifier } = await start();
    const seed = seedOf(objectHash("a", "", ""), PG_NUM);
    const inPg = Array.from({ length: 6000 }, (_, i) => `o${i}`).filter(
      (oid) => seedOf(objectHash(oid, "", ""), PG_NUM) === seed,
    );
    // Its share of the cache is full, and "a" the first to be forgotten.
    const max = CONTEXTS_MAX / PG_NUM;
    for (const oid of inPg.slice(0, max - 2)) await notifier.op(oid, [opStat()]);
    const [other = "", more = ""] = inPg.slice(max);
    // Both become durable at once, and whoever hears of the first asks for something else before the second's effects.
    const writer = osd.client(4300);
    writer.send = () => void notifier.submit(more, [opStat()]);
    writer.submit(other, [opCreate(false)]);
    const tid = watcher.submit("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.clock.settle();
    expect(watcher.reply(tid)?.result).toBe(0);
    expect((await watcher.op("a", [opWatch(7n, WATCH_OP.PING)])).result).toBe(0);
  });

  it("deleting the object tells its watchers that they are disconnected", async () => {
    const { watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    await notifier.op("a", [opDelete()]);
    expect(watcher.notifications()).toMatchObject([{ opcode: WATCH_EVENT.DISCONNECT, cookie: 7n }]);
  });

  it("a watch that ends does not bring back an object whose removal is on its way to the disk", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    const tid = notifier.submit("a", [opDelete()]);
    lockOut(osd, watcher);
    osd.clock.settle();
    expect(notifier.reply(tid)?.result).toBe(0);
    osd.restart();
    expect((await osd.client(4300).op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  // Real 16.2.15: the answers of round 7 of the differential test's seed 1140.
  it("whoever watches a removed object hears of what is made in its place until it is to ping", async () => {
    const { osd, watcher, notifier } = await start();
    await notifier.op("a", [opDelete()], { snapContext: { seq: 4n, snaps: [4n] } });
    expect((await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)])).result).toBe(0);
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.settle();
    expect(watcher.notifications()).toEqual([]);
    await notifier.op("a", [opCreate(false)]);
    expect(await watcherCount(notifier)).toBe(0);
    await notifier.op("a", [opNotify(1n, bytes("heard"))]);
    expect(watcher.notifications()).toMatchObject([{ opcode: WATCH_EVENT.NOTIFY, cookie: 7n }]);
    const ping = await watcher.op("a", [opWatch(7n, WATCH_OP.PING)]);
    expect(ping.result).toBe(-ERRNO.ENOTCONN);
  });

  it("what it watched does not come back with the end of its watch", async () => {
    const { osd, watcher, notifier } = await start();
    await notifier.op("a", [opDelete()], { snapContext: { seq: 4n, snaps: [4n] } });
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.settle();
    watcher.close();
    osd.clock.advance(TIMEOUT_MS);
    osd.restart();
    expect((await osd.client(4300).op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("blocklisting a client ends its watches before it hears of the map", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    lockOut(osd, watcher);
    expect(watcher.notifications().map((n) => n.opcode)).toEqual([WATCH_EVENT.DISCONNECT]);
    expect((await watcher.op("a", [opStat()])).result).toBe(-ERRNO.ESHUTDOWN);
    expect(await watcherCount(notifier)).toBe(0);
  });

  it("blocklisting a client's network ends its watches, and every client there is shut out", async () => {
    const { osd, watcher, notifier } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.changeMap((inc) => {
      const addr = { ...watcher.peerAddr, type: ADDR_TYPE.ANY, port: 0, nonce: 32 };
      inc.newRangeBlocklist.set(addrMapKey(addr), { addr, until: { sec: 2 ** 31, nsec: 0 } });
    });
    expect(watcher.notifications().map((n) => n.opcode)).toEqual([WATCH_EVENT.DISCONNECT]);
    expect((await watcher.op("a", [opStat()])).result).toBe(-ERRNO.ESHUTDOWN);
    expect((await notifier.op("a", [opStat()])).result).toBe(-ERRNO.ESHUTDOWN);
  });

  it("a watch does not raise the user version", async () => {
    const { watcher } = await start();
    const before = (await watcher.op("a", [opStat()])).userVersion;
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    expect((await watcher.op("a", [opStat()])).userVersion).toBe(before);
  });

  it("no watch ends when the OSD has stopped and its store is closed", async () => {
    const { osd, watcher } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.server.stop();
    osd.store.submit = () => {
      throw new Error("the store is closed");
    };
    watcher.close();
    osd.clock.advance(10 * TIMEOUT_MS);
  });

  it("a watch ends although the index is damaged where that should be written down", async () => {
    const { osd, watcher } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    osd.store.submit = () => {
      throw new CorruptionError("run.7", "block at 0 is damaged");
    };
    watcher.close();
    osd.clock.advance(TIMEOUT_MS);
    expect(await watcherCount(osd.client(4300))).toBe(1);
  });

  it("a pool that goes away takes its watches along: none ends later and finds nothing", async () => {
    // Found by the differential test: the end of a watch ended the process.
    const { osd, watcher } = await start();
    await watcher.op("a", [opWatch(7n, WATCH_OP.WATCH)]);
    const late = watcher.op("a", [opWatch(8n, WATCH_OP.WATCH)]);
    osd.changeMap((inc) => inc.oldPools.add(POOL));
    await late;
    watcher.close();
    osd.clock.advance(10 * TIMEOUT_MS);
    expect(osd.store.collections()).toEqual([]);
  });
});
