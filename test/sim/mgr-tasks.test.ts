/** The manager's tasks on images, when what they are about changes before their turn comes. */
import { expect, test } from "vitest";
import { TaskQueue } from "../../src/mgr/rbd-support/tasks.ts";
import { createImage, noProgress, openImage, removeImage } from "../../src/rbd/index.ts";
import { Bench } from "./bench.ts";
import { failingIo } from "./failing-io.ts";
import { moduleHost } from "./mgr-host.ts";

const SIZE = 2 ** 22;
/** Longer than a task that failed waits for its next turn. */
const RETRY_MS = 40_000;
const anybody = () => true;

test("an image that has taken the name of one that was to be removed stays", async () => {
  const bench = await Bench.start();
  const manager = await bench.client();
  const { context, io } = await bench.client();
  const { host, ended } = moduleHost(manager);
  const queue = new TaskQueue(host);
  const running = queue.run();
  await bench.run(createImage(context, io, "a", SIZE));
  const inUse = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(queue.addRemove("rbd/a", anybody));
  await bench.pass(10_000);
  expect(ended, "it is in use").toEqual([]);
  await bench.run(inUse.close());
  await bench.run(removeImage(context, io, "a", noProgress));
  await bench.run(createImage(context, io, "a", SIZE));
  await bench.pass(RETRY_MS);
  expect(ended).toEqual(["Image does not exist"]);
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(image.close());
  queue.close();
  await bench.run(running);
  await bench.close();
});

test("a task that was cancelled is not tried again, whatever it had failed with", async () => {
  const bench = await Bench.start();
  const manager = await bench.client();
  const { context, io } = await bench.client();
  let cancel: (() => void) | undefined;
  const { host, ended } = moduleHost(manager, (pool) =>
    failingIo(pool, ({ kind }) => {
      if (kind !== "listWatchers" || cancel === undefined) return undefined;
      cancel();
      cancel = undefined;
      return "EBUSY";
    }),
  );
  const queue = new TaskQueue(host);
  const running = queue.run();
  await bench.run(createImage(context, io, "a", SIZE));
  let cancelled: Promise<void> | undefined;
  cancel = () => {
    cancelled = queue
      .list(undefined, anybody)
      .then((text) => queue.cancel(JSON.parse(text)[0].id, anybody));
  };
  await bench.run(queue.addRemove("rbd/a", anybody));
  await bench.pass(10_000);
  await bench.run(cancelled ?? Promise.reject(new Error("not begun")));
  await bench.pass(RETRY_MS);
  expect(new Set(ended)).toEqual(new Set(["Operation canceled"]));
  expect(await bench.run(queue.list(undefined, anybody))).toBe("[]");
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(image.close());
  queue.close();
  await bench.run(running);
  await bench.close();
});
