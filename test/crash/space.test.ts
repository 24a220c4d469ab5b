/**
 * A store on a file system that is small and that others fill, too: it refuses what does not fit, always
 * lets go, and never comes to a write that fails.
 */
import { expect, test } from "vitest";
import { seededRandom } from "../../src/base/index.ts";
import { createStore, fsck, MemoryDisk, NoSpaceError, openStore } from "../../src/store/index.ts";
import type { HObject } from "../../src/types/index.ts";
import { bytes, named, PG, submit } from "../compliance/object-store/fixtures.ts";
import { ManualClock, settle } from "./crash.ts";
import { FILE_SYSTEM, MIB, RESERVE, type Scene, SEGMENT, setUp, takes } from "./small-disk.ts";

const OBJECTS = 24;

/** Small writes to ever new objects until one is refused. */
async function fill({ clock, store, failures }: Scene): Promise<number> {
  for (let i = 0; failures.length === 0; i++) {
    try {
      const data = [bytes(16 << 10, i)];
      submit(store, { op: "write", object: named(`f${i}`), offset: 0, data });
    } catch (error) {
      if (error instanceof NoSpaceError) return i;
      throw error;
    }
    if (i % 4 === 0) clock.turn(1);
    await Promise.resolve();
  }
  return 0;
}

test("whatever clients and others do, the store itself never comes to ENOSPC", async () => {
  let refused = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const dice = seededRandom(seed);
    const memoryBytes = MIB * [1, 8, 64][dice.below(3)]!;
    const latencyMax = [2, 60, 600][dice.below(3)]!;
    const scene = await setUp(seed, { memoryBytes, latencyMax });
    const { disk, clock, store, failures } = scene;
    // Pieces of 16 to 64 KiB are small writes, in memory for a while; larger ones go straight to the disk.
    const large = dice.below(2) === 0;
    for (let step = 0; step < 1000 && failures.length === 0; step++) {
      const object = named(`o${dice.below(OBJECTS)}`);
      const size = 4096 * (1 + dice.below(large ? 128 : 16));
      const offset = 4096 * dice.below(512);
      const what = dice.below(12);
      const isGrowth = what < 8;
      try {
        if (isGrowth) {
          submit(store, { op: "write", object, offset, data: [bytes(size, step)] });
        } else if (what < 10) {
          submit(store, { op: "touch", object }, { op: "zero", object, offset, length: size });
        } else {
          submit(store, { op: "touch", object }, { op: "remove", object });
        }
      } catch (error) {
        if (!(error instanceof NoSpaceError)) throw error;
        // What frees space is never refused.
        expect(isGrowth, `seed ${seed}: a removal was refused`).toBe(true);
        refused++;
      }
      // Others take of what is above the reserve while nothing is owed, and go again.
      if (dice.below(60) === 0) {
        await settle(clock, store.checkpoint());
        takes(scene, dice.below(Math.max(1, disk.space().available - RESERVE)));
      }
      if (dice.below(200) === 0) disk.othersBytes = 0;
      if (dice.below(4) === 0) clock.turn(dice.below(800));
      if (dice.below(20) === 0) await settle(clock, store.flush());
    }
    expect(failures, `seed ${seed}`).toEqual([]);
    await settle(clock, store.close());
    expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  }
  // Else the walk never got near.
  expect(refused).toBeGreaterThan(100);
});

test("small writes that are still in memory find room when they go home", async () => {
  // Half the journal's 12 MiB may wait for their checkpoint, much more than the reserve.
  const scene = await setUp(1, { segments: 48, memoryBytes: 64 * MIB });
  expect(await fill(scene)).toBeGreaterThan(100);
  await settle(scene.clock, scene.store.checkpoint());
  expect(scene.failures).toEqual([]);
  await settle(scene.clock, scene.store.close());
});

test("a full store refuses to be compacted, and goes on", async () => {
  const scene = await setUp(1, { memoryBytes: 8 * MIB });
  const { clock, disk, store, failures } = scene;
  expect(await fill(scene)).toBeGreaterThan(100);
  await settle(clock, store.checkpoint());
  takes(scene, store.statfs().available);
  await expect(settle(clock, store.compact())).rejects.toThrow(NoSpaceError);
  submit(store, { op: "remove", object: named("f0") });
  await settle(clock, store.flush());
  expect(failures).toEqual([]);
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});

test("an index is not merged where that does not fit, and is where it does again", async () => {
  const scene = await setUp(1, { memoryBytes: 4 * MIB });
  const { clock, disk, store, failures } = scene;
  const object = named("index");
  const dice = seededRandom(1);
  const some = () => {
    const entries: [string, Uint8Array][] = Array.from({ length: 100 }, () => {
      const key = `key ${dice.below(1e6)}`;
      return [key, bytes(400, dice.below(1e6))];
    });
    // With data: what goes to the index alone would be refused.
    const data = [bytes(4096, 0)];
    submit(store, { op: "write", object, offset: 0, data }, { op: "omap-set", object, entries });
  };
  const runs = () => disk.list().filter((name) => name.startsWith("run."));
  for (let i = 0; i < 100; i++) {
    some();
    if (i % 20 === 0) await settle(clock, store.checkpoint());
  }
  await settle(clock, store.compact());
  expect(store.statfs().internal).toBeGreaterThan(4 * MIB);
  expect(runs()).toHaveLength(1);
  // Less than the index, and more than the changes to come, which are enough to have all of it merged.
  takes(scene, disk.space().available - RESERVE - 4 * MIB);
  const checkpoints = 24;
  for (let i = 0; i < checkpoints; i++) {
    for (let n = 0; n < 3; n++) some();
    await settle(clock, store.checkpoint());
  }
  expect(failures).toEqual([]);
  // The large one stays alone, of the small ones some are merged.
  expect(runs().length).toBeGreaterThan(1);
  expect(runs().length).toBeLessThan(8);
  await expect(settle(clock, store.compact())).rejects.toThrow(NoSpaceError);
  // A merge that others take the room of is given up, and leaves nothing behind.
  disk.othersBytes = 0;
  const before = disk.space().available;
  const old = runs();
  const isBegun = () =>
    runs().some((name) => !old.includes(name) && disk.open(name, "read").size() > MIB);
  const merged = store.compact();
  while (!isBegun()) {
    clock.turn(1);
    await Promise.resolve();
  }
  disk.othersBytes += disk.space().available - RESERVE / 2;
  let least = disk.space().available;
  const how = { outcome: undefined as unknown };
  void merged.then(
    () => (how.outcome = "merged"),
    (error: unknown) => (how.outcome = error),
  );
  while (how.outcome === undefined) {
    clock.turn(1);
    await Promise.resolve();
    least = Math.min(least, disk.space().available);
  }
  expect(how.outcome).toBeInstanceOf(NoSpaceError);
  // At once, not when nothing is left.
  expect(least).toBeGreaterThan(RESERVE / 4);
  disk.othersBytes = 0;
  expect(before - disk.space().available).toBeLessThan(MIB);
  await settle(clock, store.compact());
  expect(runs()).toHaveLength(1);
  expect(failures).toEqual([]);
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});

test("a journal that grows because its checkpoint is late finds room, and so do its writes", async () => {
  const scene = await setUp(1, { memoryBytes: 256 * MIB, latencyMax: 100_000 });
  expect(await fill(scene)).toBeGreaterThan(100);
  scene.disk.latencyMax = 0;
  await settle(scene.clock, scene.store.checkpoint());
  expect(scene.failures).toEqual([]);
  await settle(scene.clock, scene.store.close());
});

test("a journal that is longer than it need be is cut where room is short, although nothing more is written", async () => {
  const scene = await setUp(1, { memoryBytes: 256 * MIB, latencyMax: 100_000 });
  const { disk, clock, store, failures } = scene;
  const write = (i: number) =>
    submit(store, { op: "write", object: named(`o${i}`), offset: 0, data: [bytes(16 << 10, i)] });
  for (let i = 0; i < 200; i++) {
    write(i);
    clock.turn(1);
    await Promise.resolve();
  }
  disk.latencyMax = 0;
  await settle(clock, store.checkpoint());
  await settle(clock, store.flush());
  clock.turn(1000);
  await settle(clock, store.flush());
  const segments = () => disk.open("journal", "read").size() / SEGMENT;
  expect(segments()).toBeGreaterThan(4);
  takes(scene, disk.space().available - RESERVE + MIB);
  expect(() => write(200)).toThrow(NoSpaceError);
  for (let i = 0; i < 2000; i++) {
    clock.turn(1);
    await Promise.resolve();
  }
  expect(segments()).toBe(4);
  write(200);
  expect(failures).toEqual([]);
  await settle(clock, store.close());
});

test("overwriting in place ends before the journal's growth has eaten the reserve", async () => {
  const scene = await setUp(1, { memoryBytes: 64 * MIB });
  const { disk, clock, store, failures } = scene;
  const size = 16 << 10;
  const write = (i: number) =>
    submit(store, { op: "write", object: named(`o${i % 8}`), offset: 0, data: [bytes(size, i)] });
  for (let i = 0; i < 8; i++) write(i);
  await settle(clock, store.checkpoint());
  takes(scene, disk.space().available - RESERVE);
  disk.latencyMax = 100_000;
  let i = 8;
  expect(() => {
    for (; i < 5000; i++) write(i);
  }).toThrow(NoSpaceError);
  expect(i, "what replaces data may use some of the reserve").toBeGreaterThan(20);
  submit(store, { op: "remove", object: named("o1") });
  disk.latencyMax = 0;
  await settle(clock, store.checkpoint());
  expect(failures).toEqual([]);
  await settle(clock, store.close());
});

test("space in crumbs is given back when others need it", async () => {
  const scene = await setUp(1);
  const { disk, clock, store, failures } = scene;
  const crumb = 64 << 10;
  for (let i = 0; i < 320; i++) {
    submit(store, {
      op: "write",
      object: named(`c${i}`),
      offset: 0,
      data: [bytes(crumb, i)],
    });
    if (i % 8 === 0) await settle(clock, store.flush());
  }
  await settle(clock, store.checkpoint());
  takes(scene, disk.space().available - RESERVE);
  for (let i = 0; i < 320; i += 2) submit(store, { op: "remove", object: named(`c${i}`) });
  await settle(clock, store.flush());
  await settle(clock, store.flush());
  expect(disk.space().available).toBeLessThan(RESERVE + MIB);
  store.statfs(); // looks, and finds that it is tight
  for (let i = 0; i < 2000; i++) await Promise.resolve();
  expect(disk.space().available).toBeGreaterThan(RESERVE + 9 * MIB);
  // And that room can be used, in large pieces.
  for (let i = 0; i < 8; i++) {
    submit(store, { op: "write", object: named(`b${i}`), offset: 0, data: [bytes(MIB, i)] });
    clock.turn(2000);
  }
  await settle(clock, store.flush());
  expect(failures).toEqual([]);
  await settle(clock, store.close());
});

test("a writer that waits when the store is congested finds memory and journal bounded", async () => {
  const memoryBytes = 4 * MIB;
  const scene = await setUp(11, { memoryBytes, latencyMax: 400 });
  const { disk, clock, store, failures } = scene;
  const journalBytes = () => disk.open("journal", "read").size();
  let relieved = 0;
  let waits = 0;
  let longest = 0;
  store.onRelief = () => relieved++;
  // Far more than the journal holds, over the same few objects.
  for (let i = 0; i < 1500; i++) {
    while (store.isCongested) {
      waits++;
      clock.turn(1);
      await Promise.resolve();
    }
    const object = named(`o${i % OBJECTS}`);
    submit(store, { op: "write", object, offset: 0, data: [bytes(16 << 10, i)] });
    if (i % 8 === 0) clock.turn(1);
    longest = Math.max(longest, journalBytes());
    await Promise.resolve();
  }
  expect(failures).toEqual([]);
  expect(waits).toBeGreaterThan(0);
  expect(relieved).toBeGreaterThan(0);
  // 16 segments, what was on its way when they were full, one begun, and those made sure of.
  expect(longest).toBeLessThanOrEqual(26 * SEGMENT);
  await settle(clock, store.checkpoint());
  await settle(clock, store.checkpoint());
  // The burst's segments have been given back, once there is a newer one.
  submit(store, { op: "touch", object: named("newer") });
  await settle(clock, store.flush());
  expect(journalBytes()).toBeLessThanOrEqual(9 * SEGMENT);
  await settle(clock, store.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});

test("a journal that a burst has made long does not keep writers out of a full file system for good", async () => {
  const scene = await setUp(1, { segments: 4, memoryBytes: 64 * MIB });
  const { disk, clock, store, failures } = scene;
  const write = (i: number) => {
    const data = [bytes(16 << 10, i)];
    submit(store, { op: "write", object: named(`o${i % 8}`), offset: 0, data });
  };
  for (let i = 0; i < 8; i++) write(i);
  await settle(clock, store.checkpoint());
  takes(scene, disk.space().available - RESERVE);
  for (let round = 0; round < 3; round++) {
    disk.latencyMax = 20_000;
    let accepted = 0;
    try {
      for (; accepted < 1000; accepted++) {
        write(accepted);
        clock.turn(0);
        await Promise.resolve();
      }
    } catch (error) {
      if (!(error instanceof NoSpaceError)) throw error;
    }
    expect(accepted, `round ${round}`).toBeGreaterThan(20);
    disk.latencyMax = 0;
    // What is under way ends, and the next write that is refused makes room for those behind it.
    for (let i = 0; i < 2; i++) {
      try {
        write(accepted);
      } catch (error) {
        if (!(error instanceof NoSpaceError)) throw error;
      }
      await settle(clock, store.flush());
      for (let turns = 0; turns < 30_000; turns++) {
        if (turns % 1000 === 0) clock.turn(1);
        await Promise.resolve();
      }
    }
  }
  expect(failures).toEqual([]);
  await settle(clock, store.close());
});

test("a full store refuses whole what would take fresh blocks, however short its writes", async () => {
  const disk = new MemoryDisk(1);
  const clock = new ManualClock();
  createStore("", { disk, capacityBytes: MIB, segmentSize: SEGMENT, segments: 2 });
  const store = await settle(clock, openStore("", { disk, clock }));
  const failures: Error[] = [];
  store.onFatal = (error) => failures.push(error);
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "write", object: named("a"), offset: 0, data: [bytes(248 * 4096)] });
  await settle(clock, store.checkpoint());
  // Together too much for the journal: each of them goes straight to the file.
  const writes = Array.from({ length: 20 }, (_, i) => ({
    op: "write" as const,
    object: named("a"),
    offset: i * 8192,
    data: [bytes(8192, i)],
  }));
  expect(() => submit(store, ...writes)).toThrow(NoSpaceError);
  const again = { op: "write" as const, object: named("a"), offset: 0, data: [bytes(40_960)] };
  const zero = { op: "zero" as const, object: named("a"), offset: 0, length: 40_960 };
  expect(() => submit(store, zero, again)).toThrow(NoSpaceError);
  submit(store, { op: "write", object: named("a"), offset: 0, data: [bytes(8192, 9)] });
  await settle(clock, store.flush());
  expect(failures).toEqual([]);
  await settle(clock, store.close());
});

test("a copy of what the same transaction writes is refused whole where it does not fit", async () => {
  // Found by the crash test: the source was counted as large as it was before.
  const outcomes = new Set<string>();
  for (let blocks = 160; blocks <= 248; blocks += 4) {
    const disk = new MemoryDisk(1);
    const clock = new ManualClock();
    createStore("", { disk, capacityBytes: MIB, segmentSize: SEGMENT, segments: 2 });
    const store = await settle(clock, openStore("", { disk, clock }));
    const failures: Error[] = [];
    store.onFatal = (error) => failures.push(error);
    const [a, s, t] = ["a", "s", "t"].map((oid) => named(oid)) as [HObject, HObject, HObject];
    submit(store, { op: "create-collection", collection: PG });
    submit(store, { op: "write", object: a, offset: 0, data: [bytes(blocks * 4096)] });
    submit(store, { op: "write", object: s, offset: 0, data: [bytes(4096)] });
    await settle(clock, store.checkpoint());
    const grow = { op: "write" as const, object: s, offset: 0, data: [bytes(20 * 4096)] };
    const range = { object: s, to: t, offset: 0, toOffset: 100, length: 20 * 4096 };
    try {
      submit(store, grow, { op: "clone-range", ...range });
      outcomes.add("taken");
    } catch (error) {
      expect(error).toBeInstanceOf(NoSpaceError);
      outcomes.add("refused");
    }
    await settle(clock, store.flush());
    expect(failures).toEqual([]);
    await settle(clock, store.close());
  }
  expect([...outcomes]).toEqual(["taken", "refused"]);
});

test.each([3 / 4, 1])(
  "omap alone is refused before it has filled the file system, with %d of the reserve, and can be removed then",
  async (indexShare) => {
    // What goes to the index at once is more than the least that may be left.
    const segmentSize = 1 << 20;
    const { disk, clock, store, failures } = await setUp(1, { indexShare, segmentSize });
    const object = named("index");
    const add = (i: number) => {
      const entries = Array.from({ length: 8 }, (_, k): [string, Uint8Array] => [
        `key ${8 * i + k}`,
        bytes(20_000, 8 * i + k),
      ]);
      submit(store, { op: "omap-set", object, entries });
      return settle(clock, store.flush());
    };
    const fill = async () => {
      for (let i = 0; ; i++) {
        try {
          await add(i);
        } catch (error) {
          if (!(error instanceof NoSpaceError)) throw error;
          return i;
        }
      }
    };
    const added = await fill();
    expect(added * 8 * 20_000).toBeGreaterThan(FILE_SYSTEM / 4);
    expect(failures).toEqual([]);
    submit(store, { op: "omap-clear", object });
    await settle(clock, store.checkpoint());
    await settle(clock, store.close());
    disk.processKill();
    const again = await settle(clock, openStore("", { disk, clock, memoryBytes: 4 * MIB }));
    await settle(clock, again.compact());
    submit(again, { op: "omap-set", object, entries: [["key", bytes(20_000, 1)]] });
    await settle(clock, again.close());
    expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  },
);

test("what is removed is used again on a file system that takes nothing back, and nothing that is not there", async () => {
  const { disk, clock, store, failures } = await setUp(1, { punchable: false });
  const fill = async (name: string): Promise<number> => {
    for (let i = 0; ; i++) {
      try {
        const object = named(`${name}${i}`);
        submit(store, { op: "write", object, offset: 0, data: [bytes(16 << 10, i)] });
      } catch (error) {
        if (!(error instanceof NoSpaceError)) throw error;
        await settle(clock, store.flush());
        await settle(clock, store.checkpoint());
        return i;
      }
      if (i % 4 === 0) clock.turn(1);
      await Promise.resolve();
    }
  };
  /** Every second one goes: what that gives is in crumbs. */
  const thin = async (name: string, count: number) => {
    for (let i = 0; i < count; i += 2) {
      submit(store, { op: "remove", object: named(`${name}${i}`) });
    }
    await settle(clock, store.flush());
    // It is tried to give them back.
    clock.turn(5000);
    await settle(clock, store.checkpoint());
  };
  const all = await fill("a");
  await thin("a", all);
  // By now it is known that this cannot be done.
  const more = await fill("b");
  await thin("b", more);
  expect(await fill("c")).toBeGreaterThan(more / 3);
  expect(failures).toEqual([]);
  await settle(clock, store.close());
  disk.processKill();
  const opened = await settle(clock, openStore("", { disk, clock, memoryBytes: 4 * MIB }));
  await settle(clock, opened.close());
  expect(fsck("", { deep: true, disk }).faults).toEqual([]);
});
