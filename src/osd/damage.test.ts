import { describe, expect, it } from "vitest";
import { BufferPool, ERRNO, systemClock } from "../base/index.ts";
import {
  opCall,
  opDelete,
  opRead,
  opSparseRead,
  opStat,
  opTruncate,
  opWrite,
  opWriteFull,
} from "../messages/index.ts";
import {
  CorruptionError,
  createStore,
  formatObject,
  MemoryDisk,
  MemStore,
  type ObjectStore,
  openStore,
  type StoreOp,
  type Transaction,
} from "../store/index.ts";
import { type HObject, IntervalSet, objectHash } from "../types/index.ts";
import { metaObject, PG_INFO } from "./pg-info.ts";
import { PG_NUM, POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
/** Bytes of an object that a test makes unreadable. */
const BAD_BYTE = 100;

/** A store in which the byte at 100 of chosen objects does not read as it was written. */
class RottenStore extends MemStore {
  readonly rotten = new Set<string>();
  /** Name of an object that the index cannot tell of. */
  brokenIndex: string | undefined;
  /** The PG whose record the index cannot tell of. */
  brokenPg: string | undefined;
  /** Beginning of omap keys that the index cannot tell of. */
  brokenOmap: string | undefined;
  /** The index cannot tell what there is. */
  brokenList = false;
  reads = 0;

  #check(object: HObject, offset: number, length: number): void {
    const name = formatObject(object);
    const isHit = offset <= BAD_BYTE && offset + length > BAD_BYTE;
    if (isHit && this.rotten.has(name)) throw new CorruptionError(name, "block 7 is damaged");
  }

  override read(...args: Parameters<ObjectStore["read"]>): ReturnType<MemStore["read"]> {
    const [, object, offset, length] = args;
    this.reads++;
    this.#check(object, offset, length);
    return super.read(...args);
  }

  override getAttr(...args: Parameters<ObjectStore["getAttr"]>): Uint8Array | undefined {
    const [collection, { oid }] = args;
    const isBroken = oid === this.brokenIndex || (oid === "" && collection === this.brokenPg);
    if (isBroken) throw new CorruptionError("run.7", "block at 0 is damaged");
    return super.getAttr(...args);
  }

  override omapEntries(
    ...args: Parameters<ObjectStore["omapEntries"]>
  ): ReturnType<MemStore["omapEntries"]> {
    if (args[2] !== undefined && args[2] === this.brokenOmap) {
      throw new CorruptionError("run.7", "block at 0 is damaged");
    }
    return super.omapEntries(...args);
  }

  override list(...args: Parameters<ObjectStore["list"]>): ReturnType<ObjectStore["list"]> {
    if (this.brokenList) throw new CorruptionError("run.7", "block at 0 is damaged");
    return super.list(...args);
  }

  override readSync(...args: Parameters<ObjectStore["readSync"]>) {
    const [, object, offset, length] = args;
    this.#check(object, offset, length);
    return super.readSync(...args);
  }

  override submit(transaction: Transaction): number {
    for (const op of transaction.ops) this.#heal(op);
    return super.submit(transaction);
  }

  /** As the durable store: a block that is written whole is well, one written in part must be read first. */
  #heal(op: StoreOp): void {
    if (op.op === "remove") this.rotten.delete(formatObject(op.object));
    if (op.op !== "write" || op.offset > BAD_BYTE) return;
    if (op.offset > 0) this.#check(op.object, op.offset, 4096);
    else this.rotten.delete(formatObject(op.object));
  }
}

async function start(): Promise<{ osd: TestOsd; store: RottenStore; client: TestClient }> {
  const osd = new TestOsd({ store: (clock) => new RottenStore({ clock }) });
  const store = osd.store as RottenStore;
  const client = osd.client(4100);
  await client.op("a", [opWrite(0, bytes("x".repeat(5000)))]);
  await client.op("b", [opWrite(0, bytes("y".repeat(5000)))]);
  return { osd, store, client };
}

/** What the monitor is told is damaged. */
function damaged(osd: TestOsd): string[] {
  osd.clock.advance(5000);
  return (osd.reports.at(-1)?.pgs ?? []).flatMap((pg) => [...pg.damaged]);
}

/** The same after the OSD has had time to look again. */
async function damagedLater(osd: TestOsd): Promise<string[]> {
  for (let turn = 0; turn < 10; turn++) {
    osd.clock.advance(2000);
    await Promise.resolve();
    await Promise.resolve();
  }
  return damaged(osd);
}

const A = "1://a:head";
const SEED_OF_A = objectHash("a", "", "") % PG_NUM;
const PG_OF_A = `${POOL}.${SEED_OF_A.toString(16)}`;
const META_OF_A = metaObject({ pool: POOL, seed: SEED_OF_A });

describe("an object that does not read as it was written", () => {
  it("is EIO for its readers, inconsistent for the monitor, and told of once", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    expect(damaged(osd)).toEqual([]);
    for (const op of [opRead(0, 5000), opRead(50, 100), opRead(0, 0)]) {
      expect((await client.op("a", [op])).result).toBe(-ERRNO.EIO);
    }
    expect((await client.op("a", [opRead(1000, 10)])).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(0);
    expect((await client.op("b", [opRead(0, 5000)])).result).toBe(0);
    expect(damaged(osd)).toEqual([A]);
    expect(osd.corrupt).toEqual([A]);
    const bad = osd.reports.at(-1)!.pgs.filter((pg) => pg.state !== "active+clean");
    expect(bad).toMatchObject([
      { state: "active+clean+inconsistent", damaged: [A], stats: { numScrubErrors: 1 } },
    ]);
  });

  it("takes no write that would have to keep a part of it, and that changes nothing", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    const before = (await client.op("a", [opStat()])).userVersion;
    expect((await client.op("a", [opWrite(90, bytes("z"))])).result).toBe(-ERRNO.EIO);
    expect(damaged(osd)).toEqual([A]);
    expect((await client.op("a", [opStat()])).userVersion).toEqual(before);
    // The OSD goes on.
    expect((await client.op("b", [opWrite(90, bytes("z"))])).result).toBe(0);
  });

  it("is well when it is written anew", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    await client.op("a", [opRead(0, 0)]);
    expect(damaged(osd)).toEqual([A]);
    await client.op("a", [opWriteFull(bytes("new"))]);
    expect(await damagedLater(osd)).toEqual([]);
    expect(osd.reports.at(-1)!.pgs.every((pg) => pg.state === "active+clean")).toBe(true);
  });

  it("is forgotten when it is removed", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    await client.op("a", [opRead(0, 0)]);
    await client.op("a", [opDelete()]);
    expect(await damagedLater(osd)).toEqual([]);
  });

  it("stays damaged when another part of it is written, and is not looked at when nothing is", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    await client.op("a", [opRead(0, 0)]);
    await client.op("a", [opWrite(4096, bytes("elsewhere"))]);
    expect(await damagedLater(osd)).toEqual([A]);
    const { reads } = store;
    expect(await damagedLater(osd)).toEqual([A]);
    expect(store.reads).toBe(reads);
  });

  it("is still known after a restart, is looked at once more then, and may have been mended", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    store.rotten.add("1://b:head");
    await client.op("a", [opRead(0, 0)]);
    await client.op("b", [opRead(0, 0)]);
    expect(damaged(osd).sort()).toEqual([A, "1://b:head"]);
    store.rotten.delete("1://b:head");
    osd.restart();
    expect(await damagedLater(osd)).toEqual([A]);
    store.rotten.delete(A);
    expect(await damagedLater(osd), "nobody has written to it").toEqual([A]);
    osd.restart();
    expect(await damagedLater(osd)).toEqual([]);
    osd.restart();
    expect(await damagedLater(osd)).toEqual([]);
  });

  it("may be a clone: its head is well, and the trim of its snapshot ends it", async () => {
    const { osd, store, client } = await start();
    const snapContext = { seq: 4n, snaps: [4n] };
    await client.op("a", [opWriteFull(bytes("after the snapshot".repeat(10)))], { snapContext });
    store.rotten.add("1://a:4");
    expect((await client.op("a", [opRead(0, 0)], { snap: 4n })).result).toBe(-ERRNO.EIO);
    expect((await client.op("a", [opRead(0, 0)])).result).toBe(0);
    expect(damaged(osd)).toEqual(["1://a:4"]);
    osd.removeSnaps(IntervalSet.of(4, 1));
    expect(await damagedLater(osd)).toEqual([]);
  });

  it("is met by truncation and class methods as by reads", async () => {
    const { osd, store, client } = await start();
    store.rotten.add(A);
    expect((await client.op("a", [opTruncate(4096)])).result).toBe(0);
    const reply = await client.op("a", [opCall("rbd", "get_id", new Uint8Array(0))]);
    expect(reply.result).toBe(-ERRNO.EIO);
    expect(damaged(osd)).toEqual([A]);
  });
});

it("a damaged index has no object: it is told of, and forgotten with the process", async () => {
  const { osd, store, client } = await start();
  store.brokenIndex = "fresh";
  expect((await client.op("fresh", [opRead(0, 0)])).result).toBe(-ERRNO.EIO);
  expect(await damagedLater(osd)).toEqual(["run.7"]);
  store.brokenIndex = undefined;
  osd.restart();
  expect(await damagedLater(osd)).toEqual([]);
});

it("a log that does not read as it was written is EIO for all writes to its PG, and nothing else", async () => {
  const { osd, store } = await start();
  osd.restart();
  store.brokenOmap = "log.";
  const client = osd.client(4200);
  expect((await client.op("a", [opWriteFull(bytes("new"))])).result).toBe(-ERRNO.EIO);
  expect((await client.op("a", [opRead(0, 5000)])).result).toBe(0);
  expect(await damagedLater(osd)).toEqual(["run.7"]);
});

it("a PG whose record does not read as it was written is EIO for everybody, and nothing else", async () => {
  const { osd, store } = await start();
  const record = () => store.getAttr(PG_OF_A, META_OF_A, PG_INFO)!;
  const before = record();
  store.brokenPg = PG_OF_A;
  osd.restart();
  const client = osd.client(4200);
  for (const op of [opRead(0, 0), opStat(), opWriteFull(bytes("new"))]) {
    expect((await client.op("a", [op])).result).toBe(-ERRNO.EIO);
  }
  expect((await client.op("b", [opWriteFull(bytes("goes on"))])).result).toBe(0);
  expect(await damagedLater(osd)).toEqual(["run.7"]);
  // What it has trimmed is not known: nobody is told that it has.
  osd.removeSnaps(IntervalSet.of(4, 1));
  osd.clock.advance(10_000);
  expect(osd.purged).toEqual([]);
  store.brokenPg = undefined;
  expect(record()).toEqual(before);
  osd.restart();
  expect((await osd.client(4300).op("a", [opRead(0, 0)])).result).toBe(0);
});

it("what is damaged is not all known where the index is, and the OSD goes on", async () => {
  const { osd, store, client } = await start();
  store.rotten.add(A);
  await client.op("a", [opRead(0, 0)]);
  store.brokenOmap = "damaged.";
  osd.restart();
  expect((await osd.client(4200).op("a", [opStat()])).result).toBe(0);
  expect(await damagedLater(osd)).toEqual(Array.from({ length: PG_NUM }, () => "run.7"));
});

it("a damaged index stops the trimming of what it should tell of, and nothing else", async () => {
  const { osd, store, client } = await start();
  const snapContext = { seq: 4n, snaps: [4n] };
  await client.op("a", [opWriteFull(bytes("after"))], { snapContext });
  osd.restart();
  const later = osd.client(4200);
  store.brokenIndex = "a";
  osd.removeSnaps(IntervalSet.of(4, 1));
  expect(await damagedLater(osd)).toEqual(["run.7"]);
  expect((await later.op("b", [opWriteFull(bytes("goes on"))])).result).toBe(0);
  // It is tried again.
  store.brokenIndex = undefined;
  osd.changeMap(() => {});
  await damagedLater(osd);
  expect((await later.op("a", [opRead(0, 0)], { snap: 4n })).result).toBe(-ERRNO.ENOENT);
});

it("a damaged index keeps the objects of a removed pool, and the OSD goes on", async () => {
  const { osd, store } = await start();
  store.brokenList = true;
  osd.changeMap((inc) => inc.oldPools.add(POOL));
  await damagedLater(osd);
  expect(store.collections()).not.toEqual([]);
  store.brokenList = false;
  osd.changeMap(() => {});
  await damagedLater(osd);
  expect(store.collections()).toEqual([]);
});

it("a sparse read one extent of which is damaged leaves no memory behind", async () => {
  const disk = new MemoryDisk(1);
  createStore("", { disk, capacityBytes: 64 << 20 });
  const clock = { ...systemClock, defer: (fn: () => void) => queueMicrotask(fn) };
  const pool = new BufferPool(8 << 20, clock);
  const store = await openStore("", { disk, clock, commit: "sync", pool });
  const osd = new TestOsd({ store });
  const client = osd.client(4100);
  const MIB = 1 << 20;
  for (const at of [0, 2]) await client.op("a", [opWrite(at * MIB, Buffer.alloc(MIB, 1))]);
  await store.checkpoint();
  disk.spoil("block", 0);
  for (let i = 0; i < 3; i++) {
    const { result } = await client.op("a", [opSparseRead(0, 3 * MIB)]);
    expect(result).toBe(-ERRNO.EIO);
  }
  expect(pool.takenBytes).toBe(0);
  await store.close();
});
