import { expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { CACHE_MODE } from "../maps/index.ts";
import { OSD_FLAG, opRead, opWriteFull } from "../messages/index.ts";
import { POOL, TestOsd } from "./testing/osd-fixture.ts";

function setMode(osd: TestOsd, cacheMode: number): void {
  osd.changeMap((inc) => {
    const pool = osd.map.pools.get(POOL);
    if (pool !== undefined) inc.newPools.set(POOL, { ...pool, tierOf: 99, cacheMode });
  });
}

it("a pool that is a cache answers nobody from what it has, unless told to take no notice", async () => {
  const osd = new TestOsd();
  const client = osd.client(4100);
  const read = async (o = {}) => (await client.op("a", [opRead(0, 5)], o)).result;
  const write = async () => (await client.op("a", [opWriteFull(Buffer.from("hello"))])).result;
  expect(await write()).toBe(0);
  setMode(osd, CACHE_MODE.NONE);
  expect(await read()).toBe(0);
  setMode(osd, CACHE_MODE.READONLY);
  expect(await read()).toBe(-ERRNO.EOPNOTSUPP);
  expect(await write()).toBe(-ERRNO.EOPNOTSUPP);
  expect(await read({ flags: OSD_FLAG.IGNORE_CACHE })).toBe(0);
  setMode(osd, CACHE_MODE.NONE);
  expect(await write()).toBe(0);
});
