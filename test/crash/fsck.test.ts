/** The check of a store finds what is wrong and names it, and finds nothing where nothing is. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { crc32c, flatten } from "../../src/encoding/index.ts";
import { StoreInspection } from "../../src/store/disk-store/inspect.ts";
import {
  CorruptionError,
  createStore,
  type DiskStore,
  fsck,
  MemoryDisk,
  NewerStoreError,
  type ObjectSeen,
  openStore,
  StoreFormatError,
} from "../../src/store/index.ts";
import { HOBJECT_MIN } from "../../src/types/index.ts";
import { bytes, named, PG, submit, text } from "../compliance/object-store/fixtures.ts";
import { type Entries, made, onlyKey, tamper } from "./tamper.ts";

const SMALL = { capacityBytes: 8 << 20, segmentSize: 256 << 10, segments: 2 };
const A = named("a");
const B = named("b");

/** A closed store with two objects that share blocks, attributes and an omap. */
async function closedStore(seed = 1): Promise<MemoryDisk> {
  const { disk, store } = await openedStore(seed);
  await store.close();
  return disk;
}

async function openedStore(seed = 1): Promise<{ disk: MemoryDisk; store: DiskStore }> {
  const disk = new MemoryDisk(seed);
  createStore("", { disk, ...SMALL });
  const store = await openStore("", { disk });
  submit(
    store,
    { op: "create-collection", collection: PG },
    { op: "write", object: A, offset: 0, data: [bytes(20_000)] },
    { op: "omap-set", object: A, entries: [["k", text("v")]] },
    { op: "set-attr", object: A, name: "x", value: text("a value to find") },
  );
  submit(store, { op: "clone", object: A, to: B });
  submit(store, { op: "write", object: B, offset: 4096, data: [bytes(4096, 2)] });
  await store.flush();
  return { disk, store };
}

function faults(disk: MemoryDisk, deep = true): string[] {
  return fsck("", { disk, deep }).faults;
}

/** The faults of the usual store after its index was changed. */
async function faultsAfter(edit: (entries: Entries) => void): Promise<string[]> {
  const disk = await closedStore();
  await tamper(disk, edit);
  return faults(disk);
}

/** The value under the only key of a kind, changed in place. */
function change(entries: Entries, letter: string, edit: (value: Buffer) => void): void {
  const key = onlyKey(entries, letter);
  const value = Buffer.from(entries.get(key)!);
  edit(value);
  entries.set(key, Uint8Array.from(value));
}

/** Key of an object's entry by its name. */
function objectEntry(entries: Entries, oid: string): string {
  const found = [...entries.keys()].filter((key) => key.startsWith("O") && key.includes(oid));
  expect(found).toHaveLength(1);
  return found[0]!;
}

test("a store is sound, closed or not, and the report counts what is there", async () => {
  const { disk, store } = await openedStore();
  const before = disk.list();
  disk.processKill();
  const open = fsck("", { disk, deep: true });
  expect(open).toMatchObject({ faults: [], faultCount: 0, clean: false, complete: true });
  expect(disk.list()).toEqual(before);
  await (await openStore("", { disk })).close();
  const report = fsck("", { disk, deep: true });
  // a: 5 blocks; b shares 4 and has one of its own.
  expect(report).toMatchObject({ collections: 1, objects: 2, data: 6 * 4096, clean: true });
  expect(report.faults).toEqual([]);
  await store.close();
});

test("writing the same index anew is no fault", async () => {
  expect(await faultsAfter(() => {})).toEqual([]);
});

test("a block that is in use and marked free is named, with who owns it", async () => {
  const lines = await faultsAfter((entries) => {
    change(entries, "F", (value) => value.writeUInt32LE(value.readUInt32LE(0) & ~1, 0));
  });
  expect(lines).toEqual([
    "allocation: block 0 has 2 owners, 1 counted",
    "allocation: 6 blocks in use, 5 counted",
    "1.0 1://a:head at 0: block 0 has 2 owners, 1 counted",
    "1.0 1://b:head at 0: block 0 has 2 owners, 1 counted",
  ]);
});

test("blocks that are marked used and belong to nobody come as one line", async () => {
  const lines = await faultsAfter((entries) => {
    change(entries, "F", (value) => value.writeUInt32LE(0xff00_0000, 8));
  });
  expect(lines).toEqual([
    "allocation: blocks 88 to 95 have 0 owners, 1 counted",
    "allocation: 6 blocks in use, 14 counted",
  ]);
});

test("a wrong count of a clone's owners is named, with the owners", async () => {
  const lines = await faultsAfter((entries) => {
    // u32 words[32], u32 shared, {u16 block, u32 extra owners}
    change(entries, "F", (value) => value.writeUInt32LE(7, 128 + 4 + 2));
  });
  expect(lines).toEqual([
    "allocation: block 0 has 2 owners, 8 counted",
    "1.0 1://a:head at 0: block 0 has 2 owners, 8 counted",
    "1.0 1://b:head at 0: block 0 has 2 owners, 8 counted",
  ]);
});

test("wrong counters of a collection are named", async () => {
  const lines = await faultsAfter((entries) => {
    change(entries, "C", (value) => {
      value.writeBigUInt64LE(3n, 4);
      value.writeBigUInt64LE(99n, 12);
    });
  });
  expect(lines).toEqual([
    "collection 1.0: 2 objects, 3 counted",
    "collection 1.0: 6 blocks, 99 counted",
  ]);
});

test("a lost object leaves orphans and wrong counts", async () => {
  const lines = await faultsAfter((entries) => {
    entries.delete(objectEntry(entries, "b"));
  });
  expect(lines).toEqual([
    "collection 1.0: 1 objects, 2 counted",
    "collection 1.0: 5 blocks, 6 counted",
    "collection 1.0: 20000 bytes stored, 40000 counted",
    "index: a block map belongs to no object (2)",
    "index: an omap belongs to no object (2)",
    "allocation: block 0 has 1 owners, 2 counted",
    "allocation: blocks 2 to 4 have 1 owners, 2 counted",
    "allocation: block 5 has 0 owners, 1 counted",
    "allocation: 5 blocks in use, 6 counted",
    "1.0 1://a:head at 0: block 0 has 1 owners, 2 counted",
    "1.0 1://a:head at 8192: block 2 has 1 owners, 2 counted",
    "1.0 1://a:head at 12288: block 3 has 1 owners, 2 counted",
    "1.0 1://a:head at 16384: block 4 has 1 owners, 2 counted",
  ]);
});

test("an object too short for its blocks, and an id that is used twice", async () => {
  const lines = await faultsAfter((entries) => {
    const key = objectEntry(entries, "b");
    const value = Buffer.from(entries.get(key)!);
    value.writeBigUInt64LE(1n, 0); // b has the id of a, and so its blocks
    value.writeBigUInt64LE(10_000n, 8);
    entries.set(key, Uint8Array.from(value));
  });
  expect(lines).toContain("index: object id 1 is used twice");
  expect(lines).toContain("1.0 1://b:head at 12288: block 3 is past the end of the object, 10000");
  expect(lines).toContain("1.0 1://b:head at 8192: block 2 is not zero behind the object's end");
  expect(lines).toContain("index: a block map belongs to no object (2)");
});

test("an entry that cannot be decoded names its object, and the rest is still checked", async () => {
  const lines = await faultsAfter((entries) => {
    const key = objectEntry(entries, "b");
    entries.set(key, entries.get(key)!.subarray(0, 12));
  });
  expect(lines[0]).toMatch(/^1\.0 1:\/\/b:head: cannot decode .* 8 bytes wanted, 4 left$/);
  expect(lines).toContain("collection 1.0: 1 objects, 2 counted");
});

test("blocks past the end of the store are named", async () => {
  const lines = await faultsAfter((entries) => {
    const key = [...entries.keys()].find((k) => k.startsWith("B"))!;
    const shard = made((w) => {
      w.u8(1);
      w.u8(0);
      w.u8(1);
      w.u32(5_000_000);
      w.u32(1);
    });
    entries.set(key, shard);
  });
  expect(lines).toContain("1.0 1://a:head at 0: block 5000000 is past the end of the store");
});

test("index entries of no kind, of no collection, of a forgotten omap", async () => {
  const lines = await faultsAfter((entries) => {
    const key = objectEntry(entries, "a");
    const value = Buffer.from(entries.get(key)!);
    value[16] = 0; // has no omap
    entries.set(key, Uint8Array.from(value));
    entries.set("Xyz\n", text("?"));
    entries.set(`O\x00\x00\x00\x09${key.slice(5)}`, entries.get(key)!);
  });
  expect(lines).toEqual([
    "index: an object belongs to no collection (9)",
    "index: object 1 does not know of its omap",
    "index: an entry of no known kind, Xyz%0a",
  ]);
});

test("every damaged block of the index is named; of what lies in it nothing is claimed", async () => {
  const { disk, store } = await openedStore();
  const entries = Array.from({ length: 40 }, (_, i) => [`k${100 + i}`, bytes(2000, i)] as const);
  submit(store, { op: "omap-set", object: A, entries });
  await store.close();
  const run = disk.list().find((name) => name.startsWith("run."))!;
  disk.flip(run, 100, 0);
  disk.flip(run, 40_000, 0);
  const report = fsck("", { disk });
  expect(report.complete).toBe(false);
  expect(report.faults).toEqual([
    expect.stringMatching(/^run\.\d+: block at 0 is damaged$/),
    expect.stringMatching(/^run\.\d+: block at \d{5} is damaged$/),
  ]);
});

test.each([
  [
    "superblock",
    (disk: MemoryDisk) => disk.flip("superblock", 20, 0),
    /^superblock: it is damaged$/,
  ],
  [
    "superblock gone",
    (disk: MemoryDisk) => disk.removeSync("superblock"),
    /^superblock: it is missing$/,
  ],
  ["run gone", (disk: MemoryDisk) => disk.removeSync("run.1"), /run\.1/],
  ["journal gone", (disk: MemoryDisk) => disk.removeSync("journal"), /journal/],
  ["block file gone", (disk: MemoryDisk) => disk.removeSync("block"), /block/],
  [
    "both manifests",
    (disk: MemoryDisk) => {
      disk.flip("manifest.0", 20, 0);
      disk.flip("manifest.1", 20, 0);
    },
    /^manifest: both copies are damaged$/,
  ],
])("%s: a named fault and no stack", async (_, damage, line) => {
  const disk = await closedStore();
  damage(disk);
  const report = fsck("", { disk });
  expect(report.complete).toBe(false);
  expect(report.faults).toEqual([expect.stringMatching(line)]);
});

test("a block file that was cut off is a fault even where nothing was written", async () => {
  const disk = await closedStore();
  disk.open("block", "write").truncate(4 << 20);
  expect(faults(disk, false)).toEqual(["block: 1024 blocks long, 2048 wanted"]);
});

test("a journal that lost a batch is a fault", async () => {
  const { disk, store } = await openedStore();
  submit(store, { op: "write", object: A, offset: 0, data: [text("first")] });
  await store.flush();
  submit(store, { op: "write", object: A, offset: 0, data: [text("second")] });
  await store.flush();
  disk.processKill();
  const all = Buffer.alloc(disk.open("journal", "read").size());
  disk.open("journal", "read").readSync(all, 0);
  disk.flip("journal", all.indexOf("first"), 1);
  expect(faults(disk)).toEqual([expect.stringMatching(/^journal: a batch is damaged before/)]);
});

test("a flipped bit of data names each object that has the block, and where", async () => {
  const disk = await closedStore();
  disk.flip("block", 2 * 4096 + 5, 3);
  expect(faults(disk, false)).toEqual([]);
  expect(faults(disk)).toEqual([
    "1.0 1://a:head at 8192: block 2 does not match its checksum",
    "1.0 1://b:head at 8192: block 2 does not match its checksum",
  ]);
});

test("a name is printed on one line whatever is in it", async () => {
  const { disk, store } = await openedStore();
  const object = named("new\nline\x1b[2J \xff");
  submit(store, { op: "write", object, offset: 0, data: [bytes(4096, 9)] });
  await store.close();
  disk.flip("block", 6 * 4096, 0);
  expect(faults(disk)).toEqual([
    "1.0 1://new%0aline%1b[2J %ff:head at 0: block 6 does not match its checksum",
  ]);
});

test("what others know of the objects is asked for each, in order, and its faults count", async () => {
  const disk = await closedStore();
  const seen: string[] = [];
  const check = {
    object: ({ collection, object, size, attrs }: ObjectSeen) => {
      seen.push(`${collection} ${object.oid} ${size} ${[...attrs.keys()].join()}`);
      return object.oid === "b" ? ["b: is not liked"] : [];
    },
    end: () => ["the end"],
  };
  const report = fsck("", { disk, check });
  expect(seen).toEqual(["1.0 a 20000 x", "1.0 b 20000 x"]);
  expect(report.faults).toEqual(["b: is not liked", "the end"]);
});

test("more than a thousand faults are counted and not kept", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, ...SMALL });
  const store = await openStore("", { disk });
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(1200 * 4096)] });
  await store.close();
  for (let block = 0; block < 1200; block++) disk.flip("block", block * 4096, 0);
  const report = fsck("", { disk, deep: true });
  expect(report.faults).toHaveLength(1000);
  expect(report.faultCount).toBe(1200);
});

test("no store, and a store in use, are refused and left alone", async () => {
  expect(() => fsck("", { disk: new MemoryDisk(1) })).toThrow(StoreFormatError);
  const { disk, store } = await openedStore();
  expect(() => fsck("", { disk })).toThrow("in use");
  await store.close();
});

test("a newer store is refused before a lock file is made", async () => {
  const disk = await closedStore();
  const superblock = Buffer.alloc(4096);
  disk.open("superblock", "read").readSync(superblock, 0);
  superblock.writeUInt32LE(99, 12);
  superblock.writeUInt32LE(crc32c(0, superblock, 12, 12 + superblock.readUInt32LE(4)), 8);
  disk.open("superblock", "write").writeDurableSync(superblock, 0);
  disk.lock(); // would be refused if asked for
  expect(() => fsck("", { disk })).toThrow(NewerStoreError);
});

/** Digest of everything that can be read of a store: what a flipped bit must not change unseen. */
async function readAll(disk: MemoryDisk): Promise<string> {
  const store = await openStore("", { disk });
  try {
    const parts: unknown[] = [];
    for (const c of store.collections()) {
      for (const object of store.list(c, HOBJECT_MIN, 100).objects) {
        const data = flatten(store.readSync(c, object, 0, 1 << 20));
        parts.push(object.oid, Buffer.from(data).toString("hex"), store.getAttrs(c, object));
        parts.push([...store.omapEntries(c, object)]);
      }
    }
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  } finally {
    await store.close();
  }
}

test("a bit flipped anywhere: the check never throws, and finds what a reader would have hit", async () => {
  const wanted = await readAll(await closedStore());
  let found = 0;
  for (let seed = 1; seed <= 150; seed++) {
    // Closed: a damaged last batch of a journal in use is a torn one, and no fault.
    const disk = await closedStore(seed);
    const { random } = disk;
    const names = disk.list();
    const name = names[random.below(names.length)]!;
    // Where something lies: the first pages of each file.
    const size = Math.min(disk.open(name, "read").size(), 24_576);
    const [offset, bit] = [random.below(size), random.below(8)];
    disk.flip(name, offset, bit);
    const report = fsck("", { disk, deep: true });
    if (report.faultCount > 0) found++;
    try {
      const view = new StoreInspection(disk);
      for (const object of [A, B]) view.object(PG, object);
      view.close();
    } catch (error) {
      // Without a superblock there is nothing to look at; whatever else is damaged is shown as far as it goes.
      expect(error, `seed ${seed}`).toBeInstanceOf(CorruptionError);
      expect(report.faults.join("\n"), `seed ${seed}`).toMatch(/^superblock: /m);
    }
    const got = await readAll(disk).catch((error: Error) => error.name);
    const what = `seed ${seed}: ${name} at ${offset}: ${report.faults.join("; ") || "no fault"}`;
    if (report.faultCount === 0) expect(got, what).toBe(wanted);
    else expect(got, what).not.toBe(wanted);
  }
  expect(found).toBeGreaterThan(20);
});
