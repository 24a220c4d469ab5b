import { expect, test } from "vitest";
import { silentLogger } from "../base/index.ts";
import { newPool, OSD_IN, OSD_STATE, type OsdMap, pgKey } from "../maps/index.ts";
import { opStat } from "../messages/index.ts";
import { NOSNAP } from "../types/index.ts";
import { Peers } from "./peers.ts";
import { initialMap, ManualClock, POOL } from "./testing/osd-fixture.ts";

const UP = OSD_STATE.EXISTS | OSD_STATE.UP;
const PG = { pool: POOL, seed: 0 };

/** osd.0 with one read of an object of which osd.1 is primary. */
function start() {
  const clock = new ManualClock();
  let map: OsdMap = {
    ...initialMap(newPool({ pgNum: 1, size: 1 })),
    maxOsd: 2,
    osdState: [UP, UP],
    osdWeight: [OSD_IN, OSD_IN],
    pgTemp: new Map([[pgKey(PG), [1]]]),
  };
  /** How each that was asked is to end. */
  const asked: { osd: number; fail(): void }[] = [];
  const peers = new Peers({
    id: 0,
    ask: (osd) =>
      new Promise((_, reject) => {
        asked.push({ osd, fail: () => reject(new Error(`osd.${osd} has not started`)) });
      }),
    dispatcher: { onOpen() {}, onClose() {}, onMessage() {} },
    clock,
    log: silentLogger,
    map: () => map,
  });
  const changeMap = (change: Partial<OsdMap> = {}) => {
    map = { ...map, ...change, epoch: map.epoch + 1 };
    peers.mapChanged();
  };
  const locator = { pool: POOL, key: "", nspace: "", hash: -1 };
  const object = { pg: PG, hash: 0, oid: "a", locator, snap: NOSNAP };
  const read = peers.read(object, [opStat()], 0);
  return { clock, peers, asked, changeMap, read };
}

/** Lets a rejection be seen. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await Promise.resolve();
}

test("an OSD that could not be asked is asked again at the next map", async () => {
  const { asked, changeMap } = start();
  asked[0]!.fail();
  await turn();
  changeMap();
  expect(asked.map(({ osd }) => osd)).toEqual([1, 1]);
});

test("or after a pause, as often as it takes, and never twice at once", async () => {
  const { clock, asked, changeMap } = start();
  for (let n = 1; n < 4; n++) {
    changeMap();
    clock.advance(60_000);
    expect(asked.length).toBe(n);
    asked[n - 1]!.fail();
    await turn();
    expect(asked.length).toBe(n);
    clock.advance(1000);
    expect(asked.length).toBe(n + 1);
  }
});

test("one that fails when another one has been asked already has no effect", async () => {
  const { clock, asked, changeMap } = start();
  changeMap({ osdState: [UP, UP, UP], maxOsd: 3, pgTemp: new Map([[pgKey(PG), [2]]]) });
  changeMap({ pgTemp: new Map([[pgKey(PG), [1]]]) });
  expect(asked.map(({ osd }) => osd)).toEqual([1, 2, 1]);
  asked[0]!.fail();
  await turn();
  changeMap();
  clock.advance(60_000);
  expect(asked.length).toBe(3);
});

test("nobody is asked for a read that is over, or when the OSD has stopped", async () => {
  const gone = start();
  gone.asked[0]!.fail();
  await turn();
  gone.changeMap({ pools: new Map() });
  expect(await gone.read).toBeUndefined();
  const stopped = start();
  stopped.asked[0]!.fail();
  await turn();
  stopped.peers.stop();
  for (const { clock, asked } of [gone, stopped]) {
    clock.advance(60_000);
    expect(asked.length).toBe(1);
  }
});
