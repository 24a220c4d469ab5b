/** Images that somebody else gives another size. */
import { expect, test } from "vitest";
import { type Image, Rbd } from "../../src/librbd/index.ts";
import { Bench } from "./bench.ts";

const OBJECT = 2 ** 14;
const SIZE = 4 * OBJECT;

test("what has been made larger elsewhere can be read and written at once", async () => {
  const bench = await Bench.start();
  const [here, there] = [await bench.cluster(), await bench.cluster()];
  const rbd = await bench.run(Rbd.open(here, "rbd"));
  await bench.run(rbd.create("a", SIZE, { objectSize: OBJECT }));
  const image = await bench.run(rbd.open("a"));
  const other = await bench.run((await bench.run(Rbd.open(there, "rbd"))).open("a"));
  const firstOf = async (at: Image, offset: number) => {
    const data = await bench.run(at.read(offset, 512));
    return [data.length, data[0]];
  };
  expect(await firstOf(image, 2 * SIZE - 512)).toEqual([0, undefined]);
  await bench.run(other.resize(3 * SIZE));
  expect(await firstOf(image, 2 * SIZE - 512)).toEqual([512, 0]);
  await bench.run(other.resize(5 * SIZE));
  // The first to ask for the header is not the only one that waits for it.
  const writes = [4 * SIZE, 4.5 * SIZE].map((offset) => image.write(offset, Buffer.alloc(512, 7)));
  await bench.run(Promise.all(writes));
  expect(await firstOf(other, 4 * SIZE)).toEqual([512, 7]);
  await expect(bench.run(image.write(5 * SIZE, Buffer.alloc(512)))).rejects.toMatchObject({
    code: "EINVAL",
  });
  for (const each of [image, other]) await bench.run(each.close());
  await bench.close();
});
