import { expect, test } from "vitest";
import { NOSNAP } from "../../types/index.ts";
import { CachedObjects } from "./cached-objects.ts";
import { WEIGHT_MIN } from "./extents.ts";

/** Has something clean of an object at a snapshot. */
function read(objects: CachedObjects, objectNo: number, snap: bigint, length = 10): void {
  const object = objects.open(objectNo, snap);
  const fill = object.beginFill(0, length);
  object.endFill(fill, [{ offset: 0, data: new Uint8Array(length) }]);
}

test("short extents and holes count for something, long ones for their bytes", () => {
  const objects = new CachedObjects(1 << 20);
  read(objects, 0, NOSNAP);
  const object = objects.open(1);
  object.endFill(object.beginFill(0, 1 << 20), []);
  expect(objects.space.used).toBe(2 * WEIGHT_MIN);
  read(objects, 2, NOSNAP, 10_000);
  expect(objects.space.used).toBe(2 * WEIGHT_MIN + 10_000);
});

test("snapshots that are gone are let go of, the head is dropped by itself", () => {
  const objects = new CachedObjects(1 << 20);
  for (const snap of [NOSNAP, 1n, 2n]) for (const objectNo of [0, 1]) read(objects, objectNo, snap);
  objects.keepSnapshots(new Set([2n]));
  expect(objects.find(0, 1n)).toBeUndefined();
  expect([objects.count, objects.space.used]).toEqual([4, 4 * WEIGHT_MIN]);
  objects.open(0).put(100, new Uint8Array(1));
  objects.dropClean();
  expect([objects.count, objects.space.used, objects.space.dirty]).toEqual([
    3,
    3 * WEIGHT_MIN,
    WEIGHT_MIN,
  ]);
  expect(objects.dropHead()).toBe(true);
  expect(objects.dropHead()).toBe(false);
  expect([objects.count, objects.space.unwritten]).toEqual([2, 0]);
});

test("room is made of what was used longest ago, of whatever snapshot", () => {
  const objects = new CachedObjects(3 * WEIGHT_MIN);
  read(objects, 0, NOSNAP);
  read(objects, 0, 1n);
  read(objects, 1, NOSNAP);
  objects.find(0)?.lookup(0, 1);
  read(objects, 2, NOSNAP);
  objects.trim();
  expect(objects.find(0, 1n)).toBeUndefined();
  expect([0, 1, 2].map((objectNo) => objects.find(objectNo) !== undefined)).toEqual([
    true,
    true,
    true,
  ]);
});
