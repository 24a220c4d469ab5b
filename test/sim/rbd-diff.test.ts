/** Differences between revisions of an image, by its object maps. */
import { expect, test } from "vitest";
import { must, sleep } from "../../src/base/index.ts";
import { opWriteFull } from "../../src/messages/index.ts";
import {
  createImage,
  diffIterate,
  type Image,
  ImageIo,
  openImage,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { objectMapName } from "../../src/rbd/names.ts";
import { Bench } from "./bench.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;

test("a damaged map of a snapshot in between hides none of what was written before it", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  await bench.run(createImage(context, io, "a", 8 * OBJECT, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  const imageIo = new ImageIo(image);
  await bench.run(imageIo.write(0, Buffer.alloc(8 * OBJECT, 1)));
  for (const [index, name] of ["one", "two", "three"].entries()) {
    await bench.run(imageIo.write(index * OBJECT, Buffer.alloc(512, 2)));
    await bench.run(takeSnapshot(image, name));
  }
  const [, two, three] = image.snapshots.map(({ id }) => id);
  const changed = async () => {
    const objects: number[] = [];
    const options = { fromSnap: "one", toSnap: must(three, "three"), wholeObject: true };
    await diffIterate(image, options, (offset, length) => {
      for (let at = offset; at < offset + length; at += OBJECT) objects.push(at / OBJECT);
    });
    return objects;
  };
  expect(await bench.run(changed())).toEqual([1, 2]);
  const damage = [opWriteFull(Buffer.from("no map at all"))];
  await bench.run(io.write(objectMapName(image.id, must(two, "two")), damage));
  expect(await bench.run(changed())).toEqual([1, 2]);
  await bench.run(image.close());
  await bench.close();
});

async function changedSince(image: Image, fromSnap?: string): Promise<number[]> {
  const objects: number[] = [];
  const from = fromSnap === undefined ? {} : { fromSnap };
  await diffIterate(image, { ...from, wholeObject: true }, (offset, length) => {
    for (let at = offset; at < offset + length; at += OBJECT) objects.push(at / OBJECT);
  });
  return objects;
}

test("differences up to the head have all that was changed, though a snapshot is taken meanwhile", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  const other = await bench.client();
  for (const delay of [1.6, 1.8, 2, 2.2, 2.4, 2.6]) {
    const name = `a${delay}`;
    await bench.run(createImage(context, io, name, 8 * OBJECT, { order: ORDER }));
    const image = await bench.run(openImage(context, io, { name }));
    const data = new ImageIo(image);
    await bench.run(data.write(0, Buffer.alloc(8 * OBJECT, 1)));
    await bench.run(takeSnapshot(image, "one"));
    await bench.run(data.write(OBJECT, Buffer.alloc(512, 2)));
    const reader = openImage(other.context, other.io, { name }, { readOnly: true });
    const from = await bench.run(reader);
    const taking = takeSnapshot(image, "two");
    const diffing = sleep(image.clock, delay).then(() => changedSince(from, "one"));
    const [objects] = await bench.run(Promise.all([diffing, taking]));
    expect([delay, objects]).toEqual([delay, [1]]);
    await bench.run(image.close());
  }
  await bench.close();
});

test("a map that the owner has found damaged is not believed by who has the image open", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  const other = await bench.client();
  await bench.run(createImage(context, io, "a", 8 * OBJECT, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(new ImageIo(image).write(0, Buffer.alloc(4 * OBJECT, 1)));
  await bench.run(image.close());
  const watching = await bench.run(openImage(other.context, other.io, { name: "a" }));
  const damage = [opWriteFull(Buffer.from("no map at all"))];
  await bench.run(io.write(objectMapName(image.id), damage));
  const again = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(new ImageIo(again).write(5 * OBJECT, Buffer.alloc(512, 2)));
  expect(await bench.run(changedSince(watching))).toEqual([0, 1, 2, 3, 5]);
  await bench.run(again.close());
  await bench.run(watching.close());
  await bench.close();
});
