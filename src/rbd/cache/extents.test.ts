/** The extents of an object against the plainest model there is: what is known of each byte. */
import {
  type Arbitrary,
  array,
  boolean,
  constantFrom,
  assert as holds,
  integer,
  oneof,
  property,
  record,
} from "fast-check";
import { expect, test } from "vitest";
import { NOSNAP } from "../../types/index.ts";
import { type Claim, type Extent, type Fill, ObjectExtents, type Tally } from "./extents.ts";

/** Bytes of the object: so few that ranges meet, touch and swallow each other. */
const SPAN = 40;

const range = record({
  offset: integer({ min: 0, max: SPAN - 1 }),
  size: integer({ min: 1, max: 14 }),
});
const which = integer({ min: 0, max: 3 });
const step = oneof(
  record({ op: constantFrom("put" as const), range }),
  record({ op: constantFrom("claim" as const), range }),
  record({
    op: constantFrom("settle" as const),
    which,
    as: constantFrom("clean", "dirty", "gone"),
  }),
  record({ op: constantFrom("handOver" as const), which, to: which }),
  record({ op: constantFrom("forget" as const), range }),
  record({ op: constantFrom("beginFill" as const), range }),
  record({ op: constantFrom("endFill" as const), which, fails: boolean(), hole: range }),
  record({ op: constantFrom("evict" as const), which }),
  record({ op: constantFrom("dropClean" as const) }),
  record({ op: constantFrom("drop" as const) }),
);
type Step = typeof step extends Arbitrary<infer T> ? T : never;

/** What is known of a byte. */
interface Byte {
  readonly state: Extent["state"];
  /** undefined: of a hole. */
  readonly value: number | undefined;
}

class Book implements Tally {
  readonly extents = new Set<Extent>();
  enter(extent: Extent): void {
    expect(this.extents.has(extent)).toBe(false);
    this.extents.add(extent);
  }
  leave(extent: Extent): void {
    expect(this.extents.delete(extent)).toBe(true);
  }
  touch(extent: Extent): void {
    expect(this.extents.has(extent)).toBe(true);
  }
}

class Pair {
  readonly book = new Book();
  readonly object = new ObjectExtents(0, NOSNAP, this.book);
  bytes: (Byte | undefined)[] = Array.from({ length: SPAN }, () => undefined);
  claims: Claim[] = [];
  fills: { fill: Fill; wanted: Set<number> }[] = [];
  #value = 0;

  step(step: Step): void {
    switch (step.op) {
      case "put":
        return this.#put(step.range);
      case "claim":
        return this.#claim(step.range);
      case "settle":
        return this.#settle(step.which, step.as);
      case "forget":
        return this.#forget(step.range);
      case "handOver":
        return this.#handOver(step.which, step.to);
      case "beginFill":
        return this.#beginFill(step.range);
      case "endFill":
        return this.#endFill(step);
      case "evict":
        return this.#evict(step.which);
      case "dropClean":
        this.object.dropClean();
        this.fills = [];
        return this.#each(0, SPAN, (byte) => (byte.state === "clean" ? undefined : byte));
      case "drop": {
        const isLoss = this.bytes.some((byte) => byte?.state === "dirty");
        expect(this.object.drop()).toBe(isLoss);
        this.fills = [];
        return this.#each(0, SPAN, () => undefined);
      }
    }
  }

  #each(start: number, end: number, change: (byte: Byte) => Byte | undefined): void {
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at];
      if (byte !== undefined) this.bytes[at] = change(byte);
    }
  }

  #put({ offset, size }: { offset: number; size: number }): void {
    const end = Math.min(offset + size, SPAN);
    const data = Uint8Array.from({ length: end - offset }, () => this.#next());
    for (let at = offset; at < end; at++) {
      this.bytes[at] = { state: "dirty", value: data[at - offset] };
    }
    this.#cut(offset, end);
    this.object.put(offset, data);
  }

  #claim({ offset, size }: { offset: number; size: number }): void {
    const claim = this.object.claim(offset, size);
    const taken: (number | undefined)[] = [];
    this.#each(offset, Math.min(offset + size, SPAN), (byte) => {
      if (byte.state !== "dirty") return byte;
      taken.push(byte.value);
      return { ...byte, state: claim };
    });
    expect([...claim.data]).toEqual(taken);
    expect(claim.weight).toBeGreaterThanOrEqual(taken.length);
    this.claims.push(claim);
  }

  #settle(which: number, as: "clean" | "dirty" | "gone"): void {
    const [claim] = this.claims.splice(which, 1);
    if (claim === undefined) return;
    const isLeft = this.bytes.some((byte) => byte?.state === claim);
    expect(this.object.settle(claim, as)).toBe(isLeft);
    this.#each(0, SPAN, (byte) => {
      if (byte.state !== claim) return byte;
      return as === "gone" ? undefined : { ...byte, state: as };
    });
  }

  #forget({ offset, size }: { offset: number; size: number }): void {
    const end = Math.min(offset + size, SPAN);
    this.object.forget(offset, end - offset);
    this.#each(offset, end, (byte) => (byte.state === "clean" ? undefined : byte));
    this.#cut(offset, end);
  }

  #handOver(which: number, other: number): void {
    const [from, to] = [this.claims[which], this.claims[other]];
    if (from === undefined || to === undefined || from === to) return;
    let isAny = false;
    const weight = to.weight;
    const isHanded = this.object.handOver(from, to);
    this.#each(to.offset, Math.min(to.offset + to.length, SPAN), (byte) => {
      if (byte.state !== from) return byte;
      isAny = true;
      return { ...byte, state: to };
    });
    expect(isHanded).toBe(isAny);
    expect(to.weight > weight).toBe(isAny);
  }

  #beginFill({ offset, size }: { offset: number; size: number }): void {
    const end = Math.min(offset + size, SPAN);
    const wanted = new Set(Array.from({ length: end - offset }, (_, i) => offset + i));
    this.fills.push({ fill: this.object.beginFill(offset, end - offset), wanted });
  }

  #endFill(of: { which: number; fails: boolean; hole: { offset: number; size: number } }): void {
    const [found] = this.fills.splice(of.which, 1);
    if (found === undefined) return;
    if (of.fails) return this.object.endFill(found.fill);
    // The whole object as it is read, but for a hole.
    const all = Uint8Array.from({ length: SPAN }, () => this.#next());
    const [start, end] = [of.hole.offset, Math.min(of.hole.offset + of.hole.size, SPAN)];
    const isHole = (at: number) => at >= start && at < end;
    const runs = [
      { offset: 0, data: all.subarray(0, start) },
      { offset: end, data: all.subarray(end) },
    ];
    this.object.endFill(found.fill, runs);
    for (const at of found.wanted) {
      const value = isHole(at) ? undefined : all[at];
      this.bytes[at] ??= { state: "clean", value };
    }
  }

  #evict(which: number): void {
    const extent = this.object.extents.filter(({ state }) => state === "clean")[which];
    if (extent === undefined) return;
    this.object.evict(extent);
    this.#each(extent.offset, extent.offset + extent.length, () => undefined);
  }

  #cut(start: number, end: number): void {
    for (const { wanted } of this.fills) {
      for (let at = start; at < end; at++) wanted.delete(at);
    }
  }

  #next(): number {
    this.#value = (this.#value + 1) % 251;
    return this.#value;
  }

  check(): void {
    const { object, book } = this;
    let end = 0;
    for (const { offset, length, data } of object.extents) {
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(length).toBeGreaterThan(0);
      expect(data?.length ?? length).toBe(length);
      end = offset + length;
    }
    expect(book.extents).toEqual(new Set(object.extents));
    expect(object.isIdle).toBe(this.bytes.every((x) => x === undefined) && this.fills.length === 0);
    expect(bytesOf(object, 0, SPAN)).toEqual(this.bytes);
    // Ranges that begin and end anywhere.
    const [from, to] = [this.#value % 17, SPAN - (this.#value % 13)];
    expect(bytesOf(object, from, to)).toEqual(this.bytes.slice(from, to));
    const dirty = object.dirtyRuns(from, to - from);
    const isDirty = new Set(
      dirty.flatMap(([at, n]) => Array.from({ length: n }, (_, i) => at + i)),
    );
    for (let at = from; at < to; at++) {
      expect(isDirty.has(at)).toBe(this.bytes[at]?.state === "dirty");
    }
    // Each as long as it can be.
    dirty.forEach(([at], i) => {
      const before = dirty[i - 1];
      if (before !== undefined) expect(at).toBeGreaterThan(before[0] + before[1]);
    });
  }
}

/** What a lookup says of each byte. */
function bytesOf(object: ObjectExtents, start: number, end: number): (Byte | undefined)[] {
  const { known, gaps } = object.lookup(start, end - start);
  const bytes: (Byte | undefined)[] = [];
  const pieces = [
    ...known.map((extent) => ({ ...extent, extent })),
    ...gaps.map(([offset, length]) => ({ offset, length, extent: undefined })),
  ].sort((a, b) => a.offset - b.offset);
  for (const { offset, length, extent } of pieces) {
    expect(offset).toBe(start + bytes.length);
    for (let i = 0; i < length; i++) {
      if (extent === undefined) bytes.push(undefined);
      else bytes.push({ state: extent.state, value: extent.data?.[i] });
    }
  }
  return bytes;
}

test("extents know of each byte what a plain array knows, whatever happens in whatever order", () => {
  holds(
    property(array(step, { maxLength: 60 }), (steps) => {
      const pair = new Pair();
      for (const step of steps) {
        pair.step(step);
        pair.check();
      }
    }),
    { numRuns: 150 },
  );
});

test("a small rest of a large buffer does not keep all of it", () => {
  const object = new ObjectExtents(0, NOSNAP, new Book());
  object.put(0, new Uint8Array(1000).fill(1));
  object.put(10, new Uint8Array(980).fill(2));
  expect(object.extents.map(({ data }) => data?.buffer.byteLength)).toEqual([10, 980, 10]);
});

test("a claim has the bytes as they were, whatever is written over them", () => {
  const object = new ObjectExtents(0, NOSNAP, new Book());
  object.put(0, Uint8Array.of(1, 2));
  object.put(2, Uint8Array.of(3, 4));
  const claim = object.claim(1, 3);
  object.put(1, Uint8Array.of(9, 9));
  expect([...claim.data]).toEqual([2, 3, 4]);
  expect(object.settle(claim, "dirty")).toBe(true);
  // What was written since comes first.
  expect(bytesOf(object, 0, 4).map((byte) => byte?.value)).toEqual([1, 9, 9, 4]);
});

test("what was read before a change does not come in after it, also when the change is not known any more", () => {
  const changes: ((object: ObjectExtents) => void)[] = [
    (object) => {
      object.put(4, Uint8Array.of(9));
      object.settle(object.claim(4, 1), "gone");
    },
    (object) => object.forget(4, 1),
  ];
  for (const change of changes) {
    const object = new ObjectExtents(0, NOSNAP, new Book());
    const fill = object.beginFill(0, 8);
    change(object);
    object.endFill(fill, [{ offset: 0, data: new Uint8Array(8).fill(1) }]);
    const values = bytesOf(object, 0, 8).map((byte) => byte?.value);
    expect(values).toEqual([1, 1, 1, 1, undefined, 1, 1, 1]);
  }
  const object = new ObjectExtents(0, NOSNAP, new Book());
  const fill = object.beginFill(0, 8);
  object.dropClean();
  object.endFill(fill, [{ offset: 0, data: new Uint8Array(8).fill(1) }]);
  expect(object.isIdle).toBe(true);
});
