/** Taking, removing, reading and rolling back to snapshots, when something comes in between. */
import { expect, test } from "vitest";
import { CephError, ERRNO } from "../../src/base/index.ts";
import { MIRROR_MODE } from "../../src/cls/rbd/types/features.ts";
import {
  checkObjectMap,
  createImage,
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
import { codeOf, failingIo } from "./failing-io.ts";

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
