import { describe, expect, test } from "vitest";
import { ERRNO } from "../base/index.ts";
import { decodeFromBytes, textOf, u64 } from "../encoding/index.ts";
import { newObjectStatSum, OsdMap } from "../maps/index.ts";
import {
  MAuth,
  MAuthReply,
  MConfig,
  MGetPoolStats,
  MGetPoolStatsReply,
  MLog,
  MMonCommand,
  MMonCommandAck,
  MMonGetMap,
  MMonGetVersion,
  MMonGetVersionReply,
  MMonSubscribe,
  MOSDMap,
  MPing,
  MPoolOp,
  MPoolOpReply,
  MStatfs,
  MStatfsReply,
  POOL_OP,
  SUBSCRIBE_ONETIME,
} from "../messages/index.ts";
import { NoSpaceError } from "../store/index.ts";
import { monLogSource } from "./services/log.ts";
import { createSelfManagedSnap } from "./services/osd-pools.ts";
import { createBench, FakeClient, FSID, poolOp, settle } from "./testing/bench.ts";

function subscribe(what: Record<string, { start: number; flags?: number }>): MMonSubscribe {
  const entries = Object.entries(what).map(
    ([name, { start, flags = 0 }]) => [name, { start, flags }] as const,
  );
  return { what: new Map(entries), hostname: "h" };
}

function command(request: object | string) {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  return { version: 0, fsid: FSID, cmd: [text], data: new Uint8Array(0) };
}

async function run(client: FakeClient, request: object | string): Promise<MMonCommandAck> {
  client.send(MMonCommand, command(request));
  await settle();
  const [ack] = client.take(MMonCommandAck);
  if (ack === undefined) throw new Error("no answer");
  return ack;
}

describe("subscriptions", () => {
  test("a client's first messages are answered as a real monitor does", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonGetMap, {});
    client.send(MMonSubscribe, subscribe({ config: { start: 0 }, monmap: { start: 0 } }));
    expect(client.names).toEqual(["mon_map", "config", "mon_map"]);
  });

  test("start 0 gets the newest map in full, later epochs come as incrementals", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonSubscribe, subscribe({ osdmap: { start: 0 } }));
    const [first] = client.take(MOSDMap);
    const { epoch } = monitor.osdMap;
    expect([...(first?.maps.keys() ?? [])]).toEqual([epoch]);
    expect(decodeFromBytes(OsdMap, first!.maps.get(epoch)!).epoch).toBe(epoch);
    await monitor.osdDown(0);
    const [second] = client.take(MOSDMap);
    expect([...(second?.incrementals.keys() ?? [])]).toEqual([epoch + 1]);
  });

  test("a one-time wish for a future epoch is held until it exists, and served once", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    const start = monitor.osdMap.epoch + 1;
    client.send(MMonSubscribe, subscribe({ osdmap: { start, flags: SUBSCRIBE_ONETIME } }));
    expect(client.take(MOSDMap)).toEqual([]);
    await monitor.osdDown(0);
    expect(client.take(MOSDMap)).toHaveLength(1);
    await monitor.state.maps.change((p) => createSelfManagedSnap(p, 1));
    expect(client.take(MOSDMap)).toEqual([]);
  });

  test("a client without a cap on osd gets no OSD map", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, {});
    client.send(MMonSubscribe, subscribe({ osdmap: { start: 0 }, "log-info": { start: 0 } }));
    await monitor.osdDown(0);
    expect(client.sent).toEqual([]);
  });

  test("options are sent when they change for that client, and not otherwise", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonSubscribe, subscribe({ config: { start: 0 } }));
    client.take(MConfig);
    const { config } = monitor.state;
    await config.apply([{ target: { section: "osd", mask: "" }, name: "osd_x", value: "1" }]);
    expect(client.take(MConfig)).toEqual([]);
    await config.apply([
      { target: { section: "client", mask: "" }, name: "rbd_cache", value: "false" },
    ]);
    expect(client.take(MConfig)).toEqual([{ config: new Map([["rbd_cache", "false"]]) }]);
  });

  test("the cluster log is streamed to those who follow it", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonSubscribe, subscribe({ "log-info": { start: 0 } }));
    // The newest there is.
    expect(client.take(MLog)).toHaveLength(1);
    await run(client, { prefix: "log", logtext: ["hello"] });
    const lines = client.take(MLog);
    expect(lines.flatMap(({ entries }) => entries.map(({ message }) => textOf(message)))).toEqual([
      expect.stringContaining(": dispatch"),
      "hello",
      expect.stringContaining(": finished"),
    ]);
    // Clients drop what does not have a newer version than the last.
    const versions = lines.map(({ version }) => version);
    expect(versions).toEqual([0, 1, 2].map((i) => (versions[0] ?? 0) + i));
    const late = new FakeClient(monitor);
    late.send(MMonSubscribe, subscribe({ "log-info": { start: 0 } }));
    expect(late.take(MLog)).toHaveLength(1);
  });

  test("lines of a priority that there is not hold nobody up", async () => {
    const { monitor } = await createBench();
    const followers = Array.from({ length: 20 }, () => new FakeClient(monitor));
    for (const client of followers) {
      client.send(MMonSubscribe, subscribe({ "log-error": { start: 0 } }));
    }
    const idle = new FakeClient(monitor);
    const line = {
      ...monLogSource("a", []),
      stamp: { sec: 1, nsec: 0 },
      prio: 0xffff,
      message: "m",
      channel: "cluster",
    };
    const entries = Array.from({ length: 200 }, (_, i) => ({ ...line, seq: i + 1 }));
    idle.send(MLog, { version: 0, fsid: FSID, entries });
    for (const client of followers) expect(client.take(MLog)).toHaveLength(200);
  });

  test("subscriptions to unknown things leave no trace and do no harm", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonSubscribe, subscribe({ __proto__x: { start: 0 }, constructor: { start: 0 } }));
    await monitor.osdDown(0);
    expect(client.sent).toEqual([]);
  });
});

describe("pool operations", () => {
  test("a snap id is answered only when its epoch is durable and published", async () => {
    const { monitor, store } = await createBench();
    const client = new FakeClient(monitor);
    store.hold();
    client.send(MPoolOp, poolOp({ op: POOL_OP.CREATE_UNMANAGED_SNAP }));
    await settle();
    expect(client.take(MPoolOpReply)).toEqual([]);
    store.release();
    await settle();
    const [reply] = client.take(MPoolOpReply);
    expect(reply?.replyCode).toBe(0);
    expect(reply?.epoch).toBe(monitor.osdMap.epoch);
    expect(decodeFromBytes(u64, reply!.responseData!)).toBe(2n);
  });

  test.each([
    ["no caps", {}, -1],
    ["reading caps", { mon: "allow r", osd: "allow r" }, -1],
    ["a profile for the pool", { mon: "profile rbd", osd: "profile rbd pool=rbd" }, 0],
    ["a profile for another pool", { mon: "profile rbd", osd: "profile rbd pool=vms" }, -1],
    ["a profile that only reads", { mon: "profile rbd", osd: "profile rbd-read-only" }, -1],
    ["an osd cap that writes to the pool", { mon: "allow r", osd: "allow rwx pool=rbd" }, 0],
    ["an osd cap that writes elsewhere", { mon: "allow r", osd: "allow rwx pool=vms" }, -1],
    ["one for a namespace of it", { mon: "allow r", osd: "allow rw pool=rbd namespace=n" }, 0],
    ["one for its application", { mon: "allow r", osd: "allow rw tag rbd *=*" }, -1],
  ])("taking a snap id with %s", async (_name, caps, code) => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, caps);
    client.send(MPoolOp, poolOp({ op: POOL_OP.CREATE_UNMANAGED_SNAP }));
    await settle();
    expect(client.take(MPoolOpReply)[0]?.replyCode).toBe(code);
  });

  test("a pool that is there already is made, for who asks again may not have heard of it", async () => {
    const { monitor } = await createBench();
    const codes: number[] = [];
    for (const client of [new FakeClient(monitor), new FakeClient(monitor)]) {
      client.send(MPoolOp, poolOp({ op: POOL_OP.CREATE, pool: 0, poolName: "again" }));
      await settle();
      codes.push(...client.take(MPoolOpReply).map(({ replyCode }) => replyCode));
    }
    expect(codes).toEqual([0, 0]);
    expect([...monitor.osdMap.poolNames.values()]).toEqual(["rbd", "again"]);
  });

  test("pools are not deleted by a client that may only take snap ids", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "profile rbd", osd: "profile rbd" });
    client.send(MPoolOp, poolOp({ op: POOL_OP.DELETE }));
    await settle();
    expect(client.take(MPoolOpReply)[0]?.replyCode).toBe(-1);
    expect(monitor.osdMap.pools.has(1)).toBe(true);
  });

  test.each([
    [
      "another cluster's id",
      poolOp({ op: POOL_OP.CREATE_SNAP, fsid: FSID.replace("0", "1") }),
      -22,
    ],
    ["a pool that is not there", poolOp({ op: POOL_OP.CREATE_SNAP, pool: 9 }), -2],
    ["an unknown operation", poolOp({ op: 0x77 }), -95],
  ])("%s is refused", async (_name, op, code) => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MPoolOp, op);
    await settle();
    expect(client.take(MPoolOpReply)[0]?.replyCode).toBe(code);
  });
});

describe("commands", () => {
  test("descriptions are JSON that numbers every command, and need no cap", async () => {
    const { monitor } = await createBench();
    const ack = await run(new FakeClient(monitor, {}), { prefix: "get_command_descriptions" });
    const table = JSON.parse(Buffer.from(ack.data).toString()) as Record<
      string,
      { sig: unknown[] }
    >;
    expect(Object.keys(table)[0]).toBe("cmd000");
    expect(Object.values(table).some(({ sig }) => sig.join(" ") === "status")).toBe(true);
  });

  test.each([
    ["status", { prefix: "status" }],
    ["auth get", { prefix: "auth get", entity: "client.admin" }],
    ["config-key get", { prefix: "config-key get", key: "x" }],
    ["osd pool rm", { prefix: "osd pool rm", pool: "rbd" }],
  ])("%s is denied to a client without caps", async (_name, request) => {
    const { monitor } = await createBench();
    const ack = await run(new FakeClient(monitor, {}), request);
    expect({ r: ack.r, rs: ack.rs }).toEqual({ r: -13, rs: "access denied" });
  });

  test("keys are not shown to one who may only read", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "allow r" });
    expect((await run(client, { prefix: "status" })).r).toBe(0);
    expect((await run(client, { prefix: "auth get-key", entity: "client.admin" })).r).toBe(-13);
    expect((await run(client, { prefix: "auth ls" })).r).toBe(-13);
  });

  test("profile rbd may lock out clients, and add nobody to the auth table", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "profile rbd" });
    const lock = { prefix: "osd blocklist", blocklistop: "add", addr: "10.0.0.1:0/5" };
    expect((await run(client, lock)).r).toBe(0);
    const steal = { prefix: "auth get-or-create", entity: "client.x", caps: ["mon", "allow *"] };
    expect((await run(client, steal)).r).toBe(-13);
  });

  test("caps may say which caps a user that is made is given", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "profile bootstrap-rgw" });
    const make = (entity: string, ...caps: string[]) =>
      run(client, { prefix: "auth get-or-create", entity, caps });
    expect((await make("client.rgw.a", "mon", "allow rw", "osd", "allow rwx")).r).toBe(0);
    expect((await make("client.rgw.b", "mon", "allow *", "osd", "allow rwx")).r).toBe(-13);
    expect((await make("client.rgw.b", "mon", "allow rw")).r).toBe(-13);
    expect((await make("client.b", "mon", "allow rw", "osd", "allow rwx")).r).toBe(-13);
  });

  test("caps that a user is given cannot be hidden behind others that come along", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "profile bootstrap-rgw" });
    const caps = ["mon", "allow *", "osd", "allow *"];
    const hidden = { caps_mon: "allow rw", caps_osd: "allow rwx" };
    const request = { prefix: "auth get-or-create", entity: "client.rgw.a" };
    expect((await run(client, { ...request, caps, ...hidden })).r).toBe(-13);
    expect((await run(client, { ...request, ...hidden, caps })).r).toBe(-13);
    expect(monitor.state.auth.get({ type: 8, id: "rgw.a" })).toBeUndefined();
  });

  test.each([
    ["no JSON", "garbage"],
    ["a list", "[1]"],
    ["no prefix", "{}"],
    ["an unknown prefix", { prefix: "osd explode" }],
    ["a prefix of Object's", { prefix: "constructor" }],
    ["a missing argument", { prefix: "osd pool create" }],
    ["an argument of another type", { prefix: "osd pool create", pool: { a: 1 } }],
    ["a number out of range", { prefix: "osd pool create", pool: "p", pg_num: -1 }],
  ])("%s is EINVAL", async (_name, request) => {
    const { monitor } = await createBench();
    const ack = await run(new FakeClient(monitor), request);
    expect(ack.r).toBe(-22);
    expect(ack.rs).not.toBe("");
  });

  test("what the monitor's store has no place for is refused with a clear line", async () => {
    const { monitor, store } = await createBench();
    const client = new FakeClient(monitor);
    const set = (key: string, val: string) => run(client, { prefix: "config-key set", key, val });
    const long = await set("k".repeat(66_000), "v");
    expect([long.r, long.rs]).toEqual([-ERRNO.EMSGSIZE, "omap-set: 66000 bytes, at most 65526"]);
    store.submit = () => {
      throw new NoSpaceError();
    };
    const full = await set("k", "v");
    expect([full.r, full.rs]).toEqual([
      -ERRNO.ENOSPC,
      "the file system of the monitor's store is full: make room there",
    ]);
  });

  test.each(["mon dump", "mon getmap", "mgr dump"])(
    "%s of an epoch that is not kept is refused, not answered with another one",
    async (prefix) => {
      const { monitor } = await createBench();
      const client = new FakeClient(monitor);
      const newest = prefix === "mgr dump" ? monitor.state.mgrMap().epoch : 1;
      for (const epoch of [0, newest]) {
        expect((await run(client, { prefix, epoch })).r, `epoch ${epoch}`).toBe(0);
      }
      const ack = await run(client, { prefix, epoch: 1001 });
      expect({ r: ack.r, rs: ack.rs, bytes: ack.data.length }).toEqual({
        r: -2,
        rs: "there is no map for epoch 1001",
        bytes: 0,
      });
    },
  );

  test("a pool of more than one copy is refused with a clear line", async () => {
    const { monitor } = await createBench();
    const ack = await run(new FakeClient(monitor), {
      prefix: "osd pool create",
      pool: "p",
      size: 3,
    });
    expect(ack.r).toBe(-22);
    expect(ack.rs).toContain("size 3 is not supported");
    expect(monitor.osdMap.pools.size).toBe(1);
  });
});

describe("other messages", () => {
  test("space and pool statistics come from what the OSDs report", async () => {
    const { monitor } = await createBench();
    const stats = { ...newObjectStatSum(), numObjects: 3, numBytes: 5000 };
    const pg = {
      pgid: { pool: 1, seed: 0 },
      state: "active+clean",
      version: { version: 1, epoch: 1 },
      stats,
      allocated: 12288,
      stored: 12288,
      logSize: 1,
      snapTrimQueueLength: 0,
      damaged: [],
    };
    monitor.osdReport(0, {
      seq: 1,
      epoch: 1,
      statfs: { total: 1 << 20, available: 1 << 19, data: 12288, internal: 4096 },
      fullness: "none",
      pgs: [pg],
      perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
    });
    const client = new FakeClient(monitor);
    client.send(MStatfs, { version: 0, fsid: FSID, dataPool: undefined });
    expect(client.take(MStatfsReply)[0]).toMatchObject({
      kb: 1024,
      kbUsed: 512,
      kbAvail: 512,
      numObjects: 3,
    });
    client.send(MGetPoolStats, { version: 0, fsid: FSID, pools: ["rbd", "nope"] });
    const [reply] = client.take(MGetPoolStatsReply);
    expect([...(reply?.poolStats.keys() ?? [])]).toEqual(["rbd"]);
  });

  test("get_version answers with the client's handle", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MMonGetVersion, { handle: 42, what: "osdmap" });
    const [reply] = client.take(MMonGetVersionReply);
    expect(reply).toEqual({ handle: 42, version: monitor.osdMap.epoch, oldestVersion: 1 });
  });

  test("a ping is answered with how the cluster and its monitor are", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.send(MPing, {});
    const [reply] = client.take(MPing);
    const pong = JSON.parse(textOf(reply?.text ?? "")) as Record<string, Record<string, unknown>>;
    expect(pong["health"]).toMatchObject({ status: "HEALTH_OK", checks: {} });
    expect(pong["mon_status"]).toMatchObject({
      state: "leader",
      quorum: [0],
      monmap: { epoch: 1, fsid: FSID, mons: [{ rank: 0, name: "a" }] },
      feature_map: { client: [{ num: 1 }] },
    });
  });

  test("a renewal nobody can serve is refused with a code", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    const payload = new Uint8Array(0);
    client.send(MAuth, { version: 0, protocol: 2, payload, monmapEpoch: 0 });
    expect(client.take(MAuthReply)[0]?.result).toBe(-95);
  });

  test("a message of an unknown type is counted and answered by nothing", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    client.sendUnknown(0x7777);
    expect(monitor.unsupportedMessages).toBe(1);
    expect(client.sent).toEqual([]);
    expect(client.closed).toBeUndefined();
  });
});
