import { expect, test } from "vitest";
import { IntervalSet } from "../types/index.ts";
import { PurgedSnaps } from "./purged-snaps.ts";

function watch(osds: number) {
  const told: [number, [number, number][]][] = [];
  const purged = new PurgedSnaps(osds, (pool, snaps) => told.push([pool, [...snaps]]));
  return { purged, told };
}

test("with one OSD, what it purged is purged", () => {
  const { purged, told } = watch(1);
  purged.report(0, 1, IntervalSet.of(3, 2));
  expect(told).toEqual([[1, [[3, 2]]]]);
});

test("nothing is purged before every OSD has spoken", () => {
  const { purged, told } = watch(3);
  purged.report(0, 1, IntervalSet.of(3, 2));
  purged.report(0, 1, IntervalSet.of(3, 4));
  purged.report(1, 1, IntervalSet.of(3, 2));
  expect(told).toEqual([]);
});

test("only what all have purged is purged", () => {
  const { purged, told } = watch(3);
  purged.report(0, 1, IntervalSet.of(1, 9));
  purged.report(1, 1, IntervalSet.of(5, 9));
  purged.report(2, 1, IntervalSet.of(1, 6));
  expect(told).toEqual([[1, [[5, 2]]]]);
});

test("nothing in common is nothing to tell", () => {
  const { purged, told } = watch(2);
  purged.report(0, 1, IntervalSet.of(1, 2));
  purged.report(1, 1, IntervalSet.of(3, 2));
  purged.report(1, 1, new IntervalSet());
  expect(told).toEqual([]);
});

test("pools are apart", () => {
  const { purged, told } = watch(2);
  purged.report(0, 1, IntervalSet.of(1, 1));
  purged.report(1, 2, IntervalSet.of(1, 1));
  expect(told).toEqual([]);
  purged.report(0, 2, IntervalSet.of(1, 1));
  expect(told).toEqual([[2, [[1, 1]]]]);
});

test("an OSD's newest report replaces its last, and its sets are left as they were", () => {
  const { purged, told } = watch(2);
  const first = IntervalSet.of(1, 8);
  purged.report(0, 1, first);
  purged.report(1, 1, IntervalSet.of(1, 1));
  purged.report(1, 1, IntervalSet.of(1, 3));
  expect(told).toEqual([
    [1, [[1, 1]]],
    [1, [[1, 3]]],
  ]);
  expect([...first]).toEqual([[1, 8]]);
});
