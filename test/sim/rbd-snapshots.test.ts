/** Taking, removing, reading and rolling back to snapshots, when something comes in between. */
import { expect, test } from "vitest";
import { CephError, ERRNO, must, sleep } from "../../src/base/index.ts";
import { MIRROR_MODE } from "../../src/cls/rbd/types/features.ts";
import {
  checkObjectMap,
  cloneImage,
  createFormat1Image,
  createImage,
  deepCopyImage,
  deleteSnapshot,
  diffIterate,
  enableMirroring,
  type Image,
  ImageIo,
  noProgress,
  openImage,
  rollBackTo,
  setMirrorMode,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { NOSNAP } from "../../src/types/index.ts";
import { Bench, type BenchClient } from "./bench.ts";
import { codeOf, dyingIo, failingIo } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;

async function created(
  { context, io }: BenchClient,
  objectCount: number,
): Promise<{ image: Image; data: ImageIo }> {
  await createImage(context, io, "a", objectCount * OBJECT, { order: ORDER });
  const image = await openImage(context, io, { name: "a" });
  return { image, data: new ImageIo(image) };
}

test("a rollback that is cut short and made again leaves nothing that the snapshot has not", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const size = 32 * OBJECT;
  const { image, data } = await bench.run(created(client, 32));
  await bench.run(takeSnapshot(image, "empty"));
  await bench.run(data.write(0, Buffer.alloc(size, 9)));
  let steps = 0;
  const cut = () => {
    if (++steps === 3) throw new CephError(-ERRNO.ECANCELED, { op: "roll back", target: "a" });
  };
  const work = rollBackTo(image, "empty", { progress: cut });
  expect(await bench.run(codeOf(work))).toBe("ECANCELED");
  await bench.run(rollBackTo(image, "empty"));
  expect(await bench.run(checkObjectMap(image, NOSNAP, noProgress))).toEqual([]);
  // As who has no object map sees it.
  const reader = await bench.run(openImage(context, io, { name: "a" }, { readOnly: true }));
  const seen = await bench.run(new ImageIo(reader).read(0, size));
  expect(seen.equals(Buffer.alloc(size))).toBe(true);
  // A few bytes of an object bring back nothing else of it.
  await bench.run(data.write(size - OBJECT, Buffer.alloc(512, 1)));
  const last = await bench.run(data.read(size - OBJECT, OBJECT));
  expect(last.equals(Buffer.concat([Buffer.alloc(512, 1)], OBJECT))).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

test("a snapshot stays as it was taken, even if its object map can neither be kept nor marked", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  let isFull = false;
  const filling = failingIo(io, ({ kind, oid }) => {
    if (/^rbd_object_map\..*\./.test(oid)) isFull = true;
    const isChange = kind === "execute" || (kind === "write" && !oid.startsWith("rbd_data"));
    return isFull && isChange ? "EDQUOT" : undefined;
  });
  const { image, data } = await bench.run(created({ ...client, io: filling }, 4));
  await bench.run(data.write(0, Buffer.alloc(OBJECT, 1)));
  expect(await bench.run(codeOf(takeSnapshot(image, "s")))).toBe("EDQUOT");
  // The quota is raised.
  isFull = false;
  await bench.run(data.write(0, Buffer.alloc(OBJECT, 2)));
  const reader = await bench.run(openImage(context, io, { name: "a" }, { readOnly: true }));
  expect(reader.snapshots.map(({ name }) => name)).toEqual(["s"]);
  const seen = await bench.run(new ImageIo(reader).read(0, OBJECT, reader.snapshots[0]?.id));
  expect(seen.equals(Buffer.alloc(OBJECT, 1))).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

test("a mirror snapshot stays as it was taken, even if its state cannot be kept", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  await bench.run(setMirrorMode(context, io, MIRROR_MODE.IMAGE));
  const filling = failingIo(io, ({ kind, oid }) =>
    kind === "write" && oid.startsWith("rbd_mirror_snapshot.") ? "EDQUOT" : undefined,
  );
  const { image, data } = await bench.run(created({ ...client, io: filling }, 4));
  await bench.run(data.write(0, Buffer.alloc(OBJECT, 1)));
  expect(await bench.run(codeOf(enableMirroring(image)))).toBe("EDQUOT");
  await bench.run(data.write(0, Buffer.alloc(OBJECT, 2)));
  const reader = await bench.run(openImage(context, io, { name: "a" }, { readOnly: true }));
  const seen = await bench.run(new ImageIo(reader).read(0, OBJECT, reader.snapshots[0]?.id));
  expect(seen.equals(Buffer.alloc(OBJECT, 1))).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

/** An image of two snapshots, `one` full of 1 and `two` of 2, and 3 in the head; and who has not heard of anything. */
async function startWithTwo(create: typeof createImage | typeof createFormat1Image) {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  const other = await bench.client();
  const size = 64 * OBJECT;
  await bench.run<unknown>(create(context, io, "a", size, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  const data = new ImageIo(image);
  for (const [index, name] of ["one", "two"].entries()) {
    await bench.run(data.write(0, Buffer.alloc(size, index + 1)));
    await bench.run(takeSnapshot(image, name));
  }
  await bench.run(data.write(0, Buffer.alloc(size, 3)));
  const open = openImage(other.context, other.io, { name: "a" }, { readOnly: true });
  const reader = await bench.run(open);
  const [one, two] = reader.snapshots.map(({ id }) => id);
  const ids = { one: must(one, "one"), two: must(two, "two") };
  return { bench, context, io, image, size, reader, ...ids };
}

for (const [format, create] of [
  [1, createFormat1Image],
  [2, createImage],
] as const) {
  test(`a snapshot that is removed while it is read is not read as zeros (format ${format})`, async () => {
    const { bench, image, size, reader, one } = await startWithTwo(create);
    const io = new ImageIo(reader);
    const read = async () => {
      for (let at = 0; at < size; at += OBJECT) {
        const into = Buffer.alloc(OBJECT);
        if (at % (2 * OBJECT) === 0) (await io.read(at, OBJECT, one)).copy(into);
        else await io.readInto(at, into, one);
        expect(into.equals(Buffer.alloc(OBJECT, 1))).toBe(true);
      }
    };
    const removing = sleep(image.clock, 3).then(() => deleteSnapshot(image, "one"));
    expect(await bench.run(codeOf(Promise.all([read(), removing])))).toBe("ENOENT");
    await bench.run(image.close());
    await bench.close();
  });
}

test("a copy is said to be made only if its snapshots are those of the image", async () => {
  const { bench, context, io, image, reader } = await startWithTwo(createImage);
  let removal: Promise<void> | undefined;
  let steps = 0;
  const progress = () => {
    if (++steps === 5) removal = deleteSnapshot(image, "one");
  };
  const copying = deepCopyImage(reader, { io, name: "b" }, { progress });
  expect(await bench.run(codeOf(copying))).toBe("ENOENT");
  await bench.run(must(removal, "the removal"));
  await bench.run(reader.refresh());
  await bench.run(deepCopyImage(reader, { io, name: "c" }));
  const copy = await bench.run(openImage(context, io, { name: "c" }, { readOnly: true }));
  expect(copy.snapshots.map(({ name }) => name)).toEqual(["two"]);
  await bench.run(image.close());
  await bench.close();
});

test.each([
  ["one", "two"],
  ["two", "two"],
  ["two", "one"],
  [undefined, "two"],
])(
  "differences from %s are told to be whole only if %s is not removed meanwhile",
  async (fromSnap, removed) => {
    const { bench, image, reader, two } = await startWithTwo(createImage);
    const toSnap = fromSnap === "two" ? {} : { toSnap: two };
    const from = fromSnap === undefined ? {} : { fromSnap };
    let isRemoved = false;
    const diffing = diffIterate(reader, { ...from, ...toSnap }, async () => {
      if (isRemoved) return;
      isRemoved = true;
      await deleteSnapshot(image, removed);
      await sleep(image.clock, 500);
    });
    const isUsed = removed === "two";
    expect(await bench.run(codeOf(diffing))).toBe(isUsed ? "ENOENT" : "done");
    await bench.run(image.close());
    await bench.close();
  },
);

test("a snapshot that waits in the trash for its clones is read with its holes", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const { image, data } = await bench.run(created(client, 4));
  await bench.run(data.write(0, Buffer.alloc(OBJECT, 1)));
  await bench.run(takeSnapshot(image, "s"));
  const from = { io, name: "a", snapshot: "s" };
  await bench.run(cloneImage(context, from, { io, name: "c" }, { format: 2 }));
  await bench.run(deleteSnapshot(image, "s"));
  await bench.run(image.refresh());
  const [snapshot] = image.snapshots;
  expect(snapshot?.namespace.type).toBe("trash");
  const seen = await bench.run(data.read(0, 4 * OBJECT, snapshot?.id));
  expect(seen.equals(Buffer.concat([Buffer.alloc(OBJECT, 1)], 4 * OBJECT))).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

test("a snapshot of format 1 whose removal is cut short is gone, or has its data", async () => {
  for (const cutAt of ["removeSnapId", "snap_remove"]) {
    const bench = await Bench.start();
    const { context, io } = await bench.client();
    const size = 64 * OBJECT;
    await bench.run(createFormat1Image(context, io, "a", size, { order: ORDER }));
    const dying = dyingIo(io, ({ kind, method }) => (method ?? kind) === cutAt);
    const image = await bench.run(openImage(context, dying, { name: "a" }));
    const data = new ImageIo(image);
    await bench.run(data.write(0, Buffer.alloc(size, 1)));
    await bench.run(takeSnapshot(image, "s"));
    await bench.run(data.write(0, Buffer.alloc(size, 2)));
    expect(await bench.run(codeOf(deleteSnapshot(image, "s")))).toBe("ESHUTDOWN");
    await bench.pass(5000);
    const again = await bench.run(openImage(context, io, { name: "a" }));
    expect(again.snapshots.length).toBe(cutAt === "snap_remove" ? 1 : 0);
    for (const { id, name } of again.snapshots) {
      const seen = await bench.run(new ImageIo(again).read(0, size, id));
      expect(seen.equals(Buffer.alloc(size, 1))).toBe(true);
      await bench.run(deleteSnapshot(again, name));
    }
    await bench.run(again.close());
    await bench.close();
  }
});
