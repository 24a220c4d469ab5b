/** A migration of which a step is cut short at any moment can be given up, or gone on with; nothing is left of it. */
import { expect, test } from "vitest";
import { MIGRATION_STATE } from "../../src/cls/rbd/types/features.ts";
import { opWrite } from "../../src/messages/index.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import { HEADER } from "../../src/rbd/calls.ts";
import { isErrno } from "../../src/rbd/errors.ts";
import {
  abortMigration,
  commitMigration,
  createFormat1Image,
  executeMigration,
  Image,
  listFormat1,
  listImages,
  prepareMigration,
  type RbdContext,
} from "../../src/rbd/index.ts";
import { assembled } from "../../src/rbd/io/image-data.ts";
import { ImageIo } from "../../src/rbd/io/image-io.ts";
import { NOSNAP } from "../../src/types/index.ts";
import { Bench, makeImage, ORDER, objectNames, snapshotImage } from "./bench.ts";

const OBJECTS = 4;
/** Less than a request takes; where there are more of them, some are left out. */
const STEP_MS = 0.3;
const LONG_STEP_MS = 0.7;
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

const CASES = FORMATS.flatMap((format) => NAMES.map((to) => ({ format, to })));

interface Scene {
  readonly bench: Bench;
  readonly context: RbdContext;
  readonly io: IoCtx;
  /** Objects of the pool before anything was done. */
  readonly before: readonly string[];
}

async function setUp(format: 1 | 2, seed: number): Promise<Scene> {
  const bench = await Bench.start({ seed });
  const { io, context } = await bench.client();
  await bench.run(format === 1 ? makeFormat1(context, io) : makeFormat2(io));
  return { bench, context, io, before: await bench.run(left(io)) };
}

/** Has a client do it that dies after so long. Was it done by then? */
async function cutShort(
  { bench }: Scene,
  ms: number,
  work: (context: RbdContext, io: IoCtx) => Promise<unknown>,
): Promise<boolean> {
  const client = await bench.client();
  let isDone = false;
  work(client.context, client.io).then(
    () => (isDone = true),
    () => undefined,
  );
  await bench.pass(ms);
  const wasDone = isDone;
  client.die("killed");
  await bench.pass(FORGOTTEN_MS);
  return wasDone;
}

/** The image is there by its name and no other, whole, and takes writes. */
async function check(
  { bench, context, io }: Scene,
  { name, format, value, where }: { name: string; format: 1 | 2; value: number; where: string },
): Promise<void> {
  const [format1, format2] = await bench.run(Promise.all([listFormat1(io), listImages(io)]));
  expect([...format1, ...format2.keys()], where).toEqual([name]);
  const image = await bench.run(Image.open(context, io, { name }));
  expect(image.format.version, where).toBe(format);
  const read = await bench.run(new ImageIo(image).fetch(2 ** ORDER, 2 ** ORDER, NOSNAP));
  expect(assembled(read, 2 ** ORDER, 2 ** ORDER).equals(filled(value)), where).toBe(true);
  await bench.run(image.acquireLock("refuse"), where);
  await bench.run(image.close());
}

const nothing = () => undefined;

/** "done" if it is, "refused" if there is nothing of the kind to do. */
async function outcomeOf(work: Promise<void>): Promise<"done" | "refused"> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (!isErrno(error, "EINVAL") && !isErrno(error, "ENOENT")) throw error;
    return "refused";
  }
}

const prepare = (context: RbdContext, io: IoCtx, to: string) =>
  prepareMigration(context, { io, name: "a" }, { io, name: to });

test.each(CASES)("a preparation, of format $format, to the name $to", async ({ format, to }) => {
  const outcomes = new Set<string>();
  for (let n = 0, wasDone = false; !wasDone; n++) {
    const ms = n * STEP_MS;
    const scene = await setUp(format, 1 + n);
    const { bench, context, io, before } = scene;
    wasDone = await cutShort(scene, ms, (...its) => prepare(...its, to));
    const outcome = await bench.run(outcomeOf(abortMigration(context, io, "a", nothing)));
    outcomes.add(outcome);
    const where = `${outcome} after ${ms} ms`;
    if (wasDone) expect(outcome, where).toBe("done");
    expect(await bench.run(left(io)), where).toEqual(before);
    await check(scene, { name: "a", format, value: 7, where });
    await bench.close();
  }
  expect(outcomes).toEqual(new Set(["refused", "done"]));
});

/** Prepared, executed, and written to since. */
async function setUpExecuted(format: 1 | 2, to: string, seed: number): Promise<Scene> {
  const scene = await setUp(format, seed);
  const { bench, context, io } = scene;
  await bench.run(prepare(context, io, to));
  await bench.run(executeMigration(context, io, to, nothing));
  const image = await bench.run(Image.open(context, io, { name: to }));
  await bench.run(image.acquireLock("refuse"));
  await bench.run(new ImageIo(image).write(2 ** ORDER, filled(8)));
  await bench.run(image.close());
  return scene;
}

test.each(CASES)("giving it up, of format $format, to the name $to", async ({ format, to }) => {
  for (let n = 0, wasDone = false; !wasDone; n++) {
    const ms = n * LONG_STEP_MS;
    const scene = await setUpExecuted(format, to, 1 + n);
    const { bench, context, io, before } = scene;
    wasDone = await cutShort(scene, ms, (...its) => abortMigration(...its, "a", nothing));
    const outcome = await bench.run(outcomeOf(abortMigration(context, io, "a", nothing)));
    const where = `${outcome} after ${ms} ms`;
    if (wasDone) expect(outcome, where).toBe("refused");
    expect(await bench.run(left(io)), where).toEqual(before);
    await check(scene, { name: "a", format, value: 8, where });
    await bench.close();
  }
});

test.each(CASES)("its end, of format $format, to the name $to", async ({ format, to }) => {
  for (let n = 0, wasDone = false; !wasDone; n++) {
    const ms = n * LONG_STEP_MS;
    const scene = await setUpExecuted(format, to, 1 + n);
    const { bench, context, io } = scene;
    wasDone = await cutShort(scene, ms, (...its) => commitMigration(...its, to, nothing));
    // Whoever has changed his mind must not lose what was written since; who has not goes on.
    const other = await bench.run(outcomeOf(abortMigration(context, io, to, nothing)));
    let outcome = "";
    // What is left of the source may be known by its own name alone.
    for (const name of [to, "a"]) {
      outcome += ` ${await bench.run(outcomeOf(commitMigration(context, io, name, nothing)))}`;
    }
    const where = `${outcome} after ${ms} ms, giving it up was ${other}`;
    if (other === "done") await check(scene, { name: "a", format, value: 8, where });
    else await check(scene, { name: to, format: 2, value: 8, where });
    const ofSource = scene.before.filter((name) => name !== "rbd_id.a");
    const all = await bench.run(left(io));
    if (other === "refused")
      expect(
        all.filter((name) => ofSource.includes(name)),
        where,
      ).toEqual([]);
    await bench.close();
  }
});

test("a destination that was let go is not taken for one that was never prepared, whatever its source says", async () => {
  const scene = await setUpExecuted(2, "b", 1);
  const { bench, context, io } = scene;
  const image = await bench.run(Image.open(context, io, { name: "b" }));
  await bench.run(io.execute(image.headerOid, HEADER.removeMigration, undefined));
  await bench.run(image.close());
  // librbd's abort comes so far and fails then.
  const aborting = { state: MIGRATION_STATE.ABORTING, description: "" };
  await bench.run(io.execute("rbd_header.ia", HEADER.setMigrationState, aborting));
  for (const name of NAMES) {
    expect(await bench.run(outcomeOf(abortMigration(context, io, name, nothing)))).toBe("refused");
    expect(await bench.run(outcomeOf(commitMigration(context, io, name, nothing)))).toBe("refused");
  }
  await check(scene, { name: "b", format: 2, value: 8, where: "afterwards" });
  expect(await bench.run(left(io))).toContain("rbd_header.ia");
  await bench.close();
});
