/** Differences between revisions of an image, by its object maps. */
import { expect, test } from "vitest";
import { must } from "../../src/base/index.ts";
import { opWriteFull } from "../../src/messages/index.ts";
import { createImage, diffIterate, ImageIo, openImage, takeSnapshot } from "../../src/rbd/index.ts";
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
