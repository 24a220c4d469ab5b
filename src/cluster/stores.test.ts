import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../base/index.ts";
import { crc32c } from "../encoding/index.ts";
import { createStore, FileDisk, openStore } from "../store/index.ts";
import { DATA_VERSION, writeIdentity } from "./data-dir.ts";
import { checkStore, findStores, takeForReading, withStore } from "./stores.ts";

const FSID = "7ba0952d-b8c4-486e-bc3a-e30f6d024c1b";
const SMALL = { capacityBytes: 1 << 20, segmentSize: 64 << 10, segments: 1 };
let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "spirula-stores-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

async function makeCluster(osds = 1, version = DATA_VERSION): Promise<void> {
  for (const name of ["mon", ...Array.from({ length: osds }, (_, id) => `osd.${id}`)]) {
    createStore(join(work, name), SMALL);
  }
  await writeIdentity(work, { version, fsid: FSID, osds });
}

async function makeNewer(name: string): Promise<void> {
  const path = join(work, name, "superblock");
  const superblock = await readFile(path);
  superblock.writeUInt32LE(99, 12);
  superblock.writeUInt32LE(crc32c(0, superblock, 12, 12 + superblock.readUInt32LE(4)), 8);
  await writeFile(path, superblock);
}

async function files(): Promise<string[]> {
  return (await readdir(work, { recursive: true })).sort();
}

test("a cluster's directory has its monitor's store and every OSD's", async () => {
  await makeCluster(2);
  expect(await findStores(work)).toEqual({
    directory: work,
    isCluster: true,
    stores: ["mon", "osd.0", "osd.1"].map((name) => ({ name, path: join(work, name) })),
  });
});

test("a store's directory is that one store, also when its superblock is gone", async () => {
  await makeCluster();
  const path = join(work, "osd.0");
  const found = { directory: path, isCluster: false, stores: [{ name: "osd.0", path }] };
  expect(await findStores(path)).toEqual(found);
  await rm(join(path, "superblock"));
  expect(await findStores(path)).toEqual(found);
});

test("what is no cluster and no store is told apart", async () => {
  await expect(findStores(work)).rejects.toThrow(/no cluster and no store here; give/);
  await expect(findStores(join(work, "nope"))).rejects.toThrow(/nope: no such directory$/);
  await writeFile(join(work, "file"), "");
  await expect(findStores(join(work, "file"))).rejects.toThrow(/file: not a directory$/);
  await mkdir(join(work, "mon"));
  await expect(findStores(work)).rejects.toThrow(/cut off here before it held anything/);
});

test("a cluster that a server has is refused, and one that is free is held", async () => {
  await makeCluster();
  const found = await findStores(work);
  const server = new FileDisk(work).lock();
  expect(() => takeForReading(found)).toThrow(ConfigError);
  expect(() => takeForReading(found)).toThrow(/in use by process \d+; stop it first$/);
  server();
  const release = takeForReading(found);
  expect(() => new FileDisk(work).lock()).toThrow("in use");
  release();
  expect(await files()).not.toContain("lock");
});

test("a single store that a server has is refused", async () => {
  await makeCluster();
  const [place] = (await findStores(join(work, "osd.0"))).stores;
  const store = await openStore(join(work, "osd.0"));
  expect(() => checkStore(place!, { deep: false })).toThrow(
    /in use by process \d+; stop it first$/,
  );
  await expect(withStore(place!, async () => {})).rejects.toThrow(/stop it first$/);
  await store.close();
  expect(checkStore(place!, { deep: true }).faults).toEqual([]);
});

test("a newer store, or a newer cluster, is refused and nothing is touched", async () => {
  await makeCluster();
  await makeNewer("osd.0");
  const before = await files();
  const found = await findStores(work);
  const line = /osd\.0: the store has format 99, this program knows \d; use a newer spirula$/;
  expect(() => takeForReading(found)).toThrow(line);
  expect(() => checkStore(found.stores[1]!, { deep: true })).toThrow(line);
  await expect(withStore(found.stores[1]!, async () => {})).rejects.toThrow(line);
  await writeIdentity(work, { version: DATA_VERSION + 1, fsid: FSID, osds: 1 });
  await expect(findStores(work)).rejects.toThrow(/made by a newer spirula/);
  expect(await files()).toEqual(before);
});

test("a store that should be there and is not is a fault", async () => {
  await makeCluster();
  await rm(join(work, "osd.0"), { recursive: true });
  const found = await findStores(work);
  takeForReading(found)();
  const report = checkStore(found.stores[1]!, { deep: false });
  expect(report).toMatchObject({ faults: ["superblock: it is missing"], complete: false });
  await expect(withStore(found.stores[1]!, async () => {})).rejects.toThrow(/there is no store/);
});

test("a look at a store shows its parts, and leaves no lock", async () => {
  await makeCluster();
  const before = await files();
  const [mon] = (await findStores(work)).stores;
  await withStore(mon!, async (store) => {
    expect(store.superblock).toMatchObject({ blockSize: 4096, blocks: 256, segmentSize: 65536 });
    expect(store.state).toEqual({ value: { last: 0, objects: 0, bytes: 0, collections: [] } });
    expect(store.isWhole).toBe(true);
  });
  expect(await files()).toEqual(before);
});

test("a look at a store without a superblock is refused in one line", async () => {
  await makeCluster();
  const superblock = await readFile(join(work, "mon", "superblock"));
  superblock[20]! ^= 1;
  await writeFile(join(work, "mon", "superblock"), superblock);
  const [mon] = (await findStores(work)).stores;
  await expect(withStore(mon!, async () => {})).rejects.toThrow(/mon: superblock: it is damaged$/);
  expect(checkStore(mon!, { deep: false }).faults).toEqual(["superblock: it is damaged"]);
});
