/**
 * Every call of `spirula/rados` that waits for the cluster ends when its signal is aborted or its time is over,
 * and leaves nothing behind. The tables name each method of the classes: one without limits does not compile.
 */
import { getEventListeners } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CephError } from "../../src/base/index.ts";
import {
  type CallOptions,
  type Cluster,
  connect,
  create,
  type IoCtx,
  inconsistentGroups,
  inconsistentObjects,
  inconsistentSnapsets,
  read,
  setChunk,
  setRedirect,
  tierStep,
} from "../../src/librados/index.ts";
import { Bench } from "./bench.ts";
import { all, outcome, REASON, type Table } from "./method-table.ts";
import { SERVER_HOST } from "./server.ts";

const CLUSTER: Table<Cluster, "close"> = {
  openPool: (cluster, options) => cluster.openPool("made a moment ago", options),
  pools: (cluster, options) => cluster.pools(options),
  createPool: (cluster, options) => cluster.createPool("p", options),
  stats: (cluster, options) => cluster.stats(options),
  poolStats: (cluster, options) => cluster.poolStats(["rbd"], options),
  mgrCommand: (cluster, options) => cluster.mgrCommand({ prefix: "pg dump" }, options),
  monCommand: (cluster, options) => cluster.monCommand({ prefix: "status" }, options),
};

const PG = { pool: 1, seed: 0 };
const OBJECTS: Table<IoCtx, "inNamespace" | "withLocator" | "snapshots"> = {
  read: (io, options) => io.read("o", [read(0, 1)], options),
  write: (io, options) => io.write("o", [create()], options),
  readInto: (io, options) => io.readInto("o", 0, Buffer.alloc(1), options),
  readObject: (io, options) => io.readObject("o", options),
  writeObject: (io, options) => io.writeObject("o", "data", options),
  stat: (io, options) => io.stat("o", options),
  removeObject: (io, options) => io.removeObject("o", options),
  objects: (io, options) => all(io.objects(options)),
  omap: (io, options) => all(io.omap("o", options)),
  listWatchers: (io, options) => io.listWatchers("o", options),
  watch: (io, options) => io.watch("o", () => undefined, undefined, options),
  notify: (io, options) => io.notify("o", "hello", undefined, options),
  createSnapshot: (io, options) => io.createSnapshot("s", options),
  removeSnapshot: (io, options) => io.removeSnapshot("taken", options),
  revisions: (io, options) => io.revisions("o", options),
  lock: (io, options) => io.lock("o", { name: "l", type: "exclusive", cookie: "c" }, options),
  unlock: (io, options) => io.unlock("o", { name: "l", cookie: "c" }, options),
  breakLock: (io, options) =>
    io.breakLock("o", { name: "l", locker: { type: 8, num: 1n }, cookie: "c" }, options),
  locks: (io, options) => io.locks("o", options),
  lockInfo: (io, options) => io.lockInfo("o", "l", options),
};

const FUNCTIONS: Record<string, (cluster: Cluster, io: IoCtx, o: CallOptions) => Promise<unknown>> =
  {
    inconsistentGroups: (cluster, _, options) => inconsistentGroups(cluster, 1, options),
    inconsistentObjects: (cluster, _, options) => inconsistentObjects(cluster, PG, options),
    inconsistentSnapsets: (cluster, _, options) => inconsistentSnapsets(cluster, PG, options),
    "tierStep of a change": (_, io, options) => tierStep(io, "o", "TIER_PROMOTE", options),
    "tierStep of a step": (_, io, options) => tierStep(io, "o", "CACHE_FLUSH", options),
    setRedirect: (_, io, options) => setRedirect(io, "o", { io, oid: "p" }, false, options),
    setChunk: (_, io, options) =>
      setChunk(io, "o", { offset: 0, length: 1 }, { io, oid: "p", offset: 0 }, options),
  };

let bench: Bench;
let cluster: Cluster;
let io: IoCtx;

const CASES: [string, (options: CallOptions) => Promise<unknown>][] = [
  ...Object.entries(CLUSTER).map(([name, call]): (typeof CASES)[number] => [
    `Cluster.${name}`,
    (options) => call(cluster, options),
  ]),
  ...Object.entries(OBJECTS).map(([name, call]): (typeof CASES)[number] => [
    `IoCtx.${name}`,
    (options) => call(io, options),
  ]),
  ...Object.entries(FUNCTIONS).map(([name, call]): (typeof CASES)[number] => [
    name,
    (options) => call(cluster, io, options),
  ]),
  ["Watch.close", async (options) => await (await watched()).close(options)],
];

/** A watch that nobody has closed yet: made while the cluster answered. */
const watches: Awaited<ReturnType<IoCtx["watch"]>>[] = [];
async function watched() {
  const watch = watches.pop();
  if (watch === undefined) throw new Error("no watch is left");
  return watch;
}

beforeAll(async () => {
  bench = await Bench.start();
  cluster = await bench.cluster();
  const pool = await bench.run(cluster.createPool("objects"));
  io = await bench.run(cluster.openPool(pool));
  await bench.run(io.writeObject("o", "data"));
  await bench.run(io.createSnapshot("taken"));
  for (let i = 0; i < 3; i++) watches.push(await bench.run(io.watch("o", () => undefined)));
  bench.server.kill();
});

afterAll(async () => {
  await bench.startServer();
  await bench.run(cluster.close());
  await bench.close();
});

test.each(CASES)("%s: with a signal that is aborted already nothing is begun", async (_, call) => {
  const signal = AbortSignal.abort(REASON);
  expect(await bench.run(outcome(call({ signal })))).toBe(REASON);
  expect(cluster.engine.pending).toBe(0);
});

test.each(CASES)("%s: aborted while nobody answers it rejects with the reason", async (_, call) => {
  const { signal, abort } = aborter();
  const work = outcome(call({ signal }));
  await bench.pass(1000);
  expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
  abort();
  expect(await bench.run(work)).toBe(REASON);
  expect(cluster.engine.pending).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test.each(CASES)("%s: ends with ETIMEDOUT when its time is over", async (_, call) => {
  const { signal } = aborter();
  const startMs = bench.world.monotonic();
  const error = await bench.run(outcome(call({ signal, timeoutMs: 5000 })));
  expect(error).toBeInstanceOf(CephError);
  expect((error as CephError).code).toBe("ETIMEDOUT");
  expect(bench.world.monotonic() - startMs).toBeCloseTo(5000, 3);
  expect(cluster.engine.pending).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("connect: within its limits, be it the name service or the monitors that do not answer", async () => {
  const { process } = bench.clientOptions();
  const { clock, random, transport } = process;
  const resolver = {
    addresses: () => new Promise<never>(() => {}),
    service: () => Promise.reject(),
  };
  const surroundings = { clock, random, transport, resolver };
  for (const mon_host of ["a.name", SERVER_HOST]) {
    const key = "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==";
    const how = { conf: false, env: {}, options: { mon_host, key }, surroundings } as const;
    const before = outcome(connect({ ...how, signal: AbortSignal.abort(REASON) }));
    expect(await bench.run(before), mon_host).toBe(REASON);
    const { signal, abort } = aborter();
    const connecting = outcome(connect({ ...how, signal }));
    await bench.pass(1000);
    abort();
    expect(await bench.run(connecting), mon_host).toBe(REASON);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const late = await bench.run(outcome(connect({ ...how, timeoutMs: 5000 })));
    expect((late as CephError).code, mon_host).toBe("ETIMEDOUT");
  }
});

function aborter(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(REASON) };
}
