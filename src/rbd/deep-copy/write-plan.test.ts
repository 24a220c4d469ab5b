import { expect, test } from "vitest";
import { OBJECT_STATE } from "../../cls/rbd/types/features.ts";
import { IntervalSet, NOSNAP, type SnapId } from "../../types/index.ts";
import { type Delta, emptyDelta } from "./delta.ts";
import { computeSnapMap } from "./snap-map.ts";
import { type CopySituation, planWrites } from "./write-plan.ts";

const SIZE = 4096;
const { EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
const ZEROS = undefined;

function situation(change: Partial<CopySituation>): CopySituation {
  return {
    layout: { objectSize: SIZE, stripeUnit: SIZE, stripeCount: 1 },
    snapMap: computeSnapMap(
      [],
      [
        [2n, 12n],
        [NOSNAP, NOSNAP],
      ],
      0n,
    ),
    from: 0n,
    deltas: [],
    reads: new Map(),
    mayExistAt: () => true,
    showsParentAt: () => false,
    hasFastDiff: true,
    ...change,
  };
}

function reads(...entries: [SnapId, wanted: number, bytes: number][]): CopySituation["reads"] {
  return new Map(
    entries.map(([snap, wanted, bytes]) => [
      snap,
      {
        wanted: IntervalSet.of(0, wanted),
        runs: [{ offset: 0, data: new Uint8Array(bytes).fill(7) }],
      },
    ]),
  );
}

function zeroed(snap: SnapId, start: number, length: number): Delta {
  return { ...emptyDelta(snap, snap), zeroed: IntervalSet.of(start, length) };
}

const show = (at: CopySituation) =>
  planWrites(at).map(({ snap, extents, state }) => ({
    snap,
    extents: extents.map(({ offset, length, data }) => [offset, length, data && "data"]),
    state,
  }));

test("bytes are written at their snapshot; a later one that changes nothing is clean", () => {
  expect(show(situation({ reads: reads([2n, 1024, 1024]) }))).toEqual([
    { snap: 2n, extents: [[0, 1024, "data"]], state: EXISTS },
    { snap: NOSNAP, extents: [], state: EXISTS_CLEAN },
  ]);
  const [, head] = show(situation({ reads: reads([2n, 1024, 1024]), hasFastDiff: false }));
  expect(head?.state).toBe(EXISTS);
});

test("what was wanted and is a hole at the end is not written", () => {
  const [first] = show(situation({ reads: reads([2n, 2048, 1024]) }));
  expect(first?.extents).toEqual([[0, 1024, "data"]]);
});

test("zeros inside stay zeros, zeros to the end cut off, and all zeros remove", () => {
  const at = situation({
    reads: reads([2n, 3000, 3000]),
    deltas: [zeroed(NOSNAP, 1000, 100)],
  });
  expect(show(at)[1]).toMatchObject({ extents: [[1000, 100, ZEROS]], state: EXISTS });
  const cut = { ...at, deltas: [zeroed(NOSNAP, 1000, 1000), zeroed(NOSNAP, 2000, 2096)] };
  expect(show(cut)[1]).toMatchObject({ extents: [[1000, 3096, ZEROS]], state: EXISTS });
  const gone = { ...at, deltas: [zeroed(NOSNAP, 0, SIZE)] };
  expect(show(gone)[1]).toMatchObject({ extents: [[0, SIZE, ZEROS]], state: undefined });
});

test("zeros that touch in the object are one, though they are apart in the image", () => {
  const layout = { objectSize: SIZE, stripeUnit: 1024, stripeCount: 2 };
  // Object 0 has [0, 1024), [2048, 3072), … of the image.
  const deltas = [zeroed(NOSNAP, 4096, 1024), zeroed(NOSNAP, 6144, 1024)];
  const runs = [0, 2048, 4096, 6144].map((offset) => ({ offset, data: new Uint8Array(1024) }));
  const wanted = IntervalSet.from(runs.map(({ offset }) => [offset, 1024]));
  const at = situation({ layout, deltas, reads: new Map([[2n, { wanted, runs }]]) });
  expect(show(at)[1]?.extents).toEqual([[2048, 2048, ZEROS]]);
});

test("zeros where the copy would show its parent are written, and leave an object", () => {
  const deltas = [zeroed(2n, 0, SIZE)];
  expect(show(situation({ deltas }))[0]).toMatchObject({ extents: [], state: undefined });
  const [first] = show(situation({ deltas, showsParentAt: () => true }));
  expect(first).toMatchObject({ extents: [[0, SIZE, ZEROS]], state: EXISTS });
});

test("past the end of the copy there is nothing", () => {
  const at = situation({
    reads: reads([2n, 100, 100]),
    mayExistAt: (target) => target !== NOSNAP,
  });
  expect(show(at)[1]).toMatchObject({ extents: [[0, SIZE, ZEROS]], state: undefined });
});
