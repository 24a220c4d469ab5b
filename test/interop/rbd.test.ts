/**
 * Our images and librbd's are the same images: each reads what the other has written, does for the other what
 * the lock's owner is asked for, and hands the lock over. RBD_CONF: on that cluster instead of one of ours.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RBD_FEATURES_DEFAULT } from "../../src/cls/rbd/types/features.ts";
import {
  acquireManually,
  cloneImage,
  copyImage,
  createImage,
  deepCopyImage,
  diffIterate,
  diskUsage,
  flattenOpen,
  Image,
  ImageIo,
  noProgress,
  openImage,
  rebuildObjectMap,
  removeImage,
  renameSnapshot,
  resizeImage,
  setImageMetadata,
  takeSnapshot,
  updateFeatures,
} from "../../src/rbd/index.ts";
import { NOSNAP } from "../../src/types/index.ts";
import { contend } from "../contention/contention.ts";
import { Dice } from "../harness/dice.ts";
import { connectRbd, type RbdClient } from "../harness/rbd-client.ts";
import { clientEnv, must, type RunOptions } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const PYTHON = "/usr/bin/python3";
const POOL = "rbd";
const SIZE = 24 << 20;
/** Of each part, and kills of each writer: `npm run test:contention` has many, and takes as many half minutes. */
const HANDOVERS = 10;
const KILLS = 0;

let work: TempDir;
let server: SpirulaServer | undefined;
let confPath: string;
let shell: RunOptions;
let client: RbdClient;

beforeAll(async () => {
  work = await tempDir("rbd");
  const given = process.env["RBD_CONF"];
  if (given === undefined) {
    requireBuild();
    server = await startSpirula({ dir: join(work.path, "data"), osds: 1 });
  }
  confPath = given ?? server?.confPath ?? "";
  shell = { env: clientEnv(confPath), cwd: work.path, timeoutMs: 120_000 };
  client = await connectRbd(confPath);
});
afterAll(async () => {
  await client?.close();
  await server?.kill();
  await work.remove();
});

const sha = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Random data, runs of zeros and discards, noted in memory too. */
async function scribble(io: ImageIo, data: Buffer, seed: number, count: number): Promise<void> {
  const dice = new Dice(seed);
  for (let i = 0; i < count; i++) {
    const offset = dice.below(data.length);
    const length = Math.min(
      data.length - offset,
      dice.between(1, dice.chance(0.1) ? 9 << 20 : 60_000),
    );
    if (dice.chance(0.2)) {
      await io.writeZeroes(offset, length);
      data.fill(0, offset, offset + length);
    } else {
      const bytes = dice.bytes(length);
      await io.write(offset, bytes);
      data.set(bytes, offset);
    }
  }
}

async function exported(spec: string): Promise<Buffer> {
  const path = join(work.path, "exported");
  await must(`rm -f ${path}; rbd export --no-progress ${POOL}/${spec} ${path}`, shell);
  return readFileSync(path);
}

async function remove(name: string): Promise<void> {
  const io = await client.pool(POOL);
  const image = await openImage(client.context, io, { name });
  const hasSnapshots = image.snapshots.length > 0;
  await image.close();
  if (hasSnapshots) await must(`rbd snap purge --no-progress ${POOL}/${name}`, shell);
  await removeImage(client.context, io, name, noProgress);
}

interface DiffEntry {
  readonly offset: number;
  readonly length: number;
  readonly exists: boolean;
}

/** Neighbours joined: how a range is cut into pieces is nobody's business. */
function joined(entries: readonly DiffEntry[]): DiffEntry[] {
  const all: DiffEntry[] = [];
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const last = all.at(-1);
    if (
      last !== undefined &&
      last.offset + last.length === entry.offset &&
      last.exists === entry.exists
    ) {
      all[all.length - 1] = { ...last, length: last.length + entry.length };
    } else all.push(entry);
  }
  return all;
}

async function ourDiff(image: Image, options: Parameters<typeof diffIterate>[1]) {
  const entries: DiffEntry[] = [];
  await diffIterate(image, options, (offset, length, exists) => {
    entries.push({ offset, length, exists });
  });
  return joined(entries);
}

async function theirDiff(args: string): Promise<DiffEntry[]> {
  const said = await must(`rbd diff --format json ${args}`, shell);
  const entries = JSON.parse(said) as { offset: number; length: number; exists: string }[];
  return joined(entries.map((x) => ({ ...x, exists: x.exists === "true" })));
}

for (const [kind, layout] of Object.entries({
  "as by default": {},
  "in stripes": { order: 20, stripeUnit: 65536, stripeCount: 4 },
})) {
  test(`librbd reads what we have written, with snapshots and clones, ${kind}`, async () => {
    const io = await client.pool(POOL);
    const { context } = client;
    await createImage(context, io, "ours", SIZE, layout);
    const image = await openImage(context, io, { name: "ours" });
    const data = Buffer.alloc(SIZE);
    const imageIo = new ImageIo(image);
    await scribble(imageIo, data, 1, 20);
    await takeSnapshot(image, "one");
    const atOne = Buffer.from(data);
    await scribble(imageIo, data, 2, 20);
    await cloneImage(
      context,
      { io, name: "ours", snapshot: "one" },
      { io, name: "child" },
      { format: 2 },
    );
    const child = await openImage(context, io, { name: "child" });
    const childData = Buffer.from(atOne);
    const childIo = new ImageIo(child);
    await scribble(childIo, childData, 3, 10);
    await takeSnapshot(child, "two");
    await scribble(childIo, childData, 4, 10);
    expect(await ourDiff(image, {})).toEqual(await theirDiff(`${POOL}/ours`));
    const whole = { fromSnap: "one", wholeObject: true };
    expect(await ourDiff(image, whole)).toEqual(
      await theirDiff(`--whole-object --from-snap one ${POOL}/ours`),
    );
    expect(await ourDiff(image, { fromSnap: "one" })).toEqual(
      await theirDiff(`--from-snap one ${POOL}/ours`),
    );
    expect(await ourDiff(child, {})).toEqual(await theirDiff(`${POOL}/child`));
    const du = JSON.parse(await must(`rbd du --format json ${POOL}/child`, shell));
    const { used } = await diskUsage(child, { fromSnap: "two" });
    expect(du.images.at(-1).used_size).toBe(used);
    await image.close();
    await child.close();
    expect(sha(await exported("ours"))).toBe(sha(data));
    expect(sha(await exported("ours@one"))).toBe(sha(atOne));
    expect(sha(await exported("child"))).toBe(sha(childData));
    const raw = join(work.path, "converted");
    await must(`qemu-img convert -O raw rbd:${POOL}/child:conf=${confPath} ${raw}`, shell);
    expect(sha(readFileSync(raw))).toBe(sha(childData));
    for (const spec of ["ours", "ours@one", "child", "child@two"]) {
      await must(`rbd object-map check --no-progress ${POOL}/${spec}`, shell);
    }
    const info = JSON.parse(await must(`rbd info --format json ${POOL}/child`, shell));
    expect(info).toMatchObject({
      size: SIZE,
      flags: [],
      parent: { image: "ours", snapshot: "one" },
    });
    await remove("child");
    await remove("ours");
  });
}

test("we read what librbd has written, and copies of it are the same", async () => {
  const io = await client.pool(POOL);
  const { context } = client;
  const data = Buffer.alloc(SIZE);
  const dice = new Dice(5);
  for (let i = 0; i < 5; i++) data.set(dice.bytes(300_000), dice.below(SIZE - 300_000));
  const path = join(work.path, "imported");
  await (await import("node:fs/promises")).writeFile(path, data);
  await must(`rbd import --no-progress ${path} ${POOL}/theirs`, shell);
  await must(`rbd snap create --no-progress ${POOL}/theirs@one`, shell);
  await must(`rbd bench --io-type write --io-total 2M --io-pattern rand ${POOL}/theirs`, shell);
  const now = await exported("theirs");
  const image = await Image.open(context, io, { name: "theirs" }, { readOnly: true });
  const imageIo = new ImageIo(image);
  const snap = image.snapshots[0]?.id ?? NOSNAP;
  expect(sha(await imageIo.read(0, SIZE))).toBe(sha(now));
  expect(sha(await imageIo.read(0, SIZE, snap))).toBe(sha(data));
  expect(await ourDiff(image, { fromSnap: "one" })).toEqual(
    await theirDiff(`--from-snap one ${POOL}/theirs`),
  );
  await copyImage(image, { io, name: "copy" }, { snap });
  await deepCopyImage(image, { io, name: "deep" });
  await deepCopyImage(image, { io, name: "then" }, { snap });
  expect(sha(await exported("copy"))).toBe(sha(data));
  expect(sha(await exported("deep"))).toBe(sha(now));
  expect(sha(await exported("deep@one"))).toBe(sha(data));
  for (const spec of ["then", "then@one"]) expect(sha(await exported(spec))).toBe(sha(data));
  for (const spec of ["copy", "deep", "deep@one", "then", "then@one"]) {
    await must(`rbd object-map check --no-progress ${POOL}/${spec}`, shell);
  }
  for (const name of ["copy", "deep", "then", "theirs"]) await remove(name);
});

test("what librbd asks the lock's owner for we do, while we are it", async () => {
  const io = await client.pool(POOL);
  const { context } = client;
  await createImage(context, io, "owned", SIZE);
  const image = await openImage(context, io, { name: "owned" });
  await acquireManually(image);
  const imageIo = new ImageIo(image);
  const data = Buffer.alloc(SIZE);
  await scribble(imageIo, data, 6, 10);
  await must(`rbd snap create --no-progress ${POOL}/owned@one`, shell);
  await must(`rbd snap rename ${POOL}/owned@one ${POOL}/owned@two`, shell);
  await must(`rbd snap protect ${POOL}/owned@two`, shell);
  await must(`rbd resize --no-progress --size 40M ${POOL}/owned`, shell);
  await must(`rbd image-meta set ${POOL}/owned key value`, shell);
  await must(`rbd snap unprotect ${POOL}/owned@two`, shell);
  await must(`rbd feature disable ${POOL}/owned object-map`, shell);
  await must(`rbd feature enable ${POOL}/owned object-map`, shell);
  await must(`rbd object-map rebuild --no-progress ${POOL}/owned`, shell);
  await must(`rbd sparsify --no-progress ${POOL}/owned`, shell);
  await must(`rbd rename ${POOL}/owned ${POOL}/renamed`, shell);
  await must(`rbd resize --no-progress --allow-shrink --size 16M ${POOL}/renamed`, shell);
  expect(image.lock?.isHeld).toBe(true);
  await imageIo.write(0, Buffer.from("after"));
  expect(image.size).toBe(16 << 20);
  data.write("after", 0);
  await must(`rbd snap rm --no-progress ${POOL}/renamed@two`, shell);
  await image.close();
  expect(sha(await exported("renamed"))).toBe(sha(data.subarray(0, 16 << 20)));
  await must(`rbd object-map check --no-progress ${POOL}/renamed`, shell);
  expect((await must(`rbd image-meta get ${POOL}/renamed key`, shell)).trim()).toBe("value");
  await remove("renamed");
});

/** Starts a program of the unmodified library; resolves once it says that it is ready. */
async function startPython(
  args: readonly string[],
): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn(PYTHON, [...args], {
    env: clientEnv(confPath),
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  while (!said.includes("READY")) {
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    if (child.exitCode !== null) throw new Error(`left with ${child.exitCode}`);
  }
  return { child, said: () => said.slice(said.indexOf("READY") + 6) };
}

test("what we ask librbd for as the lock's owner it does", async () => {
  const io = await client.pool(POOL);
  const { context } = client;
  await createImage(context, io, "base", SIZE);
  const base = await openImage(context, io, { name: "base" });
  await new ImageIo(base).write(0, Buffer.alloc(1 << 20, 7));
  await takeSnapshot(base, "one");
  await base.close();
  await cloneImage(
    context,
    { io, name: "base", snapshot: "one" },
    { io, name: "asked" },
    { format: 2 },
  );
  const { child } = await startPython([
    resolve("test/interop/rbd-owner.py"),
    confPath,
    POOL,
    "asked",
  ]);
  const image = await openImage(context, io, { name: "asked" });
  await resizeImage(image, 2 * SIZE);
  await takeSnapshot(image, "a");
  await renameSnapshot(image, "a", "b");
  await setImageMetadata(image, "key", "value");
  await flattenOpen(image);
  await updateFeatures(image, RBD_FEATURES_DEFAULT & 8n, false);
  await updateFeatures(image, RBD_FEATURES_DEFAULT & 8n, true);
  await rebuildObjectMap(image);
  expect(image.lock?.isHeld).toBe(false);
  expect(image.size).toBe(2 * SIZE);
  expect(image.parent).toBeUndefined();
  expect(image.snapshots.map(({ name }) => name)).toEqual(["b"]);
  child.stdin?.end();
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
  await image.close();
  await remove("asked");
  await remove("base");
});

test("two writers, one of them librbd, take turns with the lock, and lose nothing", async () => {
  const options = { confPath, dir: work.path, seed: 7, handOvers: HANDOVERS, kills: KILLS };
  const { handOvers, writes } = await contend(options);
  console.info(`${handOvers} hand-overs, ${writes} writes`);
});
