import { expect, test } from "vitest";
import { BufferPool, systemClock } from "../../src/base/index.ts";
import type { DiskFile } from "../../src/store/disk/disk.ts";
import { createStore, MemoryDisk, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, submit } from "../compliance/object-store/fixtures.ts";

const MIB = 1 << 20;
const A = named("a");
const B = named("b");
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A disk with a store, one file of which behaves otherwise. */
function diskWith(name: string, change: (file: DiskFile) => void): MemoryDisk {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 64 * MIB, segmentSize: 256 << 10, segments: 2 });
  return alter(disk, name, change);
}

function alter(disk: MemoryDisk, name: string, change: (file: DiskFile) => void): MemoryDisk {
  const open = disk.open.bind(disk);
  disk.open = (which, mode) => {
    const file = open(which, mode);
    if (which === name) change(file);
    return file;
  };
  return disk;
}

/** What waits until it is told to go on. */
class Gate {
  #waiting: (() => void)[] = [];
  isShut = false;

  async pass(): Promise<void> {
    if (this.isShut) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  open(): void {
    this.isShut = false;
    for (const go of this.#waiting.splice(0)) go();
  }
}

const ioError = () => Object.assign(new Error("EIO: i/o error"), { code: "EIO" });

test("a read that fails gives its memory back when nothing is read into it any more", async () => {
  const gate = new Gate();
  const disk = diskWith("block", (file) => {
    const read = file.read.bind(file);
    file.read = async (into, offset) => {
      if (offset > 0) await gate.pass();
      await read(into, offset);
    };
  });
  const pool = new BufferPool(4 * MIB, systemClock);
  const store = await openStore("", { disk, pool });
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(MIB, 1)] });
  submit(store, { op: "write", object: B, offset: 0, data: [bytes(MIB, 2)] });
  // Two pieces, with a hole in between.
  const length = MIB;
  submit(store, { op: "clone-range", object: B, to: A, offset: 0, toOffset: 2 * MIB, length });
  await store.checkpoint();
  disk.spoil("block", 0);
  gate.isShut = true;
  const reading = Promise.resolve(store.read(PG, A, 0, 3 * MIB));
  const failed = expect(reading).rejects.toThrow("EIO");
  for (let i = 0; i < 5; i++) await turn();
  // Somebody else's, as soon as there is room.
  const mine = pool.take(4 * MIB)?.fill(0x55);
  gate.open();
  await failed;
  for (let i = 0; i < 5; i++) await turn();
  expect(mine?.every((byte) => byte === 0x55) ?? true).toBe(true);
  if (mine !== undefined) pool.give(mine);
  expect(pool.takenBytes).toBe(0);
  await store.close();
});

test("a failed store is closed when none of its writes is under way any more", async () => {
  for (const [failing, slow, commit] of [
    ["journal", "block", "sync"],
    ["block", "journal", "async"],
  ] as const) {
    const gate = new Gate();
    let isArmed = false;
    const disk = diskWith(failing, (file) => {
      const write = file.writeDurable.bind(file);
      const writeSync = file.writeDurableSync.bind(file);
      const writeOrFail: DiskFile["write"] = async (data, offset) => {
        if (isArmed) throw ioError();
        await write(data, offset);
      };
      file.writeDurable = writeOrFail;
      file.write = writeOrFail;
      file.writeDurableSync = (data, offset) => {
        if (isArmed) throw ioError();
        writeSync(data, offset);
      };
    });
    let isWriting = false;
    alter(disk, slow, (file) => {
      const write = file.writeDurable.bind(file);
      const writeLater: DiskFile["write"] = async (data, offset) => {
        isWriting = gate.isShut;
        await gate.pass();
        isWriting = false;
        await write(data, offset);
      };
      file.writeDurable = writeLater;
      file.write = writeLater;
    });
    const store = await openStore("", { disk, commit });
    submit(store, { op: "create-collection", collection: PG });
    await store.flush();
    gate.isShut = true;
    isArmed = true;
    // Small and large, whichever is slow first: it is under way when the other fails.
    const sizes = slow === "journal" ? [4096, MIB] : [MIB];
    for (const size of sizes) {
      submit(store, { op: "write", object: A, offset: 0, data: [bytes(size, 1)] });
      await turn();
    }
    await expect(store.flush()).rejects.toThrow("EIO");
    let isClosed = false;
    const closing = store.close().then(() => {
      isClosed = true;
    });
    for (let i = 0; i < 20; i++) await turn();
    expect([isWriting, isClosed], `${slow} is slow`).toEqual([true, false]);
    gate.open();
    await closing;
    expect(isWriting).toBe(false);
  }
});

test("a clone-range past its source's end is refused where the block it would change cannot be read", async () => {
  const disk = diskWith("block", () => undefined);
  const store = await openStore("", { disk });
  let fatal: Error | undefined;
  store.onFatal = (error) => {
    fatal = error;
  };
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "write", object: B, offset: 0, data: [bytes(MIB, 2)] });
  submit(store, { op: "write", object: A, offset: 0, data: [bytes(6000, 1)] });
  await store.checkpoint();
  disk.spoil("block", 4096);
  const copy = {
    op: "clone-range",
    object: A,
    to: B,
    offset: 0,
    toOffset: 0,
    length: 65536,
  } as const;
  expect(() => submit(store, copy)).toThrow("EIO");
  expect(fatal).toBe(undefined);
  await store.close();
});
