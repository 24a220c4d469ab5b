/**
 * Cached images whose client, or whose server, ends on the way: what was flushed is there, and of what was not
 * flushed each block is as one of the writes since has left it.
 */
import { expect, test } from "vitest";
import { CephError, sleep } from "../../src/base/index.ts";
import { RBD_FEATURE, RBD_FEATURES_DEFAULT } from "../../src/cls/rbd/types/features.ts";
import { Image as Device } from "../../src/librbd/index.ts";
import {
  breakLock,
  CachedIo,
  type CacheOptions,
  copyImage,
  createImage,
  deepCopyImage,
  diffIterate,
  type Image,
  ImageIo,
  listLocks,
  openImage,
  resizeImage,
  rollBackTo,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { NOSNAP } from "../../src/types/index.ts";
import { Dice } from "../harness/dice.ts";
import { Bench, type BenchClient } from "./bench.ts";
import { failingIo } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const BLOCK = 512;
const BLOCKS = (8 * OBJECT) / BLOCK;
const SIZE = BLOCKS * BLOCK;

const SMALL = { size: 60_000, maxDirty: 30_000, targetDirty: 20_000, maxDirtyAgeMs: 30 };
const POLICIES = ["writeback", "writearound", "writethrough"] as const;
/** More of them by hand: RBD_SEEDS=3,4,5. */
const SEEDS = (process.env["RBD_SEEDS"] ?? "1,2").split(",").map(Number);

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );

async function openCached(client: BenchClient, name: string, cache: CacheOptions) {
  const image = await openImage(client.context, client.io, { name });
  return { image, io: new CachedIo(image, cache, { discardGranularity: 0 }) };
}

const blockOf = (data: Buffer, index: number) => data.readUInt32LE(index * BLOCK);

/**
 * Writes of one program. Each fills blocks with its number; 0 is a discard.
 * Blocks may be what they were when the last flush began, or as anything later has left them.
 */
class Writer {
  readonly possible: Set<number>[] = Array.from({ length: BLOCKS }, () => new Set([0]));
  /** What the program itself has to see. */
  readonly now: number[] = Array.from({ length: BLOCKS }, () => 0);
  flushes = 0;
  #writes = 0;

  readonly #io: CachedIo;
  readonly #dice: Dice;

  constructor(io: CachedIo, dice: Dice) {
    this.#io = io;
    this.#dice = dice;
  }

  /** Until its process ends. */
  async work(): Promise<void> {
    for (;;) {
      const roll = this.#dice.below(20);
      if (roll === 0) await this.#flush();
      else if (roll < 5) await this.#read();
      else await this.#write(roll < 7);
    }
  }

  async #flush(): Promise<void> {
    const before = [...this.now];
    await this.#io.flush();
    this.flushes++;
    before.forEach((number, index) => {
      this.possible[index] = new Set([number]);
    });
  }

  async #read(): Promise<void> {
    const [start, count] = this.#range();
    const data = await this.#io.read(start * BLOCK, count * BLOCK);
    const got = Array.from({ length: count }, (_, i) => blockOf(data, i));
    expect(got).toEqual(this.now.slice(start, start + count));
  }

  async #write(isDiscard: boolean): Promise<void> {
    const [start, count] = this.#range();
    const number = isDiscard ? 0 : ++this.#writes;
    for (let i = start; i < start + count; i++) this.possible[i]?.add(number);
    if (isDiscard) await this.#io.discard(start * BLOCK, count * BLOCK);
    else await this.#io.write(start * BLOCK, numbered(number, count));
    this.now.fill(number, start, start + count);
  }

  #range(): [start: number, count: number] {
    // A few blocks of each object, again and again: overlaps are the point.
    const start = this.#dice.below(8) * (OBJECT / BLOCK) + this.#dice.below(6);
    return [start, this.#dice.between(1, Math.min(40, BLOCKS - start))];
  }
}

function numbered(number: number, count: number): Buffer {
  const data = Buffer.alloc(count * BLOCK);
  for (let i = 0; i < count; i++) data.writeUInt32LE(number, i * BLOCK);
  return data;
}

for (const policy of POLICIES) {
  for (const seed of SEEDS) {
    test(`${policy}: what was flushed outlives its writer (seed ${seed})`, async () => {
      const bench = await Bench.start({ seed });
      const dice = new Dice(seed);
      const [writing, heir] = [await bench.client(), await bench.client()];
      await bench.run(createImage(writing.context, writing.io, "a", SIZE, { order: ORDER }));
      const cache = { ...SMALL, policy, writethroughUntilFlush: dice.chance(0.5) };
      const { io } = await bench.run(openCached(writing, "a", cache));
      const writer = new Writer(io, dice.fork());
      const ended = codeOf(writer.work());
      await bench.pass(dice.between(200, 1500));
      writing.die(dice.chance(0.5) ? "killed" : "power");
      expect(writer.flushes).toBeGreaterThan(0);
      const { image, io: inherited } = await bench.run(openCached(heir, "a", cache));
      // It takes the lock from the dead.
      await bench.run(inherited.write(SIZE - BLOCK, numbered(7, 1)));
      const data = await bench.run(inherited.read(0, SIZE - BLOCK));
      for (let i = 0; i < BLOCKS - 1; i++) {
        expect([...(writer.possible[i] ?? [])], `block ${i}`).toContain(blockOf(data, i));
      }
      await bench.run(image.close());
      await bench.close();
      // Nothing else has ended it.
      await expect(Promise.race([ended, Promise.resolve("dead")])).resolves.toBe("dead");
    });
  }
}

test("a server that is killed and starts again takes from no cache what it held", async () => {
  for (const policy of POLICIES) {
    const bench = await Bench.start();
    const client = await bench.client();
    await bench.run(createImage(client.context, client.io, "a", SIZE, { order: ORDER }));
    const cache = { ...SMALL, policy, writethroughUntilFlush: false };
    const { image, io } = await bench.run(openCached(client, "a", cache));
    await bench.run(io.write(0, numbered(1, 3)));
    bench.server.kill();
    const writing = io.write(BLOCK, numbered(2, 1));
    await bench.pass(20_000);
    await bench.startServer();
    await bench.run(writing);
    await bench.run(io.flush());
    const data = await bench.run(new ImageIo(image).read(0, 3 * BLOCK));
    expect(
      [0, 1, 2].map((i) => blockOf(data, i)),
      policy,
    ).toEqual([1, 2, 1]);
    await bench.run(image.close());
    await bench.close();
  }
});

/** A cached image with what a test needs most. */
async function start(cache: CacheOptions, features = RBD_FEATURES_DEFAULT) {
  const bench = await Bench.start();
  const client = await bench.client();
  const options = { order: ORDER, features };
  await bench.run(createImage(client.context, client.io, "a", SIZE, options));
  const { image, io } = await bench.run(openCached(client, "a", cache));
  return { bench, client, image, io };
}

const BACK = { policy: "writeback", writethroughUntilFlush: false } as const;

/** What the objects have, past any cache. */
async function stored(image: Image, index: number): Promise<number> {
  return blockOf(await new ImageIo(image).read(index * BLOCK, BLOCK), 0);
}

test("a snapshot, a resize and a rollback see what was written before, and nothing stale is read after", async () => {
  const { bench, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1e6 });
  await bench.run(io.write(0, numbered(1, 4)));
  expect(await bench.run(stored(image, 0))).toBe(0);
  await bench.run(takeSnapshot(image, "s"));
  expect(await bench.run(stored(image, 0))).toBe(1);
  await bench.run(io.write(0, numbered(2, 2)));
  await bench.run(rollBackTo(image, "s"));
  const back = await bench.run(io.read(0, 4 * BLOCK));
  expect([0, 1, 2, 3].map((i) => blockOf(back, i))).toEqual([1, 1, 1, 1]);
  const last = SIZE / BLOCK - 1;
  await bench.run(io.write(last * BLOCK, numbered(3, 1)));
  await bench.run(resizeImage(image, SIZE - OBJECT));
  await bench.run(resizeImage(image, SIZE));
  expect(blockOf(await bench.run(io.read(last * BLOCK, BLOCK)), 0)).toBe(0);
  await bench.run(image.close());
  await bench.close();
});

test("copies and differences have what the cache has", async () => {
  const { bench, client, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1e6 });
  const { context, io: pool } = client;
  const write = async (number: number) => await bench.run(io.write(0, numbered(number, 1)));
  const copied = async (name: string) => {
    const copy = await bench.run(openImage(context, pool, { name }, { readOnly: true }));
    return await bench.run(stored(copy, 0));
  };
  await write(1);
  await bench.run(copyImage(image, { io: pool, name: "b" }));
  expect(await copied("b")).toBe(1);
  await write(2);
  await bench.run(deepCopyImage(image, { io: pool, name: "c" }));
  expect(await copied("c")).toBe(2);
  await bench.run(takeSnapshot(image, "s"));
  await write(3);
  const ranges: [number, number][] = [];
  const note = (offset: number, length: number) => void ranges.push([offset, length]);
  await bench.run(diffIterate(image, { fromSnap: "s" }, note));
  expect(ranges).toEqual([[0, BLOCK]]);
  await bench.run(image.close());
  await bench.close();
});

test("what is read is read once, and ahead; a snapshot's too", async () => {
  const readAhead = { triggerRequests: 2, maxBytes: OBJECT };
  const { bench, image, io } = await start({ ...BACK, readAhead });
  await bench.run(new ImageIo(image).write(0, numbered(5, BLOCKS)));
  await bench.run(takeSnapshot(image, "s"));
  await bench.run(io.write(0, numbered(6, 1)));
  const snap = image.snapshots[0]?.id;
  for (const [at, value] of [
    [undefined, 6],
    [snap, 5],
  ] as const) {
    for (const offset of [0, BLOCK, 2 * BLOCK]) await bench.run(io.read(offset, BLOCK, at));
    for (const { data } of await bench.run(io.readSparse(0, 2 * BLOCK, at))) data.fill(9);
    // Read ahead: one block after the second request, and more after the third.
    await bench.pass(1000);
    bench.server.kill();
    const known = await bench.run(io.read(0, 4 * BLOCK, at));
    expect([0, 1, 2, 3].map((i) => blockOf(known, i))).toEqual([value, 5, 5, 5]);
    await bench.startServer();
  }
  await bench.run(image.close());
  await bench.close();
});

test("what is read while the gate is shut is not kept: what shuts it may change the data", async () => {
  const { bench, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1e6 });
  const first = async () => blockOf(await bench.run(io.read(0, BLOCK)), 0);
  await bench.run(io.write(0, numbered(1, 1)));
  await bench.run(image.gate.block());
  expect(await first()).toBe(1);
  const change = { type: "write", offset: 0, data: numbered(2, 1) } as const;
  await bench.run(new ImageIo(image).changeObject(0, change));
  expect(await first()).toBe(2);
  image.gate.unblock();
  expect(await first()).toBe(2);
  await bench.run(image.close());
  await bench.close();
});

test("written around, nothing is kept for reads but what is on its way", async () => {
  for (const writethroughUntilFlush of [true, false]) {
    const { bench, image, io } = await start({ policy: "writearound", writethroughUntilFlush });
    const first = async () => blockOf(await bench.run(io.read(0, BLOCK)), 0);
    await bench.run(io.write(0, numbered(1, 1)));
    expect(await first()).toBe(1);
    await bench.run(image.gate.flushed());
    expect(await first()).toBe(1);
    const change = { type: "write", offset: 0, data: numbered(2, 1) } as const;
    await bench.run(new ImageIo(image).changeObject(0, change));
    expect(await first()).toBe(2);
    await bench.run(image.close());
    await bench.close();
  }
});

test("without a lock nothing of the head is kept, unless it is open read-only", async () => {
  const { bench, client, image, io } = await start(BACK, RBD_FEATURE.LAYERING);
  const other = await bench.run(openImage(client.context, client.io, { name: "a" }));
  const otherIo = new ImageIo(other);
  const options = [{ name: "a" }, { readOnly: true }] as const;
  const viewer = await bench.run(openImage(client.context, client.io, ...options));
  const view = new CachedIo(viewer, BACK);
  const first = async (data: ImageIo | CachedIo) =>
    blockOf(await bench.run(data.read(0, BLOCK)), 0);
  await bench.run(otherIo.write(0, numbered(1, 1)));
  expect([await first(io), await first(view)]).toEqual([1, 1]);
  await bench.run(otherIo.write(0, numbered(2, 1)));
  expect([await first(io), await first(view)]).toEqual([2, 1]);
  await bench.run(viewer.refresh());
  expect(await first(view)).toBe(2);
  // Its own writes it sees at once.
  await bench.run(io.write(0, numbered(3, 1)));
  expect(await first(io)).toBe(3);
  await bench.run(image.close());
  expect(await first(otherIo)).toBe(3);
  await bench.run(other.close());
  await bench.close();
});

test("a writer that is blocklisted hears once that what it had acknowledged is lost", async () => {
  for (const policy of ["writeback", "writearound"] as const) {
    const { bench, client, image, io } = await start({
      ...BACK,
      policy,
      maxDirtyAgeMs: 1e6,
    });
    const heir = await bench.client();
    await bench.run(io.write(0, numbered(1, 1)));
    await bench.run(io.flush());
    await bench.run(client.rados.blocklist({ ...client.rados.addrs[0]! }));
    const late = await bench.run(codeOf(io.write(0, numbered(2, 1))));
    // Acknowledged, or it has been heard of by now.
    expect(["done", "ESHUTDOWN"], policy).toContain(late);
    expect(await bench.run(codeOf(io.flush())), policy).toBe(
      late === "done" ? "ESHUTDOWN" : "done",
    );
    expect(await bench.run(codeOf(io.flush())), policy).toBe("done");
    const inherited = await bench.run(openImage(heir.context, heir.io, { name: "a" }));
    expect(await bench.run(stored(inherited, 0)), policy).toBe(1);
    await bench.run(io.close());
    await bench.run(image.close());
    await bench.run(inherited.close());
    await bench.close();
  }
});

test("a flush that nobody waits for any more hears nothing of a loss: the next one does", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io: pool } = client;
  await bench.run(createImage(context, pool, "a", SIZE, { order: ORDER }));
  // The server stands still, and by the time it goes on there is no room.
  const slow = failingIo(pool, async ({ kind, oid }) => {
    if (kind !== "write" || !oid.startsWith("rbd_data")) return undefined;
    await sleep(context.clock, 2_000);
    return "EDQUOT";
  });
  const cache = { policy: "writearound", writethroughUntilFlush: false } as const;
  const { image, io } = await bench.run(openCached({ ...client, io: slow }, "a", cache));
  const device = new Device(image, NOSNAP, io);
  await bench.run(device.write(0, Buffer.alloc(BLOCK, 1)));
  expect(await bench.run(codeOf(device.flush({ timeoutMs: 500 })))).toBe("ETIMEDOUT");
  await bench.pass(5_000);
  expect(await bench.run(codeOf(device.flush()))).toBe("EDQUOT");
  expect(await bench.run(codeOf(device.flush()))).toBe("done");
  await bench.run(device.close());
  await bench.close();
});

/** As when a watch is lost, and somebody breaks the lock by hand without a word to the cluster. */
async function loseLock(image: Image, breaker: Image): Promise<void> {
  image.lock?.lost();
  image.objectMap = undefined;
  const [locker] = (await listLocks(breaker)).lockers;
  if (locker === undefined) throw new Error("nobody has the lock");
  await breakLock(breaker, locker, { blocklist: false });
}

test("what was written in a turn that was lost neither is shown nor comes after what another has written", async () => {
  const { bench, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1e6 });
  const heir = await bench.client();
  const other = await bench.run(openImage(heir.context, heir.io, { name: "a" }));
  await bench.run(io.write(0, numbered(1, 2)));
  await bench.run(loseLock(image, other));
  await bench.run(new ImageIo(other).write(0, numbered(2, 1)));
  const shown = await bench.run(io.read(0, 2 * BLOCK));
  expect([blockOf(shown, 0), blockOf(shown, 1)]).toEqual([2, 0]);
  await bench.run(io.write(2 * BLOCK, numbered(3, 1)));
  expect(await bench.run(codeOf(io.flush()))).toBe("ERESTART");
  expect(await bench.run(codeOf(io.flush()))).toBe("done");
  const numbers = [0, 1, 2].map(async (index) => await bench.run(stored(image, index)));
  expect(await Promise.all(numbers)).toEqual([2, 0, 3]);
  await bench.run(image.close());
  await bench.run(other.close());
  await bench.close();
});

test("the same without a look at it in between: a write takes the lock back, and nothing of before", async () => {
  const { bench, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1000 });
  const heir = await bench.client();
  const other = await bench.run(openImage(heir.context, heir.io, { name: "a" }));
  await bench.run(io.write(0, numbered(1, 1)));
  await bench.run(loseLock(image, other));
  await bench.run(new ImageIo(other).write(0, numbered(2, 1)));
  // Past the cache: it does not hear of it, and its own time comes.
  await bench.run(new ImageIo(image).write(BLOCK, numbered(3, 1)));
  await bench.pass(2000);
  expect(await bench.run(stored(image, 0))).toBe(2);
  expect(await bench.run(codeOf(io.close()))).toBe("ERESTART");
  await bench.run(image.close());
  await bench.run(other.close());
  await bench.close();
});

test("closing writes what is dirty, with a lock and without", async () => {
  for (const features of [RBD_FEATURES_DEFAULT, RBD_FEATURE.LAYERING]) {
    const { bench, client, image, io } = await start({ ...BACK, maxDirtyAgeMs: 1e6 }, features);
    await bench.run(io.write(0, numbered(1, 1)));
    await bench.run(image.close());
    const again = await bench.run(openImage(client.context, client.io, { name: "a" }));
    expect(await bench.run(stored(again, 0))).toBe(1);
    await bench.run(again.close());
    await bench.close();
  }
});
