import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { GONE } from "./run.ts";
import { SlabPool, Table } from "./table.ts";

test("a seeded walk over tables that hand their slabs on equals a plain map", () => {
  const random = seededRandom(5);
  const pool = new SlabPool();
  for (let round = 0; round < 6; round++) {
    const table = new Table(pool);
    const model = new Map<string, Buffer>();
    for (let step = 0; step < 1500; step++) {
      const key = `k${random.below(200)}`;
      if (random.below(5) === 0) {
        table.delete(key);
        model.set(key, Buffer.from(GONE));
        continue;
      }
      // Now and then one that does not fit in a slab.
      const length = random.below(100) === 0 ? 300_000 : random.below(2000);
      const value = Buffer.alloc(length, random.below(256));
      table.put(key, value);
      model.set(key, value);
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    const found: [string, Uint8Array][] = [];
    for (const c = table.cursor(); c.key !== undefined; c.next()) found.push([c.key, c.value()]);
    expect(found.map(([key]) => key)).toEqual(sorted.map(([key]) => key));
    for (const [i, [key, value]] of found.entries()) {
      expect(Buffer.compare(value, sorted[i]![1]), `round ${round}: ${key}`).toBe(0);
    }
    table.drop();
  }
});

test("a value of the same length is written over, and takes no more memory", () => {
  const table = new Table(new SlabPool());
  expect(table.put("a", Buffer.from("one"))).toBe(true);
  const { bytes } = table;
  expect(table.put("a", Buffer.from("two"))).toBe(false);
  expect(table.bytes).toBe(bytes);
  expect(Buffer.from(table.get("a")!).toString()).toBe("two");
});

test("a removed key is told by identity, and an empty value is not one", () => {
  const table = new Table(new SlabPool());
  table.put("a", Buffer.alloc(0));
  expect(table.get("a")).not.toBe(GONE);
  expect(table.get("a")).toHaveLength(0);
  table.delete("a");
  expect(table.get("a")).toBe(GONE);
  expect(table.get("b")).toBeUndefined();
});
