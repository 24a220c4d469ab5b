/** Copies of images with all their snapshots. */
import { expect, test } from "vitest";
import { CephError, ERRNO, must } from "../../src/base/index.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import {
  checkObjectMap,
  cloneImage,
  copyImage,
  createImage,
  deepCopyImage,
  deleteSnapshot,
  type Image,
  ImageIo,
  noProgress,
  openImage,
  removeImage,
  resizeImage,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { FLAG } from "../../src/rbd/object-map.ts";
import { NOSNAP } from "../../src/types/index.ts";
import { Bench, type BenchClient, objectNames } from "./bench.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const SIZE = 16 * OBJECT;

/** An image that has `value` in its first object and in 100 bytes of the next. */
async function filled({ context, io }: BenchClient, name: string, value: number): Promise<Image> {
  await createImage(context, io, name, SIZE, { order: ORDER });
  const image = await openImage(context, io, { name });
  await new ImageIo(image).write(0, Buffer.alloc(OBJECT + 100, value));
  return image;
}

const snapNamed = ({ snapshots }: Image, name: string) =>
  must(
    snapshots.find((snapshot) => snapshot.name === name),
    name,
  );

test("a deep copy of a snapshot is what the image was then, with the older snapshots only", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const image = await bench.run(filled(client, "a", 5));
  const imageIo = new ImageIo(image);
  for (const [name, fill] of [
    ["one", 6],
    ["two", 7],
    ["three", 8],
  ] as const) {
    await bench.run(imageIo.write(OBJECT, Buffer.alloc(100, fill)));
    await bench.run(takeSnapshot(image, name));
    if (name === "two") await bench.run(resizeImage(image, SIZE / 2));
  }
  const snap = snapNamed(image, "two").id;
  const shown = await bench.run(imageIo.read(0, SIZE, snap));
  await bench.run(deepCopyImage(image, { io, name: "b" }, { snap }));
  const copy = await bench.run(openImage(context, io, { name: "b" }));
  expect(copy.snapshots.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(copy.size).toBe(SIZE);
  const copyIo = new ImageIo(copy);
  expect((await bench.run(copyIo.read(0, SIZE))).equals(shown)).toBe(true);
  const one = await bench.run(copyIo.read(OBJECT, 100, copy.snapshots[0]?.id));
  expect(one.equals(Buffer.alloc(100, 6))).toBe(true);
  const work = deepCopyImage(image, { io, name: "c" }, { snap: 99n });
  await expect(bench.run(work)).rejects.toMatchObject({ code: "ENOENT" });
  await bench.run(copy.close());
  await bench.run(image.close());
  await bench.close();
});

/** How the copy is laid out, and whether it has the clone's parent. */
const COPIES = [
  ["a clone", { order: ORDER }],
  ["a clone of larger objects", { order: ORDER + 1 }],
  ["flat", { order: ORDER, flatten: true }],
  ["flat, of larger objects", { order: ORDER + 1, flatten: true }],
] as const;

test.each(COPIES)(
  "nothing is left of the copy of a clone that has shrunk: %s",
  async (_, options) => {
    const bench = await Bench.start();
    const client = await bench.client();
    const { context, io } = client;
    const parent = await bench.run(filled(client, "parent", 5));
    await bench.run(takeSnapshot(parent, "s"));
    const from = { io, name: "parent", snapshot: "s" };
    await bench.run(cloneImage(context, from, { io, name: "a" }, { format: 2, order: ORDER }));
    const image = await bench.run(openImage(context, io, { name: "a" }));
    for (let at = 0; at < SIZE; at += 3 * OBJECT) {
      await bench.run(new ImageIo(image).write(at + 10, Buffer.alloc(100, 6)));
    }
    await bench.run(takeSnapshot(image, "large"));
    const shown = await bench.run(new ImageIo(image).read(0, SIZE));
    await bench.run(resizeImage(image, 3 * OBJECT));
    await bench.run(deepCopyImage(image, { io, name: "b" }, options));
    await bench.run(image.close());

    const copy = await bench.run(openImage(context, io, { name: "b" }));
    const copyIo = new ImageIo(copy);
    const { id } = snapNamed(copy, "large");
    expect((await bench.run(copyIo.read(0, SIZE, id))).equals(shown)).toBe(true);
    for (const snap of [id, NOSNAP]) {
      expect(await bench.run(checkObjectMap(copy, snap, noProgress))).toEqual([]);
    }
    await bench.run(resizeImage(copy, SIZE));
    const grown = Buffer.concat([shown.subarray(0, 3 * OBJECT)], SIZE);
    expect((await bench.run(copyIo.read(0, SIZE))).equals(grown)).toBe(true);
    await bench.run(deleteSnapshot(copy, "large"));
    await bench.run(copy.close());
    await bench.run(removeImage(context, io, "b", noProgress));
    const left = await bench.run(objectNames(io));
    expect(left.filter((name) => name.includes(copy.id))).toEqual([]);
    await bench.run(parent.close());
    await bench.close();
  },
);

test("where the map of the copy's last snapshot cannot be kept up, the head's is not believed either", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const image = await bench.run(filled(client, "a", 5));
  await bench.run(takeSnapshot(image, "s"));
  let failed = 0;
  const to = { io: failingOnce(io, /^rbd_object_map\..*\..*/, () => failed++), name: "b" };
  await bench.run(deepCopyImage(image, to, { snap: snapNamed(image, "s").id }));
  expect(failed).toBe(1);
  const copy = await bench.run(openImage(context, io, { name: "b" }));
  for (const { flags } of [copy, snapNamed(copy, "s")]) {
    expect(flags).toBe(FLAG.OBJECT_MAP_INVALID | FLAG.FAST_DIFF_INVALID);
  }
  const shown = await bench.run(new ImageIo(copy).read(0, SIZE));
  expect(shown.equals(Buffer.concat([Buffer.alloc(OBJECT + 100, 5)], SIZE))).toBe(true);
  await bench.run(copy.close());
  await bench.run(image.close());
  await bench.close();
});

test("a copy has what the image has become, though nobody has looked at that since", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const other = await bench.client();
  const image = await bench.run(filled(client, "a", 5));
  const [first, second] = [
    await bench.run(openImage(other.context, other.io, { name: "a" })),
    await bench.run(openImage(other.context, other.io, { name: "a" })),
  ];
  await bench.run(resizeImage(image, 2 * SIZE));
  await bench.run(new ImageIo(image).write(SIZE, Buffer.alloc(100, 6)));
  await bench.run(takeSnapshot(image, "s"));
  await bench.run(copyImage(first, { io, name: "b" }));
  await bench.run(deepCopyImage(second, { io, name: "c" }));
  const shown = await bench.run(new ImageIo(image).read(0, 2 * SIZE));
  for (const name of ["b", "c"]) {
    const copy = await bench.run(openImage(context, io, { name }, { readOnly: true }));
    expect(copy.size).toBe(2 * SIZE);
    expect(copy.snapshots.map((snapshot) => snapshot.name)).toEqual(name === "b" ? [] : ["s"]);
    expect((await bench.run(new ImageIo(copy).read(0, 2 * SIZE))).equals(shown)).toBe(true);
  }
  for (const open of [image, first, second]) await bench.run(open.close());
  await bench.close();
});

test("a copy has all data, whatever runs of zeros are left out of it", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const image = await bench.run(filled(client, "a", 5));
  await bench.run(new ImageIo(image).write(3 * OBJECT + 77, Buffer.alloc(10, 6)));
  const shown = await bench.run(new ImageIo(image).read(0, SIZE));
  for (const sparseSize of [undefined, 0, 1, 3000, 4096, 2 * SIZE]) {
    const name = `b${sparseSize}`;
    await bench.run(copyImage(image, { io, name }, sparseSize === undefined ? {} : { sparseSize }));
    const copy = await bench.run(openImage(context, io, { name }, { readOnly: true }));
    const copied = await bench.run(new ImageIo(copy).read(0, SIZE));
    expect(copied.equals(shown), name).toBe(true);
  }
  await bench.run(image.close());
  await bench.close();
});

/** A pool whose first write to an object of such a name fails. */
function failingOnce(io: IoCtx, name: RegExp, failed: () => void): IoCtx {
  let isDone = false;
  const write: IoCtx["write"] = async (oid, ...rest) => {
    if (isDone || !name.test(oid)) return await io.write(oid, ...rest);
    isDone = true;
    failed();
    throw new CephError(-ERRNO.EIO, { op: "write", target: oid });
  };
  return new Proxy(io, {
    get(target, key) {
      if (key === "write") return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
