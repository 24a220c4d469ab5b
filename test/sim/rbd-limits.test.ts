/**
 * Every call of `spirula/rbd` that waits for the cluster ends when its signal is aborted or its time is over, and
 * nothing of it goes on once the cluster answers again. The tables name each method of the classes: one without
 * limits does not compile.
 */
import { getEventListeners } from "node:events";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CephError } from "../../src/base/index.ts";
import type { CallOptions, Cluster } from "../../src/librados/index.ts";
import { type Image, type ProgressOptions, Rbd, transferPool } from "../../src/librbd/index.ts";
import { Bench } from "./bench.ts";
import { all, outcome, REASON, type Table } from "./method-table.ts";

const OBJECT = 2 ** 14;
const SIZE = 8 * OBJECT;

const POOL: Table<Rbd, never> = {
  initPool: (rbd, options) => rbd.initPool(options),
  stats: (rbd, options) => rbd.stats(options),
  metadata: (rbd, options) => rbd.metadata(options),
  setMetadata: (rbd, options) => rbd.setMetadata("conf_rbd_cache", "false", options),
  namespaceExists: (rbd, options) => rbd.namespaceExists("n", options),
  list: (rbd, options) => rbd.list(options),
  create: (rbd, options) => rbd.create("new", SIZE, options),
  open: (rbd, options) => rbd.open("a", options),
  clone: (rbd, options) => rbd.clone({ image: "a", snapshot: "s" }, "clone", options),
  remove: (rbd, options) => rbd.remove("doomed", options),
  rename: (rbd, options) => rbd.rename("a", "b", options),
  listTrash: (rbd, options) => rbd.listTrash(options),
  moveToTrash: (rbd, options) => rbd.moveToTrash("doomed", 0, options),
  restoreFromTrash: (rbd, options) => rbd.restoreFromTrash("id", undefined, options),
  removeFromTrash: (rbd, options) => rbd.removeFromTrash("id", options),
  purgeTrash: (rbd, options) => rbd.purgeTrash(options),
  listNamespaces: (rbd, options) => rbd.listNamespaces(options),
  createNamespace: (rbd, options) => rbd.createNamespace("n", options),
  removeNamespace: (rbd, options) => rbd.removeNamespace("n", options),
  listGroups: (rbd, options) => rbd.listGroups(options),
  createGroup: (rbd, options) => rbd.createGroup("h", options),
  removeGroup: (rbd, options) => rbd.removeGroup("g", options),
  renameGroup: (rbd, options) => rbd.renameGroup("g", "h", options),
  groupImages: (rbd, options) => rbd.groupImages("g", options),
  addToGroup: (rbd, options) => rbd.addToGroup("g", "a", undefined, options),
  removeFromGroup: (rbd, options) => rbd.removeFromGroup("g", "a", undefined, options),
  groupSnapshots: (rbd, options) => rbd.groupSnapshots("g", options),
  createGroupSnapshot: (rbd, options) => rbd.createGroupSnapshot("g", "t", options),
  removeGroupSnapshot: (rbd, options) => rbd.removeGroupSnapshot("g", "t", options),
  renameGroupSnapshot: (rbd, options) => rbd.renameGroupSnapshot("g", "t", "u", options),
  rollBackGroup: (rbd, options) => rbd.rollBackGroup("g", "t", options),
  prepareMigration: (rbd, options) => rbd.prepareMigration("a", {}, options),
  migrationStatus: (rbd, options) => rbd.migrationStatus("a", options),
  executeMigration: (rbd, options) => rbd.executeMigration("a", options),
  commitMigration: (rbd, options) => rbd.commitMigration("a", options),
  abortMigration: (rbd, options) => rbd.abortMigration("a", options),
};

const IMAGE: Table<Image, "close"> = {
  info: (image, options) => image.info(options),
  setSnapshot: (image, options) => image.setSnapshot("s", options),
  parent: (image, options) => image.parent(options),
  group: (image, options) => image.group(options),
  read: (image, options) => image.read(0, SIZE, options),
  readInto: (image, options) => image.readInto(0, Buffer.alloc(SIZE), options),
  readSparse: (image, options) => image.readSparse(0, SIZE, options),
  write: (image, options) => image.write(0, Buffer.alloc(SIZE, 2), options),
  discard: (image, options) => image.discard(0, SIZE, options),
  writeZeroes: (image, options) => image.writeZeroes(0, SIZE, options),
  compareAndWrite: (image, options) =>
    image.compareAndWrite(0, Buffer.alloc(512, 1), Buffer.alloc(512, 3), options),
  flush: async (image, options) => {
    options.signal?.throwIfAborted();
    // There is nothing to wait for without a write.
    image.write(0, Buffer.alloc(512)).catch(() => undefined);
    await image.flush(options);
  },
  readable: (image, options) => all(image.readable(options)),
  writable: (image, options) => pipeline([Buffer.alloc(SIZE)], image.writable(options)),
  diff: (image, options) => all(image.diff(options)),
  used: (image, options) => image.used({ exact: true, ...options }),
  resize: (image, options) => image.resize(2 * SIZE, options),
  flatten: (image, options) => image.flatten(options),
  sparsify: (image, options) => image.sparsify(4096, options),
  enableFeatures: (image, options) => image.enableFeatures(["journaling"], options),
  disableFeatures: (image, options) => image.disableFeatures(["fast-diff"], options),
  rebuildObjectMap: (image, options) => image.rebuildObjectMap(options),
  checkObjectMap: (image, options) => image.checkObjectMap(options),
  copy: (image, options) => image.copy(rbd.io, "copy", options),
  deepCopy: (image, options) => image.deepCopy(rbd.io, "copy", options),
  snapshots: (image, options) => image.snapshots(options),
  allSnapshots: (image, options) => image.allSnapshots(options),
  createSnapshot: (image, options) => image.createSnapshot("t", options),
  removeSnapshot: (image, options) => image.removeSnapshot("s", options),
  renameSnapshot: (image, options) => image.renameSnapshot("s", "t", options),
  protectSnapshot: (image, options) => image.protectSnapshot("s", options),
  unprotectSnapshot: (image, options) => image.unprotectSnapshot("s", options),
  rollback: (image, options) => image.rollback("s", options),
  snapshotLimit: (image, options) => image.snapshotLimit(options),
  setSnapshotLimit: (image, options) => image.setSnapshotLimit(9n, options),
  children: (image, options) => image.children("s", options),
  metadata: (image, options) => image.metadata(options),
  getMetadata: (image, options) => image.getMetadata("k", options),
  setMetadata: (image, options) => image.setMetadata("k", "v", options),
  removeMetadata: (image, options) => image.removeMetadata("k", options),
  locks: (image, options) => image.locks(options),
  lock: (image, options) => image.lock("c", undefined, options),
  breakLock: (image, options) => image.breakLock("client.1", "c", options),
  watchers: (image, options) => image.watchers(options),
};

let bench: Bench;
let cluster: Cluster;
let rbd: Rbd;
let image: Image;

type Case = [string, (options: CallOptions) => Promise<unknown>];
const CASES: Case[] = [
  ["Rbd.open of a pool", (options) => Rbd.open(cluster, "another", options)],
  ...Object.entries(POOL).map(
    ([name, call]): Case => [`Rbd.${name}`, (options) => call(rbd, options)],
  ),
  ...Object.entries(IMAGE).map(
    ([name, call]): Case => [`Image.${name}`, (options) => call(image, options)],
  ),
  ["transferPool", (options) => transferPool(cluster, cluster, "rbd", { toPool: "x", ...options })],
];

async function start(): Promise<void> {
  bench = await Bench.start();
  cluster = await bench.cluster();
  rbd = await bench.run(Rbd.open(cluster, "rbd"));
  await bench.run(rbd.create("base", SIZE, { objectSize: OBJECT }));
  const base = await bench.run(rbd.open("base"));
  await bench.run(base.write(0, Buffer.alloc(SIZE, 1)));
  await bench.run(base.createSnapshot("s"));
  await bench.run(base.close());
  await bench.run(rbd.clone({ image: "base", snapshot: "s" }, "a", { format: 2 }));
  await bench.run(rbd.create("doomed", SIZE, { objectSize: OBJECT }));
  await bench.run(rbd.createGroup("g"));
  await bench.run(rbd.addToGroup("g", "a"));
  image = await bench.run(rbd.open("a"));
  await bench.run(image.createSnapshot("s"));
}

beforeAll(start);

afterAll(async () => {
  await bench.run(image.close());
  await bench.run(cluster.close());
  await bench.close();
});

test.each(CASES)("%s: with a signal that is aborted already nothing is begun", async (_, call) => {
  const signal = AbortSignal.abort(REASON);
  expect(await bench.run(outcome(call({ signal })))).toBe(REASON);
  expect(cluster.engine.pending).toBe(0);
});

/** Longest time, milliseconds, that a long operation has to come to its end. */
const ENDING_MS = 5000;

test.each(CASES)("%s: aborted while nobody answers it rejects with the reason", async (_, call) => {
  bench.server.kill();
  const controller = new AbortController();
  const { signal } = controller;
  const work = outcome(call({ signal }));
  await bench.pass(1000);
  expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
  const endMs = bench.world.monotonic();
  controller.abort(REASON);
  expect(await bench.run(work)).toBe(REASON);
  expect(bench.world.monotonic() - endMs).toBeLessThanOrEqual(ENDING_MS + 1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test.each(CASES)("%s: ends with ETIMEDOUT when its time is over", async (_, call) => {
  const { signal } = new AbortController();
  const startMs = bench.world.monotonic();
  const error = await bench.run(outcome(call({ signal, timeoutMs: 1000 })));
  expect(error).toBeInstanceOf(CephError);
  expect((error as CephError).code).toBe("ETIMEDOUT");
  expect(bench.world.monotonic() - startMs).toBeLessThanOrEqual(1000 + ENDING_MS + 1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what was under way comes to its end once the cluster answers, and the image is of use", async () => {
  await bench.startServer();
  await bench.until(() => cluster.engine.pending === 0, "the end of what was under way");
  await bench.run(image.flush());
  // Whoever waits between two attempts has nothing pending.
  await bench.pass(3_000);
  expect((await bench.run(image.watchers())).length, "opened too late, and closed").toBe(1);
  await bench.run(image.setSnapshot(undefined));
  await bench.run(image.write(0, Buffer.alloc(512, 4)));
  expect((await bench.run(image.read(0, 512)))[0]).toBe(4);
});

type Long = (on: Image, options: ProgressOptions) => Promise<unknown>;
const LONG: Record<string, Long> = {
  "resize to less": (on, options) => on.resize(0, { allowShrink: true, ...options }),
  flatten: (on, options) => on.flatten(options),
  sparsify: (on, options) => on.sparsify(4096, options),
  rebuildObjectMap: (on, options) => on.rebuildObjectMap(options),
  rollback: (on, options) => on.rollback("t", options),
  copy: (on, options) => on.copy(rbd.io, `copy ${++copies}`, options),
  deepCopy: (on, options) => on.deepCopy(rbd.io, `copy ${++copies}`, options),
  remove: async (on, options) => {
    await on.close();
    await rbd.remove(on.name, options);
  },
};
let copies = 0;

test.each(Object.entries(LONG))(
  "%s: aborted on the way it ends between two steps, and can be run again",
  async (name, call) => {
    const own = `of ${name}`;
    await bench.run(rbd.clone({ image: "base", snapshot: "s" }, own, { format: 2 }));
    const on = await bench.run(rbd.open(own));
    // Enough objects that not all of them are under way at once.
    await bench.run(on.resize(64 * OBJECT));
    await bench.run(on.write(0, Buffer.alloc(64 * OBJECT, 5)));
    await bench.run(on.createSnapshot("t"));
    await bench.run(on.write(0, Buffer.alloc(512, 6)));
    if (name === "remove") await bench.run(on.removeSnapshot("t"));
    const controller = new AbortController();
    let steps = 0;
    const onProgress = () => {
      if (++steps === 2) controller.abort(REASON);
    };
    const { signal } = controller;
    expect(await bench.run(outcome(call(on, { signal, onProgress })))).toBe(REASON);
    expect(steps, "steps told after the end").toBe(2);
    expect(cluster.engine.pending, "it holds nothing any more").toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await bench.run(call(on, {}));
    await bench.run(on.close());
  },
);

test("a write that has not begun when it is aborted is not made; one that has is waited for", async () => {
  await bench.run(rbd.create("w", SIZE, { objectSize: OBJECT }));
  await using disk = await bench.run(rbd.open("w"));
  for (const [hasLock, value] of [
    [false, 0],
    [true, 7],
  ] as const) {
    if (hasLock) await bench.run(disk.write(SIZE - 512, Buffer.alloc(512, 1)));
    expect(disk.hasLock).toBe(hasLock);
    bench.server.kill();
    const controller = new AbortController();
    const write = outcome(disk.write(0, Buffer.alloc(512, 7), { signal: controller.signal }));
    await bench.pass(1000);
    controller.abort(REASON);
    expect(await bench.run(write)).toBe(REASON);
    await bench.startServer();
    await bench.run(disk.flush());
    expect((await bench.run(disk.read(0, 512)))[0], `with the lock: ${hasLock}`).toBe(value);
  }
  await bench.run(disk.close());
});

test("an image closes once its operations have ended, as what they do is under its lock", async () => {
  await bench.run(rbd.clone({ image: "base", snapshot: "s" }, "closed", { format: 2 }));
  const on = await bench.run(rbd.open("closed"));
  let steps = 0;
  let hasEnded = false;
  const flattened = on.flatten({ onProgress: () => void steps++ }).then(() => {
    hasEnded = true;
  });
  await bench.until(() => steps > 0, "the first step");
  expect(hasEnded).toBe(false);
  await bench.run(on.close());
  expect(hasEnded).toBe(true);
  await bench.run(flattened);
});

test("memory that was to be read into is its owner's again once the call has ended", async () => {
  const readAhead = { triggerRequests: 0, maxBytes: SIZE, disableAfterBytes: 0 };
  const cache = { policy: "writethrough", readAhead } as const;
  const cases = [
    { what: "several objects of a header that is not known", cached: false, range: [0, SIZE] },
    { what: "one that is not there", cached: false, range: [OBJECT, 512] },
    { what: "what is read ahead", cached: true, range: [512, 512] },
  ] as const;
  await bench.run(rbd.create("memory", SIZE, { objectSize: OBJECT }));
  for (const { what, cached, range } of cases) {
    const disk = await bench.run(rbd.open("memory", { cache: cached && cache }));
    await bench.run(disk.write(0, Buffer.alloc(512, 1)));
    bench.server.kill();
    if (what === "what is read ahead") await bench.run(disk.read(0, 512));
    else disk.engine.markStale();
    const [offset, length] = range;
    const memory = Buffer.alloc(length);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = outcome(disk.readInto(offset, memory, { signal }));
    await bench.pass(1000);
    controller.abort(REASON);
    expect(await bench.run(reading), what).toBe(REASON);
    memory.fill(9);
    await bench.startServer();
    await bench.pass(5_000);
    expect(memory.equals(Buffer.alloc(length, 9)), what).toBe(true);
    await bench.run(disk.close());
  }
});
