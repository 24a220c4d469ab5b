import { expect, test } from "vitest";
import type { SnapListing } from "../../rados/index.ts";
import { IntervalSet, NOSNAP } from "../../types/index.ts";
import { type Delta, objectDeltas, snapSetDiff } from "./delta.ts";

const WHOLE = IntervalSet.of(0, 4096);

/** One write before snapshot 2, one of [1024, 1536) between it and 5, cut to 512 bytes after that. */
const LISTING: SnapListing = {
  seq: 5n,
  clones: [
    { id: 2n, snaps: [2n], overlap: [{ offset: 0, length: 1024 }], size: 2048 },
    { id: 5n, snaps: [4n, 5n], overlap: [{ offset: 0, length: 512 }], size: 2048 },
    { id: NOSNAP, snaps: [], overlap: [], size: 512 },
  ],
};

const show = (deltas: readonly Delta[]) =>
  deltas.map(({ writeSnap, readSnap, data, zeroed, missing }) => ({
    write: writeSnap,
    read: readSnap,
    data: [...data],
    zeroed: [...zeroed],
    missing: [...missing],
  }));

test("a change is written at the oldest snapshot that shows it and read at the newest", () => {
  const none = { data: [], zeroed: [], missing: [] };
  expect(show(objectDeltas(LISTING, WHOLE, [0n, 2n, 4n, 5n, NOSNAP], 4096))).toEqual([
    { ...none, write: 2n, read: 2n, data: [[0, 2048]] },
    { ...none, write: 4n, read: 5n, data: [[1024, 1024]] },
    { ...none, write: NOSNAP, read: NOSNAP, zeroed: [[512, 1536]] },
  ]);
});

test("an object that came after the first snapshot says that there was nothing", () => {
  const listing = { seq: 3n, clones: [{ id: NOSNAP, snaps: [], overlap: [], size: 100 }] };
  const deltas = show(objectDeltas(listing, WHOLE, [0n, 3n, NOSNAP], 4096));
  expect(deltas[0]).toMatchObject({ write: 0n, read: 0n, zeroed: [[0, 4096]] });
  expect(deltas[1]).toMatchObject({ write: NOSNAP, data: [[0, 100]] });
  expect(deltas).toHaveLength(2);
});

test("an object that went is zeros from then on", () => {
  const clone = { id: 2n, snaps: [2n], overlap: [], size: 4096 };
  const deltas = show(objectDeltas({ seq: 2n, clones: [clone] }, WHOLE, [0n, 2n, NOSNAP], 4096));
  expect(deltas.at(-1)).toMatchObject({ write: NOSNAP, zeroed: [[0, 4096]], data: [] });
});

test("no object, no bytes; from a later start what was before is not told", () => {
  expect(show(objectDeltas(undefined, WHOLE, [3n, NOSNAP], 4096))).toMatchObject([
    { write: 3n, read: 3n, missing: [[0, 4096]] },
  ]);
  const later = objectDeltas(LISTING, WHOLE, [2n, 4n, 5n], 4096);
  expect(show(later)).toMatchObject([{ write: 4n, read: 5n, data: [[1024, 1024]] }]);
});

test("a clone that tells no snapshots may differ anywhere", () => {
  const clones = [{ id: 2n, snaps: [], overlap: [], size: 10 }];
  expect(snapSetDiff({ seq: 2n, clones }, 0n, 2n)).toBe(undefined);
  const [delta] = objectDeltas({ seq: 2n, clones }, WHOLE, [0n, 2n], 4096);
  expect([...(delta?.data ?? [])]).toEqual([[0, 4096]]);
});
