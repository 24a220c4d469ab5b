/**
 * Stores that format versions have left behind: each is checked, opened and read by every later build, and
 * must hold what was put into it. That a version newer than ours is refused untouched is tested in
 * test/crash/faults.test.ts and test/crash/fsck.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { STORE_VERSION } from "../../src/store/disk-store/superblock.ts";
import { fsck, inspectStore, MemoryDisk, openStore } from "../../src/store/index.ts";
import { NOSNAP } from "../../src/types/index.ts";
import {
  type CollectionContent,
  contentOf,
  type Files,
  makeFixture,
  packFiles,
} from "./make-store.ts";

const FOLDER = resolve("test/compat");
const VERSIONS = readdirSync(FOLDER)
  .filter((name) => /^v\d+$/.test(name))
  .map((name) => Number(name.slice(1)))
  .sort((a, b) => a - b);

function read(version: number, name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, `v${version}`, `${name}.json`), "utf8"));
}

/** A disk with the files of a version's store, as the server that was killed had left them. */
function unpack(version: number): MemoryDisk {
  const disk = new MemoryDisk(version);
  for (const [name, packed] of Object.entries(read(version, "files") as Files)) {
    const file = disk.open(name, "create");
    file.writeSync(gunzipSync(Buffer.from(packed, "base64")), 0);
    file.syncSync();
    file.close();
  }
  disk.syncDirectorySync();
  return disk;
}

test("every version up to ours has its store here", () => {
  expect(VERSIONS).toEqual(Array.from({ length: STORE_VERSION }, (_, i) => i + 1));
});

describe.each(VERSIONS)("the store of version %i", (version) => {
  const wanted = read(version, "content") as CollectionContent[];

  test("is sound as it was left, with a journal to replay, and the check changes nothing", () => {
    const disk = unpack(version);
    const before = packFiles(disk);
    const report = fsck("", { disk, deep: true });
    expect(report.faults).toEqual([]);
    const objects = wanted.reduce((sum, c) => sum + c.objects, 0);
    expect(report).toMatchObject({
      clean: false,
      complete: true,
      collections: wanted.length,
      objects,
    });
    expect(packFiles(disk)).toEqual(before);
  });

  test("opens, and holds what was put into it; closed and opened again it still does", async () => {
    const disk = unpack(version);
    for (const time of ["first", "second"]) {
      const store = await openStore("", { disk });
      expect(await contentOf(store), time).toEqual(wanted);
      await store.close();
      expect(fsck("", { disk, deep: true }), time).toMatchObject({ faults: [], clean: true });
    }
  });

  test("can be written to", async () => {
    const disk = unpack(version);
    const store = await openStore("", { disk });
    const { name } = wanted.find((c) => c.objects > 0)!;
    const object = { key: "", oid: "new", snap: NOSNAP, hash: 1, max: 0, nspace: "", pool: 1n };
    const ops = [{ op: "write" as const, object, offset: 0, data: [Buffer.alloc(9000, "n")] }];
    store.submit({ collection: name, ops });
    await store.flush();
    disk.processKill();
    const again = await openStore("", { disk });
    expect(again.stat(name, object)).toEqual({ size: 9000 });
    await again.close();
    expect(fsck("", { disk, deep: true }).faults).toEqual([]);
  });

  test("can be looked into, and says its version", () => {
    const { inspection, close } = inspectStore("", unpack(version));
    expect(inspection.superblock.version).toBe(version);
    expect(inspection.isWhole).toBe(true);
    close();
  });

  test("is not sound with one bit of its data changed", () => {
    const disk = unpack(version);
    const { inspection, close } = inspectStore("", disk);
    const { name, content } = wanted.find((c) => c.objects > 0)!;
    const at = content.findIndex((o) => o.object.includes("first-large:head"));
    const object = [...inspection.names(name)][at]!;
    const { block } = inspection.object(name, object)!.extents[0]!;
    close();
    disk.flip("block", block * 4096 + 100, 0);
    expect(fsck("", { disk, deep: true }).faults).toContain(
      `objects 1://first-large:head at 8192: block ${block} does not match its checksum`,
    );
  });
});

test("what the generator makes today reads as what it writes down", async () => {
  const { version, content } = await makeFixture();
  expect(version).toBe(STORE_VERSION);
  expect(content).toEqual(read(STORE_VERSION, "content"));
});
