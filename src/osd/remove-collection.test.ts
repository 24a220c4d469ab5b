import { expect, test } from "vitest";
import { silentLogger } from "../base/index.ts";
import { MemStore, NoSpaceError } from "../store/index.ts";
import { HOBJECT_MIN, NOSNAP } from "../types/index.ts";
import { removeCollection } from "./remove-collection.ts";
import { ManualClock } from "./testing/osd-fixture.ts";

const COLLECTION = "7.1";

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
  const submit = store.submit.bind(store);
  store.submit = (transaction) => {
    if (isFull) throw new NoSpaceError();
    return submit(transaction);
  };
  removeCollection(store, COLLECTION, clock, silentLogger, () => false);
  clock.turn();
  isFull = true;
  clock.advance(60_000);
  expect(store.usage(COLLECTION).objects).toBe(136);
  isFull = false;
  clock.advance(60_000);
  expect(store.hasCollection(COLLECTION)).toBe(false);
});
