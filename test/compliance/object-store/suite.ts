/**
 * What every object store promises, as a suite: an implementation is handed in, the contract of
 * `src/store/object-store.ts` is checked on it line by line.
 */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32c, flatten, SUM_BLOCK } from "../../../src/encoding/index.ts";
import { NoSpaceError, type ObjectStore, type StoreOp } from "../../../src/store/index.ts";
import { HOBJECT_MAX, HOBJECT_MIN, type HObject } from "../../../src/types/index.ts";
import { bytes, content, named, PG, same, submit, text } from "./fixtures.ts";
import { rangeSuite } from "./ranges.ts";

/** How a suite gets its stores. */
export interface StoreMaker {
  /** An empty store with room for `capacityBytes` (a few megabytes of data at least). */
  make(options: { capacityBytes?: number }): Promise<ObjectStore>;
  /** Lets go of everything `make` has made. */
  cleanUp(): Promise<void>;
}

const A = named("a");
const B = named("b");

export function objectStoreSuite(name: string, maker: StoreMaker): void {
  describe(name, () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await maker.make({});
      submit(store, { op: "create-collection", collection: PG });
    });
    afterEach(async () => {
      await store.close();
      await maker.cleanUp();
    });

    collectionTests(() => store);
    moveTests(() => store);
    objectTests(() => store);
    omapTests(() => store);
    atomicityTests(() => store);
    durabilityTests(() => store);
    listTests(() => store);
    rangeSuite(() => store);
    spaceTests(maker);
  });
}

function collectionTests(get: () => ObjectStore): void {
  test("a collection exists from its creation to its removal", () => {
    const store = get();
    expect(store.collections()).toEqual([PG]);
    expect(store.hasCollection("1.1")).toBe(false);
    store.submit({ collection: "1.1", ops: [{ op: "create-collection", collection: "1.1" }] });
    expect(store.collections()).toEqual([PG, "1.1"]);
    store.submit({ collection: "1.1", ops: [{ op: "remove-collection", collection: "1.1" }] });
    expect(store.collections()).toEqual([PG]);
  });

  test("a collection is made once, removed empty, and nothing happens in an absent one", () => {
    const store = get();
    expect(() => submit(store, { op: "create-collection", collection: PG })).toThrow(RangeError);
    expect(() => submit(store, { op: "remove-collection", collection: "9.9" })).toThrow(RangeError);
    submit(store, { op: "touch", object: A });
    expect(() => submit(store, { op: "remove-collection", collection: PG })).toThrow(RangeError);
    expect(() => store.submit({ collection: "9.9", ops: [{ op: "touch", object: A }] })).toThrow(
      RangeError,
    );
    submit(store, { op: "remove", object: A }, { op: "remove-collection", collection: PG });
    expect(store.collections()).toEqual([]);
  });

  test("the same name in two collections is two objects", async () => {
    const store = get();
    store.submit({
      collection: "1.1",
      ops: [
        { op: "create-collection", collection: "1.1" },
        { op: "write", object: A, offset: 0, data: [text("other")] },
      ],
    });
    expect(store.stat(PG, A)).toBeUndefined();
    expect(store.stat("1.1", A)).toEqual({ size: 5 });
  });
}

const CHILD = "1.1";

/** Data, attributes and omap, and a clone of it. */
function withClone(store: ObjectStore): { head: HObject; clone: HObject } {
  const [head, clone] = [named("moving"), named("moving", { snap: 4n })];
  submit(
    store,
    { op: "write", object: head, offset: 4096, data: [bytes(300_000)] },
    { op: "set-attr", object: head, name: "x", value: text("attr") },
    { op: "omap-set", object: head, entries: [["k", text("v")]] },
    { op: "omap-header", object: head, header: text("header") },
  );
  submit(store, { op: "clone", object: head, to: clone });
  submit(store, { op: "write", object: head, offset: 0, data: [bytes(4096, 2)] });
  store.submit({ collection: CHILD, ops: [{ op: "create-collection", collection: CHILD }] });
  return { head, clone };
}

function moveTests(get: () => ObjectStore): void {
  test("what moves to another collection has all that it had, and is not where it was", async () => {
    const store = get();
    const { head, clone } = withClone(store);
    submit(store, { op: "write", object: A, offset: 0, data: [text("stays")] });
    const before = flatten(await store.read(PG, head, 0, 1 << 20));
    const usage = store.usage(PG);
    submit(store, { op: "move", objects: [clone, head], to: CHILD });
    expect(store.stat(PG, head)).toBeUndefined();
    expect(store.list(PG, HOBJECT_MIN, 10).objects).toEqual([A]);
    expect(store.list(CHILD, HOBJECT_MIN, 10).objects).toEqual([clone, head]);
    same(flatten(await store.read(CHILD, head, 0, 1 << 20)), before);
    expect(store.getAttr(CHILD, head, "x")).toEqual(text("attr"));
    for (const object of [head, clone]) {
      expect([...store.omapEntries(CHILD, object)]).toEqual([["k", text("v")]]);
      expect(store.omapHeader(CHILD, object)).toEqual(text("header"));
    }
    expect(store.usage(PG)).toEqual({ objects: 1, allocated: 4096, stored: 5 });
    expect(store.usage(CHILD)).toEqual({
      objects: 2,
      allocated: usage.allocated - 4096,
      stored: usage.stored - 5,
    });
    // The name is free, and the two change each for itself.
    submit(store, { op: "write", object: head, offset: 0, data: [text("new")] });
    store.submit({ collection: CHILD, ops: [{ op: "remove", object: clone }] });
    same(flatten(await store.read(CHILD, head, 0, 1 << 20)), before);
    store.submit({ collection: CHILD, ops: [{ op: "remove", object: head }] });
    expect(store.usage(CHILD)).toEqual({ objects: 0, allocated: 0, stored: 0 });
    same(flatten(await store.read(PG, head, 0, 100)), text("new"));
  });

  test("a move is refused whole if it would part what shares blocks, or meet what is there", () => {
    const store = get();
    const { head, clone } = withClone(store);
    const move = (objects: readonly HObject[], to = CHILD): StoreOp => {
      return { op: "move", objects, to };
    };
    const refused = (...ops: StoreOp[]) => expect(() => submit(store, ...ops)).toThrow(RangeError);
    refused(move([head]));
    refused(move([clone]));
    refused(move([clone, head], "9.9"));
    refused(move([clone, head], PG));
    refused(move([clone, head, named("none")]));
    refused(move([clone, head, head]));
    refused({ op: "touch", object: A }, { op: "clone", object: A, to: B }, move([A]));
    refused({ op: "create-collection", collection: "1.2" }, move([clone, head], "1.2"), {
      op: "remove-collection",
      collection: "1.2",
    });
    store.submit({ collection: CHILD, ops: [{ op: "touch", object: head }] });
    refused(move([clone, head]));
    expect(store.list(PG, HOBJECT_MIN, 10).objects).toEqual([clone, head]);
    expect(store.stat(PG, A)).toBeUndefined();
    // What a transaction makes, it may move.
    submit(store, { op: "set-attr", object: A, name: "x", value: text("a") }, move([A]));
    expect(store.getAttr(CHILD, A, "x")).toEqual(text("a"));
  });
}

function objectTests(get: () => ObjectStore): void {
  test("checksums that come with the data are used for it, wherever the data goes", async () => {
    const store = get();
    const size = 400_000;
    const data = bytes(size, 3);
    // They go on past the end of what is written: the input was longer than that.
    const sums = Array.from({ length: Math.floor(size / SUM_BLOCK) }, (_, i) =>
      crc32c(0, data, i * SUM_BLOCK, (i + 1) * SUM_BLOCK),
    );
    const model = new Uint8Array(2 * size);
    for (const [offset, length] of [
      [0, 300_000],
      [8192, 4096],
      [8192, 4095],
      [4096, 100_000],
      [5000, 20_000],
      [1, 200_000],
      [12_288, 4096],
      [393_216, 70_001],
    ] as const) {
      const part = data.subarray(0, length);
      submit(store, { op: "write", object: A, offset, data: [part], sums });
      model.set(part, offset);
      const size = store.stat(PG, A)!.size;
      same(await content(store, A), model.subarray(0, size), `${length} at ${offset}`);
    }
    await store.flush();
    same(await content(store, A), model.subarray(0, store.stat(PG, A)!.size), "at rest");
  });

  test("touch creates an empty object and leaves an existing one alone", async () => {
    const store = get();
    expect(store.stat(PG, A)).toBeUndefined();
    submit(store, { op: "touch", object: A });
    expect(store.stat(PG, A)).toEqual({ size: 0 });
    submit(store, { op: "write", object: A, offset: 0, data: [text("abc")] });
    submit(store, { op: "touch", object: A });
    same(await content(store, A), text("abc"));
  });

  test("an absent object reads as empty everywhere", async () => {
    const store = get();
    expect(await content(store, A)).toHaveLength(0);
    expect(flatten(store.readSync(PG, A, 0, 10))).toHaveLength(0);
    expect(store.extents(PG, A, 0, 100)).toEqual([]);
    expect(store.getAttr(PG, A, "x")).toBeUndefined();
    expect(store.getAttrs(PG, A)).toEqual([]);
    expect(store.omapHeader(PG, A)).toHaveLength(0);
    expect(store.omapGet(PG, A, "x")).toBeUndefined();
    expect([...store.omapEntries(PG, A)]).toEqual([]);
  });

  test("removal takes data, attributes and omap; an absent object cannot be removed", async () => {
    const store = get();
    expect(() => submit(store, { op: "remove", object: A })).toThrow(RangeError);
    submit(
      store,
      { op: "write", object: A, offset: 0, data: [bytes(9000)] },
      { op: "set-attr", object: A, name: "_", value: text("v") },
      { op: "omap-set", object: A, entries: [["k", text("v")]] },
      { op: "omap-header", object: A, header: text("h") },
    );
    submit(store, { op: "remove", object: A });
    expect(store.stat(PG, A)).toBeUndefined();
    submit(store, { op: "touch", object: A });
    expect(await content(store, A)).toHaveLength(0);
    expect(store.getAttrs(PG, A)).toEqual([]);
    expect([...store.omapEntries(PG, A)]).toEqual([]);
    expect(store.omapHeader(PG, A)).toHaveLength(0);
  });

  test("attributes are set, replaced, removed, and listed in byte order", () => {
    const store = get();
    for (const name of ["b", "\xff", "a", ""]) {
      submit(store, { op: "set-attr", object: A, name, value: text(`1${name}`) });
    }
    submit(store, { op: "set-attr", object: A, name: "b", value: bytes(5000) });
    expect(store.getAttrs(PG, A).map(([name]) => name)).toEqual(["", "a", "b", "\xff"]);
    expect(store.getAttr(PG, A, "b")).toEqual(bytes(5000));
    expect(store.getAttr(PG, A, "\xff")).toEqual(text("1\xff"));
    submit(store, { op: "remove-attr", object: A, name: "b" });
    submit(store, { op: "remove-attr", object: A, name: "never there" });
    submit(store, { op: "remove-attr", object: B, name: "of nobody" });
    expect(store.getAttr(PG, A, "b")).toBeUndefined();
    expect(store.stat(PG, B)).toBeUndefined();
  });

  test("what the maker of a transaction does to its buffers afterwards changes nothing", async () => {
    const store = get();
    const value = text("value");
    submit(
      store,
      { op: "set-attr", object: A, name: "_", value },
      { op: "omap-set", object: A, entries: [["k", value]] },
      { op: "omap-header", object: A, header: value },
    );
    value.fill(0);
    expect(store.getAttr(PG, A, "_")).toEqual(text("value"));
    expect(store.omapGet(PG, A, "k")).toEqual(text("value"));
    expect(store.omapHeader(PG, A)).toEqual(text("value"));
  });

  test("a clone has data, attributes and omap of its source, and each goes its own way", async () => {
    const store = get();
    const snap = named("a", { snap: 4n });
    submit(store, { op: "write", object: snap, offset: 0, data: [bytes(100_000, 9)] });
    submit(
      store,
      { op: "write", object: A, offset: 0, data: [bytes(20_000)] },
      { op: "set-attr", object: A, name: "_", value: text("old") },
      { op: "omap-set", object: A, entries: [["k", text("old")]] },
      { op: "omap-header", object: A, header: text("old") },
    );
    submit(
      store,
      { op: "clone", object: A, to: snap },
      { op: "write", object: A, offset: 5000, data: [text("new")] },
      { op: "set-attr", object: A, name: "_", value: text("new") },
      { op: "omap-set", object: A, entries: [["k", text("new")]] },
      { op: "omap-header", object: A, header: text("new") },
    );
    same(await content(store, snap), bytes(20_000));
    expect(store.getAttr(PG, snap, "_")).toEqual(text("old"));
    expect(store.omapGet(PG, snap, "k")).toEqual(text("old"));
    expect(store.omapHeader(PG, snap)).toEqual(text("old"));
    const head = bytes(20_000);
    head.set(text("new"), 5000);
    same(await content(store, A), head);
    submit(store, { op: "remove", object: A });
    same(await content(store, snap), bytes(20_000));
    submit(store, { op: "remove", object: snap });
    expect(store.usage(PG)).toEqual({ objects: 0, allocated: 0, stored: 0 });
  });

  test("cloning nothing, or onto itself, is refused", () => {
    const store = get();
    expect(() => submit(store, { op: "clone", object: A, to: B })).toThrow(RangeError);
    submit(store, { op: "touch", object: A });
    expect(() => submit(store, { op: "clone", object: A, to: A })).toThrow(RangeError);
    expect(store.stat(PG, B)).toBeUndefined();
  });
}

function omapTests(get: () => ObjectStore): void {
  const entries = (store: ObjectStore, object: HObject, after?: string) =>
    [...store.omapEntries(PG, object, after)].map(([k, v]) => [
      k,
      Buffer.from(v).toString("latin1"),
    ]);

  test("omap entries come in byte order, after an exclusive start", () => {
    const store = get();
    const keys = ["b", "a\x00", "a", "\xff", "ab", ""];
    submit(store, { op: "omap-set", object: A, entries: keys.map((k) => [k, text(`v${k}`)]) });
    submit(store, { op: "omap-set", object: B, entries: [["c", text("of b")]] });
    const sorted = ["", "a", "a\x00", "ab", "b", "\xff"];
    expect(entries(store, A)).toEqual(sorted.map((k) => [k, `v${k}`]));
    expect(entries(store, A, "a").map(([k]) => k)).toEqual(["a\x00", "ab", "b", "\xff"]);
    expect(entries(store, A, "aa").map(([k]) => k)).toEqual(["ab", "b", "\xff"]);
    expect(entries(store, A, "\xff")).toEqual([]);
    expect(store.omapGet(PG, A, "ab")).toEqual(text("vab"));
    expect(store.omapGet(PG, A, "abc")).toBeUndefined();
  });

  test("omap keys are removed one by one, by range [from, to), and all at once with the header", () => {
    const store = get();
    const keys = ["a", "b", "c", "d", "e"];
    submit(
      store,
      { op: "omap-set", object: A, entries: keys.map((k) => [k, text(k)]) },
      { op: "omap-header", object: A, header: text("head") },
    );
    submit(store, { op: "omap-remove", object: A, keys: ["a", "no such"] });
    submit(store, { op: "omap-remove-range", object: A, from: "b", to: "d" });
    expect(entries(store, A)).toEqual([
      ["d", "d"],
      ["e", "e"],
    ]);
    submit(store, { op: "omap-set", object: A, entries: [["d", text("again")]] });
    expect(store.omapGet(PG, A, "d")).toEqual(text("again"));
    submit(store, { op: "omap-clear", object: A });
    expect(entries(store, A)).toEqual([]);
    expect(store.omapHeader(PG, A)).toHaveLength(0);
    expect(store.stat(PG, A)).toEqual({ size: 0 });
  });

  test("removing from the omap of nobody makes nobody", () => {
    const store = get();
    submit(
      store,
      { op: "omap-remove", object: A, keys: ["a"] },
      { op: "omap-remove-range", object: A, from: "a", to: "b" },
      { op: "omap-clear", object: A },
    );
    expect(store.stat(PG, A)).toBeUndefined();
  });

  test("iteration goes on at the next key when entries change under it", () => {
    const store = get();
    const keys = Array.from({ length: 500 }, (_, i) => `k${String(i).padStart(4, "0")}`);
    submit(store, { op: "omap-set", object: A, entries: keys.map((k) => [k, text(k)]) });
    const seen: string[] = [];
    for (const [key] of store.omapEntries(PG, A)) {
      seen.push(key);
      submit(store, { op: "omap-remove", object: A, keys: [key] });
    }
    expect(seen).toEqual(keys);
    expect(entries(store, A)).toEqual([]);
  });
}

function atomicityTests(get: () => ObjectStore): void {
  test("a transaction that makes no sense leaves no trace, whichever op is wrong", async () => {
    const store = get();
    submit(store, { op: "write", object: A, offset: 0, data: [text("before")] });
    const before = store.lastSubmitted;
    const good: StoreOp[] = [
      { op: "write", object: A, offset: 0, data: [text("AFTER")] },
      { op: "set-attr", object: A, name: "x", value: text("x") },
      { op: "omap-set", object: A, entries: [["k", text("v")]] },
      { op: "touch", object: named("c") },
      { op: "create-collection", collection: "1.5" },
    ];
    const bad: StoreOp[] = [
      { op: "remove", object: B },
      { op: "clone", object: B, to: named("d") },
      { op: "write", object: A, offset: -1, data: [text("x")] },
      { op: "write", object: A, offset: 2 ** 52, data: [text("x")] },
      { op: "truncate", object: A, size: 0.5 },
      { op: "zero", object: A, offset: 0, length: -4 },
      { op: "touch", object: HOBJECT_MAX },
    ];
    for (const op of bad) {
      expect(() => submit(store, ...good, op), op.op).toThrow(RangeError);
      expect(store.lastSubmitted).toBe(before);
      same(await content(store, A), text("before"));
      expect(store.getAttrs(PG, A)).toEqual([]);
      expect([...store.omapEntries(PG, A)]).toEqual([]);
      expect(store.list(PG, HOBJECT_MIN, 10).objects).toEqual([A]);
      expect(store.collections()).toEqual([PG]);
    }
  });

  test("later ops of a transaction see earlier ones", async () => {
    const store = get();
    submit(
      store,
      { op: "write", object: A, offset: 0, data: [bytes(6000)] },
      { op: "clone", object: A, to: B },
      { op: "write", object: A, offset: 10, data: [text("x")] },
      { op: "clone", object: A, to: named("c") },
      { op: "remove", object: A },
      { op: "write", object: A, offset: 2, data: [text("y")] },
    );
    const c = bytes(6000);
    c.set(text("x"), 10);
    same(await content(store, A), text("\x00\x00y"));
    same(await content(store, B), bytes(6000));
    same(await content(store, named("c")), c);
  });

  test("names are bytes: every value of a byte survives in object, attribute and omap names", () => {
    const store = get();
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const object = named(all, { nspace: all, key: `${all}k` });
    submit(
      store,
      { op: "set-attr", object, name: all, value: text(all) },
      { op: "omap-set", object, entries: [[all, text(all)]] },
    );
    expect(store.list(PG, HOBJECT_MIN, 10).objects).toEqual([object]);
    expect(store.getAttrs(PG, object)).toEqual([[all, text(all)]]);
    expect([...store.omapEntries(PG, object)]).toEqual([[all, text(all)]]);
  });
}

function durabilityTests(get: () => ObjectStore): void {
  test("sequence numbers rise by one and durability is told in order, up to the last", async () => {
    const store = get();
    await store.flush();
    const told: number[] = [];
    store.onDurable = (seq) => {
      expect(store.lastDurable).toBe(seq);
      told.push(seq);
    };
    const first = store.lastSubmitted;
    for (let i = 1; i <= 20; i++) {
      const size = i % 5 === 0 ? 300_000 : 100;
      expect(submit(store, { op: "write", object: A, offset: 0, data: [bytes(size, i)] })).toBe(
        first + i,
      );
      expect(store.lastSubmitted).toBe(first + i);
      if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(store.lastDurable).toBeLessThanOrEqual(store.lastSubmitted);
    await store.flush();
    expect(store.lastDurable).toBe(first + 20);
    expect(told.at(-1)).toBe(first + 20);
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
  });

  test("nothing is told durable within submit", () => {
    const store = get();
    let inside = false;
    let told = 0;
    store.onDurable = () => {
      if (inside) told++;
    };
    inside = true;
    for (let i = 0; i < 50; i++) {
      submit(store, { op: "write", object: A, offset: i * 4096, data: [bytes(4096)] });
    }
    inside = false;
    expect(told).toBe(0);
  });

  test("close is idempotent and comes after everything is durable", async () => {
    const store = get();
    const seq = submit(store, { op: "write", object: A, offset: 0, data: [bytes(500_000)] });
    await store.close();
    expect(store.lastDurable).toBe(seq);
    await store.close();
  });
}

function listTests(get: () => ObjectStore): void {
  test("objects are listed in hobject order, page by page, clones included", () => {
    const store = get();
    // Reversed hash order: 0, 2^31, 1 (that is 0x80000000 reversed), ...
    const ordered = [
      named("z", { pool: -5n, hash: 0xffffffff }),
      named("a", { hash: 0 }),
      named("a", { hash: 0, nspace: "n" }),
      named("a", { hash: 0x80000000, snap: 1n }),
      named("a", { hash: 0x80000000, snap: 0xffffffffn }),
      named("a", { hash: 0x80000000, snap: 0x1_0000_0000n }),
      named("a", { hash: 0x80000000 }),
      named("a\x00", { hash: 0x80000000 }),
      named("a\x01", { hash: 0x80000000 }),
      named("ab", { hash: 0x80000000 }),
      named("a", { hash: 0x80000000, key: "b" }),
      named("b", { hash: 0x80000000 }),
      named("a", { hash: 1 }),
      named("a", { pool: 2n, hash: 0 }),
    ];
    for (const object of [...ordered].reverse()) submit(store, { op: "touch", object });
    expect(store.list(PG, HOBJECT_MIN, 100)).toEqual({ objects: ordered, next: undefined });
    const paged: HObject[] = [];
    let next: HObject | undefined = HOBJECT_MIN;
    while (next) {
      const page: { objects: HObject[]; next: HObject | undefined } = store.list(PG, next, 3);
      expect(page.objects.length).toBeLessThanOrEqual(3);
      paged.push(...page.objects);
      next = page.next;
    }
    expect(paged).toEqual(ordered);
    expect(store.list(PG, HOBJECT_MAX, 10)).toEqual({ objects: [], next: undefined });
    expect(store.list("9.9", HOBJECT_MIN, 10)).toEqual({ objects: [], next: undefined });
  });

  test("removed objects leave the listing, thousands stay in order", () => {
    const store = get();
    const total = 2000;
    for (let i = 0; i < total; i++) {
      submit(store, { op: "touch", object: named(`o${(i * 7919) % total}`, { hash: i % 16 }) });
    }
    for (let i = 0; i < total; i += 2) {
      submit(store, { op: "remove", object: named(`o${(i * 7919) % total}`, { hash: i % 16 }) });
    }
    const { objects } = store.list(PG, HOBJECT_MIN, total);
    expect(objects).toHaveLength(total / 2);
    expect(store.usage(PG).objects).toBe(total / 2);
  });
}

function spaceTests(maker: StoreMaker): void {
  test("usage counts allocated blocks, shared ones once, and statfs adds up", async () => {
    const store = await maker.make({});
    submit(store, { op: "create-collection", collection: PG });
    const free = store.statfs().available;
    submit(store, { op: "write", object: A, offset: 0, data: [bytes(128 * 1024)] });
    submit(store, { op: "clone", object: A, to: B });
    expect(store.usage(PG)).toEqual({
      objects: 2,
      allocated: 128 * 1024,
      stored: 256 * 1024,
    });
    submit(store, { op: "write", object: A, offset: 4096, data: [bytes(4096, 2)] });
    expect(store.usage(PG)).toEqual({
      objects: 2,
      allocated: 132 * 1024,
      stored: 256 * 1024,
    });
    const fs = store.statfs();
    expect(fs.data).toBe(132 * 1024);
    expect(fs.total).toBeGreaterThanOrEqual(fs.available + fs.data);
    expect(fs.available).toBeLessThanOrEqual(free);
    submit(store, { op: "truncate", object: A, size: 4096 });
    submit(store, { op: "remove", object: B });
    expect(store.usage(PG)).toEqual({ objects: 1, allocated: 4096, stored: 4096 });
    // Bytes, not blocks; a hole holds nothing.
    submit(store, { op: "write", object: B, offset: 1 << 20, data: [text("five!")] });
    expect(store.usage(PG)).toMatchObject({ objects: 2, stored: 4096 + 5 });
    submit(store, { op: "truncate", object: B, size: (1 << 20) + 4096 * 3 });
    expect(store.usage(PG).stored).toBe(2 * 4096);
    submit(store, { op: "truncate", object: A, size: 100 });
    expect(store.usage(PG).stored).toBe(4096 + 100);
    await store.close();
  });

  test("a full store refuses data whole, still deletes, and the space comes back", async () => {
    const store = await maker.make({ capacityBytes: 8 * 2 ** 20 });
    submit(store, { op: "create-collection", collection: PG });
    const chunk = bytes(512 * 1024, 3);
    let written = 0;
    expect(() => {
      for (; written < 1000; written++) {
        submit(store, { op: "write", object: named(`o${written}`), offset: 0, data: [chunk] });
      }
    }).toThrow(NoSpaceError);
    expect(written).toBeGreaterThan(8);
    const before = store.lastSubmitted;
    expect(() =>
      submit(
        store,
        { op: "set-attr", object: named("o0"), name: "x", value: text("x") },
        { op: "write", object: named("big"), offset: 0, data: [chunk, chunk, chunk, chunk] },
      ),
    ).toThrow(NoSpaceError);
    expect(store.lastSubmitted).toBe(before);
    expect(store.getAttr(PG, named("o0"), "x")).toBeUndefined();
    expect(store.stat(PG, named("big"))).toBeUndefined();
    expect(store.stat(PG, named(`o${written}`))).toBeUndefined();
    for (let i = 0; i < written; i++) {
      same(await content(store, named(`o${i}`)), chunk);
      submit(store, { op: "remove", object: named(`o${i}`) });
    }
    await store.flush();
    expect(store.usage(PG)).toEqual({ objects: 0, allocated: 0, stored: 0 });
    for (let i = 0; i < written; i++) {
      submit(store, { op: "write", object: named(`n${i}`), offset: 0, data: [chunk] });
    }
    await store.flush();
    await store.close();
  });
}
