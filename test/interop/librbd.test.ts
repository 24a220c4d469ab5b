/**
 * Images in pure TypeScript (`spirula/rbd`) beside Ceph's own tools on one cluster: what one writes the other
 * reads. With SPIRULA_TARGET=ceph on a real cluster. The engine below has tests of its own (rbd.test.ts).
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import type * as librbd from "../../src/librbd/index.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must } from "../harness/run.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const MIB = 2 ** 20;

let rados: typeof librados;
let api: typeof librbd;
let work: TempDir;
let target: Target;
/** Runs a command line of the original tools. */
let tool: (command: string) => Promise<string>;
let cluster: librados.Cluster;
let rbd: librbd.Rbd;

beforeAll(async () => {
  rados = await loadPackage<typeof librados>("rados");
  api = await loadPackage<typeof librbd>("rbd");
  work = await tempDir("librbd");
  target = await startTarget(work.path);
  const inside = await clientsOfRelease(work.path);
  const at = { env: clientEnv(target.confPath), cwd: work.path, timeoutMs: 120_000 };
  tool = (command) => must(inside(command), at);
  cluster = await rados.connect({ conf: target.confPath, env: {} });
  rbd = await api.Rbd.open(cluster, "rbd");
});

afterAll(async () => {
  await cluster?.close();
  await target?.stop();
  await work?.remove();
});

const exported = async (spec: string): Promise<Buffer> => {
  await tool(`rbd export --no-progress ${spec} out && chmod +r out`);
  const data = await readFile(join(work.path, "out"));
  await tool("rm out");
  return data;
};

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test("an image that it makes and writes is what rbd exports, snapshots and clones too", async () => {
  await rbd.create("größe", 32 * MIB, { objectSize: MIB });
  const head = randomBytes(3 * MIB);
  const image = await rbd.open("größe");
  await image.write(MIB / 2, head);
  await image.createSnapshot("first");
  await image.write(0, Buffer.from("after"));
  await image.discard(MIB, MIB);
  await image.flush();
  expect(image.hasLock).toBe(true);
  const expected = Buffer.alloc(32 * MIB);
  head.copy(expected, MIB / 2);
  expect((await exported("rbd/größe@first")).equals(expected)).toBe(true);
  expected.write("after");
  expected.fill(0, MIB, 2 * MIB);
  expect((await exported("rbd/größe")).equals(expected)).toBe(true);
  await image.close();
  await tool("rbd object-map check rbd/größe");

  await rbd.clone({ image: "größe", snapshot: "first" }, "child", { format: 2 });
  await using child = await rbd.open("child");
  await child.write(10 * MIB, Buffer.from("own"));
  const parts = await all(child.diff());
  expect(parts.some(({ offset }) => offset === 10 * MIB)).toBe(true);
  const seen = await exported("rbd/child");
  expect(seen.subarray(MIB / 2, MIB / 2 + head.length).equals(head)).toBe(true);
  expect(String(seen.subarray(10 * MIB, 10 * MIB + 3))).toBe("own");
  await child.flatten();
  expect((await child.info()).parent).toBeUndefined();
  expect((await exported("rbd/child")).equals(seen)).toBe(true);
});

test("an image that rbd imports is read as it is, as a stream too, and told of as rbd does", async () => {
  await tool("head -c 9000000 /dev/urandom > in && rbd import --no-progress in rbd/imported");
  const data = await readFile(join(work.path, "in"));
  await using image = await rbd.open("imported", { readOnly: true });
  expect(image.isReadOnly).toBe(true);
  expect((await image.read(0, data.length)).equals(data)).toBe(true);
  const pieces = await all<Buffer>(image.readable({ start: 1000, end: 8_000_000 }));
  expect(Buffer.concat(pieces).equals(data.subarray(1000, 8_000_000))).toBe(true);
  await expect(image.write(0, Buffer.from("x"))).rejects.toMatchObject({ code: "EROFS" });
  const info = await image.info();
  const told = JSON.parse(await tool("rbd info --format json rbd/imported"));
  expect(info).toMatchObject({
    id: told.id,
    size: told.size,
    objects: told.objects,
    objectSize: told.object_size,
    objectPrefix: told.block_name_prefix,
    features: told.features,
  });
  expect((await rbd.list()).map(({ name }) => name)).toContain("imported");
});

test("what has been read stays as it was while the memory of other reads is used again", async () => {
  await rbd.create("many", 32 * MIB);
  await using image = await rbd.open("many");
  const data = randomBytes(32 * MIB);
  // A hole, so that not every reply is as long as what was asked for.
  data.fill(0, 9 * MIB, 11 * MIB);
  await image.write(0, data.subarray(0, 9 * MIB));
  await image.write(11 * MIB, data.subarray(11 * MIB));
  const kept: { at: number; bytes: Buffer }[] = [];
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        const at = i * 2 * MIB - (i > 0 ? round * 4096 : 0);
        const length = 2 * MIB;
        if ((i + round) % 3 === 0) kept.push({ at, bytes: await image.read(at, length) });
        const into = Buffer.alloc(length, 0xee);
        expect(await image.readInto(at, into)).toBe(length);
        expect(into.equals(data.subarray(at, at + length)), `${at}`).toBe(true);
      }),
    );
  }
  for (const { at, bytes } of kept) {
    expect(bytes.equals(data.subarray(at, at + bytes.length)), `${at}, kept`).toBe(true);
  }
  expect(await image.readInto(31 * MIB, Buffer.alloc(2 * MIB))).toBe(MIB);
  expect(await image.readInto(32 * MIB, Buffer.alloc(10))).toBe(0);
});

test("a stream goes into an image, and what does not fit is refused", async () => {
  await rbd.create("small", 4 * MIB);
  await using image = await rbd.open("small");
  const data = randomBytes(3_333_333);
  await pipeline([data.subarray(0, 1_000_000), data.subarray(1_000_000)], image.writable());
  expect((await image.read(0, data.length)).equals(data)).toBe(true);
  expect(await image.read(4 * MIB, 10)).toHaveLength(0);
  await expect(image.write(4 * MIB - 1, Buffer.from("xy"))).rejects.toMatchObject({
    code: "EINVAL",
  });
  await image.resize(8 * MIB);
  await image.write(4 * MIB - 1, Buffer.from("xy"));
  await expect(image.resize(MIB)).rejects.toMatchObject({ code: "EINVAL" });
  await image.setMetadata("owner", "mö");
  expect(await tool("rbd image-meta get rbd/small owner")).toBe("mö\n");
});

test("the lock goes to rbd when that writes, and comes back", async () => {
  await rbd.create("shared", 16 * MIB);
  await using image = await rbd.open("shared");
  await image.write(0, Buffer.from("mine"));
  expect(image.hasLock).toBe(true);
  await tool("rbd bench --io-type write --io-size 4K --io-total 64K rbd/shared");
  expect(image.hasLock).toBe(false);
  await image.write(0, Buffer.from("mine again"));
  expect(image.hasLock).toBe(true);
  // What only the owner may do rbd has us do.
  await tool("rbd resize --no-progress --size 32M rbd/shared");
  expect((await image.info()).size).toBe(32 * MIB);
  expect(String(await image.read(0, 10))).toBe("mine again");
});

test("a cached image gives rbd what was written to it when that wants the lock, and sees what rbd writes", async () => {
  await expect(rbd.open("shared", { cache: { size: -1 } })).rejects.toMatchObject({
    code: "EINVAL",
  });
  // Opened again: a cache that can not be leaves nothing open.
  for (const policy of ["writeback", "writearound", "writethrough"] as const) {
    const options = { policy, writethroughUntilFlush: false, maxDirtyAgeMs: 1e6 };
    await using image = await rbd.open("shared", { cache: options });
    const bytes = randomBytes(MIB);
    await image.write(MIB / 2, bytes);
    expect((await image.read(MIB / 2, bytes.length)).equals(bytes)).toBe(true);
    // Writes elsewhere. Takes the lock, and with it what is not written yet.
    await tool("rbd bench --io-type write --io-size 4K --io-total 64K rbd/shared");
    expect(image.hasLock).toBe(false);
    const data = await exported("rbd/shared");
    expect((await image.read(0, image.size)).equals(data), policy).toBe(true);
    expect(data.subarray(MIB / 2, MIB / 2 + bytes.length).equals(bytes), policy).toBe(true);
    await image.write(0, bytes);
    await image.createSnapshot(policy);
    const then = await exported(`rbd/shared@${policy}`);
    expect(then.subarray(0, bytes.length).equals(bytes), policy).toBe(true);
    await using old = await rbd.open("shared", { snapshot: policy, cache: true });
    expect((await old.read(0, old.size)).equals(then), policy).toBe(true);
  }
});

test("an image is made as the monitors' options for the client have it", async () => {
  await tool("ceph config set client rbd_default_order 23");
  await tool("ceph config set client rbd_default_features layering,exclusive-lock");
  {
    await using other = await rados.connect({ conf: target.confPath, env: {} });
    expect(other.config.get("rbd_default_order")).toBe("23");
    await (await api.Rbd.open(other, "rbd")).create("by-options", MIB);
    await using deaf = await rados.connect({
      conf: target.confPath,
      env: { CEPH_ARGS: "--no-mon-config" },
    });
    expect(deaf.config.get("rbd_default_order")).toBe("22");
  }
  const told = JSON.parse(await tool("rbd info --format json rbd/by-options"));
  expect(told).toMatchObject({ order: 23, features: ["layering", "exclusive-lock"] });
  await tool("ceph config rm client rbd_default_order");
  await tool("ceph config rm client rbd_default_features");
});

test("what is removed, renamed and put in the trash is so for rbd", async () => {
  await rbd.create("one", MIB);
  await rbd.rename("one", "two");
  expect(await tool("rbd ls")).toMatch(/^two$/m);
  const id = await rbd.moveToTrash("two");
  expect(await tool("rbd trash ls")).toBe(`${id} two\n`);
  await rbd.restoreFromTrash(id, "three");
  await rbd.remove("three");
  await expect(rbd.open("three")).rejects.toMatchObject({ code: "ENOENT" });
  expect(await tool("rbd ls; rbd trash ls")).not.toMatch(/two|three/);
});
