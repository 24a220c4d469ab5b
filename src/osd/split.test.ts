import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { decodeFromBytes, flatten } from "../encoding/index.ts";
import { newPool, pgKey } from "../maps/index.ts";
import {
  type MOSDOpReply,
  opAppend,
  opCopyFrom,
  opCreate,
  opDelete,
  opGetXattr,
  opListSnaps,
  opNotify,
  opOmapGetVals,
  opOmapSetVals,
  opPgnls,
  opRead,
  opSetXattr,
  opStat,
  opWatch,
  opWriteFull,
  WATCH_EVENT,
  WATCH_OP,
} from "../messages/index.ts";
import {
  HOBJECT_MIN,
  IntervalSet,
  NOSNAP,
  objectHash,
  SNAPDIR,
  type SnapContext,
} from "../types/index.ts";
import { ObjectInfoCheck } from "./object-check.ts";
import { PG_INFO, PgInfo } from "./pg-info.ts";
import { ancestorOf, childSeeds, seedOf } from "./pg-parts.ts";
import { PG_NUM, POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const out = (reply: MOSDOpReply) =>
  Buffer.from(flatten(reply.ops[0]?.outdata ?? [])).toString("latin1");
const context = (...snaps: number[]): SnapContext => ({
  seq: BigInt(snaps[0] ?? 0),
  snaps: snaps.map(BigInt),
});
const OBJECTS = Array.from({ length: 100 }, (_, i) => `o${i}`);

/** Objects with snapshots, clones, whiteouts, xattrs and omap. */
async function fill(client: TestClient, objects = OBJECTS): Promise<void> {
  for (const [i, oid] of objects.entries()) {
    await client.op(oid, [opWriteFull(bytes(`${oid} first `.repeat(i + 1)))]);
    if (i % 2 === 0) await client.op(oid, [opSetXattr("x", bytes(oid))]);
    if (i % 3 === 0) await client.op(oid, [opOmapSetVals(new Map([["k", bytes(oid)]]))]);
    if (i % 4 === 0) {
      await client.op(oid, [opAppend(bytes("second"))], { snapContext: context(4) });
      await client.op(oid, [opAppend(bytes("third"))], { snapContext: context(6, 4) });
    }
    if (i % 8 === 0) await client.op(oid, [opDelete()], { snapContext: context(6, 4) });
  }
}

/** What clients see of all objects. */
async function seen(client: TestClient, objects = OBJECTS): Promise<string[]> {
  const lines: string[] = [];
  for (const oid of objects) {
    const line: unknown[] = [oid];
    for (const snap of [NOSNAP, 5n, 4n]) {
      const read = await client.op(oid, [opRead(0, 0)], { snap });
      line.push(read.result, out(read), read.userVersion);
    }
    line.push(out(await client.op(oid, [opGetXattr("x")])));
    line.push(out(await client.op(oid, [opOmapGetVals("", 10)])));
    line.push(out(await client.op(oid, [opListSnaps()], { snap: SNAPDIR })));
    lines.push(line.join("|"));
  }
  return lines;
}

async function listed(client: TestClient, pgNum: number): Promise<string[]> {
  const names: string[] = [];
  for (let seed = 0; seed < pgNum; seed++) {
    const page = await client.list(seed, opPgnls(1000, 0, HOBJECT_MIN));
    expect(page.result).toBe(1);
    const listing = out(page);
    names.push(...OBJECTS.filter((oid) => new RegExp(`\\b${oid}\\b`).test(listing)));
  }
  return names.sort();
}

function reportSums(osd: TestOsd) {
  osd.clock.advance(3000);
  const { pgs } = osd.reports.at(-1)!;
  const sum = (of: (pg: (typeof pgs)[number]) => number) => pgs.reduce((n, pg) => n + of(pg), 0);
  return {
    pgs: pgs.length,
    states: [...new Set(pgs.map((pg) => pg.state))],
    bytes: sum((pg) => pg.stats.numBytes),
    objects: sum((pg) => pg.stats.numObjects),
    clones: sum((pg) => pg.stats.numObjectClones),
    whiteouts: sum((pg) => pg.stats.numWhiteouts),
    omap: sum((pg) => pg.stats.numObjectsOmap),
    writes: sum((pg) => pg.stats.numWr),
    writeKb: sum((pg) => pg.stats.numWrKb),
    stored: sum((pg) => pg.stored),
    allocated: sum((pg) => pg.allocated),
  };
}

/** Every object is where its hash says, agrees with its clones, and is counted there. */
function checkStore({ store }: TestOsd, pgNum: number): void {
  const check = new ObjectInfoCheck();
  for (const collection of store.collections()) {
    if (!collection.startsWith(`${POOL}.`)) continue;
    const seed = Number.parseInt(collection.split(".")[1]!, 16);
    const counts = { objects: 0, clones: 0 };
    for (const object of store.list(collection, HOBJECT_MIN, 10_000).objects) {
      expect(seedOf(object.hash, pgNum), `${object.oid} in ${collection}`).toBe(seed);
      if (object.oid === "") continue;
      counts.objects++;
      if (object.snap !== NOSNAP) counts.clones++;
      const attrs = new Map(store.getAttrs(collection, object));
      const size = store.stat(collection, object)!.size;
      expect(check.object({ collection, object, size, attrs })).toEqual([]);
    }
    const meta = { ...HOBJECT_MIN, pool: BigInt(POOL), hash: seed, snap: NOSNAP };
    const info = decodeFromBytes(PgInfo, store.getAttr(collection, meta, PG_INFO)!);
    expect(info.stats).toMatchObject(counts);
  }
  expect(check.end()).toEqual([]);
}

describe("which PGs a PG becomes", () => {
  it.each([
    [8, 16],
    [8, 64],
    [1, 17],
    [12, 13],
    [12, 100],
    [17, 64],
  ])("from %i to %i: each object's PG is a child of the one it was in, or that", (from, to) => {
    const known = new Map<number, number[]>();
    for (let seed = 0; seed < from; seed++) known.set(seed, childSeeds(seed, from, to));
    expect([...known.values()].flat().sort((a, b) => a - b)).toEqual(
      Array.from({ length: to - from }, (_, i) => from + i),
    );
    for (let i = 0; i < 2000; i++) {
      const hash = objectHash(`object ${i}`, "", "");
      const [before, after] = [seedOf(hash, from), seedOf(hash, to)];
      expect(after === before || known.get(before)!.includes(after)).toBe(true);
      expect(ancestorOf({ pool: 1, seed: after }, from).seed).toBe(before);
    }
  });
});

describe("a pool that gets more PGs", () => {
  it("has all that it had, each object in its PG, counted there, through several splits and a restart", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    const before = await seen(client);
    const names = await listed(client, PG_NUM);
    const { pgs: _, ...sums } = reportSums(osd);
    for (const pgNum of [9, 16, 64]) {
      osd.split(pgNum);
      expect(await seen(client)).toEqual(before);
      expect(reportSums(osd)).toEqual({ pgs: pgNum, ...sums });
      checkStore(osd, pgNum);
    }
    expect(await listed(client, 64)).toEqual(names);
    osd.restart();
    const after = osd.client(4100);
    expect(await seen(after)).toEqual(before);
    expect(await listed(after, 64)).toEqual(names);
  }, 30_000);

  it("may get more while it is at it", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    const before = await seen(client);
    osd.split(16);
    osd.clock.turn();
    osd.split(17);
    osd.clock.turn();
    osd.split(64);
    expect(await seen(client)).toEqual(before);
    checkStore(osd, 64);
  });

  it("loses nothing and tells the truth wherever the OSD is stopped on the way", async () => {
    const objects = OBJECTS.slice(0, 24);
    let turns = 0;
    for (let isDone = false; !isDone && turns < 100; turns++) {
      const osd = new TestOsd();
      const client = osd.client(4100);
      await fill(client, objects);
      const before = await seen(client, objects);
      osd.split(16);
      for (let i = 0; i < turns; i++) osd.clock.turn();
      const tids = objects.map((oid) => client.submit(oid, [opStat()]));
      isDone = tids.every((tid) => client.reply(tid) !== undefined);
      osd.restart();
      // By then the map may have gone on.
      if (turns % 3 === 0) osd.split(64);
      const back = osd.client(4200);
      expect(await seen(back, objects)).toEqual(before);
      checkStore(osd, osd.pgNum);
    }
    expect(turns).toBeGreaterThan(10);
    expect(turns).toBeLessThan(100);
  }, 60_000);

  it("knows resent writes in the PGs that came of it, after a restart as well", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    const tids = new Map<string, number>();
    for (const oid of OBJECTS) {
      await client.op(oid, [opAppend(bytes("once"))]);
      tids.set(oid, client.lastTid);
    }
    await client.op("o1", [opCreate(true)]);
    const failed = client.lastTid;
    osd.split(64);
    for (const restarted of [false, true]) {
      if (restarted) osd.restart();
      const again = osd.client(4100);
      for (const [oid, tid] of tids) {
        expect((await again.op(oid, [opAppend(bytes("once"))], { tid })).result).toBe(0);
        expect(out(await again.op(oid, [opRead(0, 0)], { tid: 10_000 + tid }))).toBe("once");
      }
      await again.op("o1", [opDelete()], { tid: 5001 });
      const resent = await again.op("o1", [opCreate(true)], { tid: failed });
      expect(resent.result).toBe(-ERRNO.EEXIST);
      await again.op("o1", [opAppend(bytes("once"))], { tid: 5002 });
    }
  });

  it("has requests wait for its split, and answers them in their order", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    osd.split(16);
    const tids = [1, 2, 3].flatMap((n) =>
      OBJECTS.map((oid) => client.submit(oid, [opAppend(bytes(`${n}`))])),
    );
    expect(client.reply(tids[0]!)).toBeUndefined();
    osd.clock.settle();
    for (const tid of tids) expect(client.reply(tid)?.result).toBe(0);
    for (const oid of OBJECTS) expect(out(await client.op(oid, [opRead(0, 0)]))).toMatch(/123$/);
  });

  it("answers in their order those who wait for one step after the other", async () => {
    const objects = OBJECTS.slice(0, 24);
    // The second map comes before any work or within it, the last requests at any moment after that.
    for (let turns = 0; turns < 48; turns++) {
      const osd = new TestOsd();
      const client = osd.client(4100);
      for (const oid of objects) await client.op(oid, [opCreate(false)]);
      const append = (text: string) =>
        objects.map((oid) => client.submit(oid, [opAppend(bytes(text))]));
      osd.split(16);
      append("1");
      if (turns % 2 === 1) osd.clock.turn();
      osd.split(turns % 4 < 2 ? 64 : 17);
      append("2");
      for (let i = 0; i < turns / 2; i++) osd.clock.turn();
      append("3");
      osd.clock.settle();
      for (const oid of objects) {
        // The first may have been dropped: it came by a map from before its PG has split again.
        const text = out(await client.op(oid, [opRead(0, 0)]));
        expect(text, `${oid}, ${turns} turns`).toMatch(/^1?23$/);
      }
    }
  });

  it("has no request overtake those that wait for a copy", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    // In a PG that is apart before others are, and does not split from 16 to 17.
    osd.split(16);
    const isServed = (oid: string) => client.reply(client.submit(oid, [opStat()])) !== undefined;
    const inOthers = OBJECTS.filter((oid) => seedOf(objectHash(oid, "", ""), 16) !== 0);
    let x: string | undefined;
    while (x === undefined) {
      osd.clock.turn();
      x = inOthers.find(isServed);
    }
    expect(OBJECTS.every(isServed)).toBe(false);
    // Of another pool, so that it need not wait for the split.
    osd.changeMap((inc) => {
      inc.newPools.set(2, newPool({ pgNum: 1, size: 1 }));
      inc.newPgTemp.set(pgKey({ pool: 2, seed: 0 }), [0]);
    });
    const locator = { pool: 2, key: "", nspace: "", hash: -1 };
    const copy = client.submit(x, [opCopyFrom({ oid: "nothing", locator })]);
    const one = client.submit(x, [opAppend(bytes("1"))]);
    osd.split(17);
    const two = client.submit(x, [opAppend(bytes("2"))]);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect(client.reply(copy)?.result).toBe(-ERRNO.ENOENT);
    osd.clock.settle();
    expect([client.reply(one)?.result, client.reply(two)?.result]).toEqual([0, 0]);
    expect(out(await client.op(x, [opRead(0, 0)]))).toMatch(/12$/);
  });

  it("drops what was sent by the map before, where PGs have split, and nothing else", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    const { epoch } = osd.map;
    osd.split(9); // PG 0 becomes 0 and 8
    const tids = OBJECTS.map((oid) => client.submit(oid, [opStat()], { epoch, pgNum: PG_NUM }));
    osd.clock.settle();
    for (const [i, oid] of OBJECTS.entries()) {
      const wasIn0 = seedOf(objectHash(oid, "", ""), PG_NUM) === 0;
      expect(client.reply(tids[i]!) === undefined, oid).toBe(wasIn0);
    }
    osd.restart();
    const later = osd.client(4100);
    const oid = OBJECTS.find((o) => seedOf(objectHash(o, "", ""), 9) === 0)!;
    const tid = later.submit(oid, [opStat()], { epoch });
    osd.clock.settle();
    expect(later.reply(tid)).toBeUndefined();
  });

  it("takes watches along: notified, and ended when they are silent", async () => {
    const osd = new TestOsd();
    const [watcher, notifier] = [osd.client(4100), osd.client(4200)];
    for (const oid of OBJECTS) await watcher.op(oid, [opCreate(false)]);
    for (const oid of OBJECTS) await watcher.op(oid, [opWatch(7n, WATCH_OP.WATCH)]);
    osd.split(64);
    for (const oid of OBJECTS) await notifier.op(oid, [opNotify(9n, bytes(oid))]);
    expect(watcher.notifications().map((n) => Buffer.from(n.payload).toString())).toEqual(OBJECTS);
    watcher.close();
    osd.clock.advance(60_000);
    for (const oid of OBJECTS) {
      const { result } = await notifier.op(oid, [opWatch(7n, WATCH_OP.UNWATCH)]);
      expect(result).toBe(0);
    }
    expect(notifier.notifications().filter((n) => n.opcode === WATCH_EVENT.NOTIFY)).toEqual([]);
    checkStore(osd, 64);
  });

  it("trims snapshots afterwards, and says so only when all its PGs have", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    await fill(client);
    osd.split(64);
    const removed = new IntervalSet();
    removed.insert(4, 1);
    osd.removeSnaps(removed);
    expect(osd.purged).toEqual([]);
    osd.clock.advance(3000);
    expect(osd.purged.at(-1)![1].has(4)).toBe(true);
    for (const [i, oid] of OBJECTS.entries()) {
      const { result } = await client.op(oid, [opRead(0, 0)], { snap: 4n });
      expect(result).toBe(i % 4 === 0 ? -ERRNO.ENOENT : 0);
    }
    checkStore(osd, 64);
    const { clones, states } = reportSums(osd);
    expect({ clones, states }).toEqual({ clones: 25, states: ["active+clean"] });
  });
});
