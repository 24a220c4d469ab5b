/** What one peer may ask of a monitor at most: at each bound, and one past it. */

import { describe, expect, test } from "vitest";
import { byteString, textOf } from "../encoding/index.ts";
import {
  CLOG,
  MLog,
  MLogAck,
  MMonCommand,
  MMonCommandAck,
  MMonSubscribe,
  MOSDMap,
  MPoolOp,
  MPoolOpReply,
  POOL_OP,
} from "../messages/index.ts";
import { ENTITY_TYPE } from "../types/index.ts";
import { LOG_ENTRIES_MAX, REQUESTS_RUNNING_MAX } from "./dispatcher.ts";
import { createSelfManagedSnap } from "./services/osd-pools.ts";
import { MonSession } from "./session.ts";
import { OSDMAPS_PER_MESSAGE } from "./subscriptions.ts";
import { type Bench, createBench, FakeClient, FSID, poolOp, settle } from "./testing/bench.ts";

describe("subscriptions", () => {
  const known = "config monmap mgrmap osdmap log-debug log-info log-sec log-warn log-error".split(
    " ",
  );

  function subscribe(client: FakeClient, names: readonly string[]): ReadonlySet<string> {
    const what = new Map(names.map((name) => [name, { start: 1, flags: 0 }]));
    client.send(MMonSubscribe, { what, hostname: "h" });
    const { session } = client.connection;
    return new Set(session instanceof MonSession ? session.subscriptions.keys() : []);
  }

  test("a session keeps one to each thing there is, and none to anything else", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    expect(subscribe(client, known)).toEqual(new Set(known));
    // It may ask again for what it has.
    expect(subscribe(client, known)).toEqual(new Set(known));
    const others = Array.from({ length: 10_000 }, (_, i) => `map-${i}`);
    const near = ["log-", "log-loud", "osdmap ", "OSDMAP", "fsmap", "toString", "__proto__"];
    expect(subscribe(client, [...others, ...near])).toEqual(new Set(known));
  });

  test.each([
    [OSDMAPS_PER_MESSAGE, [OSDMAPS_PER_MESSAGE]],
    [OSDMAPS_PER_MESSAGE + 1, [OSDMAPS_PER_MESSAGE, 1]],
    [2 * OSDMAPS_PER_MESSAGE, [OSDMAPS_PER_MESSAGE, OSDMAPS_PER_MESSAGE]],
  ])("%d epochs that a client lacks come in messages of %j", async (count, sizes) => {
    const { monitor } = await createBench();
    const from = monitor.osdMap.epoch + 1;
    for (let i = 0; i < count; i++) {
      await monitor.state.maps.change((pending) => createSelfManagedSnap(pending, 1));
    }
    expect(monitor.osdMap.epoch).toBe(from + count - 1);
    const client = new FakeClient(monitor);
    const what = new Map([["osdmap", { start: from, flags: 0 }]]);
    client.send(MMonSubscribe, { what, hostname: "h" });
    const messages = client.take(MOSDMap);
    expect(messages.map(({ incrementals }) => incrementals.size)).toEqual(sizes);
    const epochs = messages.flatMap(({ incrementals }) => [...incrementals.keys()]);
    expect(epochs).toEqual(Array.from({ length: count }, (_, i) => from + i));
  });
});

describe("requests under way", () => {
  const kinds: [name: string, send: (client: FakeClient, i: number) => void][] = [
    [
      "commands",
      (client, i) => {
        const cmd = [JSON.stringify({ prefix: "config-key set", key: `k${i}`, val: "v" })];
        client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
      },
    ],
    [
      "pool operations",
      (client) => client.send(MPoolOp, poolOp({ op: POOL_OP.CREATE_UNMANAGED_SNAP })),
    ],
  ];

  const answers = (client: FakeClient) =>
    client.take(MMonCommandAck).length + client.take(MPoolOpReply).length;

  /** A client of a monitor whose changes do not become durable. */
  function heldClient({ monitor, store }: Bench): FakeClient {
    const client = new FakeClient(monitor);
    store.hold();
    return client;
  }

  test.each(kinds)(
    "at the bound of %s a client is read from no more, until one ends",
    async (...kind) => {
      const [, send] = kind;
      const bench = await createBench();
      const client = heldClient(bench);
      for (let i = 1; i < REQUESTS_RUNNING_MAX; i++) send(client, i);
      await settle();
      expect(client.isPaused, "one below").toBe(false);
      send(client, 0);
      expect(client.isPaused, "at the bound").toBe(true);
      const other = new FakeClient(bench.monitor);
      expect(other.isPaused, "somebody else").toBe(false);
      // What had been read already is still served.
      send(client, REQUESTS_RUNNING_MAX);
      expect(client.isPaused, "one past it").toBe(true);
      bench.store.release();
      await settle();
      expect(client.isPaused, "when they have ended").toBe(false);
      expect(answers(client)).toBe(REQUESTS_RUNNING_MAX + 1);
    },
  );

  test("commands and pool operations count together", async () => {
    const bench = await createBench();
    const client = heldClient(bench);
    for (let i = 0; i < REQUESTS_RUNNING_MAX; i++) {
      expect(client.isPaused).toBe(false);
      kinds[i % kinds.length]![1](client, i);
    }
    expect(client.isPaused).toBe(true);
    bench.store.release();
    await settle();
    expect(client.isPaused).toBe(false);
  });
});

describe("lines for the cluster log in one message", () => {
  const addr = { type: 3, ip: "127.0.0.1", port: 0, nonce: 77 };
  const entries = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: { type: ENTITY_TYPE.CLIENT, id: "test" },
      rank: { type: ENTITY_TYPE.CLIENT, num: 5000n },
      addrs: [addr],
      stamp: { sec: 1, nsec: 0 },
      seq: i + 1,
      prio: CLOG.INFO,
      message: byteString(`line ${i + 1}`),
      channel: "cluster",
    }));

  test.each([
    [LOG_ENTRIES_MAX, LOG_ENTRIES_MAX],
    [LOG_ENTRIES_MAX + 1, LOG_ENTRIES_MAX],
  ])("of %d lines %d are taken, and all of them acknowledged", async (count, taken) => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    const before = monitor.state.log.version;
    client.send(MLog, { version: 0, fsid: FSID, entries: entries(count) });
    expect(monitor.state.log.version - before).toBe(taken);
    const [last] = monitor.state.log.last(1, CLOG.INFO, "cluster");
    expect(textOf(last?.message ?? "")).toBe(`line ${taken}`);
    // Else the client would send the rest again and again.
    expect(client.take(MLogAck)).toEqual([{ fsid: FSID, last: count, channel: "cluster" }]);
  });

  test("who may not write to it adds none", async () => {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor, { mon: "allow r" });
    const before = monitor.state.log.version;
    client.send(MLog, { version: 0, fsid: FSID, entries: entries(1) });
    expect(monitor.state.log.version).toBe(before);
    expect(client.take(MLogAck)).toEqual([]);
  });
});
