/** The disk of real files: durable writes of every kind, holes, and the lock. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { alignedBuffer } from "../../../src/base/index.ts";
import { createStore, DiskLockedError, FileDisk, openStore } from "../../../src/store/index.ts";

let directory = "";
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "disk-"));
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

test("aligned, unaligned, plain and durable writes all land", async () => {
  const file = new FileDisk(directory).open("f", "create");
  const aligned = alignedBuffer(8192).fill(1);
  const plain = Buffer.alloc(5000, 2);
  file.writeDurableSync(aligned, 0);
  await file.writeDurable(aligned, 8192);
  file.writeSync(aligned, 16_384);
  await file.write(plain, 100);
  file.writeDurableSync(plain, 30_000);
  await file.sync();
  const got = Buffer.alloc(40_000, 9);
  file.readSync(got, 0);
  const wanted = Buffer.alloc(40_000);
  wanted.fill(1, 0, 24_576).fill(2, 100, 5100).fill(2, 30_000, 35_000);
  expect(got.equals(wanted)).toBe(true);
  file.close();
});

test("a punched range reads as zeros and takes no space", async () => {
  const file = new FileDisk(directory).open("f", "create");
  file.writeDurableSync(alignedBuffer(4 << 20).fill(1), 0);
  const before = file.allocated();
  const punched = await file.punch(1 << 20, 2 << 20);
  const got = Buffer.alloc(4 << 20);
  file.readSync(got, 0);
  if (punched) {
    expect(file.allocated()).toBeLessThan(before);
    expect(got.subarray(1 << 20, 3 << 20).every((x) => x === 0)).toBe(true);
  }
  expect(got[0]).toBe(1);
  expect(got[3 << 20]).toBe(1);
  file.close();
});

test("a directory is taken once; a lock whose process is gone is taken over", () => {
  const disk = new FileDisk(directory);
  const release = disk.lock();
  expect(() => new FileDisk(directory).lock()).toThrow(DiskLockedError);
  release();
  disk.lock()();
  const gone = spawnSync("true").pid;
  fs.writeFileSync(path.join(directory, "lock"), `${gone} 12345\n`);
  const again = disk.lock();
  // The same pid with another start time is another process.
  fs.writeFileSync(path.join(directory, "lock"), `${process.pid} 1\n`);
  again(); // not ours any more: left alone
  disk.lock()();
  expect(fs.readdirSync(directory)).toEqual([]);
});

test("a directory that a process in another container has is not taken: what its lock says means nothing here", () => {
  const release = new FileDisk(directory).lock();
  const file = path.join(directory, "lock");
  const gone = spawnSync("true").pid;
  fs.writeFileSync(file, `${gone} 12345\n`);
  expect(() => new FileDisk(directory).lock()).toThrow(DiskLockedError);
  release();
  new FileDisk(directory).lock()();
});

test("an empty store is made and opened quickly, and its files are private", async () => {
  const store = path.join(directory, "osd");
  createStore(store);
  await (await openStore(store)).close();
  for (const name of fs.readdirSync(store)) {
    expect(fs.statSync(path.join(store, name)).mode & 0o077, name).toBe(0);
  }
  await (await openStore(store)).close();
});
