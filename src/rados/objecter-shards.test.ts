/** Requests on erasure-coded pools: which shard of a placement group they name. */
import { expect, test } from "vitest";
import { NoneClient } from "../auth/index.ts";
import { seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { EMPTY, flatten } from "../encoding/index.ts";
import {
  emptyOsdMap,
  encodeOsdMap,
  mapPg,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  newPool,
  OSD_IN,
  OSD_STATE,
  type OsdMap,
  POOL_TYPE,
  pgOfHash,
} from "../maps/index.ts";
import { MOSDMap, MOSDOp, OSD_FLAG, opStat } from "../messages/index.ts";
import type { Messenger } from "../messenger/index.ts";
import {
  ENTITY_TYPE,
  type IncomingMessage,
  type OutgoingMessage,
  UUID_ZERO,
} from "../types/index.ts";
import { Objecter } from "./objecter.ts";

const OSDS = [0, 1, 2, 3];
/** Seeds of the PGs that the map has a pg_temp for, with holes and with its primary elsewhere than first. */
const TEMPS: readonly (readonly number[])[] = [
  [0x7fff_ffff, 2, 0],
  [3, 1, 2],
  [1, 0x7fff_ffff, 3],
];

/** Four OSDs up, replicated pool 1, erasure-coded pool 2 whose PGs are all where pg_temp says. */
function clusterMap(): OsdMap {
  const each = <T>(value: T): T[] => OSDS.map(() => value);
  return {
    ...emptyOsdMap("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"),
    epoch: 1,
    maxOsd: OSDS.length,
    osdState: each(OSD_STATE.EXISTS | OSD_STATE.UP),
    osdWeight: each(OSD_IN),
    clientAddrs: each([]),
    clusterAddrs: each([]),
    hbBackAddrs: each([]),
    hbFrontAddrs: each([]),
    osdInfo: each(NEW_OSD_INFO),
    osdXinfo: each(NEW_OSD_XINFO),
    osdUuid: each(UUID_ZERO),
    pools: new Map([
      [1, newPool({ pgNum: 3, size: 2 })],
      [2, newPool({ pgNum: 3, size: 3, type: POOL_TYPE.ERASURE })],
    ]),
    poolNames: new Map([
      [1, "copies"],
      [2, "coded"],
    ]),
    pgTemp: new Map([
      ...TEMPS.map((osds, seed): [string, number[]] => [`2.${seed}`, [...osds]]),
      ["1.0", [1, 2]],
      ["1.1", [2, 3]],
      ["1.2", [3, 0]],
    ]),
    primaryTemp: new Map([["2.1", 1]]),
  };
}

function incoming(message: OutgoingMessage): IncomingMessage {
  return {
    priority: 127,
    tid: 0,
    middle: EMPTY,
    ...message,
    seq: 1,
    data: flatten(message.data ?? []),
  };
}

test("a request names its PG's shard at the primary, and none where there are no shards", async () => {
  const map = clusterMap();
  const sent: MOSDOp[] = [];
  const connection = {
    isOpen: true,
    send: (message: OutgoingMessage) => void sent.push(MOSDOp.decode(incoming(message))),
    close: () => undefined,
  };
  const objecter = new Objecter({
    auth: new NoneClient({ type: ENTITY_TYPE.CLIENT, id: "admin" }),
    messenger: { addrs: [], connect: () => Promise.resolve(connection) } as unknown as Messenger,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLogger,
    renewTickets: () => undefined,
    wantMap: () => undefined,
    onChange: () => undefined,
    onBlocklisted: () => undefined,
    onEpoch: () => undefined,
  });
  const { bytes } = encodeOsdMap(map);
  const { fsid } = map;
  const maps = new Map([[1, bytes]]);
  objecter.onMap(
    incoming(MOSDMap.encode({ fsid, incrementals: new Map(), maps, oldest: 1, newest: 1 })),
  );
  const requests = [1, 2].flatMap((pool) => [0, 1, 2].map((hash) => ({ pool, hash })));
  const done = requests.map(({ pool, hash }) =>
    objecter.submit({ pool, nspace: "", oid: "o", hash, ops: [opStat()], flags: OSD_FLAG.READ }),
  );
  const ended = Promise.allSettled(done);
  await new Promise((resolve) => setImmediate(resolve));
  const shards = sent.map(({ pgid }) => `${pgid.pgid.pool}.${pgid.pgid.seed} shard ${pgid.shard}`);
  expect(shards.sort()).toEqual([
    "1.0 shard -1",
    "1.1 shard -1",
    "1.2 shard -1",
    "2.0 shard 1",
    "2.1 shard 1",
    "2.2 shard 0",
  ]);
  for (const { pool, hash } of requests) {
    const { acting, actingPrimary, actingShard } = mapPg(
      map,
      pgOfHash(map.pools.get(pool)!, pool, hash),
    );
    if (actingShard >= 0) expect(acting[actingShard]).toBe(actingPrimary);
  }
  objecter.close();
  await ended;
});
