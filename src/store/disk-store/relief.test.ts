import { expect, test } from "vitest";
import { HOBJECT_MIN, NOSNAP } from "../../types/index.ts";
import { MemoryDisk } from "../disk/memory.ts";
import { createStore, openStore } from "./open.ts";

const PG = "1.0";
const object = { ...HOBJECT_MIN, oid: "a", pool: 1n, snap: NOSNAP };
const BYTES = 64 << 10;

test("whoever was told to wait is told when that is over, also when nothing had to be put in its place for it", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 64 << 20 });
  const store = await openStore("", { disk, commit: "async", memoryBytes: 4 << 20 });
  let relieved = 0;
  store.onRelief = () => relieved++;
  store.submit({ collection: PG, ops: [{ op: "create-collection", collection: PG }] });
  await store.flush();
  for (let offset = 0; !store.isCongested; offset += BYTES) {
    const ops = [{ op: "write", object, offset, data: [Buffer.alloc(BYTES, 1)] } as const];
    store.submit({ collection: PG, ops });
  }
  store.submit({ collection: PG, ops: [{ op: "remove", object }] });
  expect(store.isCongested).toBe(false);
  await store.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(relieved).toBeGreaterThan(0);
  await store.close();
});
