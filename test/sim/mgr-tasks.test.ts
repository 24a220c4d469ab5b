/** The manager's tasks on images, when what they are about changes before their turn comes. */
import { expect, test } from "vitest";
import { TaskQueue } from "../../src/mgr/rbd-support/tasks.ts";
import { createImage, noProgress, openImage, removeImage } from "../../src/rbd/index.ts";
import { Bench } from "./bench.ts";
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
