import { expect, test } from "vitest";
import { BufferPool } from "./buffer-pool.ts";
import { type Clock, systemClock } from "./clock.ts";
import { seededRandom } from "./random.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A clock whose only timer, and what is deferred, is fired by hand. */
function handClock(): { clock: Clock; fire: () => void; turn: () => void } {
  let due: (() => void) | undefined;
  let deferred: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    after: (_delayMs, fn) => {
      due = fn;
      return { cancel: () => undefined };
    },
    defer: (fn) => {
      deferred = fn;
    },
  };
  return { clock, fire: () => due?.(), turn: () => deferred?.() };
}

test("blocks that are out never overlap, and all of it can be had again in one piece", () => {
  const random = seededRandom(7);
  const pool = new BufferPool(6 * MIB, systemClock);
  const out: Buffer[] = [];
  for (let step = 0; step < 2000; step++) {
    if (random.below(2) === 0) {
      const block = pool.take(1 + random.below(3 * MIB));
      if (block === undefined) continue;
      for (const other of out) {
        const apart =
          block.byteOffset + block.length <= other.byteOffset ||
          other.byteOffset + other.length <= block.byteOffset;
        expect(apart, `step ${step}`).toBe(true);
      }
      out.push(block);
    } else if (out.length > 0) {
      const [block] = out.splice(random.below(out.length), 1);
      // Any part of it will do.
      pool.give(block!.subarray(block!.length >> 1));
    }
  }
  for (const block of out) pool.give(block);
  expect(pool.takenBytes).toBe(0);
  expect(pool.take(4 * MIB)).toHaveLength(4 * MIB);
  expect(pool.take(2 * MIB)).toHaveLength(2 * MIB);
  expect(pool.take(1)).toBeUndefined();
});

test("whoever needs one block at a time stays in the same memory", () => {
  const pool = new BufferPool(8 * MIB, systemClock);
  const seen = new Set<number>();
  for (let i = 0; i < 10; i++) {
    const block = pool.take(3 * MIB)!;
    seen.add(block.byteOffset);
    pool.give(block);
  }
  expect(seen.size).toBe(1);
});

test("a second return is an assertion; other memory is left alone", () => {
  const pool = new BufferPool(MIB, systemClock);
  const block = pool.take(100)!;
  pool.give(block);
  expect(() => pool.give(block)).toThrow("nobody has taken");
  pool.give(Buffer.alloc(10));
  expect(pool.takenBytes).toBe(0);
});

test("who waits is served in order, and nobody overtakes", () => {
  const { clock, turn } = handClock();
  const pool = new BufferPool(4 * MIB, clock);
  const all = pool.take(4 * MIB)!;
  const served: string[] = [];
  pool.whenFree(4 * MIB, () => served.push("large"));
  pool.whenFree(KIB, () => served.push("small"));
  expect(served).toEqual([]);
  pool.give(all);
  expect(served, "whoever gives back is done first").toEqual([]);
  expect(pool.take(KIB)).toBeUndefined();
  turn();
  expect(served).toEqual(["large", "small"]);
});

test("who has waited long gets memory of its own", () => {
  const { clock, fire } = handClock();
  const pool = new BufferPool(64 * KIB, clock);
  pool.take(64 * KIB);
  const got: Buffer[] = [];
  pool.whenFree(64 * KIB, () => got.push(pool.takeOrMake(64 * KIB)));
  expect(got).toHaveLength(0);
  fire();
  expect(got).toHaveLength(1);
  expect(pool.takenBytes).toBe(64 * KIB);
});

test("with however much memory, a pool is made, and cuts and joins its blocks", () => {
  for (const bytes of [2 ** 30, 3 * 2 ** 30, 2 ** 40]) {
    const pool = new BufferPool(bytes, systemClock);
    const half = pool.take(2 ** 29)!;
    const other = pool.take(2 ** 29)!;
    expect(other.byteOffset - half.byteOffset, `${bytes}`).toBe(2 ** 29);
    pool.give(half);
    pool.give(other);
    expect(pool.take(2 ** 30)?.length, `${bytes}`).toBe(2 ** 30);
  }
});
