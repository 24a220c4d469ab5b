/** A migration whose preparation is cut short at any moment can be given up, and nothing is left of it. */
import { expect, test } from "vitest";
import { EMPTY } from "../../src/encoding/index.ts";
import { opRead, opWrite } from "../../src/messages/index.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import { isErrno } from "../../src/rbd/errors.ts";
import {
  abortMigration,
  createFormat1Image,
  Image,
  listFormat1,
  listImages,
  prepareMigration,
  type RbdContext,
} from "../../src/rbd/index.ts";
import { Bench, makeImage, ORDER, objectNames, snapshotImage } from "./bench.ts";

const OBJECTS = 4;
/** Less than a request takes. */
const STEP_MS = 0.3;
/** After so long nobody takes a client that is dead for alive. */
const FORGOTTEN_MS = 40_000;
/** Once there, objects of these stay, whatever they hold. */
const SHARED = /^rbd_(trash|children|directory|info|mirroring)$/;

const filled = (value: number) => Buffer.alloc(2 ** ORDER, value);

async function makeFormat1(context: RbdContext, io: IoCtx): Promise<void> {
  await createFormat1Image(context, io, "a", OBJECTS * 2 ** ORDER, { order: ORDER });
  const image = await Image.open(context, io, { name: "a" }, { readOnly: true });
  await io.write(image.objectName(1), [opWrite(0, filled(7))]);
  await image.close();
}

async function makeFormat2(io: IoCtx): Promise<void> {
  const objects = new Map([[1, 7]]);
  await makeImage(io, { name: "a", id: "ia", objectCount: OBJECTS, objects });
  await snapshotImage(io, "ia", "s");
}

const left = async (io: IoCtx) => (await objectNames(io)).filter((name) => !SHARED.test(name));

const FORMATS = [1, 2] as const;
/** The image keeps its name, or takes another. */
const NAMES = ["a", "b"] as const;

test.each(FORMATS.flatMap((format) => NAMES.map((to) => ({ format, to }))))(
  "of format $format, to the name $to",
  async ({ format, to }) => {
    const outcomes = new Set<string>();
    for (let n = 0; !outcomes.has("prepared"); n++) {
      const ms = n * STEP_MS;
      const bench = await Bench.start({ seed: 1 + n });
      const { io, context } = await bench.client();
      await bench.run(format === 1 ? makeFormat1(context, io) : makeFormat2(io));
      const before = await bench.run(left(io));
      const dying = await bench.client();
      const end = { io: dying.io, name: "a" };
      let isDone = false;
      prepareMigration(dying.context, end, { io: dying.io, name: to }).then(
        () => (isDone = true),
        () => undefined,
      );
      await bench.pass(ms);
      if (!isDone) dying.die("killed");
      await bench.pass(FORGOTTEN_MS);
      const outcome = await bench.run(
        abortMigration(context, io, "a", () => undefined).then(
          () => (isDone ? "prepared" : "aborted"),
          (error: unknown) => {
            if (!isErrno(error, "EINVAL")) throw error;
            return "not begun";
          },
        ),
        `abort after ${ms} ms`,
      );
      outcomes.add(outcome);
      const where = `${outcome} after ${ms} ms`;
      expect(await bench.run(left(io)), where).toEqual(before);
      const names = format === 1 ? listFormat1(io) : listImages(io).then((all) => [...all.keys()]);
      expect(await bench.run(names), where).toEqual(["a"]);
      const image = await bench.run(Image.open(context, io, { name: "a" }));
      expect(image.format.version, where).toBe(format);
      const [read] = (await bench.run(io.read(image.objectName(1), [opRead(0, 0)]))).ops;
      expect(filled(7).equals(read?.data ?? EMPTY), where).toBe(true);
      await bench.run(image.acquireLock("refuse"), where);
      await bench.run(image.close());
      await bench.close();
    }
    expect(outcomes).toEqual(new Set(["not begun", "aborted", "prepared"]));
  },
);
