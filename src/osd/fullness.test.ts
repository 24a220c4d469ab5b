import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { POOL_FLAG } from "../maps/index.ts";
import {
  MOSDMap,
  OSD_FLAG,
  opCreate,
  opDelete,
  opOmapSetVals,
  opRead,
  opStat,
  opWriteFull,
} from "../messages/index.ts";
import { MemStore } from "../store/index.ts";
import { POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const CAPACITY = 32 << 20;
const MIB = 1 << 20;
const TRY = { flags: OSD_FLAG.FULL_TRY };
const data = (size: number) => Buffer.alloc(size, 7);

function start() {
  const osd = new TestOsd({ store: (clock) => new MemStore({ clock, capacityBytes: CAPACITY }) });
  const client = osd.client(4100);
  const level = () => osd.reports.at(-1)?.fullness;
  return { osd, client, level };
}

function setFlags(osd: TestOsd, flags: number): void {
  osd.changeMap((inc) => {
    const pool = osd.map.pools.get(POOL);
    if (pool !== undefined) inc.newPools.set(POOL, { ...pool, flags });
  });
}

function byRatio(ratio: number): string {
  if (ratio > 0.95) return "full";
  return ratio > 0.9 ? "backfillfull" : ratio > 0.85 ? "nearfull" : "none";
}

/** Sends a write that must stay without an answer. */
async function expectDropped(client: TestClient, osd: TestOsd, epoch?: number): Promise<void> {
  const tid = client.submit("a", [opWriteFull(data(20))], epoch === undefined ? {} : { epoch });
  osd.clock.settle();
  for (let i = 0; i < 50; i++) await Promise.resolve();
  expect(client.reply(tid)).toBeUndefined();
}

describe("what the monitor is told", () => {
  it("a ratio that is crossed is reported at once, not with the next period", async () => {
    const { client, level } = start();
    // Two looks may lie some writes apart, but no more.
    const allowed = (mib: number) => [byRatio(mib / 32), byRatio((mib - 2) / 32)];
    const seen = new Set<string | undefined>();
    for (let mib = 1; mib <= 31; mib++) {
      await client.op(`o${mib}`, [opWriteFull(data(MIB))]);
      expect(allowed(mib), `at ${mib} of 32`).toContain(level());
      seen.add(level());
    }
    expect([...seen]).toEqual(["none", "nearfull", "backfillfull", "full"]);
  });

  it("the ratios are the map's", async () => {
    const { osd, client, level } = start();
    await client.op("a", [opWriteFull(data(16 * MIB))]);
    osd.changeMap((inc) => {
      inc.newNearfullRatio = 0.4;
    });
    osd.clock.advance(100);
    expect(level()).toBe("nearfull");
  });

  it("space that is free again is no longer reported as full", async () => {
    const { osd, client, level } = start();
    await client.op("a", [opWriteFull(data(28 * MIB))]);
    expect(level()).toBe("nearfull");
    await client.op("a", [opDelete()]);
    osd.clock.advance(2000);
    expect(level()).toBe("none");
  });
});

describe("the store has no room", () => {
  async function fill() {
    const scene = start();
    const { osd, client } = scene;
    await client.op("big", [opWriteFull(data(16 * MIB))]);
    const tid = client.submit("a", [opWriteFull(data(18 * MIB))]);
    osd.clock.settle();
    return { ...scene, tid };
  }

  it("the write is dropped, the monitor told, and what the client sends after it does not overtake", async () => {
    const { osd, client, level, tid } = await fill();
    expect(client.reply(tid)).toBeUndefined();
    expect(level()).toBe("full");
    // This one would fit.
    await expectDropped(client, osd);
  });

  it("who tries knowingly is told ENOSPC; removals and reads go on", async () => {
    const { client } = await fill();
    const reply = await client.op("a", [opWriteFull(data(18 * MIB))], TRY);
    expect(reply.result).toBe(-ERRNO.ENOSPC);
    expect((await client.op("big", [opRead(0, 10)])).result).toBe(0);
    expect((await client.op("big", [opDelete()], TRY)).result).toBe(0);
  });

  it("writes are dropped until a map has said that the pool is full", async () => {
    const { osd, client, level } = await fill();
    await client.op("big", [opDelete()], TRY);
    osd.clock.advance(10_000);
    await expectDropped(client, osd);
    expect(level()).toBe("full");
    const before = osd.map.epoch;
    setFlags(osd, POOL_FLAG.FULL);
    osd.clock.advance(2000);
    expect(level()).toBe("none");
    // The client sent it without knowing: what it sent before may have been dropped.
    await expectDropped(client, osd, before);
    setFlags(osd, 0);
    await expectDropped(client, osd, before);
    expect((await client.op("a", [opWriteFull(data(10))])).result).toBe(0);
  });

  it("a client that waits for the answer to a dropped write hears of the map", async () => {
    const { osd, client } = await fill();
    const silent = osd.client(4200);
    setFlags(osd, POOL_FLAG.FULL);
    const maps = client.received.filter((m) => m.type === MOSDMap.type);
    expect(maps).toHaveLength(1);
    expect(silent.received, "who has not asked anything has nothing to hear").toEqual([]);
  });

  it("a restarted OSD drops what was sent before its map, if the pool is full in it", async () => {
    const { osd } = await fill();
    const before = osd.map.epoch;
    setFlags(osd, POOL_FLAG.FULL);
    osd.restart();
    await expectDropped(osd.client(4300), osd, before);
  });
});

describe("a full pool", () => {
  it("full for want of space: growth gets ENOSPC, but a removal's first step makes an empty object", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(data(10))]);
    setFlags(osd, POOL_FLAG.FULL);
    expect((await client.op("b", [opWriteFull(data(10))], TRY)).result).toBe(-ERRNO.ENOSPC);
    const entry = opOmapSetVals(new Map([["id_1", data(3)]]));
    expect((await client.op("rbd_trash", [opCreate(false), entry], TRY)).result).toBe(0);
    expect((await client.op("rbd_trash", [opStat()])).result).toBe(0);
    await expectDropped(client, osd);
  });

  it("full by quota: not even that", async () => {
    const { osd, client } = start();
    setFlags(osd, POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA);
    expect((await client.op("rbd_trash", [opCreate(false)], TRY)).result).toBe(-ERRNO.EDQUOT);
  });
});
