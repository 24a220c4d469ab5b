/** Images whose lock changes hands, or is lost, at any moment of what is done with them. */
import { expect, test } from "vitest";
import { sleep } from "../../src/base/index.ts";
import {
  createImage,
  type Image,
  ImageIo,
  openImage,
  setImageMetadata,
} from "../../src/rbd/index.ts";
import { Bench, type BenchClient } from "./bench.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const BLOCK = 512;
const OPTIONS = { accessTimeInterval: 0, modifyTimeInterval: 0 };

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
