/**
 * Orders of writes that random walks meet too seldom: each case is a promise of docs/formats/store.md, set up
 * so that the shortcut would show.
 */
import { expect, test } from "vitest";
import { flatten } from "../../src/encoding/index.ts";
import { createStore, type DiskStore, fsck, MemoryDisk, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, same, submit } from "../compliance/object-store/fixtures.ts";
import { ManualClock, microtasks, settle } from "./crash.ts";

const A = named("a");
const B = named("b");
const SIZE = 200 << 10; // large: written directly, read as a promise
/** Room for a large object and a little more: with so little left small writes go over the object's own blocks. */
const TIGHT = SIZE + (6 << 12);
/** Far apart: the first dice of neighbours fall alike. */
const SEEDS = Array.from({ length: 24 }, (_, i) => 1 + 1009 * i);
/** Microtask turns that outlast a checkpoint. */
const SLOW = 5000;

async function setUp(seed: number, capacityBytes = 8 << 20) {
  const disk = new MemoryDisk(seed);
  const clock = new ManualClock();
  createStore("", { disk, capacityBytes, segmentSize: 256 << 10, segments: 2 });
  const store = await settle(clock, openStore("", { disk, clock }));
  submit(store, { op: "create-collection", collection: PG });
  await settle(clock, store.flush());
  return { disk, clock, store };
}

async function slowRead(disk: MemoryDisk, store: DiskStore): Promise<Uint8Array> {
  disk.latencyMax = SLOW;
  const read = store.read(PG, A, 0, SIZE);
  disk.latencyMax = 0;
  return flatten(await read);
}

test("a checkpoint does not overwrite what a read is still fetching", async () => {
  for (const seed of SEEDS) {
    const { disk, clock, store } = await setUp(seed, TIGHT);
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(SIZE)] });
    await settle(clock, store.checkpoint());
    const read = slowRead(disk, store);
    submit(store, { op: "write", object: A, offset: 8192, data: [bytes(4096, 2)] });
    await settle(clock, store.checkpoint());
    same(await read, bytes(SIZE), `seed ${seed}`);
    await settle(clock, store.close());
  }
});

test("blocks that a read is still fetching are not given to others", async () => {
  for (const seed of SEEDS) {
    // Room for little more than two of them: what is free is used again at once.
    const { disk, clock, store } = await setUp(seed, 520 << 10);
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(SIZE)] });
    await settle(clock, store.flush());
    const read = slowRead(disk, store);
    submit(store, { op: "remove", object: A });
    await settle(clock, store.flush());
    for (let i = 0; i < 3; i++) {
      try {
        submit(store, { op: "write", object: named(`b${i}`), offset: 0, data: [bytes(SIZE, 3)] });
      } catch {
        break; // full, because the blocks are still held: just so
      }
    }
    await settle(clock, store.flush());
    same(await read, bytes(SIZE), `seed ${seed}`);
    await settle(clock, store.close());
  }
});

test("a checkpoint cut at any call loses no large write that small ones lie upon", async () => {
  for (let call = 1; ; call++) {
    const { disk, clock, store } = await setUp(call, TIGHT);
    // One batch: when it is written, the large write has not landed, and no later batch says it has.
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(SIZE)] });
    submit(store, { op: "write", object: A, offset: 4096, data: [bytes(4096, 2)] });
    submit(store, { op: "write", object: B, offset: 0, data: [bytes(100, 3)] });
    const last = store.lastSubmitted;
    while (store.lastDurable < last) {
      clock.turn(0);
      await Promise.resolve();
    }
    disk.cutAt = disk.calls + call;
    const outcome = await settle(clock, store.checkpoint()).then(
      () => "done",
      () => "cut",
    );
    await settle(clock, store.close());
    disk.powerCycle();
    expect(fsck("", { deep: true, disk }).faults, `call ${call}`).toEqual([]);
    const again = await settle(new ManualClock(), openStore("", { disk, clock }));
    expect(again.lastSubmitted, `call ${call}, ${outcome}`).toBe(last);
    const wanted = bytes(SIZE);
    wanted.set(bytes(4096, 2), 4096);
    same(flatten(again.readSync(PG, A, 0, SIZE)), wanted, `call ${call}`);
    await settle(clock, again.close());
    if (outcome === "done") break;
  }
});

test("a recovery cut at any call loses no large write that small ones lie upon", async () => {
  for (let call = 1; ; call++) {
    const { disk, clock, store } = await setUp(call, TIGHT);
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(SIZE)] });
    submit(store, { op: "write", object: A, offset: 4096, data: [bytes(4096, 2)] });
    await settle(clock, store.flush());
    // All of it is durable, of which no batch on the disk tells yet: recovery looks whether the large write has arrived.
    disk.processKill();
    disk.cutAt = disk.calls + call;
    const opened = await settle(
      clock,
      openStore("", { disk, clock }).then(
        (again) => again,
        () => undefined,
      ),
    );
    const isWhole = opened !== undefined && disk.calls < disk.cutAt;
    await opened?.close().catch(() => undefined);
    disk.powerCycle();
    const last = await settle(clock, openStore("", { disk, clock }));
    const expected = Buffer.from(bytes(SIZE));
    expected.set(bytes(4096, 2), 4096);
    same(flatten(await last.read(PG, A, 0, SIZE)), expected, `call ${call}`);
    await settle(clock, last.close());
    if (isWhole) return;
  }
});

test("a run is there as long as a manifest names it, whenever a merge ends", async () => {
  let overlaps = 0;
  for (let turns = 0; turns < 200; turns++) {
    const { disk, clock, store } = await setUp(1 + turns);
    const write = (i: number) =>
      submit(store, { op: "omap-set", object: named("o"), entries: [[`k${i}`, bytes(5000, i)]] });
    for (let i = 0; i < 4; i++) {
      write(i);
      await settle(clock, store.checkpoint());
    }
    // The last one has begun a merge: a write of it takes so long that it may end at any moment of the next.
    disk.latencyMax = 8 * turns;
    await microtasks(12);
    disk.latencyMax = 8;
    const isMerging = disk.list().includes("run.5");
    write(4);
    await settle(clock, store.checkpoint());
    if (isMerging && disk.list().includes("run.1")) overlaps++;
    disk.powerCycle();
    expect(fsck("", { deep: true, disk }).faults, `after ${turns} turns`).toEqual([]);
    const again = await settle(new ManualClock(), openStore("", { disk, clock }));
    for (let i = 0; i < 5; i++) {
      same(again.omapGet(PG, named("o"), `k${i}`)!, bytes(5000, i), `after ${turns} turns`);
    }
    await settle(clock, again.close());
  }
  expect(overlaps).toBeGreaterThan(10);
});

test("compaction gives back what removed objects took in the index, and may be cut at any call", async () => {
  const entries = Array.from({ length: 500 }, (_, i): [string, Uint8Array] => [
    `k${i}`,
    bytes(99, i),
  ]);
  for (let call = 1; ; call++) {
    const { disk, clock, store } = await setUp(call);
    for (let i = 0; i < 3; i++) {
      submit(store, { op: "omap-set", object: named(`o${i}`), entries });
      await settle(clock, store.checkpoint());
    }
    submit(store, { op: "remove", object: named("o1") }, { op: "remove", object: named("o2") });
    await settle(clock, store.checkpoint());
    const before = store.statfs().internal;
    disk.cutAt = disk.calls + call;
    const outcome = await settle(clock, store.compact()).then(
      () => "done",
      () => "cut",
    );
    if (outcome === "done") {
      expect(disk.list().filter((name) => name.startsWith("run."))).toHaveLength(1);
      expect(before - store.statfs().internal).toBeGreaterThan(2 * 500 * 99);
    }
    await settle(clock, store.close());
    disk.powerCycle();
    expect(fsck("", { deep: true, disk }).faults, `call ${call}`).toEqual([]);
    const again = await settle(new ManualClock(), openStore("", { disk, clock }));
    for (const [key, value] of entries) {
      same(again.omapGet(PG, named("o0"), key)!, value, `call ${call}`);
    }
    expect([...again.omapEntries(PG, named("o0"))]).toHaveLength(entries.length);
    expect(again.stat(PG, named("o1")), `call ${call}`).toBeUndefined();
    await settle(clock, again.close());
    if (outcome === "done") break;
  }
});
