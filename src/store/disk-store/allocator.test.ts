import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { Allocator, encodeRegion, REGION_BLOCKS } from "./allocator.ts";

test("no block is handed out twice, and all of them can be", () => {
  const total = 3 * REGION_BLOCKS + 77;
  const a = new Allocator(total);
  const random = seededRandom(1);
  const owned = new Set<number>();
  for (let step = 0; step < 3000; step++) {
    if (random.below(2) === 0 && a.free > 0) {
      const count = Math.min(a.free, 1 + random.below(random.below(8) === 0 ? 900 : 20));
      const runs = a.allocate(count);
      let got = 0;
      for (let i = 0; i < runs.length; i += 2) {
        for (let b = runs[i]!; b < runs[i]! + runs[i + 1]!; b++) {
          if (owned.has(b) || b >= total) expect.fail(`block ${b} handed out wrongly`);
          owned.add(b);
          got++;
        }
      }
      expect(got).toBe(count);
    } else {
      for (const block of [...owned].slice(0, random.below(60))) {
        owned.delete(block);
        if (!a.drop(block)) expect.fail(`block ${block} had one owner`);
        a.release(block);
      }
    }
    if (a.used !== owned.size || a.free !== total - owned.size) expect.fail(`step ${step}`);
  }
  a.allocate(a.free);
  expect(a.used).toBe(total);
});

test("a large allocation lies in one piece where there is one", () => {
  const a = new Allocator(4 * REGION_BLOCKS);
  a.allocate(3);
  expect(a.allocate(REGION_BLOCKS)).toEqual([REGION_BLOCKS, REGION_BLOCKS]);
  expect(a.allocate(100)).toHaveLength(2);
});

test("a shared block is in use until its last owner goes, and held until released", () => {
  const a = new Allocator(10);
  const [block] = a.allocate(1) as [number];
  a.share(block);
  expect(a.extraRefs(block)).toBe(1);
  expect(a.drop(block)).toBe(false);
  expect(a.drop(block)).toBe(true);
  expect(a.free).toBe(9);
  expect(() => a.drop(block)).toThrow("freed twice");
  expect(() => a.take(block)).toThrow("not free");
  a.release(block);
  expect(a.free).toBe(10);
  a.take(block);
});

test("a region loads as it was saved", () => {
  const a = new Allocator(2 * REGION_BLOCKS);
  a.allocate(700);
  a.share(5);
  a.share(5);
  a.share(699);
  a.drop(40);
  const b = new Allocator(2 * REGION_BLOCKS);
  for (const [index, region] of a.takeDirty()) b.load(index, encodeRegion(region));
  expect(b.used).toBe(699);
  expect(b.free).toBe(2 * REGION_BLOCKS - 699); // what was only held is free again
  expect([b.extraRefs(5), b.extraRefs(699), b.extraRefs(6)]).toEqual([2, 1, 0]);
  expect([b.isUsed(40), b.isUsed(41)]).toEqual([false, true]);
  expect([...a.takeDirty()]).toEqual([]);
});
