/** Images that several clients have open: the lock goes round, its owner does what others ask for. */
import { expect, test } from "vitest";
import { CephError, ERRNO, sleep } from "../../src/base/index.ts";
import { RBD_FEATURE } from "../../src/cls/rbd/types/features.ts";
import {
  acquireManually,
  addToGroup,
  CachedIo,
  cloneImage,
  copyImage,
  createGroup,
  createImage,
  createNamespace,
  deepCopyImage,
  deleteGroupSnapshot,
  deleteSnapshot,
  type Image,
  ImageIo,
  listChildren,
  listGroupImages,
  listGroupSnapshots,
  listTrash,
  noProgress,
  openImage,
  removeGroup,
  removeImage,
  removeNamespace,
  renameImage,
  renameSnapshot,
  resizeImage,
  restoreImage,
  rollBackGroup,
  setImageMetadata,
  takeGroupSnapshot,
  takeSnapshot,
  trashImage,
  updateFeatures,
} from "../../src/rbd/index.ts";
import { Dice } from "../harness/dice.ts";
import { Bench, type BenchClient, objectNames } from "./bench.ts";
import { failingIo } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const SIZE = 16 * OBJECT;
const BLOCK = 512;

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );

async function openBoth(bench: Bench, name: string): Promise<[Image, Image]> {
  const one = await bench.client();
  const two = await bench.client();
  await bench.run(createImage(one.context, one.io, name, SIZE, { order: ORDER }));
  const a = await bench.run(openImage(one.context, one.io, { name }));
  const b = await bench.run(openImage(two.context, two.io, { name }));
  return [a, b];
}

test("two writers take turns with the lock, and none of what they write is lost", async () => {
  const bench = await Bench.start();
  const images = await openBoth(bench, "a");
  const data = Buffer.alloc(SIZE);
  const writer = async (image: Image, mine: number): Promise<void> => {
    const io = new ImageIo(image);
    const dice = new Dice(mine);
    for (let i = 0; i < 150; i++) {
      const offset = (2 * dice.below(SIZE / BLOCK / 2) + mine) * BLOCK;
      const bytes = Buffer.from(dice.bytes(BLOCK));
      await io.write(offset, bytes);
      bytes.copy(data, offset);
      expect((await io.read(offset, BLOCK)).equals(bytes)).toBe(true);
    }
  };
  await bench.run(Promise.all(images.map(writer)));
  for (const { lock } of images) expect(lock?.turns).toBeGreaterThan(10);
  for (const image of images) {
    await bench.run(image.refresh());
    expect((await bench.run(new ImageIo(image).read(0, SIZE))).equals(data)).toBe(true);
  }
  await bench.run(Promise.all(images.map((image) => image.close())));
  await bench.close();
});

test("two cached writers take turns with the lock, and each sees all of what the other wrote", async () => {
  for (const policy of ["writeback", "writearound", "writethrough"] as const) {
    const bench = await Bench.start();
    const images = await openBoth(bench, "a");
    const cache = { policy, maxDirtyAgeMs: 1e6, writethroughUntilFlush: false };
    const ios = images.map((image) => new CachedIo(image, cache));
    const data = Buffer.alloc(SIZE);
    const writer = async (io: CachedIo, mine: number): Promise<void> => {
      const dice = new Dice(mine);
      for (let i = 0; i < 60; i++) {
        // Time for the other to ask for it: a cache may need none.
        await sleep(io.image.clock, 4);
        const offset = (2 * dice.below(SIZE / BLOCK / 2) + mine) * BLOCK;
        const bytes = Buffer.from(dice.bytes(BLOCK));
        await io.write(offset, bytes);
        bytes.copy(data, offset);
        expect((await io.read(offset, BLOCK)).equals(bytes)).toBe(true);
        // The other's: read by who has the lock, to be stale if ever it is kept for too long.
        await io.read(dice.below(SIZE / BLOCK) * BLOCK, BLOCK);
      }
    };
    await bench.run(Promise.all(ios.map(writer)));
    for (const { lock } of images) expect(lock?.turns, policy).toBeGreaterThan(5);
    for (const io of ios) {
      // A change takes the lock, and with it what the other has not written yet.
      await bench.run(io.write(0, data.subarray(0, BLOCK)));
      expect((await bench.run(io.read(0, SIZE))).equals(data), policy).toBe(true);
    }
    await bench.run(Promise.all(images.map((image) => image.close())));
    await bench.close();
  }
});

test("the lock's owner does what another client asks for, and goes on writing", async () => {
  const bench = await Bench.start();
  const [owner, asker] = await openBoth(bench, "a");
  await bench.run(acquireManually(owner));
  const io = new ImageIo(owner);
  await bench.run(io.write(0, Buffer.alloc(OBJECT, 1)));
  await bench.run(takeSnapshot(asker, "s"));
  expect(await bench.run(codeOf(takeSnapshot(asker, "s")))).toBe("EEXIST");
  // The owner knows of it before its next write.
  await bench.run(io.write(0, Buffer.alloc(OBJECT, 2)));
  await bench.run(resizeImage(asker, 2 * SIZE));
  await bench.run(renameSnapshot(asker, "s", "t"));
  await bench.run(renameImage(asker, "b"));
  await bench.run(setImageMetadata(asker, "k", "v"));
  await bench.run(updateFeatures(asker, RBD_FEATURE.OBJECT_MAP, false));
  expect(owner.lock?.isHeld).toBe(true);
  expect(asker.lock?.isHeld).toBe(false);
  await bench.run(io.write(SIZE, Buffer.alloc(5, 3)));
  expect(owner.size).toBe(2 * SIZE);
  const snap = owner.snapshots[0];
  expect(snap?.name).toBe("t");
  expect((await bench.run(io.read(0, 1, snap?.id)))[0]).toBe(1);
  expect((await bench.run(io.read(0, 1)))[0]).toBe(2);
  expect(await bench.run(codeOf(new ImageIo(asker).write(0, Buffer.alloc(1))))).toBe("EROFS");
  await bench.run(owner.close());
  await bench.run(deleteSnapshot(asker, "t"));
  await bench.run(asker.close());
  await bench.close();
});

test("a writer whose lock is broken writes nothing more", async () => {
  const bench = await Bench.start();
  const [dead, heir] = await openBoth(bench, "a");
  const lost = new ImageIo(dead);
  await bench.run(lost.write(0, Buffer.alloc(BLOCK, 1)));
  const watch = dead.lock;
  expect(watch?.isHeld).toBe(true);
  // It hears nothing: its watch is let go of, and its lock broken.
  await bench.run(dead.rados.blocklist({ ...dead.rados.addrs[0]! }));
  const io = new ImageIo(heir);
  await bench.run(io.write(0, Buffer.alloc(BLOCK, 2)));
  expect(await bench.run(codeOf(lost.write(0, Buffer.alloc(BLOCK, 3))))).toBe("ESHUTDOWN");
  expect((await bench.run(io.read(0, 1)))[0]).toBe(2);
  await bench.run(heir.close());
  await bench.run(dead.close());
  await bench.close();
});

test("a server that starts again finds the lock where it was, and the writer goes on", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  await bench.run(createImage(context, io, "a", SIZE, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  const imageIo = new ImageIo(image);
  await bench.run(imageIo.write(0, Buffer.alloc(BLOCK, 1)));
  bench.server.kill();
  const writing = imageIo.write(BLOCK, Buffer.alloc(BLOCK, 2));
  await bench.pass(45_000);
  await bench.startServer();
  await bench.run(writing);
  await bench.run(imageIo.write(2 * BLOCK, Buffer.alloc(BLOCK, 3)));
  const data = await bench.run(imageIo.read(0, 3 * BLOCK));
  expect([data[0], data[BLOCK], data[2 * BLOCK]]).toEqual([1, 2, 3]);
  await bench.run(image.close());
  await bench.close();
});

async function filled(client: BenchClient, name: string, value: number): Promise<void> {
  const { context, io } = client;
  await createImage(context, io, name, SIZE, { order: ORDER });
  const image = await openImage(context, io, { name });
  await new ImageIo(image).write(0, Buffer.alloc(OBJECT + 100, value));
  await image.close();
}

async function firstByte({ context, io }: BenchClient, name: string): Promise<number | undefined> {
  const image = await openImage(context, io, { name }, { readOnly: true });
  return (await new ImageIo(image).read(0, 1))[0];
}

test("the images of a group have their snapshots together, and go back to them", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const group = { io, name: "g" };
  await bench.run(createGroup(context, io, "g"));
  for (const [name, value] of [
    ["a", 1],
    ["b", 2],
  ] as const) {
    await bench.run(filled(client, name, value));
    await bench.run(addToGroup(group, { io, name }));
  }
  await bench.run(createGroup(context, io, "h"));
  const taken = addToGroup({ io, name: "h" }, { io, name: "a" });
  expect(await bench.run(codeOf(taken))).toBe("EEXIST");
  await bench.run(takeGroupSnapshot(context, io, "g", "s"));
  expect(await bench.run(codeOf(takeGroupSnapshot(context, io, "g", "s")))).toBe("EEXIST");
  for (const name of ["a", "b"]) {
    const image = await bench.run(openImage(context, io, { name }));
    await bench.run(new ImageIo(image).write(0, Buffer.alloc(10, 9)));
    await bench.run(image.close());
  }
  await bench.run(rollBackGroup(context, io, "g", "s"));
  expect(await bench.run(firstByte(client, "a"))).toBe(1);
  expect(await bench.run(firstByte(client, "b"))).toBe(2);
  expect((await bench.run(listGroupImages(io, "g"))).map((x) => x.imageName)).toEqual(["a", "b"]);
  const [snapshot] = await bench.run(listGroupSnapshots(io, "g"));
  expect(snapshot).toMatchObject({ name: "s", state: 1 });
  expect(snapshot?.snaps.length).toBe(2);
  await bench.run(deleteGroupSnapshot(context, io, "g", "s"));
  for (const name of ["g", "h"]) await bench.run(removeGroup(context, io, name));
  for (const name of ["a", "b"]) {
    await bench.run(removeImage(context, io, name, noProgress));
  }
  const left = await bench.run(objectNames(io));
  expect(left.filter((name) => /^rbd_(data|header|object_map|group_header)/.test(name))).toEqual(
    [],
  );
  await bench.close();
});

test("what takes the lock's owner longer than its asker waits for a word is done once", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(createImage(one.context, one.io, "a", SIZE, { order: ORDER }));
  const done: string[] = [];
  const io = failingIo(one.io, ({ method }) => {
    if (method?.startsWith("metadata") === true) done.push(method);
    return undefined;
  });
  const a = await bench.run(openImage(one.context, io, { name: "a" }));
  const b = await bench.run(openImage(two.context, two.io, { name: "a" }));
  await bench.run(a.acquireLock("refuse"));
  const before = a.operations.run(() => sleep(a.clock, 70_000));
  expect(await bench.run(codeOf(setImageMetadata(b, "k", "v")))).toBe("done");
  await bench.run(before);
  await bench.pass(10_000);
  expect(done).toEqual(["metadata_set"]);
  await bench.run(Promise.all([a.close(), b.close()]));
  await bench.close();
});

test("what the lock's owner has done and told nobody of is no failure of who has the lock next", async () => {
  const bench = await Bench.start();
  const [a, b] = await openBoth(bench, "a");
  await bench.run(a.acquireLock("refuse"));
  a.ownerRequests = {
    start: () => {
      void takeSnapshot(a, "s").then(() => a.close());
      return 0;
    },
  };
  expect(await bench.run(codeOf(takeSnapshot(b, "s")))).toBe("done");
  expect(b.snapshots.map(({ name }) => name)).toEqual(["s"]);
  await bench.run(b.close());
  await bench.close();
});

test("what the lock's owner does not know of is done by who asks for it, if it may have the lock", async () => {
  const bench = await Bench.start();
  const [a, b] = await openBoth(bench, "a");
  // As the kernel's client does.
  a.ownerRequests = { start: () => -ERRNO.EOPNOTSUPP };
  const io = new ImageIo(a);
  await bench.run(io.write(0, Buffer.alloc(BLOCK, 1)));
  expect(await bench.run(codeOf(takeSnapshot(b, "s")))).toBe("done");
  await bench.run(io.write(0, Buffer.alloc(BLOCK, 2)));
  const [snapshot] = a.snapshots;
  expect((await bench.run(io.read(0, 1, snapshot?.id)))[0]).toBe(1);
  await bench.run(acquireManually(a));
  expect(await bench.run(codeOf(takeSnapshot(b, "t")))).toBe("EOPNOTSUPP");
  await bench.run(Promise.all([a.close(), b.close()]));
  await bench.close();
});

test("who asks for something as releases of old do is let to do it", async () => {
  const bench = await Bench.start();
  const [one, two] = [await bench.client(), await bench.client()];
  await bench.run(createImage(one.context, one.io, "a", SIZE, { order: ORDER }));
  const io = new Proxy(two.io, {
    get(target, key) {
      if (key !== "notify") {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (oid: string, payload: Uint8Array, timeoutMs: number) =>
        await target.notify(oid, Uint8Array.of(6, ...payload.subarray(1)), timeoutMs);
    },
  });
  const a = await bench.run(openImage(one.context, one.io, { name: "a" }));
  const b = await bench.run(openImage(two.context, io, { name: "a" }));
  const data = new ImageIo(a);
  await bench.run(data.write(0, Buffer.alloc(BLOCK, 1)));
  expect(await bench.run(codeOf(takeSnapshot(b, "s")))).toBe("done");
  await bench.run(data.write(0, Buffer.alloc(BLOCK, 2)));
  expect((await bench.run(data.read(0, 1, a.snapshots[0]?.id)))[0]).toBe(1);
  await bench.run(Promise.all([a.close(), b.close()]));
  await bench.close();
});

test("who holds still for the snapshot of a group may write until then", async () => {
  const bench = await Bench.start();
  const [a, b] = await openBoth(bench, "a");
  const { context, io } = b;
  await bench.run(createGroup(context, io, "g"));
  await bench.run(addToGroup({ io, name: "g" }, { io, name: "a" }));
  const data = new ImageIo(a);
  await bench.run(data.write(0, Buffer.alloc(BLOCK, 1)));
  let isFrozen = false;
  a.quiescers.add({
    quiesce: async () => {
      await data.write(0, Buffer.alloc(BLOCK, 2));
      isFrozen = true;
    },
    unquiesce: () => {
      isFrozen = false;
    },
  });
  expect(await bench.run(codeOf(takeGroupSnapshot(context, io, "g", "s")))).toBe("done");
  expect(isFrozen).toBe(false);
  await bench.run(data.write(0, Buffer.alloc(BLOCK, 3)));
  const [snapshot] = a.snapshots;
  expect((await bench.run(data.read(0, 1, snapshot?.id)))[0]).toBe(2);
  await bench.run(Promise.all([a.close(), b.close()]));
  await bench.close();
});

test("clones, copies, trash and namespaces keep what they were made of", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  await bench.run(filled(client, "a", 5));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(takeSnapshot(image, "s"));
  const from = { io, name: "a", snapshot: "s" };
  expect(await bench.run(codeOf(cloneImage(context, from, { io, name: "c" }, { format: 1 })))).toBe(
    "EINVAL",
  );
  await bench.run(cloneImage(context, from, { io, name: "c" }, { format: 2 }));
  const children = await bench.run(listChildren(image));
  expect(children.map(({ imageName, inTrash }) => [imageName, inTrash])).toEqual([["c", false]]);
  const clone = await bench.run(openImage(context, io, { name: "c" }));
  await bench.run(deepCopyImage(clone, { io, name: "d" }));
  await bench.run(deepCopyImage(clone, { io, name: "e" }, { flatten: true }));
  await bench.run(createNamespace(io, "n"));
  const inside = io.inNamespace("n");
  await bench.run(copyImage(clone, { io: inside, name: "f" }));
  const copies = await Promise.all(
    [
      [io, "d"],
      [io, "e"],
      [inside, "f"],
    ].map(async ([at, name]) => {
      const spec = { name: name as string };
      return await bench.run(openImage(context, at as typeof io, spec, { readOnly: true }));
    }),
  );
  expect(copies.map(({ parent }) => parent !== undefined)).toEqual([true, false, false]);
  for (const copy of copies) {
    const data = await bench.run(new ImageIo(copy).read(0, SIZE));
    expect(data.equals(Buffer.concat([Buffer.alloc(OBJECT + 100, 5)], SIZE))).toBe(true);
  }
  expect(await bench.run(codeOf(removeNamespace(io, "n")))).toBe("EBUSY");
  await bench.run(removeImage(context, inside, "f", noProgress));
  await bench.run(removeNamespace(io, "n"));
  await bench.run(clone.close());
  const id = await bench.run(trashImage(context, io, "c", 60_000));
  expect([...(await bench.run(listTrash(io))).keys()]).toEqual([id]);
  expect(await bench.run(firstByte(client, "d"))).toBe(5);
  await bench.run(restoreImage(io, id, "g"));
  expect(await bench.run(firstByte(client, "g"))).toBe(5);
  await bench.run(image.close());
  await bench.close();
});
