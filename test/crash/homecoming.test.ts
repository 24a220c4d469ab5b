/**
 * Small writes go home between checkpoints, over blocks that recovery still has to do with: orders that random
 * walks meet too seldom, each set up so that the shortcut would show.
 */
import { expect, test } from "vitest";
import { flatten } from "../../src/encoding/index.ts";
import { createStore, fsck, MemoryDisk, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, same, submit } from "../compliance/object-store/fixtures.ts";
import { ManualClock, settle } from "./crash.ts";

const A = named("a");
const BLOCK = 4096;
const SEGMENT = 64 << 10;
/** So much of a store of 1 MiB that small writes overwrite what is there. */
const SIZE = 240 * BLOCK;
/** Four blocks are a twelfth of it. */
const MEMORY = 192 << 10;

async function setUp(seed: number) {
  const disk = new MemoryDisk(seed);
  const clock = new ManualClock();
  createStore("", { disk, capacityBytes: 1 << 20, segmentSize: 256 << 10, segments: 2 });
  const options = { disk, clock, memoryBytes: MEMORY, commit: "async" as const };
  const store = await settle(clock, openStore("", options));
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(SIZE)] });
  await settle(clock, store.checkpoint());
  return { disk, clock, store };
}

test("nothing goes home over its old content before it is durable", async () => {
  for (let call = 1, isOver = false; !isOver; call++) {
    for (let seed = 1; seed <= 2; seed++) {
      const { disk, clock, store } = await setUp(seed);
      const first = store.lastSubmitted + 2;
      disk.cutAt = disk.calls + call;
      submit(store, { op: "touch", object: A });
      clock.turn(0);
      // The touch is on its way to the journal; when it is there, these are only in memory.
      for (let i = 0; i < 8; i++) {
        const data = [bytes(BLOCK, 2 + i)];
        submit(store, { op: "write", object: A, offset: i * 2 * BLOCK, data });
      }
      isOver = await settle(clock, store.flush()).then(
        () => true,
        () => false,
      );
      await settle(clock, store.close());
      disk.powerCycle();
      const where = `call ${call}, seed ${seed}`;
      expect(fsck("", { deep: true, disk }).faults, where).toEqual([]);
      const again = await settle(clock, openStore("", { disk, clock }));
      const wanted = bytes(SIZE);
      for (let i = 0; first + i <= again.lastSubmitted; i++) {
        wanted.set(bytes(BLOCK, 2 + i), i * 2 * BLOCK);
      }
      same(flatten(again.readSync(PG, A, 0, SIZE)), wanted, where);
      await settle(clock, again.close());
    }
  }
});

test("what comes right behind the beginning of a checkpoint does not go home with it", async () => {
  for (let call = 1, isOver = false; !isOver; call++) {
    for (let seed = 1; seed <= 2; seed++) {
      const { disk, clock, store } = await setUp(seed);
      // The disk says of everything so far that it is durable: the checkpoint waits for nothing.
      await settle(clock, store.flush());
      clock.turn(1000);
      await settle(clock, store.flush());
      disk.cutAt = disk.calls + call;
      const done = store.checkpoint().then(
        () => true,
        () => false,
      );
      const seq = submit(store, { op: "write", object: A, offset: 0, data: [bytes(BLOCK, 2)] });
      isOver = await settle(clock, done);
      if (disk.calls < disk.cutAt) await settle(clock, store.flush()).catch(() => undefined);
      await settle(clock, store.close());
      disk.powerCycle();
      const where = `call ${call}, seed ${seed}`;
      expect(fsck("", { deep: true, disk }).faults, where).toEqual([]);
      const again = await settle(clock, openStore("", { disk, clock }));
      const wanted = bytes(SIZE);
      if (seq <= again.lastSubmitted) wanted.set(bytes(BLOCK, 2));
      same(flatten(again.readSync(PG, A, 0, SIZE)), wanted, where);
      await settle(clock, again.close());
    }
  }
});

test("whoever waits for a congested store hears of it after a checkpoint that others asked for, too", async () => {
  const { clock, store } = await setUp(1);
  let relieved = 0;
  store.onRelief = () => relieved++;
  for (let i = 0; i < 16; i++) {
    submit(store, { op: "write", object: A, offset: i * BLOCK, data: [bytes(BLOCK, 2 + i)] });
  }
  expect(store.isCongested).toBe(true);
  await settle(clock, store.checkpoint());
  expect(store.isCongested).toBe(false);
  expect(relieved).toBeGreaterThan(0);
  await settle(clock, store.close());
});

test("a journal that has grown is not cut off where it is in use", async () => {
  const disk = new MemoryDisk(1);
  const clock = new ManualClock();
  createStore("", { disk, capacityBytes: 8 << 20, segmentSize: SEGMENT, segments: 2 });
  const store = await settle(clock, openStore("", { disk, clock, commit: "sync" }));
  submit(store, { op: "create-collection", collection: PG });
  // A checkpoint so slow that the journal has grown far beyond what it keeps when it ends.
  disk.latencyMax = 20_000;
  const slow = store.checkpoint();
  const writes = 100;
  for (let i = 0; i < writes; i++) {
    const object = named(`o${i % 10}`);
    submit(store, { op: "write", object, offset: 0, data: [bytes(8 << 10, i)] });
    clock.turn(0);
  }
  expect(store.lastDurable).toBe(store.lastSubmitted);
  const before = disk.open("journal", "read").size();
  expect(before).toBeGreaterThan(10 * SEGMENT);
  await settle(clock, slow);
  const told = store.lastDurable;
  disk.powerCycle();
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  const again = await settle(clock, openStore("", { disk, clock }));
  expect(again.lastSubmitted).toBeGreaterThanOrEqual(told);
  for (let i = writes - 10; i < writes; i++) {
    same(flatten(again.readSync(PG, named(`o${i % 10}`), 0, 8 << 10)), bytes(8 << 10, i), `o${i}`);
  }
  await settle(clock, again.close());
});
