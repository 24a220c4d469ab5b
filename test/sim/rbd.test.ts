/** Images on the simulated server: removal, locks and clones, with clients that die in the middle. */
import { expect, test } from "vitest";
import { CephError } from "../../src/base/index.ts";
import { LockArgs } from "../../src/cls/lock/ops.ts";
import { OBJECT_STATE, TRASH_IMAGE_SOURCE } from "../../src/cls/rbd/types/features.ts";
import { opOmapGetKeys, opOmapSetVals, opRead } from "../../src/messages/index.ts";
import { Task } from "../../src/mgr/rbd-support/task.ts";
import { classCalls, type IoCtx } from "../../src/rados/index.ts";
import { DIRECTORY, HEADER, OBJECT_MAP, TRASH } from "../../src/rbd/calls.ts";
import {
  checkObjectMap,
  cloneImage,
  createImage,
  deleteSnapshot,
  diffIterate,
  flattenImage,
  Image,
  ImageIo,
  listTrash,
  trashImage as moveToTrash,
  noProgress,
  openImage,
  purgeTrash,
  type RbdContext,
  rebuildObjectMap,
  removeImage,
  removeTrash,
  rollBackTo,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { objectMapName } from "../../src/rbd/names.ts";
import { FLAG } from "../../src/rbd/object-map.ts";
import { NOSNAP, UTIME_ZERO, utimeFromMs } from "../../src/types/index.ts";
import { Bench, makeClone, makeImage, ORDER, objectNames, snapshotImage } from "./bench.ts";

const OBJECTS = new Map([0, 1, 5, 9, 30].map((n) => [n, n + 1]));
const IMAGE = { name: "a", id: "ia", objectCount: 40, objects: OBJECTS };
/** What stays in a pool whose images are gone. */
const LEFT = ["rbd_directory", "rbd_info", "rbd_trash"];

const LOCK = classCalls("lock")("lock", LockArgs);

/** Puts an image into the trash as a user does, whoever has locked it. */
async function trashImage(context: RbdContext, io: IoCtx, name: string, id: string): Promise<void> {
  const now = utimeFromMs(context.clock.now());
  const spec = {
    source: TRASH_IMAGE_SOURCE.USER,
    name,
    deletionTime: now,
    defermentEndTime: now,
    state: 0,
  };
  await io.execute("rbd_trash", TRASH.add, { id, spec });
  await io.remove(`rbd_id.${name}`);
  await io.execute("rbd_directory", DIRECTORY.remove, { name, id });
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );

test("a removed image leaves nothing behind, and is not there any more", async () => {
  const bench = await Bench.start({ osds: 2 });
  const { io, context } = await bench.client();
  await bench.run(makeImage(io, IMAGE));
  const told: number[] = [];
  await bench.run(removeImage(context, io, "a", (done, total) => told.push(done / total)));
  expect(await bench.run(objectNames(io))).toEqual(LEFT);
  expect(told.length).toBe(IMAGE.objectCount);
  expect(await bench.run(codeOf(removeImage(context, io, "a", noProgress)))).toBe("ENOENT");
  await bench.close();
});

test("a removal that is cut short can be taken up again, at any moment", async () => {
  const bench = await Bench.start();
  for (let ms = 2; ms < 60; ms += 7) {
    const first = await bench.client();
    await bench.run(makeImage(first.io, IMAGE));
    void codeOf(removeImage(first.context, first.io, "a", noProgress));
    await bench.pass(ms);
    first.die("killed");
    // Its watch outlives it for its timeout, and nobody removes what is watched.
    await bench.pass(40_000);
    const second = await bench.client();
    const outcome = await bench.run(
      codeOf(removeImage(second.context, second.io, "a", noProgress)),
    );
    expect(["done", "ENOENT"], `after ${ms} ms`).toContain(outcome);
    expect(await bench.run(objectNames(second.io)), `after ${ms} ms`).toEqual(LEFT);
    await bench.run(second.rados.close());
  }
  await bench.close();
});

test("an image with a snapshot, or open elsewhere, is not removed, and loses nothing", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  await bench.run(makeImage(io, IMAGE));
  const before = await bench.run(objectNames(io));
  const other = await bench.client();
  const image = await bench.run(Image.open(other.context, other.io, { name: "a" }));
  expect(await bench.run(codeOf(removeImage(context, io, "a", noProgress)))).toBe("EBUSY");
  await bench.run(image.close());
  await bench.run(snapshotImage(io, "ia", "s"));
  expect(await bench.run(codeOf(removeImage(context, io, "a", noProgress)))).toBe("ENOTEMPTY");
  expect(await bench.run(objectNames(io))).toEqual(before);
  await bench.close();
});

test("what is removed goes to the trash where that is wanted, a parent until its last clone is gone", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const trash = async () =>
    [...(await bench.run(listTrash(io))).values()].map(({ name, source }) => [name, source]);
  const { USER, USER_PARENT } = TRASH_IMAGE_SOURCE;
  await bench.run(makeImage(io, IMAGE));
  await bench.run(removeImage(context, io, "a", noProgress, { toTrashMs: 60_000 }));
  expect(await trash()).toEqual([["a", USER]]);
  const early = removeTrash(context, io, "ia", { force: false, progress: noProgress });
  expect(await bench.run(codeOf(early))).toBe("EPERM");

  await bench.run(makeImage(io, { ...IMAGE, name: "p", id: "ip" }));
  const parent = await bench.run(Image.open(context, io, { name: "p" }));
  await bench.run(takeSnapshot(parent, "s"));
  const from = { io, name: "p", snapshot: "s" };
  await bench.run(cloneImage(context, from, { io, name: "c" }, { format: 2 }));
  await bench.run(deleteSnapshot(parent, "s"));
  await bench.run(parent.close());
  const remove = (name: string, parentToTrash: boolean) =>
    bench.run(codeOf(removeImage(context, io, name, noProgress, { parentToTrash })));
  expect(await remove("p", false)).toBe("ENOTEMPTY");
  expect(await remove("p", true)).toBe("done");
  expect(await trash()).toEqual([
    ["a", USER],
    ["p", USER_PARENT],
  ]);
  expect(await remove("c", false)).toBe("done");
  expect(await trash()).toEqual([["a", USER]]);
  await bench.close();
});

test("a purge of the trash removes what a user has locked, too", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  await bench.run(makeImage(io, IMAGE));
  await bench.run(
    io.execute("rbd_header.ia", LOCK, {
      name: "rbd_lock",
      type: 1,
      cookie: "mine",
      tag: "",
      description: "",
      duration: UTIME_ZERO,
      flags: 0,
    }),
  );
  expect(await bench.run(codeOf(removeImage(context, io, "a", noProgress)))).toBe("EBUSY");
  await bench.run(trashImage(context, io, "a", "ia"));
  expect([...(await bench.run(listTrash(io))).keys()]).toEqual(["ia"]);
  await bench.run(purgeTrash(context, io));
  expect(await bench.run(objectNames(io))).toEqual(LEFT);
  await bench.close();
});

test("a purge takes what is due by then, and as much as has to go for the pool to have room", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  for (const name of ["a", "b", "c", "d"]) {
    const objects = name === "a" ? new Map<number, number>() : OBJECTS;
    await bench.run(makeImage(io, { ...IMAGE, name, id: `i${name}`, objects }));
    const keepMs = 60_000 * "dabc".indexOf(name);
    await bench.run(moveToTrash(context, io, name, keepMs));
  }
  const left = async () => [...(await bench.run(listTrash(io))).values()].map(({ name }) => name);
  await bench.run(purgeTrash(context, io));
  expect(await left()).toEqual(["a", "b", "c"]);
  // The statistics have to be in.
  await bench.pass(10_000);
  for (const threshold of [-0.1, 1.1, Number.NaN]) {
    expect(await bench.run(codeOf(purgeTrash(context, io, { threshold })))).toBe("EINVAL");
  }
  await bench.run(purgeTrash(context, io, { threshold: 1 }));
  expect(await left()).toEqual(["a", "b", "c"]);
  // Counted are whole objects: those of the second alone are more than all images take.
  await bench.run(purgeTrash(context, io, { threshold: 0 }));
  expect(await left()).toEqual(["c"]);
  await bench.close();
});

test("the lock goes from one to the other when it is asked for, not when its owner refuses", async () => {
  const bench = await Bench.start();
  const one = await bench.client();
  const two = await bench.client();
  await bench.run(makeImage(one.io, IMAGE));
  const a = await bench.run(Image.open(one.context, one.io, { name: "a" }));
  const b = await bench.run(Image.open(two.context, two.io, { name: "a" }));
  await bench.run(a.acquireLock("refuse"));
  expect(await bench.run(codeOf(b.acquireLock("refuse")))).toBe("EBUSY");
  await bench.run(a.releaseLock());
  await bench.run(a.acquireLock("yield"));
  const taken = b.acquireLock("refuse");
  await bench.until(() => a.lock?.isWanted === true, "the wish is heard");
  expect(b.lock?.isHeld).toBe(false);
  await bench.run(a.releaseLock());
  await bench.run(taken);
  expect(b.lock?.isHeld).toBe(true);
  expect(a.lock?.isHeld).toBe(false);
  await bench.run(Promise.all([a.close(), b.close()]));
  await bench.close();
});

test("a dead owner's lock is broken once its watch is gone, and the dead one is kept out", async () => {
  const bench = await Bench.start();
  const dead = await bench.client();
  const heir = await bench.client();
  await bench.run(makeImage(dead.io, IMAGE));
  const a = await bench.run(Image.open(dead.context, dead.io, { name: "a" }));
  await bench.run(a.acquireLock("refuse"));
  dead.die("power");
  const b = await bench.run(Image.open(heir.context, heir.io, { name: "a" }));
  await bench.run(b.acquireLock("refuse"));
  expect(b.lock?.isHeld).toBe(true);
  expect(heir.rados.map.blocklist.size).toBe(1);
  await bench.run(b.close());
  await bench.close();
});

test("a task that is queued is done by the next start, and one cut short by the one after", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  await bench.run(makeImage(io, IMAGE));
  const task = new Task(3, "d9428888-122b-4e5e-8d1e-0123456789ab", "Removing image rbd/a", {
    action: "remove",
    pool_name: "rbd",
    pool_namespace: "",
    image_name: "a",
  });
  const entry = new Map([[task.key, Buffer.from(task.toText())]]);
  await bench.run(io.write("rbd_task", [opOmapSetVals(entry)]));
  const isKnown = async () => {
    const { ops } = await io.read("rbd_task", [opOmapGetKeys("", 10)]);
    // Entries, then whether there are more.
    return Buffer.from(ops[0]?.data ?? []).readUInt32LE(0) > 0;
  };
  let kills = 0;
  do {
    bench.server.kill();
    await bench.startServer();
    await bench.pass(5 * 2 ** kills++);
  } while (await bench.run(isKnown()));
  expect(kills).toBeGreaterThan(1);
  expect(await bench.run(objectNames(io))).toEqual([...LEFT, "rbd_task"].sort());
  await bench.close();
});

test("a flattened clone has what it showed, and its parent can go", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  await bench.run(makeImage(io, IMAGE));
  const snapId = await bench.run(snapshotImage(io, "ia", "s"));
  const objectCount = 20;
  await bench.run(makeClone(io, { name: "b", id: "ib", parentId: "ia", snapId, objectCount }));
  await bench.run(flattenImage(context, io, "b", noProgress));
  const names = await bench.run(objectNames(io));
  const own = names.filter((name) => name.startsWith("rbd_data.ib."));
  // Those of the parent's that lie within the clone.
  expect(own.map((name) => Number.parseInt(name.slice(-16), 16))).toEqual([0, 1, 5, 9]);
  for (const name of own) {
    const { ops } = await bench.run(io.read(name, [opRead(0, 0)]));
    const value = Number.parseInt(name.slice(-16), 16) + 1;
    expect(Buffer.from(ops[0]?.data ?? []).equals(Buffer.alloc(2 ** ORDER, value))).toBe(true);
  }
  const image = await bench.run(Image.open(context, io, { name: "b" }, { readOnly: true }));
  expect(image.parent).toBeUndefined();
  expect(await bench.run(codeOf(flattenImage(context, io, "b", noProgress)))).toBe("EINVAL");
  const parent = await bench.run(Image.open(context, io, { name: "a" }, { readOnly: true }));
  expect(parent.snapshots.map(({ childCount }) => childCount)).toEqual([0]);
  await bench.close();
});

/** A server with an image of four objects, opened. */
async function startWithImage() {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const size = 4 * 2 ** ORDER;
  await bench.run(createImage(context, io, "a", size, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  return { bench, image, data: new ImageIo(image), size };
}

test("an image rolled back to a snapshot whose object map is not to be believed shows all that this has", async () => {
  const { bench, image, data, size } = await startWithImage();
  const write = (fill: string) => bench.run(data.write(0, Buffer.alloc(size, fill)));
  await write("first");
  await bench.run(takeSnapshot(image, "s"));
  await write("second");
  // As librbd leaves a snapshot from before the image had maps: its rebuilding is of the head's alone. When it rolls
  // back it takes this map for the head's, and shows zeros, or the parent's data.
  const { id: snapId } = image.snapshots[0]!;
  const flags = FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID;
  await bench.run(
    image.io.execute(image.headerOid, HEADER.setFlags, { flags, mask: flags, snapId }),
  );
  const map = objectMapName(image.id, snapId);
  await bench.run(image.io.remove(map));
  const empty = { objectCount: 4n, defaultState: OBJECT_STATE.NONEXISTENT };
  await bench.run(image.io.execute(map, OBJECT_MAP.resize, empty));
  await bench.run(image.refresh());
  await bench.run(rollBackTo(image, "s"));
  expect((await bench.run(data.read(0, size))).equals(Buffer.alloc(size, "first"))).toBe(true);
  // The maps can be had again.
  expect(image.flags).toBe(flags);
  await bench.run(rebuildObjectMap(image));
  expect(image.flags).toBe(0n);
  expect(await bench.run(checkObjectMap(image, NOSNAP, noProgress))).toEqual([]);
  await bench.run(image.close());
  await bench.close();
});

test("what a rollback has changed differs from a newer snapshot, by the object maps, too", async () => {
  const { bench, image, data } = await startWithImage();
  for (const objectNo of [0, 1]) {
    await bench.run(data.write(objectNo * 2 ** ORDER, Buffer.alloc(100, "first")));
  }
  // Clean in the second's map, as the first has the same.
  for (const name of ["first", "second"]) await bench.run(takeSnapshot(image, name));
  await bench.run(data.write(0, Buffer.alloc(100, "third")));
  await bench.run(takeSnapshot(image, "third"));
  await bench.run(rollBackTo(image, "second"));
  const ranges: [number, number][] = [];
  const options = { fromSnap: "third", wholeObject: true };
  await bench.run(
    diffIterate(image, options, (offset, length) => void ranges.push([offset, length])),
  );
  expect(ranges).toContainEqual([0, 2 ** ORDER]);
  expect(await bench.run(checkObjectMap(image, NOSNAP, noProgress))).toEqual([]);
  await bench.run(image.close());
  await bench.close();
});
