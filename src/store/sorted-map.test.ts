import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { SortedMap } from "./sorted-map.ts";

test("a seeded walk equals a plain map, sorted", () => {
  const random = seededRandom(5);
  const map = new SortedMap<number>();
  const model = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = String(random.below(3000));
    if (random.below(3) === 0) {
      if (map.delete(key) !== model.delete(key)) expect.fail(`deleting ${key} at ${i}`);
    } else {
      map.set(key, i);
      model.set(key, i);
    }
    if (map.get(key) !== model.get(key)) expect.fail(`getting ${key} at ${i}`);
    if (map.has(key) !== model.has(key)) expect.fail(`finding ${key} at ${i}`);
  }
  const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(map.size).toBe(model.size);
  expect([...map.entries()]).toEqual(sorted);
  expect([...map.entries("15", "2")]).toEqual(sorted.filter(([k]) => k >= "15" && k < "2"));
});

test("iteration survives insertions before and removals of what it stands on", () => {
  const map = new SortedMap<number>();
  for (let i = 100; i < 900; i++) map.set(`k${i}`, i);
  const seen: number[] = [];
  for (const [key, value] of map.entries()) {
    seen.push(value);
    map.delete(key);
    map.set(`a${value}`, 0);
  }
  expect(seen).toEqual(Array.from({ length: 800 }, (_, i) => i + 100));
});
