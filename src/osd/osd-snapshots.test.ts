import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { flatten, Reader } from "../encoding/index.ts";
import { OSD_STATE } from "../maps/index.ts";
import {
  type MOSDOpReply,
  opCreate,
  opDelete,
  opGetXattr,
  opListSnaps,
  opOmapClear,
  opOmapSetVals,
  opRead,
  opRollback,
  opSetXattr,
  opStat,
  opWatch,
  opWrite,
  opWriteFull,
  WATCH_OP,
} from "../messages/index.ts";
import { HOBJECT_MIN, IntervalSet, NOSNAP, SNAPDIR, type SnapContext } from "../types/index.ts";
import { POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const out = (reply: MOSDOpReply) =>
  Buffer.from(flatten(reply.ops[0]?.outdata ?? [])).toString("latin1");
const context = (...snaps: number[]): SnapContext => ({
  seq: BigInt(snaps[0] ?? 0),
  snaps: snaps.map(BigInt),
});

interface SnapListing {
  seq: number;
  clones: { id: number; snaps: number[]; overlap: [number, number][]; size: number }[];
}
const HEAD = -2;

async function listSnaps(client: TestClient, oid: string): Promise<SnapListing> {
  const reply = await client.op(oid, [opListSnaps()], { snap: SNAPDIR });
  expect(reply.result).toBe(0);
  const r = new Reader(flatten(reply.ops[0]?.outdata ?? []));
  r.begin("obj_list_snap_response_t", 2);
  const clones: SnapListing["clones"] = [];
  for (let n = r.u32(); n > 0; n--) {
    r.begin("clone_info", 1);
    const id = r.u64();
    const snaps: number[] = [];
    for (let m = r.u32(); m > 0; m--) snaps.push(Number(r.u64()));
    const overlap: [number, number][] = [];
    for (let m = r.u32(); m > 0; m--) overlap.push([r.u64n(), r.u64n()]);
    clones.push({ id: id === NOSNAP ? HEAD : Number(id), snaps, overlap, size: r.u64n() });
    r.finish();
  }
  const seq = Number(r.u64());
  return { seq, clones };
}

function start() {
  const osd = new TestOsd();
  return { osd, client: osd.client(4100) };
}

describe("clones", () => {
  it("a write under a newer snapshot keeps the old head, and each snap reads its own", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("one"))]);
    await client.op("a", [opWrite(0, bytes("TWO!"))], { snapContext: context(4) });
    await client.op("a", [opWrite(0, bytes("x"))], { snapContext: context(7, 5, 4) });
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 4n }))).toBe("one");
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 5n }))).toBe("TWO!");
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 7n }))).toBe("TWO!");
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 8n }))).toBe("xWO!");
    expect(await listSnaps(client, "a")).toEqual({
      seq: 7,
      clones: [
        { id: 4, snaps: [4], overlap: [], size: 3 },
        { id: 7, snaps: [5, 7], overlap: [[1, 3]], size: 4 },
        { id: HEAD, snaps: [], overlap: [], size: 4 },
      ],
    });
  });

  it("a snap between clones that no clone lists reads as ENOENT", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(4) });
    await client.op("a", [opWriteFull(bytes("3"))], { snapContext: context(9, 4) });
    expect((await client.op("a", [opRead(0, 0)], { snap: 6n })).result).toBe(-ERRNO.ENOENT);
  });

  it("an object born under a snapshot does not exist at it", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("1"))], { snapContext: context(4) });
    expect((await client.op("a", [opStat()], { snap: 4n })).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opStat()], { snap: 5n })).result).toBe(0);
    expect((await listSnaps(client, "a")).seq).toBe(4);
  });

  it("later writes, with older contexts too, cut the newest clone's overlap only", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(Buffer.alloc(100, 1))]);
    await client.op("a", [opWrite(0, bytes("x"))], { snapContext: context(4) });
    await client.op("a", [opWrite(50, bytes("yy"))], { snapContext: context(6, 4) });
    await client.op("a", [opWrite(90, bytes("z"))]);
    const { clones } = await listSnaps(client, "a");
    expect(clones[0]?.overlap).toEqual([[1, 99]]);
    expect(clones[1]?.overlap).toEqual([
      [0, 50],
      [52, 38],
      [91, 9],
    ]);
  });

  it("clones carry the omap as it was", async () => {
    const { osd, client } = start();
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("old")]]))]);
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("new")]]))], {
      snapContext: context(3),
    });
    const [collection] = osd.store.collections();
    const clone = osd.store
      .list(collection ?? "", { ...headOf(osd), snap: 0n }, 10)
      .objects.find((o) => o.snap === 3n);
    expect(clone).toBeDefined();
    if (clone === undefined || collection === undefined) return;
    expect(Buffer.from(osd.store.omapGet(collection, clone, "k") ?? []).toString()).toBe("old");
  });

  it("an invalid context is EINVAL; writing to a snap is EINVAL", async () => {
    const { client } = start();
    const bad = { seq: 3n, snaps: [3n, 3n] };
    expect((await client.op("a", [opCreate(false)], { snapContext: bad })).result).toBe(
      -ERRNO.EINVAL,
    );
    expect((await client.op("a", [opCreate(false)], { snap: 3n })).result).toBe(-ERRNO.EINVAL);
    expect((await client.op("a", [opListSnaps()])).result).toBe(-ERRNO.EINVAL);
    expect((await client.op("a", [opStat()], { snap: SNAPDIR })).result).toBe(-ERRNO.EINVAL);
  });
});

function headOf(osd: TestOsd) {
  const [collection] = osd.store.collections();
  const found = osd.store.list(collection ?? "", HOBJECT_MIN, 10).objects.find((o) => o.oid !== "");
  return found ?? HOBJECT_MIN;
}

describe("whiteouts", () => {
  it("a deleted head with clones is gone for readers, and its clones stay", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("one"))]);
    expect((await client.op("a", [opDelete()], { snapContext: context(4) })).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 4n }))).toBe("one");
    expect((await listSnaps(client, "a")).clones.map((c) => c.id)).toEqual([4]);
    expect((await client.op("a", [opDelete()])).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opCreate(true)])).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(0);
  });

  it("keep the mark of an omap, which counts until the object is gone", async () => {
    // Found by the differential test: emptying an omap takes a version where there is such a mark.
    const { osd, client } = start();
    const omapObjects = () => {
      osd.clock.advance(10_000);
      return osd.reports.at(-1)?.pgs.map(({ stats }) => stats.numObjectsOmap);
    };
    const clear = async (oid: string) => (await client.op(oid, [opOmapClear()])).userVersion;
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("v")]]))]);
    await client.op("a", [opDelete()], { snapContext: context(4) });
    expect(omapObjects()).toContain(2);
    await client.op("a", [opCreate(true)]);
    const { userVersion } = await client.op("a", [opStat()]);
    expect(await clear("a")).toBe(userVersion + 1);
    expect(await clear("a")).toBe(userVersion + 1);
    expect(omapObjects()).toContain(1);
    await client.op("a", [opOmapSetVals(new Map([["k", bytes("v")]]))]);
    await client.op("a", [opDelete()]);
    osd.removeSnaps(IntervalSet.of(4, 1));
    expect(omapObjects()?.every((n) => n === 0)).toBe(true);
    await client.op("a", [opCreate(true)]);
    expect(await clear("a")).toBe((await client.op("a", [opStat()])).userVersion);
  });
});

describe("an object made where another was", () => {
  // Found by the differential test, with clients whose contexts are older than some before.
  it("begins anew after a removal", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("1"))], { snapContext: context(6, 4) });
    await client.op("a", [opDelete()], { snapContext: context(6, 4) });
    await client.op("a", [opWriteFull(bytes("2"))]);
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 6n }))).toBe("2");
    await client.op("a", [opWriteFull(bytes("3"))], { snapContext: context(6, 4) });
    expect((await listSnaps(client, "a")).clones.map((c) => c.id)).toEqual([6, HEAD]);
  });

  it("is not what the other's snapshots see once trimming has removed that", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))], { snapContext: context(4) });
    await client.op("a", [opDelete()], { snapContext: context(6, 4) });
    osd.removeSnaps(IntervalSet.of(6, 1));
    osd.clock.advance(10_000);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(4) });
    expect((await client.op("a", [opStat()], { snap: 6n })).result).toBe(-ERRNO.ENOENT);
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 7n }))).toBe("2");
  });
});

describe("rollback", () => {
  it("brings back data and size, and keeps what is common shared", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(Buffer.alloc(8, 65))]);
    await client.op("a", [opWrite(0, bytes("bb"))], { snapContext: context(4) });
    expect((await client.op("a", [opRollback(4n)], { snapContext: context(4) })).result).toBe(0);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("AAAAAAAA");
    const { clones } = await listSnaps(client, "a");
    expect(clones[0]?.overlap).toEqual([[2, 6]]);
  });

  it("to before the object existed deletes it; refused while it is watched", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("x"))], { snapContext: context(4) });
    await client.op("a", [opWatch(1n, WATCH_OP.WATCH)]);
    expect((await client.op("a", [opRollback(4n)])).result).toBe(-ERRNO.EBUSY);
    await client.op("a", [opWatch(1n, WATCH_OP.UNWATCH)]);
    expect((await client.op("a", [opRollback(4n)])).result).toBe(0);
    expect((await client.op("a", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });

  it("to what the head still is changes nothing", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("x"))]);
    expect((await client.op("a", [opRollback(9n)])).result).toBe(0);
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("x");
  });

  // As a real 16.2.15 has it: version in the reply, and whether the object is there then. What a request makes
  // itself was not there at any snapshot.
  const mark = opSetXattr("n", bytes("1"));
  it.each([
    { what: "nothing", ops: [opRollback(2n)], version: 0, isThere: false },
    { what: "an attribute before", ops: [mark, opRollback(2n)], version: 0, isThere: false },
    {
      what: "data before",
      ops: [opWriteFull(bytes("x")), opRollback(9n)],
      version: 0,
      isThere: false,
    },
    { what: "an attribute after", ops: [mark, opRollback(2n), mark], version: 1, isThere: true },
    {
      what: "the same in a context",
      ops: [mark, opRollback(2n)],
      isNewer: true,
      version: 1,
      isThere: false,
    },
  ])("of an object that was not there, with $what", async ({ ops, version, isThere, isNewer }) => {
    const { client } = start();
    const options = isNewer === true ? { snapContext: context(3, 2, 1) } : {};
    const reply = await client.op("a", ops, options);
    expect([reply.result, reply.userVersion]).toEqual([0, version]);
    expect((await client.op("a", [opStat()])).result).toBe(isThere ? 0 : -ERRNO.ENOENT);
  });

  it("to what the head still is keeps what the request has done to it", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("x"))]);
    expect(await client.op("a", [mark, opRollback(9n)])).toMatchObject({
      result: 0,
      userVersion: 2,
    });
    expect(out(await client.op("a", [opGetXattr("n")]))).toBe("1");
  });

  it("to a snap whose clone spans several uses that clone", async () => {
    const { client } = start();
    await client.op("a", [opWriteFull(bytes("old"))]);
    await client.op("a", [opWriteFull(bytes("new"))], { snapContext: context(6, 4) });
    await client.op("a", [opRollback(4n)], { snapContext: context(6, 4) });
    expect(out(await client.op("a", [opRead(0, 0)]))).toBe("old");
  });
});

describe("trimming", () => {
  it("removes clones that no snap needs, merges overlaps and reports the snap as purged", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(Buffer.alloc(100, 1))]);
    await client.op("a", [opWrite(0, bytes("x"))], { snapContext: context(4) });
    await client.op("a", [opWrite(50, bytes("y"))], { snapContext: context(6, 4) });
    osd.removeSnaps(IntervalSet.of(6, 1));
    osd.clock.advance(10_000);
    await Promise.resolve();
    const { clones } = await listSnaps(client, "a");
    expect(clones.map((c) => c.id)).toEqual([4, HEAD]);
    expect(clones[0]?.overlap).toEqual([
      [1, 49],
      [51, 49],
    ]);
    expect(osd.purged.at(-1)?.[0]).toBe(POOL);
    expect(osd.purged.at(-1)?.[1].has(6)).toBe(true);
    expect((await client.op("a", [opStat()], { snap: 6n })).result).toBe(-ERRNO.ENOENT);
    expect((await client.op("a", [opStat()], { snap: 4n })).result).toBe(0);
  });

  it("strikes one snap from a clone that others still need", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(6, 5) });
    osd.removeSnaps(IntervalSet.of(5, 1));
    osd.clock.advance(10_000);
    expect((await listSnaps(client, "a")).clones[0]).toMatchObject({ id: 6, snaps: [6] });
    expect(out(await client.op("a", [opRead(0, 0)], { snap: 6n }))).toBe("1");
  });

  it("the last clone of a deleted object takes the whiteout with it: nothing is left", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    await client.op("a", [opDelete()], { snapContext: context(4) });
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.advance(10_000);
    const reply = await client.op("a", [opListSnaps()], { snap: SNAPDIR });
    expect(reply.result).toBe(-ERRNO.ENOENT);
    const [collection] = osd.store.collections();
    const left = osd.store.list(collection ?? "", HOBJECT_MIN, 10).objects;
    expect(left.filter((o) => o.oid !== "")).toEqual([]);
  });

  it("goes on after a restart in the middle", async () => {
    const { osd, client } = start();
    for (let i = 0; i < 50; i++) {
      await client.op(`o${i}`, [opWriteFull(bytes("1"))]);
      await client.op(`o${i}`, [opWriteFull(bytes("2"))], { snapContext: context(4) });
    }
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.restart();
    osd.clock.advance(10_000);
    const back = osd.client(4100);
    for (let i = 0; i < 50; i++) {
      expect(
        (await listSnaps(back, `o${i}`)).clones.map((c) => c.id),
        `o${i}`,
      ).toEqual([HEAD]);
    }
  });

  it("takes a version for the clone and one for the head, and none for the end of it", async () => {
    // Found by the differential test: versions of later writes tell.
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(4) });
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.advance(10_000);
    await Promise.resolve();
    // 1; 2 for the clone and 3 for the write; 4 and 5 for trimming.
    expect((await client.op("a", [opWriteFull(bytes("3"))])).userVersion).toBe(6);
  });

  it("an OSD that the map calls down reports nothing as purged, and trims when it is up again", async () => {
    // Found by the simulation: every restart has such a map, and the monitor forgot what was not trimmed.
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(4) });
    osd.changeMap((inc) => inc.newState.set(0, OSD_STATE.UP));
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.advance(10_000);
    expect(osd.purged).toEqual([]);
    osd.changeMap((inc) => inc.newUpClient.set(0, osd.map.clientAddrs[0] ?? []));
    osd.clock.advance(10_000);
    expect(osd.purged.at(-1)?.[1].has(4)).toBe(true);
    expect((await listSnaps(client, "a")).clones.map((c) => c.id)).toEqual([HEAD]);
  });

  it("what a PG remembers of snaps that are purged has a bound, and those that are not are not forgotten", async () => {
    const { osd, client } = start();
    const COUNT = 300;
    const snaps = IntervalSet.from(
      Array.from({ length: COUNT }, (_, i) => [2 * i + 2, 1] as const),
    );
    await client.op("a", [opWriteFull(bytes("1"))]);
    const infoBytes = () => {
      const [collection = ""] = osd.store.collections();
      const [meta = HOBJECT_MIN] = osd.store.list(collection, HOBJECT_MIN, 1).objects;
      return osd.store.getAttr(collection, meta, "info")?.length ?? 0;
    };
    osd.removeSnaps(snaps);
    osd.clock.advance(10_000);
    await Promise.resolve();
    expect(osd.purged.at(-1)?.[1].count).toBe(COUNT);
    // The monitor takes them out of the queue.
    osd.changeMap((inc) => inc.newPurgedSnaps.set(POOL, snaps));
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(2 * COUNT) });
    expect((await listSnaps(client, "a")).clones.map((c) => c.id)).toEqual([HEAD]);
    expect(infoBytes()).toBeLessThan(2000);
    // One that is removed again, long after, is purged again.
    osd.removeSnaps(IntervalSet.of(2, 1));
    osd.clock.advance(10_000);
    await Promise.resolve();
    expect([...(osd.purged.at(-1)?.[1] ?? [])]).toEqual([[2, 1]]);
  });

  it("a removed snap in a client's context makes no clone", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("1"))]);
    osd.removeSnaps(IntervalSet.of(4, 1));
    osd.clock.advance(10_000);
    await client.op("a", [opWriteFull(bytes("2"))], { snapContext: context(4) });
    expect((await listSnaps(client, "a")).clones.map((c) => c.id)).toEqual([HEAD]);
  });
});
