/** What the store does when the disk fails: nothing more is promised, nothing wrong is returned. */
import { expect, test } from "vitest";
import { crc32c, flatten } from "../../src/encoding/index.ts";
import {
  CorruptionError,
  createStore,
  type Disk,
  type DiskStore,
  fsck,
  JournalError,
  MemoryDisk,
  openStore,
  StoreFormatError,
} from "../../src/store/index.ts";
import {
  bytes,
  content,
  named,
  PG,
  same,
  submit,
  text,
} from "../compliance/object-store/fixtures.ts";

const SMALL = { capacityBytes: 8 << 20, segmentSize: 256 << 10, segments: 2 };
const A = named("a");
const B = named("b");

async function withStore(seed: number): Promise<{ disk: MemoryDisk; store: DiskStore }> {
  const disk = new MemoryDisk(seed);
  createStore("", { disk, ...SMALL });
  const store = await openStore("", { disk });
  submit(store, { op: "create-collection", collection: PG });
  await store.flush();
  return { disk, store };
}

/** Offset of the first place in a file where `pattern` lies. */
function whereIs(disk: MemoryDisk, name: string, pattern: Uint8Array): number {
  const file = disk.open(name, "read");
  const all = Buffer.alloc(file.size());
  file.readSync(all, 0);
  return all.indexOf(pattern);
}

for (const fault of ["EIO", "ENOSPC"] as const) {
  test(`${fault} of a journal write is fatal: nothing is told durable after it`, async () => {
    const { disk, store } = await withStore(1);
    const errors: Error[] = [];
    store.onFatal = (error) => errors.push(error);
    const before = store.lastDurable;
    disk.failAt(disk.calls + 1, fault);
    submit(store, { op: "write", object: A, offset: 0, data: [text("lost")] });
    await expect(store.flush()).rejects.toThrow(fault);
    expect(errors).toHaveLength(1);
    expect(store.lastDurable).toBe(before);
    expect(() => submit(store, { op: "touch", object: B })).toThrow("the store has failed");
    await store.close();
    disk.processKill();
    const again = await openStore("", { disk });
    expect(again.stat(PG, B)).toBeUndefined();
    await again.close();
  });

  test(`${fault} of a large write is fatal`, async () => {
    const { disk, store } = await withStore(2);
    const errors: Error[] = [];
    store.onFatal = (error) => errors.push(error);
    disk.failAt(disk.calls + 1, fault);
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(100 << 10)] });
    await expect(store.flush()).rejects.toThrow(fault);
    expect(errors).toHaveLength(1);
    await store.close();
    disk.processKill();
    expect(fsck("", { deep: true, disk }).faults).toEqual([]);
  });
}

test("a fault at any call of a checkpoint is fatal, and the store opens again with everything", async () => {
  for (let call = 1; ; call++) {
    const { disk, store } = await withStore(3);
    submit(
      store,
      { op: "write", object: A, offset: 100, data: [bytes(20_000)] },
      { op: "omap-set", object: A, entries: [["k", text("v")]] },
    );
    await store.flush();
    const start = disk.calls;
    disk.failAt(start + call, "EIO");
    const outcome = await store.checkpoint().then(
      () => "done",
      () => "failed",
    );
    const reached = disk.calls >= start + call;
    await store.close();
    disk.processKill();
    disk.failAt(-1, "EIO");
    expect(fsck("", { deep: true, disk }).faults, `call ${call}`).toEqual([]);
    const again = await openStore("", { disk });
    const got = flatten(again.readSync(PG, A, 100, 20_000));
    expect(Buffer.compare(got, bytes(20_000)), `call ${call}: ${outcome}`).toBe(0);
    same(again.omapGet(PG, A, "k")!, text("v"));
    await again.close();
    if (!reached) break;
  }
});

/** The same disk, which counts the files that are open. */
function counted(disk: MemoryDisk): { disk: Disk; openFiles: () => number } {
  let open = 0;
  const counting: Disk = {
    open: (name, mode) => {
      const file = disk.open(name, mode);
      open++;
      const close = file.close.bind(file);
      file.close = () => {
        open--;
        close();
      };
      return file;
    },
    exists: (name) => disk.exists(name),
    list: () => disk.list(),
    remove: (name) => disk.remove(name),
    removeSync: (name) => disk.removeSync(name),
    rename: (from, to) => disk.rename(from, to),
    syncDirectory: () => disk.syncDirectory(),
    syncDirectorySync: () => disk.syncDirectorySync(),
    lock: () => disk.lock(),
    space: () => disk.space(),
  };
  return { disk: counting, openFiles: () => open };
}

/** A store with several runs and a journal to replay, as a kill has left it. */
async function killed(): Promise<MemoryDisk> {
  const { disk, store } = await withStore(5);
  for (let i = 0; i < 3; i++) {
    submit(store, { op: "write", object: named(`o${i}`), offset: 0, data: [bytes(9000, i)] });
    await store.checkpoint();
  }
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(9000)] });
  await store.flush();
  disk.processKill();
  return disk;
}

test("a store that cannot be opened leaves no file open, and no lock", async () => {
  let failures = 0;
  for (let call = 1; ; call++) {
    const disk = await killed();
    const { disk: watched, openFiles } = counted(disk);
    const start = disk.calls;
    disk.failAt(start + call, "EIO");
    const outcome = await openStore("", { disk: watched }).catch((error: Error) => error);
    if (outcome instanceof Error) failures++;
    else await outcome.close();
    expect(openFiles(), `call ${call}`).toBe(0);
    disk.lock()();
    if (disk.calls < start + call) break;
  }
  expect(failures).toBeGreaterThan(5);
  const disk = await killed();
  const [run] = disk.list().filter((name) => name.startsWith("run."));
  disk.flip(run!, disk.open(run!, "read").size() - 10, 1);
  const { disk: watched, openFiles } = counted(disk);
  await expect(openStore("", { disk: watched })).rejects.toThrow(CorruptionError);
  expect(openFiles()).toBe(0);
});

test("a sector that the disk cannot read is damage of what lies there, and the store goes on", async () => {
  const { disk, store } = await withStore(6);
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(400 << 10)] });
  const entries = Array.from({ length: 400 }, (_, i) => [`k${i + 1000}`, bytes(100, i)] as const);
  submit(store, { op: "omap-set", object: B, entries });
  await store.close();
  disk.spoil("block", whereIs(disk, "block", bytes(400 << 10).subarray(40_960, 41_000)));
  const again = await openStore("", { disk });
  expect(() => again.readSync(PG, A, 40_960, 1)).toThrow(CorruptionError);
  await expect(async () => again.read(PG, A, 0, 400 << 10)).rejects.toThrow(CorruptionError);
  await expect(async () => again.read(PG, A, 40_000, 8000)).rejects.toThrow(CorruptionError);
  // A part of the bad block: the rest of it would have to be read.
  const part = { op: "write", object: A, offset: 40_970, data: [bytes(10)] } as const;
  expect(() => submit(again, part)).toThrow(CorruptionError);
  submit(again, { op: "write", object: A, offset: 40_960, data: [bytes(4096, 2)] });
  same(await content(again, A, 40_960, 4096), bytes(4096, 2));
  const [run] = disk.list().filter((name) => name.startsWith("run."));
  disk.spoil(run!, 24_000);
  await again.close();
  const last = await openStore("", { disk });
  expect(() => [...last.omapEntries(PG, B)]).toThrow(CorruptionError);
  submit(last, { op: "touch", object: named("new") });
  await last.flush();
  await last.close();
});

test("a flipped bit of data is an error for its reader and a fault for fsck, never bytes", async () => {
  const { disk, store } = await withStore(4);
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(100 << 10)] });
  submit(store, { op: "clone", object: A, to: B });
  await store.close();
  const at = whereIs(disk, "block", bytes(100 << 10).subarray(40_960, 41_000));
  disk.flip("block", at + 77, 3);
  expect(fsck("", { disk }).faults).toEqual([]);
  expect(fsck("", { deep: true, disk }).faults).toHaveLength(2);
  const again = await openStore("", { disk });
  for (const object of [A, B]) {
    expect(() => again.readSync(PG, object, 40_960, 1)).toThrow(CorruptionError);
    await expect(async () => again.read(PG, object, 0, 200 << 10)).rejects.toThrow(CorruptionError);
    expect(flatten(again.readSync(PG, object, 0, 40_960))).toHaveLength(40_960);
  }
  // A partial overwrite would have to keep what cannot be read: refused, without a trace.
  const before = again.lastSubmitted;
  expect(() =>
    submit(
      again,
      { op: "set-attr", object: A, name: "x", value: text("x") },
      { op: "write", object: A, offset: 41_000, data: [text("part")] },
    ),
  ).toThrow(CorruptionError);
  expect(again.getAttr(PG, A, "x")).toBeUndefined();
  expect(again.lastSubmitted).toBe(before);
  // A whole one heals.
  submit(again, { op: "write", object: A, offset: 40_960, data: [bytes(4096, 2)] });
  expect(flatten(again.readSync(PG, A, 40_960, 4096))).toEqual(Buffer.from(bytes(4096, 2)));
  await again.close();
});

test("a damaged batch before intact ones refuses to open rather than lose them", async () => {
  const { disk, store } = await withStore(5);
  submit(store, { op: "write", object: A, offset: 0, data: [text("first batch")] });
  await store.flush();
  submit(store, { op: "write", object: B, offset: 0, data: [text("second batch")] });
  await store.flush();
  disk.processKill();
  disk.flip("journal", whereIs(disk, "journal", text("first batch")), 1);
  await expect(openStore("", { disk })).rejects.toThrow(JournalError);
});

test("a damaged index block is an error, never an absent object", async () => {
  const { disk, store } = await withStore(6);
  submit(store, { op: "set-attr", object: A, name: "x", value: text("a value to find") });
  await store.close();
  disk.flip(
    disk.list().find((name) => name.startsWith("run."))!,
    whereIs(disk, disk.list().find((name) => name.startsWith("run."))!, text("a value to find")),
    0,
  );
  await expect(openStore("", { disk })).rejects.toThrow(CorruptionError);
});

test("one damaged manifest is survived by the other; a newer format is left alone", async () => {
  const { disk, store } = await withStore(7);
  submit(store, { op: "write", object: A, offset: 0, data: [text("kept")] });
  await store.close();
  const again = await openStore("", { disk });
  await again.close();
  // The older slot of the two.
  const generation = (name: string) => {
    const b = Buffer.alloc(64);
    disk.open(name, "read").readSync(b, 0);
    return b.readUInt32LE(12 + 8);
  };
  const older = generation("manifest.0") < generation("manifest.1") ? "manifest.0" : "manifest.1";
  disk.flip(older, 30, 1);
  const third = await openStore("", { disk });
  expect(flatten(third.readSync(PG, A, 0, 10))).toEqual(Buffer.from("kept"));
  await third.close();
  const names = disk.list();
  const calls = disk.calls;
  const superblock = Buffer.alloc(4096);
  disk.open("superblock", "read").readSync(superblock, 0);
  superblock.writeUInt32LE(99, 12); // the version, first in the body
  superblock.writeUInt32LE(crc32c(0, superblock, 12, 12 + superblock.readUInt32LE(4)), 8);
  disk.open("superblock", "write").writeDurableSync(superblock, 0);
  await expect(openStore("", { disk })).rejects.toThrow(StoreFormatError);
  expect(disk.list()).toEqual(names);
  expect(disk.calls).toBeLessThanOrEqual(calls + 6); // looked at the superblock, at nothing else
});

test("a directory without a store, and a store that is open already, are refused", async () => {
  await expect(openStore("", { disk: new MemoryDisk(8) })).rejects.toThrow(StoreFormatError);
  const { disk, store } = await withStore(8);
  await expect(openStore("", { disk })).rejects.toThrow("in use");
  expect(() => createStore("", { disk, ...SMALL })).toThrow(StoreFormatError);
  await store.close();
  await (await openStore("", { disk })).close();
});
