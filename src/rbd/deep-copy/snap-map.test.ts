import { expect, test } from "vitest";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { computeSnapMap } from "./snap-map.ts";

const plain = (map: ReadonlyMap<SnapId, readonly SnapId[]>) => [...map];

test("each snapshot of the source has its own of the copy, and behind it all older ones, newest first", () => {
  const pairs: [SnapId, SnapId][] = [
    [NOSNAP, NOSNAP],
    [7n, 12n],
    [4n, 11n],
  ];
  expect(plain(computeSnapMap([], pairs, 0n))).toEqual([
    [4n, [11n]],
    [7n, [12n, 11n]],
    [NOSNAP, [NOSNAP, 12n, 11n]],
  ]);
});

test("the copy's own snapshots are kept by writes that are newer than they", () => {
  const map = computeSnapMap(
    [12n, 10n, 15n],
    [
      [4n, 12n],
      [NOSNAP, NOSNAP],
    ],
    0n,
  );
  expect(plain(map)).toEqual([
    [4n, [12n, 10n]],
    [NOSNAP, [NOSNAP, 15n, 12n, 10n]],
  ]);
});

test("what was before the start is kept, and not copied", () => {
  const map = computeSnapMap(
    [],
    [
      [4n, 11n],
      [NOSNAP, NOSNAP],
    ],
    5n,
  );
  expect(plain(map)).toEqual([[NOSNAP, [NOSNAP, 11n]]]);
});
