/** Clones and their parents, which have to know of each other whatever comes in between. */
import { expect, test } from "vitest";
import type { IoCtx } from "../../src/rados/index.ts";
import {
  cloneImage,
  commitMigration,
  createImage,
  createNamespace,
  executeMigration,
  ImageIo,
  listChildren,
  noProgress,
  openImage,
  prepareMigration,
  protectSnapshot,
  takeSnapshot,
  unprotectSnapshot,
} from "../../src/rbd/index.ts";
import { Bench, type BenchClient } from "./bench.ts";
import { codeOf } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const SIZE = 4 * OBJECT;

/** An image `p` full of 5, with a snapshot `s`. */
async function withParent({ context }: BenchClient, io: IoCtx) {
  await createImage(context, io, "p", SIZE, { order: ORDER });
  const image = await openImage(context, io, { name: "p" });
  await new ImageIo(image).write(0, Buffer.alloc(SIZE, 5));
  await takeSnapshot(image, "s");
  return image;
}

const clone = ({ context }: BenchClient, io: IoCtx, format: 1 | 2) =>
  cloneImage(context, { io, name: "p", snapshot: "s" }, { io, name: "c" }, { format });

/** Is all of the clone what the parent had? */
async function isWhole({ context }: BenchClient, io: IoCtx): Promise<boolean> {
  const image = await openImage(context, io, { name: "c" });
  const seen = await new ImageIo(image).read(0, SIZE);
  await image.close();
  return seen.equals(Buffer.alloc(SIZE, 5));
}

test("a clone of the old kind in a namespace keeps its parent's snapshot protected, and goes with a parent that migrates", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context } = client;
  await bench.run(createNamespace(client.io, "n"));
  const io = client.io.inNamespace("n");
  const parent = await bench.run(withParent(client, io));
  await bench.run(protectSnapshot(parent, "s"));
  await bench.run(clone(client, io, 1));
  expect(await bench.run(listChildren(parent))).toMatchObject([{ imageName: "c" }]);
  expect(await bench.run(codeOf(unprotectSnapshot(parent, "s")))).toBe("EBUSY");
  await bench.run(parent.close());
  await bench.run(prepareMigration(context, { io, name: "p" }, { io, name: "q" }));
  await bench.run(executeMigration(context, io, "q", noProgress));
  await bench.run(commitMigration(context, io, "q", noProgress));
  expect(await bench.run(isWhole(client, io))).toBe(true);
  await bench.close();
});
