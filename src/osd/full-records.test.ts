/** What the OSD has to write down for itself on a file system that has nothing left for objects and omap. */
import { expect, it } from "vitest";
import { systemClock } from "../base/index.ts";
import { newPool, pgKey } from "../maps/index.ts";
import { OSD_FLAG, opDelete, opOmapSetVals, opRead, opWriteFull } from "../messages/index.ts";
import { createStore, MemoryDisk, openStore } from "../store/index.ts";
import { PG_NUM, TestOsd } from "./testing/osd-fixture.ts";

const MIB = 1 << 20;
const ELSEWHERE = 2;

it("a pool that is made, and PGs that are to split, need no more room than there is", async () => {
  const disk = new MemoryDisk(1);
  disk.limitBytes = 40 * MIB;
  createStore("", { disk, segmentSize: 256 << 10, segments: 2 });
  const clock = { ...systemClock, defer: (fn: () => void) => queueMicrotask(fn) };
  const store = await openStore("", { disk, clock, commit: "sync", memoryBytes: 4 * MIB });
  const osd = new TestOsd({ store });
  const client = osd.client(4100);
  await client.op("a", [opWriteFull(Buffer.from("1"))]);
  // Others take all but a little of the reserve.
  disk.othersBytes += disk.space().available - (256 << 10);
  // The store looks again within as many milliseconds as there were MiB.
  await new Promise((resolve) => setTimeout(resolve, 60));
  client.submit("b", [opOmapSetVals(new Map([["k", Buffer.alloc(2000)]]))]);
  await store.flush();
  expect(client.received, "a client's omap is refused").toHaveLength(1);
  osd.changeMap((inc) => {
    inc.newPools.set(ELSEWHERE, newPool({ pgNum: 1, size: 1 }));
    inc.newPgTemp.set(pgKey({ pool: ELSEWHERE, seed: 0 }), [0]);
  });
  osd.split(PG_NUM + 1);
  disk.othersBytes = 0;
  osd.clock.advance(10_000);
  await store.flush();
  expect((await client.op("a", [opRead(0, 0)])).result).toBe(0);
  const { result } = await client.op("a", [opDelete()], { flags: OSD_FLAG.FULL_TRY });
  expect(result).toBe(0);
  osd.server.stop();
  await store.close();
});
