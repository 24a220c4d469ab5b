/** Removing images from the trash, when it is cut short. */
import { expect, test } from "vitest";
import { CephError, ERRNO } from "../../src/base/index.ts";
import { TRASH_IMAGE_STATE } from "../../src/cls/rbd/types/features.ts";
import {
  createImage,
  ImageIo,
  listTrash,
  noProgress,
  openImage,
  purgeTrash,
  removeTrash,
  restoreImage,
  takeSnapshot,
  trashImage,
} from "../../src/rbd/index.ts";
import { Bench, objectNames } from "./bench.ts";
import { codeOf, dyingIo } from "./failing-io.ts";

const ORDER = 14;
const SIZE = 64 * 2 ** ORDER;

async function startWithTrash(snapshot?: string) {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  await bench.run(createImage(context, io, "a", SIZE, { order: ORDER }));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(new ImageIo(image).write(0, Buffer.alloc(SIZE, 1)));
  if (snapshot !== undefined) await bench.run(takeSnapshot(image, snapshot));
  await bench.run(image.close());
  const id = await bench.run(trashImage(context, io, "a"));
  return { bench, context, io, id };
}

test("an image whose removal has begun does not come back from the trash, but is removed later", async () => {
  const { bench, context, io, id } = await startWithTrash();
  let steps = 0;
  const progress = () => {
    if (++steps === 10) throw new CephError(-ERRNO.ECANCELED, { op: "remove", target: "a" });
  };
  const removing = removeTrash(context, io, id, { force: true, progress });
  expect(await bench.run(codeOf(removing))).toBe("ECANCELED");
  const trash = await bench.run(listTrash(io));
  expect(trash.get(id)?.state).toBe(TRASH_IMAGE_STATE.REMOVING);
  expect(await bench.run(codeOf(restoreImage(io, id)))).toBe("EBUSY");
  await bench.run(removeTrash(context, io, id, { force: false, progress: noProgress }));
  const left = (await bench.run(objectNames(io))).filter((name) => name.includes(id));
  expect(left).toEqual([]);
  await bench.close();
});

test("an image that may not be removed comes back from the trash whole", async () => {
  const { bench, context, io, id } = await startWithTrash("s");
  const removing = removeTrash(context, io, id, { force: true, progress: noProgress });
  expect(await bench.run(codeOf(removing))).toBe("ENOTEMPTY");
  await bench.run(restoreImage(io, id));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  const seen = await bench.run(new ImageIo(image).read(0, SIZE));
  expect(seen.equals(Buffer.alloc(SIZE, 1))).toBe(true);
  await bench.run(image.close());
  await bench.close();
});

test("an image whose removal has begun does not come back either when it may not be gone on with", async () => {
  const { bench, context, io, id } = await startWithTrash();
  const dying = dyingIo(io, ({ kind, oid }) => kind === "remove" && oid.endsWith("0000000a"));
  const removing = removeTrash(context, dying, id, { force: true, progress: noProgress });
  expect(await bench.run(codeOf(removing))).toBe("ESHUTDOWN");
  // The watch of who has died is there for a while.
  const again = () => removeTrash(context, io, id, { force: false, progress: noProgress });
  expect(await bench.run(codeOf(again()))).toBe("EBUSY");
  expect(await bench.run(codeOf(restoreImage(io, id)))).toBe("EBUSY");
  await bench.close();
});

test("an image that comes back while the trash is emptied, and goes again to be kept, is kept", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  const user = await bench.client();
  const nameOf = new Map<string, string>();
  for (const name of ["a", "b"]) {
    await bench.run(createImage(context, io, name, SIZE, { order: ORDER }));
    const image = await bench.run(openImage(context, io, { name }));
    await bench.run(new ImageIo(image).write(0, Buffer.alloc(SIZE, 1)));
    await bench.run(image.close());
    nameOf.set(await bench.run(trashImage(context, io, name)), name);
  }
  const [first = "", last = ""] = [...nameOf.keys()].sort();
  const keep = async () => {
    await restoreImage(user.io, last);
    await trashImage(user.context, user.io, nameOf.get(last) ?? "", 86_400_000);
  };
  await bench.run(Promise.all([purgeTrash(context, io), keep()]));
  const left = await bench.run(listTrash(io));
  expect([left.has(first), left.has(last)]).toEqual([false, true]);
  await bench.close();
});
