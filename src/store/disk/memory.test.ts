import { expect, test } from "vitest";
import { MemoryDisk, PowerCutError } from "./memory.ts";

const OLD = Buffer.alloc(8192, 1);
const NEW = Buffer.alloc(8192, 2);

function content(disk: MemoryDisk): Buffer {
  const out = Buffer.alloc(8192);
  disk.open("f", "read").readSync(out, 0);
  return out;
}

function withOld(seed: number): MemoryDisk {
  const disk = new MemoryDisk(seed);
  disk.open("f", "create").writeDurableSync(OLD, 0);
  disk.syncDirectorySync();
  return disk;
}

test("what was made stable survives every cut; what was not is kept, lost or torn", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed < 200; seed++) {
    const disk = withOld(seed);
    disk.open("f", "write").writeSync(NEW, 0);
    disk.powerCycle();
    const got = content(disk);
    outcomes.add(got.equals(OLD) ? "old" : got.equals(NEW) ? "new" : "torn");
    if (got.some((x) => x !== 1 && x !== 2)) expect.fail("bytes nobody wrote");
    const synced = withOld(seed);
    const file = synced.open("f", "write");
    file.writeSync(NEW, 0);
    file.syncSync();
    synced.powerCycle();
    expect(content(synced).equals(NEW)).toBe(true);
  }
  expect([...outcomes].sort()).toEqual(["new", "old", "torn"]);
});

test("the chosen call is cut, and every call after it fails until the power is back", () => {
  const disk = withOld(3);
  disk.cutAt = disk.calls + 2;
  const file = disk.open("f", "write");
  expect(() => file.writeDurableSync(NEW, 0)).toThrow(PowerCutError);
  expect(() => file.readSync(Buffer.alloc(1), 0)).toThrow(PowerCutError);
  disk.powerCycle();
  expect(() => file.readSync(Buffer.alloc(1), 0)).toThrow(PowerCutError); // a handle from before
  content(disk);
});

test("names not made stable may be gone, a durable write under a later plain one stays", async () => {
  let gone = 0;
  for (let seed = 1; seed < 40; seed++) {
    const disk = withOld(seed);
    disk.open("g", "create").writeDurableSync(OLD, 0);
    const file = disk.open("f", "write");
    const write = file.writeDurable(NEW, 0);
    file.writeSync(OLD.subarray(0, 512), 0); // on top, not stable
    await write;
    disk.powerCycle();
    if (!disk.exists("g")) gone++;
    expect(content(disk).subarray(512).equals(NEW.subarray(512))).toBe(true);
  }
  expect(gone).toBeGreaterThan(5);
});

test("the same seed gives the same damage", () => {
  const run = () => {
    const disk = withOld(11);
    disk.open("f", "write").writeSync(NEW, 0);
    disk.powerCycle();
    return content(disk);
  };
  expect(run().equals(run())).toBe(true);
});
