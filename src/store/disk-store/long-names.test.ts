import { expect, test } from "vitest";
import { named, PG, submit, text } from "../../../test/compliance/object-store/fixtures.ts";
import { createStore, fsck, MemoryDisk, openStore, TooLargeError } from "../index.ts";
import { KEY_MAX } from "../validate.ts";

const A = named("a");
const SMALL = { capacityBytes: 64 << 20, segmentSize: 256 << 10, segments: 2 };

test("the longest omap key and name of a collection are kept, longer ones are refused, or are none to remove", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, ...SMALL });
  const store = await openStore("", { disk });
  const longest = "k".repeat(KEY_MAX);
  const collection = "c".repeat(KEY_MAX);
  submit(store, { op: "create-collection", collection: PG });
  submit(store, { op: "create-collection", collection });
  submit(store, { op: "omap-set", object: A, entries: [[longest, text("v")]] });
  const tooLong = `${longest}k`;
  for (const op of [
    { op: "omap-set", object: A, entries: [[tooLong, text("v")]] },
    { op: "create-collection", collection: `${collection}c` },
  ] as const) {
    expect(() => submit(store, op), op.op).toThrow(TooLargeError);
  }
  submit(store, { op: "omap-remove", object: A, keys: [tooLong, "k".repeat(100_000)] });
  submit(store, {
    op: "omap-remove-range",
    object: A,
    from: `${tooLong}a`,
    to: "l".repeat(70_000),
  });
  expect(store.omapGet(PG, A, tooLong)).toBe(undefined);
  await store.checkpoint();
  submit(store, { op: "omap-remove", object: A, keys: [tooLong] });
  await store.flush();
  disk.processKill();
  const again = await openStore("", { disk });
  expect(again.collections()).toEqual([PG, collection]);
  expect([...again.omapEntries(PG, A)]).toEqual([[longest, text("v")]]);
  await again.close();
  expect(fsck("", { disk }).faults).toEqual([]);
});
