/** Images whose lock changes hands, or is lost, at any moment of what is done with them. */
import { expect, test } from "vitest";
import { CephError, ERRNO, sleep } from "../../src/base/index.ts";
import { MIRROR_MODE, RBD_FEATURE } from "../../src/cls/rbd/types/features.ts";
import { opWriteFull } from "../../src/messages/index.ts";
import type { IoCtx, Watch, WatchHandler } from "../../src/rados/index.ts";
import {
  breakLock,
  CachedIo,
  checkObjectMap,
  cloneImage,
  createImage,
  deleteSnapshot,
  diffIterate,
  enableMirroring,
  flattenOpen,
  type Image,
  ImageIo,
  listLocks,
  noProgress,
  openImage,
  resizeImage,
  rollBackTo,
  setImageMetadata,
  setMirrorMode,
  takeSnapshot,
  updateFeatures,
} from "../../src/rbd/index.ts";
import { objectMapName } from "../../src/rbd/names.ts";
import { removeSnapshot } from "../../src/rbd/snapshot-remove.ts";
import { Bench, type BenchClient } from "./bench.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const BLOCK = 512;
const OPTIONS = { accessTimeInterval: 0, modifyTimeInterval: 0 };

/** Nothing is written before it has to be. */
const BACK = { policy: "writeback", writethroughUntilFlush: false, maxDirtyAgeMs: 1e6 } as const;

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );

const bytes = (value: number, length = BLOCK) => Buffer.alloc(length, value);

/** Moments of simulated time. */
function* delays(from: number, to: number, step: number): Generator<number> {
  for (let i = 0; from + i * step <= to; i++) yield from + i * step;
}

async function made(
  { context, io }: BenchClient,
  name: string,
  { objects = 8, features }: { objects?: number; features?: bigint } = {},
): Promise<void> {
  const layout = features === undefined ? { order: ORDER } : { order: ORDER, features };
  await createImage(context, io, name, objects * OBJECT, layout);
}

async function opened({ context, io }: BenchClient, name: string): Promise<Image> {
  return await openImage(context, io, { name });
}

test("what is written while an operation begins is read, and gone once it is discarded", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  for (const delay of delays(1.2, 2.4, 0.05)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(client, name));
    const image = await bench.run(opened(client, name));
    const data = new ImageIo(image, OPTIONS);
    const operation = sleep(image.clock, delay).then(() => setImageMetadata(image, "k", "v"));
    await bench.run(Promise.all([data.write(0, bytes(7)), operation]));
    expect((await bench.run(data.read(0, BLOCK)))[0], `read after ${name}`).toBe(7);
    await bench.run(data.discard(0, OBJECT));
    const reader = await bench.run(
      openImage(client.context, client.io, { name }, { readOnly: true }),
    );
    expect((await bench.run(new ImageIo(reader).read(0, BLOCK)))[0], `left of ${name}`).toBe(0);
    await bench.run(image.close());
  }
  await bench.close();
});

test("what the next owner of the lock writes is read by the last, an operation of which came too late", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(1.2, 2.4, 0.05)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(one, name));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(ioA.write(0, bytes(1)));
    const operation = sleep(a.clock, delay).then(() => setImageMetadata(a, "k", "v"));
    await bench.run(Promise.all([ioB.write(5 * OBJECT, bytes(7)), operation]));
    expect((await bench.run(ioA.read(5 * OBJECT, BLOCK)))[0], name).toBe(7);
    // It takes the lock, and with it what it knows of the objects.
    await bench.run(ioA.write(0, bytes(2)));
    expect((await bench.run(ioA.read(5 * OBJECT, BLOCK)))[0], `${name}, as the owner`).toBe(7);
    await bench.run(a.close());
    await bench.run(b.close());
  }
  await bench.close();
});

/** Three snapshots, an object changed before the second, another one before the third, and much that is dirty. */
async function withHistory(image: Image, objects: number): Promise<CachedIo> {
  const io = new CachedIo(image, BACK, OPTIONS);
  await io.write(0, bytes(1, objects * OBJECT));
  await takeSnapshot(image, "one");
  await io.write(OBJECT, bytes(2));
  await takeSnapshot(image, "two");
  await io.write(2 * OBJECT, bytes(2));
  await takeSnapshot(image, "three");
  await io.write(0, bytes(3, objects * OBJECT));
  return io;
}

/** Objects that have changed from the first snapshot to the third, as their maps say. */
async function changed({ context, io }: BenchClient, name: string): Promise<number[]> {
  const image = await openImage(context, io, { name }, { readOnly: true });
  const toSnap = image.snapshots.find((snap) => snap.name === "three")?.id ?? 0n;
  const objects = new Set<number>();
  const options = { fromSnap: "one", toSnap, wholeObject: true };
  await diffIterate(image, options, (offset, length) => {
    for (let at = offset; at < offset + length; at += OBJECT) objects.add(at / OBJECT);
  });
  return [...objects];
}

test("a snapshot that is removed while the lock is handed over leaves what has changed to the next", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(0.4, 1.6, 0.4)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(one, name, { objects: 64 }));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    await bench.run(withHistory(a, 64));
    const removal = async () => {
      while (a.lock?.isWanted !== true) await sleep(a.clock, 0.01);
      await sleep(a.clock, delay);
      await deleteSnapshot(a, "two");
    };
    const writing = new ImageIo(b, OPTIONS).write(5 * OBJECT, bytes(7));
    await bench.run(Promise.all([writing, removal()]));
    expect(await bench.run(changed(two, name)), name).toEqual([1, 2]);
    await bench.run(a.close());
    await bench.run(b.close());
  }
  await bench.close();
});

test("what another client asks for while the owner closes is done whole, or not by it", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(0, 0.2, 0.05)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(one, name, { objects: 64 }));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    await bench.run(withHistory(a, 64));
    const removal = sleep(b.clock, delay).then(() => deleteSnapshot(b, "two"));
    await bench.run(Promise.all([a.close(), removal]));
    expect(await bench.run(changed(two, name)), name).toEqual([1, 2]);
    await bench.run(b.close());
  }
  await bench.close();
});

test("a snapshot is not removed without the head's object map, nor anything begun once the image closes", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  await bench.run(made(client, "a"));
  const a = await bench.run(opened(client, "a"));
  await bench.run(withHistory(a, 8));
  await bench.run(a.giveLockBack());
  const [snapshot] = a.snapshots;
  expect(await bench.run(codeOf(removeSnapshot(a, snapshot?.id ?? 0n)))).toBe("ERESTART");
  await bench.run(a.refresh());
  expect(a.snapshots[0]?.namespace.type).toBe("user");
  const closing = a.close();
  expect(await bench.run(codeOf(deleteSnapshot(a, "one")))).toBe("EBADF");
  await bench.run(closing);
  await bench.run(a.close());
  await bench.close();
});

test("an image that is closed has no lock, whatever was waiting for it", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(0.4, 2.4, 0.4)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(one, name));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(takeSnapshot(a, "s"));
    // While the lock is on its way to the other, and while it is asked back.
    const writing = ioB.write(5 * OBJECT, bytes(7));
    const closing = sleep(a.clock, delay).then(async () => {
      const write = codeOf(ioA.write(OBJECT, bytes(2)));
      const rollback = codeOf(rollBackTo(a, "s"));
      await a.close();
      return [await write, await rollback];
    });
    for (const code of (await bench.run(Promise.all([closing, writing])))[0]) {
      expect(code, name).toMatch(/done|EBADF/);
    }
    expect(await bench.run(codeOf(ioA.write(0, bytes(3)))), name).toBe("EBADF");
    await bench.run(b.close());
    await bench.pass(100);
    expect((await bench.run(listLocks(b))).lockers, name).toEqual([]);
  }
  expect([one, two].map(({ rados }) => rados.isBlocklisted)).toEqual([false, false]);
  await bench.close();
});

test("what a cache has acknowledged is not lost when the lock's feature is turned on", async () => {
  const { LAYERING, EXCLUSIVE_LOCK, OBJECT_MAP } = RBD_FEATURE;
  for (const writesMore of [true, false]) {
    const bench = await Bench.start();
    const [one, two] = [await bench.client(), await bench.client()];
    await bench.run(made(one, "a", { features: LAYERING }));
    const [a, b] = [await bench.run(opened(one, "a")), await bench.run(opened(two, "a"))];
    const [ioA, ioB] = [new CachedIo(a, BACK, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(ioA.write(0, bytes(1)));
    await bench.run(updateFeatures(b, EXCLUSIVE_LOCK | OBJECT_MAP, true));
    await bench.run(ioB.write(OBJECT, bytes(2)));
    expect(b.lock?.isHeld).toBe(true);
    if (writesMore) await bench.run(ioA.write(2 * OBJECT, bytes(3)));
    expect(await bench.run(codeOf(ioA.flush()))).toBe("done");
    expect(a.lock?.isHeld).toBe(true);
    // It takes the lock back, and goes by the map.
    await bench.run(ioB.write(OBJECT, bytes(4)));
    const read = await bench.run(ioB.read(0, 3 * OBJECT));
    const expected = [1, 4, writesMore ? 3 : 0];
    expect(expected.map((_, index) => read[index * OBJECT])).toEqual(expected);
    await bench.run(ioA.close());
    await bench.run(a.close());
    await bench.run(b.close());
    await bench.close();
  }
});

/** Calls of `method`, or all of `key`, go by `replaced` first. */
function intercepted(
  io: IoCtx,
  replaced: { [Key in keyof IoCtx]?: (original: IoCtx[Key]) => IoCtx[Key] },
): IoCtx {
  return new Proxy(io, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const original = value.bind(target);
      const replace = replaced[key as keyof IoCtx] as ((original: unknown) => unknown) | undefined;
      return replace === undefined ? original : replace(original);
    },
  });
}

/** A pool's watches can be lost, as a server forgets them that has not heard of them for so long. */
function losingWatches(client: BenchClient, before: (method: string) => Promise<void>) {
  let current: { watch: Watch; handlers: WatchHandler } | undefined;
  const io = intercepted(client.io, {
    watch: (watch) => async (oid, handlers) => {
      current = { watch: await watch(oid, handlers), handlers };
      return current.watch;
    },
    execute: (execute) => async (oid, call, args, options) => {
      await before(call.method);
      return await execute(oid, call, args, options);
    },
  });
  const lose = async () => {
    await current?.watch.close();
    current?.handlers.onError(new CephError(-ERRNO.ENOTCONN, { op: "watch", target: "header" }));
  };
  return { client: { ...client, io }, lose };
}

test("a cache joins a lock that is taken anew while the last one was to be given back", async () => {
  const { LAYERING, EXCLUSIVE_LOCK } = RBD_FEATURE;
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(made(one, "a", { features: LAYERING }));
  const { client, lose } = losingWatches(one, async () => undefined);
  const [a, b] = [await bench.run(opened(client, "a")), await bench.run(opened(two, "a"))];
  const io = new CachedIo(a, BACK, OPTIONS);
  await bench.run(io.write(0, bytes(1)));
  await bench.run(updateFeatures(b, EXCLUSIVE_LOCK, true));
  await bench.run(b.giveLockBack());
  await bench.run(a.refresh());
  await bench.run(a.acquireLock("automatic"));
  // It is to be given back after an operation, and is broken meanwhile, without a word of the cache's.
  let endOperation = () => undefined as void;
  const operation = a.operations.run(
    () =>
      new Promise<void>((resolve) => {
        endOperation = resolve;
      }),
  );
  const givingBack = a.giveLockBack();
  const [locker] = (await bench.run(listLocks(b))).lockers;
  await bench.run(breakLock(b, locker!, { blocklist: false }));
  expect(a.isFresh).toBe(false);
  const losing = lose();
  await bench.until(() => a.lock?.isHeld === false, "the loss of the lock");
  const acquiring = a.acquireLock("automatic");
  endOperation();
  await bench.run(Promise.all([losing, operation, givingBack, acquiring, io.flush()]));
  expect((await bench.run(new ImageIo(b, OPTIONS).read(0, 1)))[0]).toBe(1);
  await bench.run(a.close());
  await bench.run(b.close());
  await bench.close();
});

const full = (op: string) => new CephError(-ERRNO.EDQUOT, { op, target: "header" });

test("a lock follows its image to a new watch, and its owner is not taken for dead", async () => {
  for (const what of ["refused", "lost again", "taken meanwhile"] as const) {
    const bench = await Bench.start();
    const [one, two] = [await bench.client(), await bench.client()];
    await bench.run(made(one, "a"));
    let calls = 0;
    const { client, lose } = losingWatches(one, async (method) => {
      const awaited = what === "taken meanwhile" ? "lock" : "set_cookie";
      if (method !== awaited || calls++ > 0) return;
      if (what === "refused") throw full(method);
      // Between the decision with which cookie and its arrival.
      await lose();
      await sleep(client.context.clock, 20);
    });
    const a = await bench.run(opened(client, "a"));
    const data = new ImageIo(a, OPTIONS);
    await bench.run(data.write(0, bytes(1)));
    if (what !== "taken meanwhile") await bench.run(lose());
    await bench.pass(60_000);
    expect([calls > 0, a.lock?.isHeld], what).toEqual([true, true]);
    const b = await bench.run(opened(two, "a"));
    await bench.run(new ImageIo(b, OPTIONS).write(OBJECT, bytes(2)));
    expect(await bench.run(codeOf(data.write(0, bytes(3)))), what).toBe("done");
    await bench.run(b.close());
    await bench.run(a.close());
    await bench.close();
  }
});

test("a lock that could not be given back is ours still, and given back later", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(made(one, "a"));
  let refused = 0;
  const io = intercepted(one.io, {
    execute: (execute) => async (oid, call, args, options) => {
      const isHeader = oid.startsWith("rbd_header");
      if (isHeader && call.method === "unlock" && refused++ === 0) throw full(call.method);
      return await execute(oid, call, args, options);
    },
  });
  const a = await bench.run(opened({ ...one, io }, "a"));
  const b = await bench.run(opened(two, "a"));
  const data = new ImageIo(a, OPTIONS);
  await bench.run(data.write(0, bytes(1)));
  expect(await bench.run(codeOf(a.giveLockBack()))).toBe("EDQUOT");
  await bench.run(data.write(OBJECT, bytes(2)));
  const ioB = new ImageIo(b, OPTIONS);
  await bench.run(ioB.write(0, bytes(3)));
  expect((await bench.run(ioB.read(OBJECT, BLOCK)))[0]).toBe(2);
  await bench.run(a.close());
  await bench.run(b.close());
  await bench.close();
});

test("a lock is not ours any more that was given back though nobody said so in time", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(made(one, "a"));
  const io = intercepted(one.io, {
    execute: (execute) => async (oid, call, args, options) => {
      await execute(oid, call, args, options);
      if (!oid.startsWith("rbd_header") || call.method !== "unlock") return;
      throw new CephError(-ERRNO.ETIMEDOUT, { op: call.method, target: oid });
    },
  });
  const a = await bench.run(opened({ ...one, io }, "a"));
  const b = await bench.run(opened(two, "a"));
  const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
  await bench.run(ioA.write(0, bytes(1)));
  expect(await bench.run(codeOf(a.giveLockBack()))).toBe("ETIMEDOUT");
  await bench.run(ioB.write(OBJECT, bytes(2)));
  await bench.run(ioA.write(5 * OBJECT, bytes(3)));
  expect((await bench.run(ioB.read(5 * OBJECT, 1)))[0]).toBe(3);
  expect(await bench.run(codeOf(ioB.write(0, bytes(4))))).toBe("done");
  await bench.run(b.close());
  await bench.run(a.close());
  await bench.close();
});

test("a lock is ours that was taken though nobody said so in time, and is given to who wants it", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(made(one, "a"));
  let isLate = true;
  const io = intercepted(one.io, {
    execute: (execute) => async (oid, call, args, options) => {
      await execute(oid, call, args, options);
      if (!isLate || call.method !== "lock" || !oid.startsWith("rbd_header")) return;
      isLate = false;
      throw new CephError(-ERRNO.ETIMEDOUT, { op: call.method, target: oid });
    },
  });
  const a = await bench.run(opened({ ...one, io }, "a"));
  const b = await bench.run(opened(two, "a"));
  const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
  await bench.run(codeOf(ioA.write(0, bytes(1))));
  expect(await bench.run(codeOf(ioB.write(0, bytes(2))))).toBe("done");
  await bench.run(a.close());
  await bench.run(b.close());
  await bench.close();
});

test("a lock of which nobody could say whose it is goes to who wants it", async () => {
  for (const late of ["lock", "unlock"]) {
    for (const isDone of [true, false]) {
      const bench = await Bench.start();
      const [one, two] = [await bench.client(), await bench.client()];
      await bench.run(made(one, "a"));
      // Neither the request nor the question after it is answered in time.
      let left = 2;
      const tooLate = (op: string) => {
        left--;
        return new CephError(-ERRNO.ETIMEDOUT, { op, target: "header" });
      };
      const isOfHeader = (oid: string) => oid.startsWith("rbd_header");
      const io = intercepted(one.io, {
        execute: (execute) => async (oid, call, args, options) => {
          const isLate = call.method === late && left === 2 && isOfHeader(oid);
          if (isLate && !isDone) throw tooLate(call.method);
          await execute(oid, call, args, options);
          if (isLate) throw tooLate(call.method);
        },
        query: (query) => async (oid, call, args, options) => {
          if (left === 1 && call.method === "get_info") throw tooLate(call.method);
          return await query(oid, call, args, options);
        },
      });
      const a = await bench.run(opened({ ...one, io }, "a"));
      const b = await bench.run(opened(two, "a"));
      const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
      await bench.run(codeOf(ioA.write(0, bytes(1))));
      if (late === "unlock") await bench.run(codeOf(a.giveLockBack()));
      expect([left, a.lock?.isHeld], late).toEqual([0, false]);
      expect(await bench.run(codeOf(ioB.write(0, bytes(2)))), late).toBe("done");
      await bench.run(ioA.write(OBJECT, bytes(3)));
      await bench.run(ioB.write(2 * OBJECT, bytes(4)));
      expect((await bench.run(ioB.read(OBJECT, 1)))[0], late).toBe(3);
      await bench.run(a.close());
      await bench.run(b.close());
      expect((await bench.run(listLocks(b))).lockers, late).toEqual([]);
      expect([one, two].map(({ rados }) => rados.isBlocklisted)).toEqual([false, false]);
      await bench.close();
    }
  }
});

test("a lock hangs on its image's new watch though nobody said so in time", async () => {
  for (const isQuestionLate of [false, true]) {
    const bench = await Bench.start();
    const [one, two] = [await bench.client(), await bench.client()];
    await bench.run(made(one, "a"));
    const { client, lose } = losingWatches(one, async () => undefined);
    let late: "set_cookie" | "get_info" | undefined = "set_cookie";
    const tooLate = (op: string) => new CephError(-ERRNO.ETIMEDOUT, { op, target: "header" });
    const io = intercepted(client.io, {
      execute: (execute) => async (oid, call, args, options) => {
        await execute(oid, call, args, options);
        if (call.method !== late) return;
        late = isQuestionLate ? "get_info" : undefined;
        throw tooLate(call.method);
      },
      query: (query) => async (oid, call, args, options) => {
        if (call.method !== late) return await query(oid, call, args, options);
        late = undefined;
        throw tooLate(call.method);
      },
    });
    const a = await bench.run(opened({ ...client, io }, "a"));
    const b = await bench.run(opened(two, "a"));
    const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(ioA.write(0, bytes(1)));
    await bench.run(lose());
    await bench.pass(10_000);
    expect([late, a.lock?.isHeld, a.lock?.isStray]).toEqual([undefined, true, false]);
    expect(await bench.run(codeOf(ioB.write(0, bytes(2))))).toBe("done");
    expect(await bench.run(codeOf(ioA.write(0, bytes(3))))).toBe("done");
    await bench.run(b.close());
    await bench.run(a.close());
    await bench.close();
  }
});

test("what an image has is read though its map is damaged, and its header read while it is marked", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(1.2, 1.8, 0.1)) {
    const name = `a${delay.toFixed(2)}`;
    await bench.run(made(one, name));
    const first = await bench.run(opened(one, name));
    await bench.run(new ImageIo(first, OPTIONS).write(0, bytes(1, 4 * OBJECT)));
    await bench.run(first.close());
    await bench.run(one.io.write(objectMapName(first.id), [opWriteFull(Buffer.from("no map"))]));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    const io = new ImageIo(a, OPTIONS);
    // Anybody may tell of a change of the header at any time; a read looks at it at once.
    const telling = sleep(b.clock, delay).then(() => b.notifyUpdate());
    const reading = async () => {
      for (let i = 0; i < 100; i++) {
        await io.read(7 * OBJECT, BLOCK);
        await sleep(a.clock, 0.05);
      }
    };
    await bench.run(Promise.all([io.write(5 * OBJECT, bytes(2)), telling, reading()]));
    expect((await bench.run(io.read(0, BLOCK)))[0], name).toBe(1);
    await bench.run(a.close());
    await bench.run(b.close());
  }
  await bench.close();
});

test("a snapshot's map that could not be kept up is not believed by who has marked it", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  await bench.run(made(client, "p"));
  const parent = await bench.run(opened(client, "p"));
  await bench.run(new ImageIo(parent, OPTIONS).write(0, bytes(5, 4 * OBJECT)));
  await bench.run(takeSnapshot(parent, "s"));
  await bench.run(parent.close());
  const from = { io, name: "p", snapshot: "s" };
  await bench.run(cloneImage(context, from, { io, name: "c" }, { format: 2 }));
  let isArmed = false;
  const failing = intercepted(io, {
    write: (write) => async (oid, ops, options) => {
      if (!isArmed || !/^rbd_object_map\..*\./.test(oid)) return await write(oid, ops, options);
      isArmed = false;
      throw full("write");
    },
  });
  const clone = await bench.run(opened({ ...client, io: failing }, "c"));
  await bench.run(takeSnapshot(clone, "one"));
  isArmed = true;
  // What the snapshot shows of the parent is copied, but its map does not say so.
  await bench.run(new ImageIo(clone, OPTIONS).write(0, bytes(6)));
  const there = async () => {
    const offsets: number[] = [];
    const toSnap = clone.snapshots[0]?.id ?? 0n;
    const options = { toSnap, wholeObject: true, includeParent: false };
    await diffIterate(clone, options, (offset) => void offsets.push(offset));
    return offsets;
  };
  expect([await bench.run(there()), isArmed]).toEqual([[0], false]);
  await bench.run(clone.close());
  await bench.close();
});

test("a mirror snapshot that is taken while its image is flattened knows what it has", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  await bench.run(setMirrorMode(context, io, MIRROR_MODE.IMAGE));
  await bench.run(made(client, "p", { objects: 32 }));
  const parent = await bench.run(opened(client, "p"));
  await bench.run(new ImageIo(parent, OPTIONS).write(0, bytes(5, 32 * OBJECT)));
  await bench.run(takeSnapshot(parent, "s"));
  await bench.run(enableMirroring(parent));
  await bench.run(parent.close());
  for (const delay of delays(0.3, 2.7, 0.6)) {
    const name = `c${delay.toFixed(1)}`;
    const from = { io, name: "p", snapshot: "s" };
    await bench.run(cloneImage(context, from, { io, name }, { format: 2 }));
    const clone = await bench.run(opened(client, name));
    await bench.run(new ImageIo(clone, OPTIONS).write(0, bytes(6)));
    const mirroring = sleep(clone.clock, delay).then(() => enableMirroring(clone));
    await bench.run(Promise.all([flattenOpen(clone), mirroring]));
    const mismatches = checkObjectMap(clone, clone.snapshots[0]?.id ?? 0n, noProgress);
    expect(
      (await bench.run(mismatches)).filter(({ mapped }) => mapped === 0),
      name,
    ).toEqual([]);
    await bench.run(clone.close());
  }
  await bench.close();
});

test("who has taken a mirror snapshot lets others write", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(made(one, "a"));
  await bench.run(setMirrorMode(one.context, one.io, MIRROR_MODE.IMAGE));
  const [a, b] = [await bench.run(opened(one, "a")), await bench.run(opened(two, "a"))];
  await bench.run(enableMirroring(a));
  expect(a.lock?.isHeld).toBe(true);
  expect(await bench.run(codeOf(new ImageIo(b, OPTIONS).write(0, bytes(1))))).toBe("done");
  await bench.run(a.close());
  await bench.run(b.close());
  await bench.close();
});

test("an image whose object map is turned on, and off before it has been made, is read without it", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  await bench.run(made(client, "a"));
  const image = await bench.run(openImage(client.context, client.io, { name: "a" }));
  const io = new ImageIo(image, OPTIONS);
  await bench.run(io.write(0, bytes(7)));
  for (const isOn of [false, true, false]) {
    await bench.run(updateFeatures(image, RBD_FEATURE.OBJECT_MAP, isOn));
    // Whatever is done next opens what has to be open.
    await bench.run(setImageMetadata(image, "k", "v"));
    expect((await bench.run(io.read(0, 1)))[0], `on: ${isOn}`).toBe(7);
  }
  await bench.run(updateFeatures(image, RBD_FEATURE.OBJECT_MAP, true));
  await bench.run(io.write(OBJECT, bytes(8)));
  await bench.run(updateFeatures(image, RBD_FEATURE.OBJECT_MAP, false));
  expect((await bench.run(io.read(0, 1)))[0], "right after").toBe(7);
  await bench.run(image.close());
  await bench.close();
});

test("a lock whose feature is turned off is given back, whoever reads the header meanwhile", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  await bench.run(made(client, "a"));
  const { EXCLUSIVE_LOCK, OBJECT_MAP } = RBD_FEATURE;
  let image: Image | undefined;
  const io = intercepted(client.io, {
    execute: (execute) => async (oid, call, args, options) => {
      await execute(oid, call, args, options);
      if (call.method === "set_features") await image?.refresh();
    },
  });
  image = await bench.run(opened({ ...client, io }, "a"));
  await bench.run(new ImageIo(image, OPTIONS).write(0, bytes(1)));
  await bench.run(updateFeatures(image, EXCLUSIVE_LOCK | OBJECT_MAP, false));
  expect((await bench.run(listLocks(image))).lockers).toEqual([]);
  await bench.run(image.close());
  await bench.close();
});

test("a lock whose feature was turned off though nobody said so in time is not forgotten", async () => {
  const { EXCLUSIVE_LOCK, OBJECT_MAP } = RBD_FEATURE;
  for (const isOnAgain of [true, false]) {
    const bench = await Bench.start();
    const [one, two] = [await bench.client(), await bench.client()];
    await bench.run(made(one, "a"));
    const io = intercepted(one.io, {
      execute: (execute) => async (oid, call, args, options) => {
        await execute(oid, call, args, options);
        if (call.method !== "set_features") return;
        throw new CephError(-ERRNO.ETIMEDOUT, { op: call.method, target: oid });
      },
    });
    const a = await bench.run(opened({ ...one, io }, "a"));
    const b = await bench.run(opened(two, "a"));
    const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(ioA.write(0, bytes(1)));
    const turning = updateFeatures(a, EXCLUSIVE_LOCK | OBJECT_MAP, false);
    expect(await bench.run(codeOf(turning))).toBe("ETIMEDOUT");
    await bench.run(ioA.write(OBJECT, bytes(2)));
    expect(a.lock).toBe(undefined);
    await bench.run(b.refresh());
    if (isOnAgain) {
      await bench.run(updateFeatures(b, EXCLUSIVE_LOCK, true));
      expect(await bench.run(codeOf(ioB.write(0, bytes(3))))).toBe("done");
      await bench.run(ioA.write(OBJECT, bytes(4)));
      expect((await bench.run(ioB.read(OBJECT, 1)))[0]).toBe(4);
    }
    await bench.run(a.close());
    await bench.run(b.close());
    expect((await bench.run(listLocks(b))).lockers).toEqual([]);
    await bench.close();
  }
});

test("what an operation that has failed may have done is known before anything else is written", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { EXCLUSIVE_LOCK, LAYERING } = RBD_FEATURE;
  await bench.run(made(client, "a", { features: LAYERING }));
  const io = intercepted(client.io, {
    execute: (execute) => async (oid, call, args, options) => {
      await execute(oid, call, args, options);
      // Done, but nobody says so in time.
      if (!/^set_(size|features)$/.test(call.method)) return;
      throw new CephError(-ERRNO.ETIMEDOUT, { op: call.method, target: oid });
    },
  });
  const image = await bench.run(opened({ ...client, io }, "a"));
  const data = new ImageIo(image, OPTIONS);
  expect(await bench.run(codeOf(resizeImage(image, 4 * OBJECT)))).toBe("ETIMEDOUT");
  // It would be past the end.
  expect(await bench.run(codeOf(data.write(6 * OBJECT, bytes(1))))).toBe("EINVAL");
  const turningOn = updateFeatures(image, EXCLUSIVE_LOCK, true);
  expect(await bench.run(codeOf(turningOn))).toBe("ETIMEDOUT");
  await bench.run(data.write(0, bytes(1)));
  expect(image.lock?.isHeld).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

test("a rollback that makes its image smaller comes to its end, whoever wants the lock", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  for (const delay of delays(0.5, 6.5, 1.5)) {
    const name = `a${delay.toFixed(1)}`;
    await bench.run(made(one, name));
    const [a, b] = [await bench.run(opened(one, name)), await bench.run(opened(two, name))];
    const [ioA, ioB] = [new ImageIo(a, OPTIONS), new ImageIo(b, OPTIONS)];
    await bench.run(ioA.write(0, bytes(1)));
    await bench.run(takeSnapshot(a, "s"));
    await bench.run(resizeImage(a, 64 * OBJECT));
    await bench.run(ioA.write(0, bytes(2, 64 * OBJECT)));
    const writing = sleep(b.clock, delay).then(() => ioB.write(OBJECT, bytes(3)));
    const [code] = await bench.run(Promise.all([codeOf(rollBackTo(a, "s")), writing]));
    expect(code, name).toBe("done");
    await bench.run(a.close());
    await bench.run(b.close());
  }
  await bench.close();
});
