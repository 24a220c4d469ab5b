import { describe, expect, test } from "vitest";
import { buildDefaultMap, CRUSH_ITEM_NONE, CrushMapCodec } from "../crush/index.ts";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import { ADDR_TYPE, IntervalSet, UTIME_ZERO } from "../types/index.ts";
import {
  addrMapKey,
  applyIncremental,
  CEPH_RELEASE,
  commitIncremental,
  emptyOsdMap,
  isBlocklisted,
  isIn,
  isUp,
  locateObject,
  mapPg,
  newIncremental,
  newPool,
  OSD_IN,
  OSD_STATE,
  OsdMap,
  OsdMapIncremental,
  osdExists,
  POOL_FLAG_EC_OPTIMIZATIONS,
  POOL_TYPE,
  parsePgId,
  pgKey,
} from "./index.ts";

const FSID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const addr = (port: number) => [{ type: ADDR_TYPE.MSGR2, nonce: 1, ip: "127.0.0.1", port }];
const empty = emptyOsdMap(FSID);

/** Three OSDs up and in, a replicated pool 1 and an erasure-coded pool 2. */
function cluster(): OsdMap {
  const devices = [0, 1, 2].map((id) => ({ id, weight: 0x10000 }));
  const inc = newIncremental(empty);
  inc.crush = encodeToBytes(CrushMapCodec, buildDefaultMap({ host: "box", devices }));
  inc.newMaxOsd = 3;
  for (const { id } of devices) {
    inc.newState.set(id, OSD_STATE.EXISTS | OSD_STATE.NEW);
    inc.newWeight.set(id, OSD_IN);
    inc.newUpClient.set(id, addr(6800 + id));
  }
  inc.newPoolMax = 2;
  inc.newPools.set(1, newPool({ pgNum: 8, size: 2 }));
  inc.newPoolNames.set(1, "rbd");
  inc.newPools.set(2, newPool({ pgNum: 4, size: 3, type: POOL_TYPE.ERASURE }));
  inc.newPoolNames.set(2, "ec");
  return applyIncremental(empty, inc);
}
const base = cluster();

/** The next map, with one change made by `edit`. */
function after(map: OsdMap, edit: (inc: OsdMapIncremental) => void): OsdMap {
  const inc = newIncremental(map);
  edit(inc);
  return applyIncremental(map, inc);
}

describe("applying a change", () => {
  test("that changes nothing gives the same map one epoch later", () => {
    const next = after(base, () => {});
    expect({ ...next, epoch: base.epoch, modified: base.modified }).toEqual(base);
    expect(next.pools).toBe(base.pools);
    expect(next.crush).toBe(base.crush);
  });
  test("brings OSDs up, in and addressed", () => {
    expect([0, 1, 2].map((osd) => isUp(base, osd) && isIn(base, osd))).toEqual([true, true, true]);
    expect(base.clientAddrs[2]).toEqual(addr(6802));
    expect(base.osdInfo[0]!.upFrom).toBe(1);
  });
  test("takes an OSD down, and remembers when", () => {
    const down = after(base, (inc) => inc.newState.set(1, OSD_STATE.UP));
    expect(isUp(down, 1)).toBe(false);
    expect(osdExists(down, 1)).toBe(true);
    expect(down.osdInfo[1]!.downAt).toBe(2);
    expect(isUp(base, 1)).toBe(true);
  });
  test("forgets a purged OSD entirely", () => {
    const gone = after(base, (inc) => inc.newState.set(1, OSD_STATE.EXISTS | OSD_STATE.UP));
    expect(osdExists(gone, 1)).toBe(false);
    expect(gone.clientAddrs[1]).toEqual([]);
  });
  test("stamps a changed pool with its epoch, and drops a removed one by id and name", () => {
    const pool = base.pools.get(1)!;
    const changed = after(base, (inc) => inc.newPools.set(1, { ...pool, quotaMaxBytes: 5 }));
    expect(changed.pools.get(1)!.lastChange).toBe(2);
    const removed = after(changed, (inc) => inc.oldPools.add(1));
    expect(removed.pools.has(1) || removed.poolNames.has(1)).toBe(false);
  });
  test("queues removed snaps until they are purged", () => {
    const removed = after(base, (inc) => inc.newRemovedSnaps.set(1, IntervalSet.of(3, 4)));
    expect([...removed.removedSnapsQueue.get(1)!]).toEqual([[3, 4]]);
    const some = after(removed, (inc) => inc.newPurgedSnaps.set(1, IntervalSet.of(3, 2)));
    expect([...some.removedSnapsQueue.get(1)!]).toEqual([[5, 2]]);
    expect(some.newRemovedSnaps.size).toBe(0);
    const all = after(some, (inc) => inc.newPurgedSnaps.set(1, IntervalSet.of(5, 2)));
    expect(all.removedSnapsQueue.size).toBe(0);
    expect([...removed.removedSnapsQueue.get(1)!]).toEqual([[3, 4]]);
  });
  test("counts crush versions", () => {
    const crush = encodeToBytes(CrushMapCodec, base.crush);
    expect(after(base, (inc) => void (inc.crush = crush)).crushVersion).toBe(base.crushVersion + 1);
  });
  test("of an OSD the map has no place for is refused", () => {
    const wrong = (edit: (inc: OsdMapIncremental) => void) => () => after(base, edit);
    expect(wrong((inc) => inc.newWeight.set(3, OSD_IN))).toThrow(DecodeError);
    expect(wrong((inc) => inc.newState.set(-1, 1))).toThrow(DecodeError);
    expect(wrong((inc) => inc.newPurgedSnaps.set(1, IntervalSet.of(1, 1)))).toThrow(DecodeError);
  });
});

test("a committed epoch carries in its incremental the crc of its full map", () => {
  const { map, full, incremental } = commitIncremental(base, newIncremental(base));
  expect(decodeFromBytes(OsdMap, full)).toEqual(map);
  const inc = decodeFromBytes(OsdMapIncremental, incremental);
  expect(inc.fullCrc).toBe(full.readUInt32LE(full.length - 4));
});

describe("where a pg is", () => {
  const pg = { pool: 1, seed: 3 };
  const { up } = mapPg(base, pg);
  const other = [0, 1, 2].find((osd) => !up.includes(osd))!;

  test("does not change while the map does not", () => {
    expect(mapPg(base, pg)).toBe(mapPg(base, pg));
    expect(
      mapPg(
        after(base, () => {}),
        pg,
      ),
    ).toEqual(mapPg(base, pg));
  });
  test("is nowhere for a pg or pool that is not there", () => {
    const nowhere = { up: [], upPrimary: -1, acting: [], actingPrimary: -1, actingShard: -1 };
    expect(mapPg(base, { pool: 1, seed: 8 })).toEqual(nowhere);
    expect(mapPg(base, { pool: 9, seed: 0 })).toEqual(nowhere);
  });
  test("closes up over a down OSD in a replicated pool", () => {
    const down = after(base, (inc) => inc.newState.set(up[0]!, OSD_STATE.UP));
    expect(mapPg(down, pg).up).toEqual([up[1]]);
  });
  test("is nowhere when no rule is of the pool's type", () => {
    expect(mapPg(base, { pool: 2, seed: 0 }).up).toEqual([]);
  });
  test("follows pg_temp and primary_temp", () => {
    const temp = after(base, (inc) => inc.newPgTemp.set(pgKey(pg), [other, up[0]!]));
    expect(mapPg(temp, pg)).toMatchObject({ up, acting: [other, up[0]], actingPrimary: other });
    const primary = after(temp, (inc) => inc.newPrimaryTemp.set(pgKey(pg), up[0]!));
    expect(mapPg(primary, pg).actingPrimary).toBe(up[0]);
    const cleared = after(primary, (inc) => {
      inc.newPgTemp.set(pgKey(pg), []);
      inc.newPrimaryTemp.set(pgKey(pg), -1);
    });
    expect(mapPg(cleared, pg)).toEqual(mapPg(base, pg));
  });
  test("follows upmap, but never to an OSD that is out", () => {
    const moved = after(base, (inc) => inc.newPgUpmapItems.set(pgKey(pg), [[up[0]!, other]]));
    expect(mapPg(moved, pg).up).toEqual([other, up[1]]);
    const out = after(moved, (inc) => inc.newWeight.set(other, 0));
    expect(mapPg(out, pg).up).toEqual(up);
  });
  test("gives the primary's part to another OSD when its affinity is 0", () => {
    const shy = after(base, (inc) => inc.newPrimaryAffinity.set(up[0]!, 0));
    expect(mapPg(shy, pg)).toMatchObject({ up: [up[1], up[0]], upPrimary: up[1] });
  });
});

describe("where an object is", () => {
  const at = (hash: number, pool = 1) =>
    locateObject(base, { pool, nspace: "", key: "", hash }, "name");

  test("follows a given position before its name", () => {
    expect(at(0x1234)).toEqual({ hash: 0x1234, pg: { pool: 1, seed: 4 } });
    expect(at(-1)).toEqual(locateObject(base, { pool: 1, nspace: "", key: "" }, "name"));
    expect(at(0, 9)).toBeUndefined();
  });
});

describe("a balancer's primary", () => {
  const pg = { pool: 1, seed: 3 };
  const [first, second] = mapPg(base, pg).up as [number, number];
  const withPrimary = after(base, (inc) => inc.newPgUpmapPrimaries.set(pgKey(pg), second));

  test("comes first, and is kept in the map and its changes", () => {
    expect(mapPg(withPrimary, pg)).toMatchObject({ up: [second, first], upPrimary: second });
    const { full, incremental } = commitIncremental(withPrimary, newIncremental(withPrimary));
    expect(decodeFromBytes(OsdMap, full).pgUpmapPrimaries).toEqual(withPrimary.pgUpmapPrimaries);
    const gone = newIncremental(withPrimary);
    gone.oldPgUpmapPrimaries.add(pgKey(pg));
    const read = decodeFromBytes(OsdMapIncremental, encodeToBytes(OsdMapIncremental, gone));
    expect(mapPg(applyIncremental(withPrimary, read), pg)).toEqual(mapPg(base, pg));
    expect(decodeFromBytes(OsdMapIncremental, incremental).newPgUpmapPrimaries.size).toBe(0);
  });
  test("counts for nothing if it is out, or not of the pg", () => {
    const out = after(withPrimary, (inc) => inc.newWeight.set(second, 0));
    expect(mapPg(out, pg).upPrimary).toBe(first);
    const other = [0, 1, 2].find((osd) => osd !== first && osd !== second)!;
    const strange = after(base, (inc) => inc.newPgUpmapPrimaries.set(pgKey(pg), other));
    expect(mapPg(strange, pg)).toEqual(mapPg(base, pg));
  });
});

test("a rule of another type serves a pool since Quincy, and is none before", () => {
  const pg = { pool: 2, seed: 0 };
  expect(mapPg(base, pg).up).toEqual([]);
  const quincy = after(base, (inc) => void (inc.newRequireOsdRelease = CEPH_RELEASE.QUINCY));
  expect(mapPg(quincy, pg).up.length).toBe(3);
});

test("what only later releases have comes through a map and its changes", () => {
  const inc = newIncremental(base);
  inc.newAllowCrimson = true;
  const shards = new Set([1, 2]);
  inc.newPools.set(2, { ...base.pools.get(2)!, nonprimaryShards: shards });
  const read = decodeFromBytes(OsdMapIncremental, encodeToBytes(OsdMapIncremental, inc));
  const { full } = commitIncremental(base, read);
  const map = decodeFromBytes(OsdMap, full);
  expect(map.allowCrimson).toBe(true);
  expect(map.pools.get(2)!.nonprimaryShards).toEqual(shards);
});

test("shards that cannot be primary come last in pg_temp, and an OSD of two shards is its first there", () => {
  const pg = { pool: 2, seed: 0 };
  const ec = base.pools.get(2)!;
  const pool = {
    ...ec,
    flags: ec.flags | POOL_FLAG_EC_OPTIMIZATIONS,
    nonprimaryShards: new Set([0]),
  };
  const map = after(base, (inc) => {
    inc.newPools.set(2, pool);
    inc.newPgTemp.set(pgKey(pg), [2, 1, 2]);
  });
  expect(mapPg(map, pg)).toMatchObject({ acting: [2, 2, 1], actingPrimary: 2, actingShard: 1 });
});

test("a hole in an erasure-coded pg is kept", () => {
  const rule = { ...base.crush.rules[0]!, type: POOL_TYPE.ERASURE };
  const [take, choose, emit] = rule.steps;
  const indep = { ...rule, steps: [take!, { ...choose!, op: 3 }, emit!] };
  const crush = encodeToBytes(CrushMapCodec, { ...base.crush, rules: [indep] });
  const map = after(base, (inc) => {
    inc.crush = crush;
  });
  const pg = { pool: 2, seed: 1 };
  const { up } = mapPg(map, pg);
  expect([...up].sort((a, b) => a - b)).toEqual([0, 1, 2]);
  const down = after(map, (inc) => inc.newState.set(up[0]!, OSD_STATE.UP));
  expect(mapPg(down, pg).up).toEqual([CRUSH_ITEM_NONE, up[1], up[2]]);
  expect(mapPg(down, pg)).toMatchObject({ upPrimary: up[1], actingShard: 1 });
  expect(mapPg(map, { pool: 1, seed: 0 }).actingShard).toBe(-1);
});

describe("the blocklist", () => {
  const lock = (ip: string, port: number, nonce: number) =>
    after(base, (inc) => {
      const entry = { addr: { type: ADDR_TYPE.ANY, ip, port, nonce }, until: UTIME_ZERO };
      inc.newBlocklist.set(addrMapKey(entry.addr), entry);
    });
  const client = { type: ADDR_TYPE.MSGR2, ip: "10.0.0.1", port: 0, nonce: 77 };

  test("locks out one instance, whatever protocol it comes by", () => {
    const map = lock("10.0.0.1", 0, 77);
    expect(isBlocklisted(map, client)).toBe(true);
    expect(isBlocklisted(map, { ...client, type: ADDR_TYPE.LEGACY })).toBe(true);
    expect(isBlocklisted(map, { ...client, nonce: 78 })).toBe(false);
  });
  test("locks out a whole address by port and nonce 0", () => {
    const map = lock("10.0.0.1", 0, 0);
    expect(isBlocklisted(map, { ...client, port: 5, nonce: 6 })).toBe(true);
    expect(isBlocklisted(map, { ...client, ip: "10.0.0.2" })).toBe(false);
  });
  test("lets in again who is taken off it", () => {
    const map = after(lock("10.0.0.1", 0, 77), (inc) => {
      inc.oldBlocklist.push({ ...client, type: ADDR_TYPE.ANY });
    });
    expect(map.blocklist.size).toBe(0);
  });
});

test("pg ids read as they print, and nothing else does", () => {
  expect(parsePgId("12.1f")).toEqual({ pool: 12, seed: 0x1f });
  for (const text of ["", "1", "1.", ".1", "1.g", "-1.0", "1.123456789", "1.0 "]) {
    expect(parsePgId(text), text).toBeUndefined();
  }
});
