import { describe, expect, it } from "vitest";
import { flatten } from "../encoding/index.ts";
import { opRead, opWriteFull } from "../messages/index.ts";
import { MemStore, NoSpaceError } from "../store/index.ts";
import { HOBJECT_MIN } from "../types/index.ts";
import { BENCH_COLLECTION } from "./bench.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

/** A store that tells what was written into the bench's collection. */
class WatchedStore extends MemStore {
  readonly writes: { oid: string; offset: number; bytes: number }[] = [];
  /** After so many writes not even what frees space finds some. */
  writesMax = Number.POSITIVE_INFINITY;

  override submit(transaction: Parameters<MemStore["submit"]>[0]): number {
    if (this.writes.length >= this.writesMax) throw new NoSpaceError();
    for (const op of transaction.ops) {
      if (transaction.collection !== BENCH_COLLECTION || op.op !== "write") continue;
      const bytes = op.data.reduce((n, part) => n + part.length, 0);
      this.writes.push({ oid: op.object.oid, offset: op.offset, bytes });
    }
    return super.submit(transaction);
  }
}

function start(capacityBytes = 1 << 30) {
  let store: WatchedStore | undefined;
  const osd = new TestOsd({
    store: (clock) => {
      store = new WatchedStore({ clock, capacityBytes });
      return store;
    },
  });
  return { osd, client: osd.client(4100), store: store!, writes: store!.writes };
}

const bench = (args: object) => ({ prefix: "bench", ...args });

describe("tell osd.N bench", () => {
  it("writes what was asked for, tells how long it took, and leaves nothing behind", async () => {
    const { osd, client, writes } = start();
    const { r, value } = await client.command(bench({ count: 1 << 20, size: 4096 }));
    expect(r).toBe(0);
    expect(writes).toHaveLength(256);
    expect(new Set(writes.map(({ oid }) => oid)).size).toBe(256);
    const result = value as Record<string, number>;
    expect(result).toMatchObject({ bytes_written: 1 << 20, blocksize: 4096 });
    expect(result["elapsed_sec"]).toBeGreaterThan(0);
    expect(result["bytes_per_sec"]).toBeCloseTo((1 << 20) / result["elapsed_sec"]!);
    expect(result["iops"]).toBeCloseTo(256 / result["elapsed_sec"]!);
    expect(osd.store.hasCollection(BENCH_COLLECTION)).toBe(false);
  });

  it("keeps to the objects that were asked for, at multiples of the block size", async () => {
    const { client, writes } = start();
    const sizes = { count: 1 << 16, size: 4096, object_size: 1 << 14, object_num: 3 };
    expect((await client.command(bench(sizes))).r).toBe(0);
    const made = writes.splice(0, 3);
    expect(made.map(({ bytes }) => bytes)).toEqual([1 << 14, 1 << 14, 1 << 14]);
    const names = new Set(made.map(({ oid }) => oid));
    for (const { oid, offset, bytes } of writes) {
      expect(names.has(oid)).toBe(true);
      expect(bytes).toBe(4096);
      expect(offset % 4096).toBe(0);
      expect(offset + bytes).toBeLessThanOrEqual(1 << 14);
    }
  });

  it.each([
    ["blocks that are too large", { size: 65 << 20 }, /capped at 64 MiB/],
    ["too many small blocks", { size: 4096, count: 12288001 }, /greater than 12288000 .* 4 KiB/],
    ["too many large blocks", { size: 4 << 20, count: 2 ** 32 }, /assuming 100 MiB\/s/],
    ["no block size", { size: 0 }, /positive/],
    ["objects that fill the disk", { object_size: 1 << 20, object_num: 1e6 }, /too large/],
    ["a count that is no number", { count: "many" }, /bad or missing field 'count'/],
  ])("refuses %s", async (_name, args, complaint) => {
    const { client, writes } = start();
    const { r, status } = await client.command(bench({ count: 4096, ...args }));
    expect(r).toBe(-22);
    expect(status).toMatch(complaint);
    expect(writes).toEqual([]);
  });

  it("a disk that runs full ends it, and is as empty as before", async () => {
    const { osd, client } = start(8 << 20);
    await client.op("a", [opWriteFull(Buffer.from("mine"))]);
    const before = osd.store.statfs().available;
    expect(await client.command(bench({ count: 64 << 20, size: 1 << 20 }))).toMatchObject({
      r: -28,
      status: "ENOSPC",
    });
    expect(osd.store.statfs().available).toBe(before);
    const reply = await client.op("a", [opRead(0, 0)]);
    expect(flatten(reply.ops[0]?.outdata ?? [])).toEqual(Uint8Array.from(Buffer.from("mine")));
  });

  it("a disk on which nothing can be removed ends it, too, and is emptied once there is room", async () => {
    const { osd, client, store } = start();
    store.writesMax = 100;
    expect(await client.command(bench({ count: 1 << 20, size: 4096 }))).toMatchObject({
      r: -28,
      status: "ENOSPC",
    });
    osd.clock.settle();
    expect(osd.store.hasCollection(BENCH_COLLECTION)).toBe(true);
    store.writesMax = Number.POSITIVE_INFINITY;
    osd.clock.advance(60_000);
    expect(osd.store.hasCollection(BENCH_COLLECTION)).toBe(false);
    expect((await client.command(bench({ count: 1 << 20, size: 4096 }))).r).toBe(0);
  });

  it("what a crash left behind is gone after the next start", () => {
    const { osd } = start();
    const object = { ...HOBJECT_MIN, oid: "disk_bw_test_0" };
    osd.store.submit({
      collection: BENCH_COLLECTION,
      ops: [
        { op: "create-collection", collection: BENCH_COLLECTION },
        { op: "touch", object },
      ],
    });
    osd.restart();
    osd.clock.settle();
    expect(osd.store.hasCollection(BENCH_COLLECTION)).toBe(false);
  });

  it("a new map in the middle does not take its objects away", async () => {
    const { osd, client } = start();
    const run = client.command(bench({ count: 1 << 20, size: 4096 }));
    await Promise.resolve();
    osd.changeMap(() => undefined);
    expect((await run).r).toBe(0);
  });

  it("is in the table that the ceph tool reads; only who may do everything may run it", async () => {
    const { osd, client } = start();
    const { value } = await client.command({ prefix: "get_command_descriptions" });
    const sigs = Object.values(value as Record<string, { sig: unknown[] }>).map(({ sig }) => sig);
    const count = { name: "count", type: "CephInt", req: "false" };
    expect(sigs.find(([word]) => word === "bench")?.[1]).toEqual(count);
    const reader = osd.client(4101, "allow r");
    expect((await reader.command(bench({ count: 4096 }))).r).toBe(-1);
  });
});
