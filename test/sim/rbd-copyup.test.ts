/** Changes of objects that show a parent, or that there are no more, when something fails. */
import { expect, test } from "vitest";
import { must, sleep } from "../../src/base/index.ts";
import {
  checkObjectMap,
  cloneImage,
  createImage,
  flattenOpen,
  ImageIo,
  noProgress,
  openImage,
  rebuildObjectMap,
  takeSnapshot,
} from "../../src/rbd/index.ts";
import { Bench, type BenchClient } from "./bench.ts";
import { codeOf, failingIo } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;

/** A clone, `c`, of an image full of 5. */
async function cloned({ context, io }: BenchClient, objectCount = 4): Promise<void> {
  await createImage(context, io, "p", objectCount * OBJECT, { order: ORDER });
  const parent = await openImage(context, io, { name: "p" });
  await new ImageIo(parent).write(0, Buffer.alloc(objectCount * OBJECT, 5));
  await takeSnapshot(parent, "s");
  await parent.close();
  const from = { io, name: "p", snapshot: "s" };
  await cloneImage(context, from, { io, name: "c" }, { format: 2 });
}

test.each(["write", "discard"] as const)(
  "a %s whose copy of what the parent shows fails loses none of that",
  async (what) => {
    const bench = await Bench.start();
    const client = await bench.client();
    const { context, io } = client;
    await bench.run(cloned(client));
    let refused = 0;
    // As the pool is full for the copy, and not for the change any more.
    const refusing = failingIo(io, ({ kind, oid, hasSnapContext }) => {
      const isCopy = kind === "write" && oid.startsWith("rbd_data") && !hasSnapContext;
      return isCopy && refused++ === 0 ? "ENOSPC" : undefined;
    });
    const clone = await bench.run(openImage(context, refusing, { name: "c" }));
    await bench.run(takeSnapshot(clone, "one"));
    const data = new ImageIo(clone, { discardGranularity: 0 });
    const change = () =>
      what === "write" ? data.write(0, Buffer.alloc(512, 6)) : data.discard(0, 512);
    expect(await bench.run(codeOf(change()))).toBe("ENOSPC");
    expect((await bench.run(data.read(0, OBJECT))).equals(Buffer.alloc(OBJECT, 5))).toBe(true);
    await bench.run(change());
    const changed = [Buffer.alloc(512, what === "write" ? 6 : 0), Buffer.alloc(OBJECT - 512, 5)];
    const seen = await bench.run(data.read(0, OBJECT));
    expect(seen.equals(Buffer.concat(changed))).toBe(true);
    const before = await bench.run(data.read(0, OBJECT, clone.snapshots[0]?.id));
    expect(before.equals(Buffer.alloc(OBJECT, 5))).toBe(true);
    await bench.run(clone.close());
    await bench.close();
  },
);

test("of a pool that is gone nothing is read or written, a discard has nothing to do", async () => {
  const bench = await Bench.start();
  const { context, io, rados } = await bench.client();
  await bench.run(rados.createPool("data"));
  await bench.run(createImage(context, io, "a", 4 * OBJECT, { order: ORDER, dataPool: "data" }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  const data = new ImageIo(image, { discardGranularity: 0 });
  const bytes = Buffer.alloc(512, 1);
  await bench.run(data.write(0, bytes));
  expect(await bench.run(data.compareAndWrite(OBJECT, Buffer.alloc(512), bytes))).toBe(512);
  await bench.run(rados.deletePool("data"));
  expect(await bench.run(codeOf(data.write(0, bytes)))).toBe("ENOENT");
  expect(await bench.run(codeOf(data.write(3 * OBJECT, bytes)))).toBe("ENOENT");
  expect(await bench.run(codeOf(data.compareAndWrite(0, bytes, bytes)))).toBe("ENOENT");
  expect(await bench.run(codeOf(data.discard(0, 512)))).toBe("done");
  expect(await bench.run(codeOf(data.read(0, 512)))).toBe("ENOENT");
  expect(await bench.run(codeOf(data.readInto(0, Buffer.alloc(512))))).toBe("ENOENT");
  await bench.run(image.close());
  await bench.close();
});

test("maps that are made anew have what is copied up meanwhile", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const objects = Array.from({ length: 32 }, (_, objectNo) => objectNo);
  await bench.run(cloned(client, objects.length));
  for (const delay of [0.1, 0.8, 1.5, 2.2, 2.9]) {
    const name = `c${delay}`;
    const from = { io, name: "p", snapshot: "s" };
    await bench.run(cloneImage(context, from, { io, name }, { format: 2 }));
    const clone = await bench.run(openImage(context, io, { name }));
    const data = new ImageIo(clone);
    await bench.run(takeSnapshot(clone, "one"));
    const writing = sleep(clone.clock, delay).then(() =>
      Promise.all(objects.map((i) => data.write(i * OBJECT, Buffer.alloc(512, 6)))),
    );
    await bench.run(Promise.all([rebuildObjectMap(clone), writing]));
    const { id } = must(clone.snapshots[0], "the snapshot");
    const left = await bench.run(checkObjectMap(clone, id, noProgress));
    expect([delay, left]).toEqual([delay, []]);
    await bench.run(clone.close());
  }
  await bench.close();
});

test("flattening copies objects that a write had only got into the object map", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  await bench.run(cloned(client));
  let isFull = true;
  const filling = failingIo(io, ({ kind, oid }) =>
    isFull && kind === "write" && oid.startsWith("rbd_data") ? "EDQUOT" : undefined,
  );
  const clone = await bench.run(openImage(context, filling, { name: "c" }));
  const data = new ImageIo(clone);
  expect(await bench.run(codeOf(data.write(0, Buffer.alloc(512, 6))))).toBe("EDQUOT");
  // The quota is raised.
  isFull = false;
  await bench.run(data.write(OBJECT, Buffer.alloc(OBJECT, 7)));
  await bench.run(flattenOpen(clone));
  const seen = await bench.run(data.read(0, 4 * OBJECT));
  const bytes = [5, 7, 5, 5].map((value) => Buffer.alloc(OBJECT, value));
  expect(seen.equals(Buffer.concat(bytes))).toBe(true);
  await bench.run(clone.close());
  await bench.close();
});
