/** Bits that flip at rest where they would take whole stretches of the journal with them. */
import { expect, test } from "vitest";
import { SECTOR_SIZE } from "../../src/store/disk/disk.ts";
import { recover } from "../../src/store/disk-store/open.ts";
import { readManifestSlot, readSuperblock } from "../../src/store/disk-store/superblock.ts";
import { createStore, fsck, MemoryDisk, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, submit } from "../compliance/object-store/fixtures.ts";

const MIB = 1 << 20;
const SEGMENT = 64 << 10;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a batch whose header is damaged is missed, whichever it is but the last", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 64 * MIB, segmentSize: 256 << 10, segments: 2 });
  const store = await openStore("", { disk });
  submit(store, { op: "create-collection", collection: PG });
  await store.flush();
  const batches = 6;
  for (let i = 1; i < batches; i++) {
    submit(store, { op: "touch", object: named(`o${i}`) });
    await store.flush();
  }
  disk.processKill();
  for (let batch = 0; batch < batches; batch++) {
    const bit = [SECTOR_SIZE * batch + 20, 1] as const;
    disk.flip("journal", ...bit);
    const { faults, clean } = fsck("", { disk });
    const expected = batch < batches - 1 ? [expect.stringContaining("is damaged")] : [];
    expect([batch, faults, clean]).toEqual([batch, expected, false]);
    disk.flip("journal", ...bit);
  }
  disk.flip("journal", 20, 1);
  await expect(openStore("", { disk })).rejects.toThrow("the beginning of segment");
});

test("the first batch of the newest segment is missed when it never came to the disk", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 64 * MIB, segmentSize: SEGMENT, segments: 2 });
  const store = await openStore("", { disk, commit: "sync" });
  submit(store, { op: "create-collection", collection: PG });
  const journal = disk.open("journal", "write");
  const content = () => {
    const all = Buffer.alloc(journal.size());
    journal.readSync(all, 0);
    return all;
  };
  // Every checkpoint begins a segment: where nothing has been at first, then where older ones have.
  for (let round = 0; round < 5; round++) {
    const before = content();
    await store.checkpoint();
    for (let i = 0; i < 3; i++) {
      submit(store, { op: "touch", object: named(`o${round}.${i}`) });
      await store.flush();
    }
    const after = content();
    const segmentAt = (at: number) => after.readBigUInt64LE(at + 16);
    const at = segmentAt(0) > segmentAt(SEGMENT) ? 0 : SEGMENT;
    journal.writeSync(before.subarray(at, at + SECTOR_SIZE), at);
    expect(() => recover(disk, MIB), `round ${round}`).toThrow("the beginning of segment");
    journal.writeSync(after.subarray(at, at + SECTOR_SIZE), at);
    recover(disk, MIB).close();
  }
  await store.close();
});

test("segments that only the older manifest names are not cut off before a newer one is there", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 256 * MIB, segmentSize: 64 << 10, segments: 4 });
  const store = await openStore("", { disk, commit: "sync", memoryBytes: 512 * MIB });
  submit(store, { op: "create-collection", collection: PG });
  let count = 0;
  const write = async (objects: number) => {
    for (let i = 0; i < objects; i++) {
      const object = named(`o${count++}`);
      submit(store, { op: "write", object, offset: 0, data: [bytes(8000, count)] });
      await turn();
    }
  };
  await write(40);
  await store.checkpoint();
  // What is not a commit takes its time: the journal grows past the checkpoint that is under way.
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  disk.delay = () => gate;
  await write(200);
  await store.flush();
  // The disk is told what is durable, and there is nothing more to tell.
  await sleep(500);
  disk.delay = undefined;
  goOn();
  // The one under way, and the one that is due by then: its manifest does without all segments, and no other follows.
  await sleep(200);
  await store.close();
  disk.processKill();
  const { nonce } = readSuperblock(disk);
  const [a = 0, b = 0] = ([0, 1] as const).map(
    (slot) => readManifestSlot(disk, nonce, slot)?.generation,
  );
  disk.flip(`manifest.${a > b ? 0 : 1}`, 30, 1);
  const again = await openStore("", { disk });
  const there = Array.from({ length: count }, (_, i) => again.stat(PG, named(`o${i}`)));
  expect(there.filter((object) => object === undefined).length).toBe(0);
  await again.close();
  expect(fsck("", { disk, deep: true }).faults).toEqual([]);
});
