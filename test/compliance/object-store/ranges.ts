/**
 * The part of the object store's suite that is about bytes: overwrites, holes, truncation, clone-range,
 * and a long seeded walk compared with plain arrays.
 */

import { expect, test } from "vitest";
import { seededRandom } from "../../../src/base/index.ts";
import { flatten } from "../../../src/encoding/index.ts";
import type { ObjectStore, StoreOp } from "../../../src/store/index.ts";
import { bytes, content, named, PG, same, submit, text } from "./fixtures.ts";

const A = named("a");
const B = named("b");
/** Sizes and offsets around block, inline and extent limits. */
const EDGES = [0, 1, 511, 4095, 4096, 4097, 8192, 65535, 65536, 65537, 131072, 300_000];

export function rangeSuite(get: () => ObjectStore): void {
  test("reads are short at the end and give any part, synchronously too", async () => {
    const store = get();
    const data = bytes(300_000);
    submit(store, { op: "write", object: A, offset: 0, data: [data] });
    for (const offset of EDGES) {
      for (const length of EDGES) {
        const part = data.slice(offset, offset + length);
        same(await content(store, A, offset, length), part, `${offset}~${length}`);
        const sync = Uint8Array.from(flatten(store.readSync(PG, A, offset, length)));
        same(sync, part, `sync ${offset}~${length}`);
      }
    }
  });

  test("a write past the end leaves a hole that reads as zeros", async () => {
    const store = get();
    submit(store, { op: "write", object: A, offset: 100_000, data: [text("tail")] });
    expect(store.stat(PG, A)).toEqual({ size: 100_004 });
    const expected = new Uint8Array(100_004);
    expected.set(text("tail"), 100_000);
    same(await content(store, A), expected);
    expect(store.extents(PG, A, 0, 1 << 20)).toEqual([[98304, 1700]]);
    expect(store.extents(PG, A, 99_000, 10)).toEqual([[99_000, 10]]);
    expect(store.extents(PG, A, 0, 98304)).toEqual([]);
  });

  test("an empty write creates and does not extend", () => {
    const store = get();
    submit(store, { op: "write", object: A, offset: 5000, data: [] });
    expect(store.stat(PG, A)).toEqual({ size: 0 });
  });

  test("overwrites of any alignment keep what is around them", async () => {
    const store = get();
    const expected = bytes(300_000);
    submit(store, { op: "write", object: A, offset: 0, data: [expected] });
    let seed = 2;
    for (const offset of EDGES.slice(0, -1)) {
      for (const length of [1, 100, 4096, 5000, 70_000]) {
        const part = bytes(length, seed++).subarray(0, 300_000 - offset);
        // In pieces: a payload arrives as an array of views.
        const data = [part.subarray(0, 3), part.subarray(3, 50), part.subarray(50)];
        submit(store, { op: "write", object: A, offset, data });
        expected.set(part, offset);
      }
    }
    same(await content(store, A), expected);
    await store.flush();
    same(await content(store, A), expected);
    expect(store.usage(PG).allocated).toBe(74 * 4096);
  });

  test("zeroing gives whole blocks back, patches the rest, and never extends", async () => {
    const store = get();
    const expected = bytes(100_000);
    submit(store, { op: "write", object: A, offset: 0, data: [expected] });
    submit(store, { op: "zero", object: A, offset: 5000, length: 20_000 });
    expected.fill(0, 5000, 25_000);
    same(await content(store, A), expected);
    expect(store.extents(PG, A, 0, 100_000)).toEqual([
      [0, 8192],
      [24576, 75_424],
    ]);
    expect(store.usage(PG).allocated).toBe(21 * 4096);
    submit(store, { op: "zero", object: A, offset: 90_000, length: 1 << 30 });
    expected.fill(0, 90_000);
    expect(store.stat(PG, A)).toEqual({ size: 100_000 });
    same(await content(store, A), expected);
    submit(store, { op: "zero", object: A, offset: 0, length: 100_000 });
    same(await content(store, A), new Uint8Array(100_000));
    expect(store.usage(PG).allocated).toBe(0);
    submit(store, { op: "zero", object: B, offset: 0, length: 10 });
    expect(store.stat(PG, B)).toBeUndefined();
  });

  test("truncation cuts, and what it cut never comes back", async () => {
    const store = get();
    const data = bytes(100_000);
    for (const size of [70_001, 65_536, 4097, 4096, 4095, 1, 0]) {
      submit(store, { op: "write", object: A, offset: 0, data: [data] });
      submit(store, { op: "truncate", object: A, size });
      expect(store.stat(PG, A)).toEqual({ size });
      expect(store.usage(PG).allocated).toBe(Math.ceil(size / 4096) * 4096);
      submit(store, { op: "truncate", object: A, size: 100_000 });
      const expected = new Uint8Array(100_000);
      expected.set(data.subarray(0, size));
      same(await content(store, A), expected, `cut at ${size}`);
    }
    submit(store, { op: "truncate", object: B, size: 12_345 });
    expect(store.stat(PG, B)).toEqual({ size: 12_345 });
    expect(store.extents(PG, B, 0, 20_000)).toEqual([]);
  });

  test("clone-range copies data and holes, aligned or not, and only what the source has", async () => {
    const cases: [number, number, number][] = [
      [0, 40_000, 0],
      [4096, 8192, 16_384],
      [1, 9000, 4096],
      [4096, 9000, 77],
      [30_000, 50_000, 30_000],
      [0, 40_000, 100_000],
      [39_000, 10, 8192],
      [50_000, 10, 0],
    ];
    const store = get();
    const source = new Uint8Array(40_000);
    source.set(bytes(9000), 3000);
    source.set(bytes(12_000, 2), 28_000);
    submit(
      store,
      { op: "write", object: A, offset: 3000, data: [source.subarray(3000, 12_000)] },
      { op: "write", object: A, offset: 28_000, data: [source.subarray(28_000)] },
    );
    for (const [offset, length, toOffset] of cases) {
      const target = named(`t${offset}-${toOffset}`);
      const old = bytes(60_000, 5);
      submit(store, { op: "write", object: target, offset: 0, data: [old] });
      submit(store, { op: "clone-range", object: A, to: target, offset, length, toOffset });
      const part = source.subarray(offset, offset + length);
      const end = part.length === 0 ? 0 : toOffset + part.length;
      const expected = new Uint8Array(Math.max(60_000, end));
      expected.set(old);
      expected.set(part, toOffset);
      same(await content(store, target), expected, `${offset}~${length} to ${toOffset}`);
      submit(store, { op: "write", object: target, offset: toOffset, data: [bytes(60_000, 6)] });
      same(await content(store, A), source, "the source is untouched");
    }
  });

  test("what a read returns is as of the call, whatever is submitted while it is under way", async () => {
    const store = get();
    const data = bytes(1 << 20);
    submit(store, { op: "write", object: A, offset: 0, data: [data] });
    await store.flush();
    const whole = store.read(PG, A, 0, 1 << 20);
    submit(store, { op: "write", object: A, offset: 4096, data: [bytes(8192, 3)] });
    submit(store, { op: "write", object: A, offset: 1 << 19, data: [bytes(1 << 19, 4)] });
    await store.flush();
    submit(store, { op: "remove", object: A });
    await store.flush();
    submit(store, { op: "write", object: B, offset: 0, data: [bytes(1 << 20, 5)] });
    same(flatten(await whole), data);
  });

  test("a seeded walk of data ops equals plain arrays after every step", async () => {
    const store = get();
    const model = new Map<string, Uint8Array>();
    const names = ["a", "b", "c"];
    const random = seededRandom(20);
    for (let step = 0; step < 400; step++) {
      const op = walkStep(model, names, random);
      if (op === undefined) continue;
      submit(store, op);
      const target = op.op === "clone" || op.op === "clone-range" ? op.to : op.object;
      if (step % 50 === 0) await store.flush();
      const expected = model.get(target.oid) ?? new Uint8Array(0);
      same(await content(store, target), expected, `step ${step}, ${op.op} of ${target.oid}`);
    }
    for (const [name, expected] of model) {
      same(await content(store, named(name)), expected, name);
    }
  });
}

type DataOp = Extract<StoreOp, { op: "write" | "zero" | "truncate" | "clone" | "clone-range" }>;

/** One random op, done to the model as well; undefined where it would make no sense. */
function walkStep(
  model: Map<string, Uint8Array>,
  names: readonly string[],
  random: ReturnType<typeof seededRandom>,
): DataOp | undefined {
  const name = names[random.below(names.length)]!;
  const other = names[random.below(names.length)]!;
  const object = named(name);
  const old = model.get(name) ?? new Uint8Array(0);
  const grown = (size: number) => {
    const next = new Uint8Array(Math.max(size, old.length));
    next.set(old);
    return next;
  };
  const aligned = random.below(3) === 0;
  const offset = aligned ? random.below(64) * 4096 : random.below(200_000);
  const length = aligned ? (1 + random.below(32)) * 4096 : 1 + random.below(100_000);
  switch (random.below(6)) {
    case 0:
    case 1: {
      const data = bytes(length, random.u32());
      const next = grown(offset + length);
      next.set(data, offset);
      model.set(name, next);
      return { op: "write", object, offset, data: [data] };
    }
    case 2:
      if (!model.has(name)) return undefined;
      model.set(name, grown(0).fill(0, offset, offset + length));
      return { op: "zero", object, offset, length };
    case 3: {
      const next = new Uint8Array(offset);
      next.set(old.subarray(0, offset));
      model.set(name, next);
      return { op: "truncate", object, size: offset };
    }
    case 4:
      if (name === other || !model.has(name)) return undefined;
      model.set(other, old);
      return { op: "clone", object, to: named(other) };
    default: {
      if (name === other || !model.has(name)) return undefined;
      const toOffset = aligned ? random.below(64) * 4096 : random.below(200_000);
      const part = old.subarray(offset, offset + length);
      const target = model.get(other) ?? new Uint8Array(0);
      const next = new Uint8Array(
        Math.max(target.length, part.length === 0 ? 0 : toOffset + part.length),
      );
      next.set(target);
      next.set(part, part.length === 0 ? 0 : toOffset);
      model.set(other, next);
      return { op: "clone-range", object, to: named(other), offset, length, toOffset };
    }
  }
}
