import { expect, test } from "vitest";
import { decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  addObjectStatSum,
  addPgToPool,
  newObjectStatSum,
  newPgStat,
  newPoolStat,
  ObjectStatSum,
  PG_STATE,
  PgStat,
  PoolStat,
  subtractObjectStatSum,
} from "./index.ts";

test("adding and taking away the same leaves nothing, in every field", () => {
  const delta = newObjectStatSum();
  Object.keys(delta).forEach((key, i) => {
    delta[key as keyof ObjectStatSum] = i + 1;
  });
  const sum = newObjectStatSum();
  addObjectStatSum(sum, delta);
  expect(sum).toEqual(delta);
  subtractObjectStatSum(sum, delta);
  expect(sum).toEqual(newObjectStatSum());
});

test("every field of the sum is on the wire, and negative deltas survive it", () => {
  const delta = newObjectStatSum();
  Object.keys(delta).forEach((key, i) => {
    delta[key as keyof ObjectStatSum] = -1 - i;
  });
  expect(decodeFromBytes(ObjectStatSum, encodeToBytes(ObjectStatSum, delta))).toEqual(delta);
});

test("a pool's statistics are those of its pgs", () => {
  const pool = newPoolStat();
  const pg = newPgStat();
  pg.stats.sum.numObjects = 3;
  pg.logSize = 10;
  pg.up = [0, 1];
  pg.acting = [1];
  addPgToPool(pool, pg);
  addPgToPool(pool, pg);
  expect(pool).toMatchObject({ logSize: 20, up: 4, acting: 2, stats: { sum: { numObjects: 6 } } });
  expect(decodeFromBytes(PoolStat, encodeToBytes(PoolStat, pool))).toEqual(pool);
});

test("a pg's state keeps its bits past the 32nd", () => {
  const pg = { ...newPgStat(), state: PG_STATE.ACTIVE + PG_STATE.CLEAN + PG_STATE.LAGGY };
  expect(decodeFromBytes(PgStat, encodeToBytes(PgStat, pg)).state).toBe(pg.state);
});
