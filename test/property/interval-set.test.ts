/**
 * IntervalSet against the plainest oracle there is: a Set of every member. And its codec against bytes
 * that no writer of ours would send.
 */
import {
  array,
  constantFrom,
  assert as holds,
  integer,
  maxSafeNat,
  property,
  tuple,
  uint8Array,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes, Writer } from "../../src/encoding/index.ts";
import { IntervalSet, IntervalSetCodec } from "../../src/types/index.ts";

/** Members lie in [0, SPAN): small enough that intervals meet, touch and swallow each other. */
const SPAN = 48;

const interval = tuple(integer({ min: 0, max: SPAN - 1 }), integer({ min: 0, max: 12 })).map(
  ([start, length]) => [start, Math.min(length, SPAN - start)] as [number, number],
);
const step = tuple(constantFrom("insert" as const, "remove" as const), interval);
const steps = array(step, { maxLength: 30 });
type Step = ["insert" | "remove", [number, number]];

class Oracle {
  readonly members = new Set<number>();

  insert(start: number, length: number): void {
    for (let x = start; x < start + length; x++) this.members.add(x);
  }
  remove(start: number, length: number): void {
    for (let x = start; x < start + length; x++) this.members.delete(x);
  }
}

function build(walk: Step[]): { set: IntervalSet; members: Set<number> } {
  const set = new IntervalSet();
  const oracle = new Oracle();
  for (const [what, [start, length]] of walk) {
    set[what](start, length);
    oracle[what](start, length);
  }
  return { set, members: oracle.members };
}

/** Same members, and in the one form a set has: ascending, not empty, not touching. */
function expectSame(set: IntervalSet, members: Set<number>): void {
  expect(
    [...set].flatMap(([start, length]) => Array.from({ length }, (_, i) => start + i)),
  ).toEqual([...members].sort((a, b) => a - b));
  let end = -1;
  for (const [start, length] of set) {
    expect(length).toBeGreaterThan(0);
    expect(start).toBeGreaterThan(end);
    end = start + length;
  }
  expect(set.count).toBe([...set].length);
  expect(set.size).toBe(members.size);
  expect(set.isEmpty).toBe(members.size === 0);
  for (let x = -1; x <= SPAN; x++) expect(set.has(x), `${x}`).toBe(members.has(x));
}

test("insert and remove, in any order", () => {
  holds(
    property(steps, (walk) => {
      const { set, members } = build(walk);
      expectSame(set, members);
    }),
    { numRuns: 500 },
  );
});

describe("two sets", () => {
  const both = (check: (a: ReturnType<typeof build>, b: ReturnType<typeof build>) => void) =>
    holds(
      property(steps, steps, (left, right) => check(build(left), build(right))),
      { numRuns: 300 },
    );

  test("union", () => {
    both((a, b) => {
      a.set.union(b.set);
      expectSame(a.set, new Set([...a.members, ...b.members]));
      expectSame(b.set, b.members);
    });
  });

  test("difference", () => {
    both((a, b) => {
      a.set.subtract(b.set);
      expectSame(a.set, new Set([...a.members].filter((x) => !b.members.has(x))));
      expectSame(b.set, b.members);
    });
  });

  test("intersection", () => {
    both((a, b) => {
      a.set.intersect(b.set);
      expectSame(a.set, new Set([...a.members].filter((x) => b.members.has(x))));
      expectSame(b.set, b.members);
    });
  });

  test("a clone goes its own way", () => {
    both((a, b) => {
      const copy = a.set.clone();
      copy.union(b.set);
      copy.remove(0, SPAN);
      expectSame(a.set, a.members);
    });
  });

  test("a set and itself", () => {
    both((a) => {
      a.set.intersect(a.set);
      expectSame(a.set, a.members);
      a.set.union(a.set);
      expectSame(a.set, a.members);
      a.set.subtract(a.set);
      expectSame(a.set, new Set());
    });
  });
});

test("from() takes intervals in any order, touching and overlapping", () => {
  holds(
    property(array(interval, { maxLength: 12 }), (intervals) => {
      const oracle = new Oracle();
      for (const [start, length] of intervals) oracle.insert(start, length);
      expectSame(IntervalSet.from(intervals), oracle.members);
    }),
  );
});

test("of() is one interval, or nothing when it is empty", () => {
  holds(
    property(interval, ([start, length]) => {
      const oracle = new Oracle();
      oracle.insert(start, length);
      expectSame(IntervalSet.of(start, length), oracle.members);
    }),
  );
});

describe("codec", () => {
  test("round trip; equal sets have equal bytes", () => {
    holds(
      property(steps, (walk) => {
        const { set, members } = build(walk);
        const wire = encodeToBytes(IntervalSetCodec, set);
        const back = decodeFromBytes(IntervalSetCodec, wire);
        expectSame(back, members);
        expect(encodeToBytes(IntervalSetCodec, back)).toEqual(wire);
        const rebuilt = IntervalSet.from([...members].map((x) => [x, 1] as const));
        expect(encodeToBytes(IntervalSetCodec, rebuilt)).toEqual(wire);
      }),
    );
  });

  test("a cut anywhere is refused", () => {
    const wire = encodeToBytes(
      IntervalSetCodec,
      IntervalSet.from([
        [0, 1],
        [4, 2],
      ]),
    );
    for (let length = 0; length < wire.length; length++) {
      const cut = wire.subarray(0, length);
      expect(() => decodeFromBytes(IntervalSetCodec, cut), `${length}`).toThrow(DecodeError);
    }
  });

  function encoded(intervals: [number, number][]): Buffer {
    const w = new Writer();
    w.u32(intervals.length);
    for (const [start, length] of intervals) {
      w.u64n(start);
      w.u64n(length);
    }
    return w.finish();
  }

  test.each<[string, [number, number][]]>([
    [
      "descending",
      [
        [8, 1],
        [0, 1],
      ],
    ],
    [
      "overlapping",
      [
        [0, 5],
        [4, 5],
      ],
    ],
    [
      "twice the same",
      [
        [4, 1],
        [4, 1],
      ],
    ],
    ["past the last exact integer", [[Number.MAX_SAFE_INTEGER, 2]]],
    ["twice past it", [[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]]],
  ])("%s intervals are refused", (_, intervals) => {
    expect(() => decodeFromBytes(IntervalSetCodec, encoded(intervals))).toThrow(DecodeError);
  });

  test("touching and empty intervals, which a sloppy writer may send, are taken in our form", () => {
    const set = decodeFromBytes(
      IntervalSetCodec,
      encoded([
        [0, 2],
        [2, 3],
        [7, 0],
        [9, 1],
      ]),
    );
    expectSame(set, new Set([0, 1, 2, 3, 4, 9]));
  });

  test("what is decoded can be encoded, whatever the bytes were", () => {
    const number = maxSafeNat();
    holds(
      property(
        array(tuple(number, number), { maxLength: 4 }),
        uint8Array({ maxLength: 8 }),
        (xs, more) => {
          const wire = Buffer.concat([encoded(xs), more]);
          let set: IntervalSet;
          try {
            set = decodeFromBytes(IntervalSetCodec, wire);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
            return;
          }
          const again = encodeToBytes(IntervalSetCodec, set);
          expect([...decodeFromBytes(IntervalSetCodec, again)]).toEqual([...set]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a count beyond the bytes is refused at once", () => {
    const wire = Buffer.alloc(4 + 16);
    wire.writeUInt32LE(0xffff_ffff, 0);
    expect(() => decodeFromBytes(IntervalSetCodec, wire)).toThrow(/elements claimed/);
  });
});
