import { expect, test } from "vitest";
import { silentLogger } from "../base/index.ts";
import { MemStore, NoSpaceError } from "../store/index.ts";
import { HOBJECT_MIN, NOSNAP } from "../types/index.ts";
import { CollectionRemoval } from "./remove-collection.ts";
import { ManualClock } from "./testing/osd-fixture.ts";

const COLLECTION = "7.1";

test("an object with very many keys is removed in pieces", () => {
  const clock = new ManualClock();
  const store = new MemStore({ clock });
  const named = (i: number) => ({ ...HOBJECT_MIN, oid: `o${i}`, hash: i, pool: 7n, snap: NOSNAP });
  const many = named(3);
  const touch = (i: number) => {
    const object = named(i);
    const entries = Array.from({ length: i === 3 ? 10_000 : 1 }, (_, k): [string, Uint8Array] => [
      `k${k}`,
      new Uint8Array(1),
    ]);
    store.submit({ collection: COLLECTION, ops: [{ op: "omap-set", object, entries }] });
  };
  store.submit({
    collection: COLLECTION,
    ops: [{ op: "create-collection", collection: COLLECTION }],
  });
  for (let i = 0; i < 8; i++) touch(i);
  const left: number[] = [];
  const submit = store.submit.bind(store);
  store.submit = (transaction) => {
    const seq = submit(transaction);
    if (store.hasCollection(COLLECTION)) left.push([...store.omapEntries(COLLECTION, many)].length);
    return seq;
  };
  const host = { store, clock, log: silentLogger, isStopped: () => false, isInUse: () => false };
  new CollectionRemoval(host).begin(COLLECTION);
  clock.settle();
  expect(store.hasCollection(COLLECTION)).toBe(false);
  // Six are in front of it, with a key each.
  expect(left).toEqual([10_000 - 4090, 10_000 - 4090 - 4096]);
});

test("a removed pool's objects that find no room to go are removed once there is some", () => {
  const clock = new ManualClock();
  const store = new MemStore({ clock });
  store.submit({
    collection: COLLECTION,
    ops: [{ op: "create-collection", collection: COLLECTION }],
  });
  for (let i = 0; i < 200; i++) {
    const object = { ...HOBJECT_MIN, oid: `o${i}`, hash: i, pool: 7n, snap: NOSNAP };
    store.submit({ collection: COLLECTION, ops: [{ op: "touch", object }] });
  }
  let isFull = false;
  let refused = 0;
  const submit = store.submit.bind(store);
  store.submit = (transaction) => {
    if (isFull) {
      refused++;
      throw new NoSpaceError();
    }
    return submit(transaction);
  };
  const removal = new CollectionRemoval({
    store,
    clock,
    log: silentLogger,
    isStopped: () => false,
    isInUse: () => false,
  });
  removal.begin(COLLECTION);
  clock.turn();
  isFull = true;
  clock.advance(60_000);
  expect(store.usage(COLLECTION).objects).toBe(136);
  // Maps that come meanwhile have nobody else try it.
  for (let i = 0; i < 10; i++) removal.begin(COLLECTION);
  refused = 0;
  clock.advance(60_000);
  expect(refused).toBeLessThanOrEqual(12);
  isFull = false;
  clock.advance(60_000);
  expect(store.hasCollection(COLLECTION)).toBe(false);
});
