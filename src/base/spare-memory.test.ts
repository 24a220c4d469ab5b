import { expect, test } from "vitest";
import { SpareMemory } from "./spare-memory.ts";

const MIB = 1 << 20;

test("what is given back is used again, whatever part of it is shown", () => {
  const memory = new SpareMemory();
  const first = memory.take(4 * MIB + 24);
  expect(first.length).toBe(4 * MIB + 24);
  memory.give(first.subarray(24));
  expect(memory.take(4 * MIB).buffer).toBe(first.buffer);
});

test("a block has one owner at a time", () => {
  const memory = new SpareMemory();
  const first = memory.take(MIB);
  memory.give(first);
  memory.give(first);
  const [second, third] = [memory.take(MIB), memory.take(MIB)];
  expect(second.buffer).toBe(first.buffer);
  expect(third.buffer).not.toBe(first.buffer);
});

test("others' memory is not taken in", () => {
  const memory = new SpareMemory();
  const foreign = Buffer.allocUnsafeSlow(MIB);
  memory.give(foreign);
  expect(memory.take(MIB).buffer).not.toBe(foreign.buffer);
});

test("a small wish does not get a large block, and no more is kept than is said", () => {
  const memory = new SpareMemory();
  const large = memory.take(4 * MIB);
  memory.give(large);
  expect(memory.take(64 * 1024).buffer).not.toBe(large.buffer);
  const all = Array.from({ length: 40 }, () => memory.take(4 * MIB));
  for (const each of all) memory.give(each);
  const known = new Set(all.map(({ buffer }) => buffer));
  const again = Array.from({ length: 40 }, () => memory.take(4 * MIB).buffer);
  expect(again.filter((buffer) => known.has(buffer))).toHaveLength(16);
});
