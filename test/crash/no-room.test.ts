/**
 * The very last of the file system is gone, by others or by what is owed: the store refuses what would end it, removals
 * as well, waits where it must, has everything it has promised, and goes on once there is room again.
 */
import { expect, test } from "vitest";
import { flatten } from "../../src/encoding/index.ts";
import { createStore, fsck, MemoryDisk, NoSpaceError, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, same, submit } from "../compliance/object-store/fixtures.ts";
import { settle } from "./crash.ts";
import { MIB, RESERVE, SEGMENT, setUp, takes } from "./small-disk.ts";

test("objects of nothing but omap that have filled the file system can all be removed, one by one", async () => {
  const { disk, clock, store, failures } = await setUp(1);
  const fillAndRemove = async () => {
    let count = 0;
    for (; ; count++) {
      const entries: [string, Uint8Array][] = [[`key ${count}`, bytes(200, count)]];
      try {
        submit(store, { op: "omap-set", object: named(`o${count}`), entries });
      } catch (error) {
        if (!(error instanceof NoSpaceError)) throw error;
        // Else whoever has it would not know what to wait for.
        expect(store.statfs().available).toBe(0);
        break;
      }
      if (count % 64 === 0) await settle(clock, store.flush());
    }
    for (let i = 0; i < count; i++) {
      submit(store, { op: "remove", object: named(`o${i}`) });
      if (i % 64 === 0) await settle(clock, store.flush());
    }
    await settle(clock, store.compact());
    return count;
  };
  const first = await fillAndRemove();
  expect(first).toBeGreaterThan(10_000);
  // Nothing is left of them.
  expect(await fillAndRemove()).toBeGreaterThan(first * 0.9);
  expect(failures).toEqual([]);
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});

test("a removal is refused where the store would end with it, and is done once others have made room", async () => {
  const scene = await setUp(1);
  const { disk, clock, store, failures } = scene;
  const COUNT = 6000;
  for (let i = 0; i < COUNT; i++) {
    const entries: [string, Uint8Array][] = [["key", bytes(200, i)]];
    submit(store, { op: "omap-set", object: named(`o${i}`), entries });
    if (i % 64 === 0) await settle(clock, store.flush());
  }
  await settle(clock, store.checkpoint());
  takes(scene, disk.space().available - RESERVE / 4);
  let removed = 0;
  const remove = async () => {
    for (; removed < COUNT; removed++) {
      submit(store, { op: "remove", object: named(`o${removed}`) });
      if (removed % 64 === 0) await settle(clock, store.flush());
    }
  };
  await expect(remove()).rejects.toThrow(NoSpaceError);
  expect(removed).toBeGreaterThan(0);
  disk.othersBytes = 0;
  clock.turn(1000);
  await remove();
  expect(failures).toEqual([]);
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});

test("others take the last byte: what was told durable is there once there is room", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { disk, clock, store, failures } = await setUp(seed);
    let told = 0;
    store.onDurable = (seq) => {
      told = seq;
    };
    const sequence: number[] = [];
    for (let i = 0; i < 60 && failures.length === 0; i++) {
      if (i === 40) disk.othersBytes += disk.space().available;
      try {
        const seq = submit(store, {
          op: "write",
          object: named(`o${i}`),
          offset: 0,
          data: [bytes(20_000 * (1 + (i % 5)), i)],
        });
        sequence.push(seq);
      } catch (error) {
        if (!(error instanceof NoSpaceError)) throw error;
        expect(i).toBeGreaterThanOrEqual(40);
      }
      clock.turn(10);
      await Promise.resolve();
    }
    // A large write that has been taken must go where it was to go.
    for (const { message } of failures) expect(message).toContain("ENOSPC");
    await settle(clock, store.close());
    disk.othersBytes = 0;
    const again = await settle(clock, openStore("", { disk, clock }));
    expect(again.lastSubmitted).toBeGreaterThanOrEqual(told);
    for (const [i, seq] of sequence.entries()) {
      if (seq > told) break;
      const size = 20_000 * (1 + (i % 5));
      same(flatten(await again.read(PG, named(`o${i}`), 0, size)), bytes(size, i), `o${i}`);
    }
    await settle(clock, again.close());
    expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  }
});

test.each(["what is pending", "the index"])(
  "others take the last byte while a checkpoint has yet to write %s: it waits for room, and goes on",
  async (what) => {
    const scene = await setUp(1, { memoryBytes: 8 * MIB });
    const { disk, clock, store, failures } = scene;
    const entries = (i: number): [string, Uint8Array][] => [[`k${i}`, bytes(400, i)]];
    for (let i = 0; i < 400; i++) {
      if (what === "the index") {
        submit(store, { op: "omap-set", object: named("a"), entries: entries(i) });
      } else {
        const data = [bytes(4096, i)];
        submit(store, { op: "write", object: named("a"), offset: i * 4096, data });
      }
    }
    await settle(clock, store.flush());
    disk.othersBytes += disk.space().available;
    let isDone = false;
    const done = store.checkpoint().then(() => {
      isDone = true;
    });
    const turns = async () => {
      for (let i = 0; i < 20; i++) {
        clock.turn(1000);
        for (let n = 0; n < 200; n++) await Promise.resolve();
      }
    };
    await turns();
    expect(isDone).toBe(false);
    // Nothing is tried while it would fail again, but now and then: it would take what others need.
    const tried = disk.calls;
    await turns();
    expect(disk.calls - tried).toBeLessThan(10);
    // All of it is there meanwhile, and nothing new is taken.
    if (what === "the index") same(store.omapGet(PG, named("a"), "k399")!, bytes(400, 399));
    else same(flatten(await store.read(PG, named("a"), 399 * 4096, 4096)), bytes(4096, 399));
    expect(() => submit(store, { op: "touch", object: named("b") })).toThrow(NoSpaceError);
    disk.othersBytes = 0;
    await turns();
    expect(isDone).toBe(true);
    await done;
    submit(store, { op: "touch", object: named("b") });
    await settle(clock, store.flush());
    // Closed without room it is opened again once there is some.
    submit(store, { op: "omap-set", object: named("a"), entries: entries(400) });
    await settle(clock, store.flush());
    disk.othersBytes += disk.space().available;
    await settle(clock, store.close());
    expect(failures).toEqual([]);
    await expect(settle(clock, openStore("", { disk, clock }))).rejects.toThrow("ENOSPC");
    disk.othersBytes = 0;
    const again = await settle(clock, openStore("", { disk, clock }));
    same(again.omapGet(PG, named("a"), "k400")!, bytes(400, 400));
    await settle(clock, again.close());
    expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  },
);

test("a store that cannot be made, opened or written to for want of room says so by the system's code", async () => {
  const small = new MemoryDisk(1);
  small.limitBytes = SEGMENT;
  expect(() => createStore("", { disk: small, segmentSize: SEGMENT })).toThrow(
    expect.objectContaining({ code: "ENOSPC" }),
  );
  const { disk, clock, store } = await setUp(1);
  submit(store, { op: "touch", object: named("a") });
  await settle(clock, store.flush());
  disk.othersBytes += disk.space().available;
  clock.turn(1000);
  expect(() => submit(store, { op: "touch", object: named("b") })).toThrow(
    expect.objectContaining({ code: "ENOSPC" }),
  );
  await settle(clock, store.close());
  await expect(settle(clock, openStore("", { disk, clock }))).rejects.toMatchObject({
    code: "ENOSPC",
  });
});

test("a store that is closed while its compaction waits for room has not failed", async () => {
  const { disk, clock, store, failures } = await setUp(1);
  const entries = (i: number): [string, Uint8Array][] => [[`k${i}`, bytes(400, i)]];
  for (let i = 0; i < 400; i++) {
    submit(store, { op: "omap-set", object: named("a"), entries: entries(i) });
  }
  await settle(clock, store.flush());
  const compacted = store.compact().catch((error: unknown) => error);
  // It has found that there is room.
  for (let n = 0; n < 5; n++) await Promise.resolve();
  disk.othersBytes += disk.space().available;
  for (let i = 0; i < 20; i++) {
    clock.turn(1000);
    for (let n = 0; n < 200; n++) await Promise.resolve();
  }
  await settle(clock, store.close());
  expect(await compacted).toBeInstanceOf(NoSpaceError);
  expect(failures).toEqual([]);
});

test("a manifest that the file system has no room for ends the store: it does not go on without checkpoints", async () => {
  for (let call = 1, isOver = false; !isOver; call++) {
    const { disk, clock, store, failures } = await setUp(1);
    submit(store, { op: "write", object: named("a"), offset: 0, data: [bytes(4096)] });
    await settle(clock, store.flush());
    // Where data is copied on write, what is written over takes room, too.
    disk.failAt(disk.calls + call, "ENOSPC");
    const last = disk.calls + call;
    const done = store.checkpoint().then(
      () => true,
      () => false,
    );
    const isDone = await settle(clock, done);
    isOver = disk.calls < last;
    disk.mend();
    // It has waited and gone on, or told its owner.
    expect(failures.length, `call ${call}`).toBe(isDone ? 0 : 1);
    await settle(clock, store.close());
    const again = await settle(clock, openStore("", { disk, clock }));
    same(flatten(await again.read(PG, named("a"), 0, 4096)), bytes(4096), `call ${call}`);
    await settle(clock, again.close());
  }
});
