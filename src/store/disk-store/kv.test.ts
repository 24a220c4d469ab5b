import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { crc32c } from "../../encoding/index.ts";
import { MemoryDisk } from "../disk/memory.ts";
import { RunKv } from "./kv.ts";

function open(disk: MemoryDisk, from?: RunKv): RunKv {
  return new RunKv({
    disk,
    nonce: 7n,
    runs: from?.runs ?? [],
    nextRun: from?.nextRun ?? 1,
    cacheBytes: 30_000, // two blocks or three: memory changes hands all the time
  });
}

test("a seeded walk with checkpoints, merges and reopenings equals a sorted map", async () => {
  const random = seededRandom(9);
  const disk = new MemoryDisk(9);
  let kv = open(disk);
  const model = new Map<string, string>();
  for (let round = 0; round < 15; round++) {
    for (let i = 0; i < 200; i++) {
      const key = `k${random.below(2000)}`;
      if (random.below(3) === 0) {
        kv.delete(key);
        model.delete(key);
      } else {
        const length = random.below(random.below(50) === 0 ? 40_000 : 60);
        const value = `${key} in round ${round} `.repeat(length / 10);
        kv.put(key, Buffer.from(value));
        model.set(key, value);
      }
    }
    kv.freeze();
    kv.put("k1", Buffer.from("while it is written"));
    model.set("k1", "while it is written");
    await kv.writeFrozen();
    await kv.merge(() => Number.POSITIVE_INFINITY);
    await kv.dropObsolete();
    if (round % 5 === 4) {
      kv.freeze();
      await kv.writeFrozen();
      const again = open(disk, kv);
      kv.close();
      kv = again;
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    const seen = (from: string, to: string): [string, string][] => {
      const out: [string, string][] = [];
      for (const [key, value] of kv.entries(from, to)) {
        // Lookups between the steps of a walk take its blocks out of the cache.
        kv.get(`k${random.below(2000)}`);
        out.push([key, Buffer.from(value).toString()]);
      }
      return out;
    };
    const wanted = (from: string, to: string) => sorted.filter(([k]) => k >= from && k < to);
    expect(seen("", "~")).toEqual(wanted("", "~"));
    expect(seen("k15", "k3")).toEqual(wanted("k15", "k3"));
    for (let i = 0; i < 2000; i += 7) {
      const got = kv.get(`k${i}`);
      if ((got && Buffer.from(got).toString()) !== model.get(`k${i}`)) expect.fail(`get k${i}`);
    }
  }
  expect(kv.runs.length).toBeLessThan(12);
  expect(disk.list()).toHaveLength(kv.runs.length);
});

test("iteration goes on behind the last key when the table changes or is set aside", async () => {
  const kv = open(new MemoryDisk(1));
  for (let i = 100; i < 200; i++) kv.put(`k${i}`, Buffer.from("x"));
  const seen: string[] = [];
  for (const [key] of kv.entries("k", "l")) {
    seen.push(key);
    kv.delete(key);
    kv.put(`a${key}`, Buffer.from("y"));
    if (key === "k150") {
      kv.freeze();
      await kv.writeFrozen();
    }
  }
  expect(seen).toHaveLength(100);
  expect([...kv.entries("k", "l")]).toEqual([]);
});

/** So many keys that the index of their run outgrows the memory it is put together in. */
const MANY = 60_000;
const manyKey = (i: number) => `key ${String(i).padStart(8, "0")} ${"k".repeat(90)}`;

async function openMany(disk: MemoryDisk): Promise<RunKv> {
  const kv = open(disk);
  const value = Buffer.alloc(150, "v");
  for (let i = 0; i < MANY; i++) kv.put(manyKey(i), value);
  kv.freeze();
  await kv.writeFrozen();
  return kv;
}

function expectMany(kv: RunKv): void {
  for (let i = 0; i < MANY; i++) if (kv.get(manyKey(i)) === undefined) expect.fail(manyKey(i));
  let seen = 0;
  // As a listing in pages goes.
  for (let i = 0; i < MANY; i += 500) {
    for (const _ of kv.entries(manyKey(i), manyKey(i + 500))) seen++;
  }
  expect(seen).toBe(MANY);
}

test("every key of a large run is found, one by one and in pages", async () => {
  expectMany(await openMany(new MemoryDisk(1)));
});

test("a large run whose index lost keys when an older build wrote it is read by its blocks", async () => {
  const disk = new MemoryDisk(1);
  const kv = await openMany(disk);
  const { id, name, bytes } = kv.runs[0]!;
  const file = disk.open(name, "write");
  const run = Buffer.alloc(bytes);
  file.readSync(run, 0);
  const footer = run.subarray(bytes - 64);
  const at = Number(footer.readBigUInt64LE(24));
  const end = at + footer.readUInt32LE(32) - 4;
  // The first key of a block in the middle, and what older builds had in place of the flag.
  const key = run.indexOf("key 0003", at + (end - at) / 2);
  run.fill(0, key, key + manyKey(0).length);
  footer.writeUInt32LE(0, 56);
  const place = Buffer.alloc(24);
  for (const [i, n] of [7, id, at].entries()) place.writeBigUInt64LE(BigInt(n), i * 8);
  run.writeUInt32LE(crc32c(crc32c(0, place), run, at, end), end);
  footer.writeUInt32LE(crc32c(0, footer, 8), 4);
  file.writeSync(run, 0);
  file.close();
  const again = open(disk, kv);
  kv.close();
  expectMany(again);
  again.close();
  // One that says that it is sound, and is not, is not taken for it.
  footer.writeUInt32LE(1, 56);
  footer.writeUInt32LE(crc32c(0, footer, 8), 4);
  const other = disk.open(name, "write");
  other.writeSync(footer, bytes - 64);
  other.close();
  expect(() => open(disk, again)).toThrow("run.1: the order of its index is damaged");
});
