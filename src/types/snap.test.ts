import { describe, expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes, Writer } from "../encoding/index.ts";
import { IntervalSet } from "./interval-set.ts";
import { NOSNAP, SNAPDIR } from "./object.ts";
import { EMPTY_SNAP_CONTEXT, isValidSnapContext, SnapContext, SnapSet } from "./snap.ts";

describe("snap contexts", () => {
  test.each([
    ["none", EMPTY_SNAP_CONTEXT],
    ["a sequence whose snaps are all gone", { seq: 9n, snaps: [] }],
    ["newest first, up to seq itself", { seq: 9n, snaps: [9n, 4n, 1n] }],
    ["the highest that is no sentinel", { seq: NOSNAP - 1n, snaps: [NOSNAP - 1n] }],
  ])("%s: valid", (_, context) => {
    expect(isValidSnapContext(context)).toBe(true);
    expect(decodeFromBytes(SnapContext, encodeToBytes(SnapContext, context))).toEqual(context);
  });

  test.each([
    ["a snap above seq", { seq: 3n, snaps: [4n] }],
    ["ascending", { seq: 9n, snaps: [1n, 4n] }],
    ["twice the same", { seq: 9n, snaps: [4n, 4n] }],
    ["snap 0", { seq: 9n, snaps: [4n, 0n] }],
    ["seq that means head", { seq: NOSNAP, snaps: [] }],
    ["seq that means snapdir", { seq: SNAPDIR, snaps: [] }],
    ["a sentinel among snaps", { seq: SNAPDIR, snaps: [NOSNAP] }],
  ])("%s: invalid", (_, context) => {
    expect(isValidSnapContext(context)).toBe(false);
  });
});

describe("snap sets", () => {
  const value: SnapSet = {
    seq: 7n,
    clones: [
      { id: 3n, snaps: [3n, 2n], size: 4096, overlap: IntervalSet.of(0, 512) },
      {
        id: 7n,
        snaps: [7n],
        size: 8192,
        overlap: IntervalSet.from([
          [0, 1],
          [4096, 4096],
        ]),
      },
    ],
  };
  const wire = encodeToBytes(SnapSet, value);

  function plain(set: SnapSet) {
    return { ...set, clones: set.clones.map((c) => ({ ...c, overlap: [...c.overlap] })) };
  }

  test("round trip, the empty one too", () => {
    expect(plain(decodeFromBytes(SnapSet, wire))).toEqual(plain(value));
    const empty = { seq: 0n, clones: [] };
    expect(decodeFromBytes(SnapSet, encodeToBytes(SnapSet, empty))).toEqual(empty);
  });

  test("a cut anywhere is refused", () => {
    for (let n = 0; n < wire.length; n++) {
      const cut = wire.subarray(0, n);
      expect(() => decodeFromBytes(SnapSet, cut), `${n}`).toThrow(DecodeError);
    }
  });

  /** A set with one clone, 3, whose maps speak of the ids given. */
  function written(ids: { overlap: bigint; size: bigint; snaps?: bigint }): Buffer {
    const w = new Writer();
    const mark = w.begin(ids.snaps === undefined ? 2 : 3, 2);
    w.u64(7n);
    w.u8(1);
    w.u32(1); // An old writer's snaps: read past.
    w.u64(3n);
    w.u32(1);
    w.u64(3n);
    w.u32(1);
    w.u64(ids.overlap);
    IntervalSet.encode(w, IntervalSet.of(0, 8));
    w.u32(1);
    w.u64(ids.size);
    w.u64n(10);
    if (ids.snaps !== undefined) {
      w.u32(1);
      w.u64(ids.snaps);
      w.u32(1);
      w.u64(3n);
    }
    w.end(mark);
    return w.finish();
  }

  test("an older writer's set has no clone snaps", () => {
    const back = decodeFromBytes(SnapSet, written({ overlap: 3n, size: 3n }));
    expect(plain(back).clones).toEqual([{ id: 3n, snaps: [], size: 10, overlap: [[0, 8]] }]);
    const newer = decodeFromBytes(SnapSet, written({ overlap: 3n, size: 3n, snaps: 3n }));
    expect(newer.clones[0]?.snaps).toEqual([3n]);
  });

  test.each([
    { overlap: 4n, size: 3n, snaps: 3n },
    { overlap: 3n, size: 4n, snaps: 3n },
    { overlap: 3n, size: 3n, snaps: 4n },
  ])("facts about a clone that is not there are refused: %o", (ids) => {
    expect(() => decodeFromBytes(SnapSet, written(ids))).toThrow(/no clone 4/);
  });
});
