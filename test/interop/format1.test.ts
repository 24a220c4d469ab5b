/**
 * Images of format 1, ours (`spirula/rbd`) and librbd's by turns on the same images: what one writes, resizes,
 * keeps and rolls back is what the other reads, byte for byte. With SPIRULA_TARGET=ceph on a real cluster.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import type * as librbd from "../../src/librbd/index.ts";
import {
  createFormat1Image,
  ImageIo,
  openImage,
  renameImage,
  setImageMetadata,
} from "../../src/rbd/index.ts";
import { Dice } from "../harness/dice.ts";
import { loadPackage } from "../harness/package.ts";
import { connectRbd } from "../harness/rbd-client.ts";
import { clientEnv, must } from "../harness/run.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const MIB = 2 ** 20;
const TURNS = 24;
const SEED = 3;
const POOL = "rbd";

let rados: typeof librados;
let work: TempDir;
let target: Target;
/** Runs a command line of the original tools. */
let tool: (command: string) => Promise<string>;
let cluster: librados.Cluster;
let rbd: librbd.Rbd;

beforeAll(async () => {
  rados = await loadPackage<typeof librados>("rados");
  const api = await loadPackage<typeof librbd>("rbd");
  work = await tempDir("format1");
  target = await startTarget(work.path);
  const env = { ...clientEnv(target.confPath), RBD_FORCE_ALLOW_V1: "1" };
  const at = { env, cwd: work.path, timeoutMs: 120_000 };
  tool = (command) => must(command, at);
  cluster = await rados.connect({ conf: target.confPath, env: {} });
  rbd = await api.Rbd.open(cluster, POOL);
});

afterAll(async () => {
  await cluster?.close();
  await target?.stop();
  await work?.remove();
});

const pathOf = (name: string) => join(work.path, name);

async function exported(spec: string): Promise<Buffer> {
  await tool(`rm -f out; rbd export --no-progress ${POOL}/${spec} out`);
  return await readFile(pathOf("out"));
}

async function object(name: string): Promise<Buffer> {
  await tool(`rm -f object; rados -p ${POOL} get ${name} object`);
  return await readFile(pathOf("object"));
}

async function whole(name: string, snapshot?: string): Promise<Buffer> {
  const at = snapshot === undefined ? {} : { snapshot };
  await using image = await rbd.open(name, { readOnly: true, ...at });
  return await image.read(0, image.size);
}

test("what it makes is what librbd makes, but for the random part of the objects' names", async () => {
  await rbd.create("made", 5 * MIB, { format: 1, objectSize: MIB });
  await tool(`rbd create --image-format 1 --object-size 1M --size 5M ${POOL}/theirs`);
  const [ours, theirs] = [await object("made.rbd"), await object("theirs.rbd")];
  const prefix = /rb\.0\.[0-9a-f]+\.[0-9a-f]+/;
  const [first, second] = [ours, theirs].map((header) => header.toString("latin1"));
  expect(first).toMatch(prefix);
  // The name is of a fixed length in the header, whatever the length of its parts.
  const blank = (header: string | undefined) => header?.replace(/rb\.0\.[0-9a-f.]+\0+/, "(name)");
  expect(blank(first)).toBe(blank(second));
  const listed = (await rbd.list()).map(({ name, id }) => `${name}:${id}`);
  expect(listed).toEqual(["made:", "theirs:"]);
  expect((await tool(`rbd ls ${POOL}`)).trim().split("\n")).toEqual(["made", "theirs"]);
  const theirImage = await rbd.open("theirs", { readOnly: true });
  const info = await theirImage.info();
  await theirImage.close();
  expect(info).toMatchObject({ format: 1, id: "", size: 5 * MIB, objectSize: MIB, features: [] });
  await rbd.remove("theirs");
  await tool(`rbd rm --no-progress ${POOL}/made`);
  expect(await rbd.list()).toEqual([]);
  expect((await tool(`rados -p ${POOL} ls`)).split("\n").filter((x) => x.endsWith(".rbd"))).toEqual(
    [],
  );
});

/** One of the two that take turns. */
interface Hand {
  write(name: string, offset: number, bytes: Uint8Array): Promise<unknown>;
  resize(name: string, size: number): Promise<unknown>;
  snapshot(name: string, snapshot: string): Promise<unknown>;
  drop(name: string, snapshot: string): Promise<unknown>;
  rollback(name: string, snapshot: string): Promise<unknown>;
  rename(name: string, to: string): Promise<unknown>;
}

async function withOurs(name: string, work: (image: librbd.Image) => Promise<void>): Promise<void> {
  await using image = await rbd.open(name);
  await work(image);
}

const OURS: Hand = {
  write: (name, offset, bytes) => withOurs(name, (image) => image.write(offset, bytes)),
  resize: (name, size) => withOurs(name, (image) => image.resize(size, { allowShrink: true })),
  snapshot: (name, snapshot) => withOurs(name, (image) => image.createSnapshot(snapshot)),
  drop: (name, snapshot) => withOurs(name, (image) => image.removeSnapshot(snapshot)),
  rollback: (name, snapshot) => withOurs(name, (image) => image.rollback(snapshot)),
  rename: (name, to) => rbd.rename(name, to),
};

async function python(name: string, line: string): Promise<void> {
  const program = [
    "import rados, rbd",
    `with rados.Rados(conffile="${target.confPath}", name="client.admin") as cluster:`,
    `  with cluster.open_ioctx("${POOL}") as io, rbd.Image(io, "${name}") as image:`,
    `    ${line}`,
  ].join("\n");
  await tool(`/usr/bin/python3 -c '${program}'`);
}

const THEIRS: Hand = {
  async write(name, offset, bytes) {
    await writeFile(pathOf("bytes"), bytes);
    await python(name, `image.write(open("bytes", "rb").read(), ${offset})`);
  },
  resize: (name, size) => python(name, `image.resize(${size})`),
  snapshot: (name, snapshot) => python(name, `image.create_snap("${snapshot}")`),
  drop: (name, snapshot) => python(name, `image.remove_snap("${snapshot}")`),
  rollback: (name, snapshot) => python(name, `image.rollback_to_snap("${snapshot}")`),
  rename: (name, to) => tool(`rbd rename ${POOL}/${name} ${POOL}/${to}`),
};

const MOVES = [
  "write",
  "write",
  "write",
  "resize",
  "snapshot",
  "drop",
  "rollback",
  "rename",
] as const;

test(`of ${TURNS} turns each sees what the other has done`, { timeout: 300_000 }, async () => {
  const dice = new Dice(SEED);
  let name = "shared";
  let data = Buffer.alloc(7 * MIB);
  const kept = new Map<string, Buffer>();
  const move: Record<(typeof MOVES)[number], (hand: Hand, turn: number) => Promise<unknown>> = {
    async write(hand) {
      const offset = dice.below(data.length);
      const bytes = dice.bytes(Math.min(data.length - offset, dice.between(1, 2 * MIB)));
      data.set(bytes, offset);
      await hand.write(name, offset, bytes);
    },
    async resize(hand) {
      const next = Buffer.alloc(dice.between(1, 9 * MIB));
      data.copy(next);
      data = next;
      await hand.resize(name, data.length);
    },
    async snapshot(hand, turn) {
      kept.set(`s${turn}`, Buffer.from(data));
      await hand.snapshot(name, `s${turn}`);
    },
    async drop(hand) {
      if (kept.size === 0) return;
      const snapshot = dice.pick([...kept.keys()]);
      kept.delete(snapshot);
      await hand.drop(name, snapshot);
    },
    async rollback(hand) {
      if (kept.size === 0) return;
      const snapshot = dice.pick([...kept.keys()]);
      data = Buffer.from(kept.get(snapshot) ?? "");
      await hand.rollback(name, snapshot);
    },
    async rename(hand, turn) {
      await hand.rename(name, `name${turn}`);
      name = `name${turn}`;
    },
  };
  await tool(`rbd create --image-format 1 --object-size 1M --size 7M ${POOL}/${name}`);
  for (let turn = 0; turn < TURNS; turn++) {
    const isOurs = dice.chance(0.5);
    const what = dice.pick(MOVES);
    await move[what](isOurs ? OURS : THEIRS, turn);
    const about = `seed ${SEED}, turn ${turn}: ${isOurs ? "ours" : "theirs"}, ${what}`;
    expect((await exported(name)).equals(data), `${about}: read by librbd`).toBe(true);
    expect((await whole(name)).equals(data), `${about}: read by us`).toBe(true);
    if (turn % 6 !== 5) continue;
    for (const [snapshot, was] of kept) {
      const at = `${about}: ${snapshot}`;
      expect((await exported(`${name}@${snapshot}`)).equals(was), `${at}, librbd`).toBe(true);
      expect((await whole(name, snapshot)).equals(was), `${at}, us`).toBe(true);
    }
  }
  await tool(`rbd snap purge --no-progress ${POOL}/${name}`);
  await rbd.remove(name);
  expect(await rbd.list()).toEqual([]);
});

test("one that is renamed by who has it open goes on hearing of snapshots", async () => {
  const client = await connectRbd(target.confPath);
  try {
    const { context } = client;
    const io = await client.pool(POOL);
    await createFormat1Image(context, io, "one", 4 * MIB);
    await rbd.create("two", MIB);
    const refusals = [
      createFormat1Image(context, io, "one", MIB),
      createFormat1Image(context, io, "two", MIB),
      rbd.create("one", MIB),
      rbd.rename("one", "two"),
      rbd.rename("two", "one"),
    ];
    for (const refusal of await Promise.allSettled(refusals)) {
      expect(refusal).toMatchObject({ status: "rejected", reason: { code: "EEXIST" } });
    }
    const image = await openImage(context, io, { name: "one" });
    const data = new ImageIo(image);
    await setImageMetadata(image, "key", "value");
    await data.write(0, Buffer.from("first"));
    await renameImage(image, "other");
    await tool(`rbd snap create --no-progress ${POOL}/other@s`);
    await data.write(0, Buffer.from("after"));
    await image.close();
    expect(String((await whole("other")).subarray(0, 5))).toBe("after");
    expect(String((await whole("other", "s")).subarray(0, 5))).toBe("first");
    expect((await tool(`rbd image-meta get ${POOL}/other key`)).trim()).toBe("value");
    await expect(rbd.remove("other")).rejects.toMatchObject({ code: "ENOTEMPTY" });
    await tool(`rbd snap purge --no-progress ${POOL}/other`);
    await Promise.all(["other", "two"].map((name) => rbd.remove(name)));
    expect(await rbd.list()).toEqual([]);
  } finally {
    await client.close();
  }
});
