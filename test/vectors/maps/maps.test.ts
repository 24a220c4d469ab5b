/**
 * The maps against bytes and JSON of a real cluster: what is decoded says what Ceph says, what is encoded
 * is what Ceph wrote, and an epoch's change applied to the epoch before it is that epoch, to the crc.
 * See README.md for how the vectors were made.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { addSimpleRule, buildDefaultMap, CRUSH_ITEM_NONE, CrushMapCodec } from "../../../src/crush/index.ts";
import {
  type Codec,
  DecodeError,
  decodeFromBytes,
  encodeToBytes,
  map as mapOf,
  Reader,
  s32,
} from "../../../src/encoding/index.ts";
import {
  commitIncremental,
  dumpMonMap,
  dumpOsdMap,
  dumpOsdTree,
  dumpText,
  isBlocklisted,
  locateObject,
  MgrMap,
  MonMap,
  mapPg,
  monMapText,
  newPool,
  OsdMap,
  OsdMapIncremental,
  OsdStat,
  PG_AUTOSCALE_MODE,
  POOL_FLAG,
  osdMapText,
  osdTreeText,
  PgPool,
  PgStat,
  PoolStat,
  parsePgId,
  poolsText,
} from "../../../src/maps/index.ts";

const read = (name: string) => readFileSync(new URL(name, import.meta.url));
const json = (name: string) => JSON.parse(read(name).toString());
const text = (name: string) => read(name).toString();

interface Epoch {
  epoch: number;
  full: Buffer;
  incremental: Buffer;
}

/** u32 epoch; u32 length, full map; u32 length, incremental; and so on. */
function epochsOf(name: string): Epoch[] {
  const all = gunzipSync(read(name));
  const epochs: Epoch[] = [];
  for (let at = 0; at < all.length; ) {
    const epoch = all.readUInt32LE(at);
    const part = (from: number) => all.subarray(from + 4, from + 4 + all.readUInt32LE(from));
    const full = part(at + 4);
    const incremental = part(at + 8 + full.length);
    epochs.push({ epoch, full, incremental });
    at += 12 + full.length + incremental.length;
  }
  return epochs;
}

const chains = ["osdmap-epochs.bin.gz", "osdmap-range-epochs.bin.gz"];
const epochs = epochsOf("osdmap-epochs.bin.gz");
const richBytes = read("osdmap-rich.bin");
const rich = decodeFromBytes(OsdMap, richBytes);

describe.each(chains)("%s", (name) => {
  const chain = epochsOf(name);

  test("every full map and every incremental encodes to its own bytes", () => {
    for (const { epoch, full, incremental } of chain) {
      const map = decodeFromBytes(OsdMap, full);
      expect(map.epoch).toBe(epoch);
      expect(encodeToBytes(OsdMap, map).equals(full), `full map ${epoch}`).toBe(true);
      const inc = decodeFromBytes(OsdMapIncremental, incremental);
      const again = encodeToBytes(OsdMapIncremental, inc);
      expect(again.equals(incremental), `incremental ${epoch}`).toBe(true);
    }
  });

  test("each epoch's incremental turns our own previous map into Ceph's, with the same crc", () => {
    let map = decodeFromBytes(OsdMap, chain[0]!.full);
    for (const { epoch, full, incremental } of chain.slice(1)) {
      const inc = decodeFromBytes(OsdMapIncremental, incremental);
      const next = commitIncremental(map, inc);
      expect(next.full.equals(full), `full map ${epoch}`).toBe(true);
      expect(next.incremental.equals(incremental), `incremental ${epoch}`).toBe(true);
      map = next.map;
    }
  });
});

test("applying a change leaves the base as it was", () => {
  for (let i = 1; i < epochs.length; i++) {
    const base = decodeFromBytes(OsdMap, epochs[i - 1]!.full);
    const inc = decodeFromBytes(OsdMapIncremental, epochs[i]!.incremental);
    commitIncremental(base, inc);
    const after = encodeToBytes(OsdMap, base);
    expect(after.equals(epochs[i - 1]!.full), `base of ${epochs[i]!.epoch}`).toBe(true);
  }
});

describe("what we build is what Ceph builds", () => {
  const first = decodeFromBytes(OsdMap, epochs[0]!.full);
  const options = {
    host: "vm",
    devices: [0, 1, 2].map((id) => ({ id, weight: 65, deviceClass: "hdd" })),
  };
  const ours = buildDefaultMap(options);
  test("the crush map of one host with three OSDs", () => {
    // The recorded cluster had one more rule by then.
    const bytes = encodeToBytes(CrushMapCodec, buildDefaultMap({ ...options, base: first.crush }));
    expect(bytes.equals(encodeToBytes(CrushMapCodec, first.crush))).toBe(true);
    expect(ours.rules).toEqual([first.crush.rules[0]]);
    expect(ours.tunables).toEqual(first.crush.tunables);
  });
  test("the rule of an erasure-coded pool", () => {
    const { map, ruleId } = addSimpleRule(ours, { name: "maps_ec", erasure: { size: 3 } });
    expect(map.rules[ruleId]).toEqual(rich.crush.rules[rich.pools.get(11)!.crushRule]);
    expect(map.ruleNames).toEqual(rich.crush.ruleNames);
  });
  test("a new replicated pool", () => {
    const inc = epochs
      .map((e) => decodeFromBytes(OsdMapIncremental, e.incremental))
      .find((each) => [...each.newPoolNames.values()].includes("maps_b"))!;
    const [, theirs] = [...inc.newPools][0]!;
    const pool = newPool({
      pgNum: 4,
      size: 2,
      minSize: 1,
      flags: POOL_FLAG.HASHPSPOOL | POOL_FLAG.CREATING,
      pgAutoscaleMode: PG_AUTOSCALE_MODE.OFF,
      createTime: theirs.createTime,
      lastChange: theirs.lastChange,
    });
    expect(pool).toEqual(theirs);
    expect(encodeToBytes(PgPool, pool).equals(encodeToBytes(PgPool, theirs))).toBe(true);
  });
});

describe("a rich OSD map reads as Ceph reads it", () => {
  test("osd dump, JSON", () => {
    expect(JSON.parse(dumpText(dumpOsdMap(rich)))).toEqual(json("osdmap-rich.json"));
  });
  test("osd dump, keys in Ceph's order", () => {
    const keys = (x: unknown) => Object.keys(x as object);
    const ours = JSON.parse(dumpText(dumpOsdMap(rich)));
    expect(keys(ours)).toEqual(keys(json("osdmap-rich.json")));
    expect(keys(ours.pools[2])).toEqual(keys(json("osdmap-rich.json").pools[2]));
    expect(keys(ours.osds[0])).toEqual(keys(json("osdmap-rich.json").osds[0]));
  });
  test("osd dump, text", () => {
    // Ceph lists blocklist entries in the order of a hash table.
    const sorted = (all: string) => {
      const lines = all.split("\n");
      const entries = lines.filter((l) => l.startsWith("blocklist "));
      return [...lines.filter((l) => !l.startsWith("blocklist ")), ...entries.sort()].join("\n");
    };
    expect(sorted(osdMapText(rich))).toBe(sorted(text("osdmap-rich.txt")));
  });
  test("osd pool ls detail, text", () => {
    expect(poolsText(rich).trimEnd()).toBe(text("pool-ls-detail-rich.txt").trimEnd());
  });
  test("osd tree, JSON", () => {
    expect(JSON.parse(dumpText(dumpOsdTree(rich)))).toEqual(json("osd-tree-rich.json"));
  });
  test("osd tree, text", () => {
    expect(osdTreeText(rich)).toBe(text("osd-tree-rich.txt"));
  });
});

test("every pg of the rich map is where osdmaptool says", () => {
  const line = /^(\S+) raw .* up \(\[([^\]]*)\], p(-?\d+)\) acting \(\[([^\]]*)\], p(-?\d+)\)$/;
  const osds = (list: string) =>
    list === "" ? [] : list.split(",").map((o) => (o === "NONE" ? CRUSH_ITEM_NONE : Number(o)));
  const lines = text("osdmap-rich-pgs.txt").trim().split("\n");
  expect(lines.length).toBe(54);
  for (const each of lines) {
    const [, pg = "", up = "", upPrimary, acting = "", actingPrimary] = line.exec(each) ?? [];
    expect(mapPg(rich, parsePgId(pg)!), each).toMatchObject({
      up: osds(up),
      upPrimary: Number(upPrimary),
      acting: osds(acting),
      actingPrimary: Number(actingPrimary),
    });
  }
});

test("objects are where `ceph osd map` says", () => {
  const lines = text("osd-map-objects.json").split("\n").filter((each) => each !== "");
  expect(lines.length).toBe(20);
  for (const each of lines) {
    const fact = JSON.parse(each);
    // An object in a namespace is shown as nspace/object.
    const [object, nspace = ""] = String(fact.objname).split("/").reverse();
    const found = locateObject(rich, { pool: fact.pool_id, nspace, key: "" }, object!);
    expect(`${fact.pool_id}.${found!.hash.toString(16)}`, each).toBe(fact.raw_pgid);
    const { up, upPrimary, acting, actingPrimary } = mapPg(rich, found!.pg);
    expect([up, upPrimary, acting, actingPrimary], each).toEqual([
      fact.up,
      fact.up_primary,
      fact.acting,
      fact.acting_primary,
    ]);
  }
});

test("ranges lock out the addresses inside them, and only those", () => {
  const map = decodeFromBytes(OsdMap, epochsOf("osdmap-range-epochs.bin.gz")[1]!.full);
  const from = (ip: string) => isBlocklisted(map, { type: 2, ip, port: 700, nonce: 9 });
  expect(["10.7.0.0", "10.7.255.255", "192.168.77.200"].map(from)).toEqual([true, true, true]);
  expect(["10.8.0.0", "10.6.255.255", "192.168.76.1", "::1"].map(from)).toEqual(
    [false, false, false, false],
  );
});

test("the monitor map reads and writes as Ceph's", () => {
  const bytes = read("monmap.bin");
  const map = decodeFromBytes(MonMap, bytes);
  expect(encodeToBytes(MonMap, map).equals(bytes)).toBe(true);
  const { quorum: _, ...expected } = json("monmap.json");
  expect(JSON.parse(dumpText(dumpMonMap(map)))).toEqual(expected);
  expect(monMapText(map)).toBe(text("monmap.txt"));
});

test("the manager map reads and writes as Ceph's", () => {
  const bytes = read("mgrmap.bin");
  const map = decodeFromBytes(MgrMap, bytes);
  expect(encodeToBytes(MgrMap, map).equals(bytes)).toBe(true);
  const facts = json("mgrmap.json");
  expect(map.epoch).toBe(facts.epoch);
  expect(map.activeName).toBe(facts.active_name);
  expect([...map.modules]).toEqual(facts.modules);
  expect(map.availableModules.map((m) => m.name)).toEqual(
    facts.available_modules.map((m: { name: string }) => m.name),
  );
  expect(Object.fromEntries(map.services)).toEqual(facts.services);
});

/** Decodes at the reader and checks that what was read encodes to the same bytes. */
function readExactly<T>(codec: Codec<T>, r: Reader): T {
  const start = r.offset;
  const value = codec.decode(r);
  const again = encodeToBytes(codec, value);
  expect(again.equals(r.buffer.subarray(start, r.offset)), codec.name).toBe(true);
  return value;
}

test("pool and OSD statistics read and write as the manager's digest has them", () => {
  // PGMapDigest: header, s64 pgs, active, unknown, osds; pools; their sum; all OSDs' sum.
  const r = new Reader(read("pgmap-digest.bin"));
  r.begin("PGMapDigest", 4);
  r.advance(32);
  const pools = readExactly(mapOf(s32, PoolStat), r);
  const sum = readExactly(PoolStat, r);
  const osds = OsdStat.decode(r);
  expect(decodeFromBytes(OsdStat, encodeToBytes(OsdStat, osds))).toEqual(osds);
  const facts = json("df.json");
  const rbd = facts.pools.find((p: { name: string }) => p.name === "rbd");
  expect(pools.get(rbd.id)!.stats.sum.numObjects).toBe(rbd.stats.objects);
  expect(pools.get(rbd.id)!.storeStats.allocated).toBe(rbd.stats.bytes_used);
  expect(sum.stats.sum.numWr).toBe(rbd.stats.wr);
  expect(osds.statfs.total).toBe(facts.stats.total_bytes);
  expect(osds.statfs.available).toBe(facts.stats.total_avail_bytes);
});

/** Cut short anywhere, a value is refused, and by nothing but a DecodeError. */
function expectTruncationsRefused<T>(codec: Codec<T>, bytes: Uint8Array, step = 1): void {
  for (let n = 0; n < bytes.length; n += step) {
    const cut = Uint8Array.from(bytes.subarray(0, n));
    expect(() => decodeFromBytes(codec, cut), `${codec.name} cut at ${n}`).toThrow(DecodeError);
  }
}

/** With any one byte changed a value is read or refused: no other exception, no endless loop. */
function expectFlipsHandled<T>(codec: Codec<T>, bytes: Uint8Array, step: number): void {
  for (let at = 0; at < bytes.length; at += step) {
    const flipped = Uint8Array.from(bytes);
    flipped[at] = flipped[at]! ^ 0xff;
    try {
      decodeFromBytes(codec, flipped);
    } catch (error) {
      expect(error, `${codec.name} flipped at ${at}`).toBeInstanceOf(DecodeError);
    }
  }
}

describe("damaged maps are refused cleanly", () => {
  const busiest = epochs.reduce((a, b) => (b.incremental.length > a.incremental.length ? b : a));
  test("OSD map", () => {
    expectTruncationsRefused(OsdMap, richBytes, 7);
    expectFlipsHandled(OsdMap, richBytes, 5);
  });
  test("incremental", () => {
    expectTruncationsRefused(OsdMapIncremental, busiest.incremental);
    expectFlipsHandled(OsdMapIncremental, busiest.incremental, 1);
  });
  test("a flipped bit is noticed by the checksum", () => {
    const flipped = Uint8Array.from(richBytes);
    flipped[200] = flipped[200]! ^ 1;
    expect(() => decodeFromBytes(OsdMap, flipped)).toThrow(/bad crc/);
  });
  test("monitor and manager maps", () => {
    expectTruncationsRefused(MonMap, read("monmap.bin"));
    expectTruncationsRefused(MgrMap, read("mgrmap.bin"), 97);
    expectFlipsHandled(MonMap, read("monmap.bin"), 1);
    expectFlipsHandled(MgrMap, read("mgrmap.bin"), 13);
  });
  test("crush map", () => {
    expectFlipsHandled(CrushMapCodec, read("crush-straw2-args.bin"), 1);
    expectFlipsHandled(CrushMapCodec, read("crush-tree-jewel.bin"), 3);
  });
});

/** Folder with one folder of encoded objects per type, as ceph-object-corpus has them for a release. */
const corpus = process.env["SPIRULA_CORPUS"];
const corpusTypes: Record<string, Codec<unknown>> = Object.fromEntries(
  (
    [
      CrushMapCodec,
      MgrMap,
      MonMap,
      OsdMap,
      OsdMapIncremental,
      OsdStat,
      PgPool,
      PgStat,
      PoolStat,
    ] as Codec<unknown>[]
  ).map((codec) => [codec.name, codec]),
);

// An extra check with data from outside the tree: without it there is no test, rather than a skipped one.
// No release has every type.
const corpusTests = Object.keys(corpusTypes).filter((name) => existsSync(`${corpus}/${name}`));
describe("object corpus", () => {
  test("is read where SPIRULA_CORPUS names it", () => {
    expect(corpus === undefined || existsSync(corpus)).toBe(true);
  });
  test.each(corpusTests)("%s", (name) => {
    const folder = `${corpus}/${name}`;
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(`${folder}/${file}`);
      const codec = corpusTypes[name]!;
      const first = decodeFromBytes(codec, bytes);
      // Not byte for byte: some were written at an older version, or by a map not yet finalized.
      const again = decodeFromBytes(codec, encodeToBytes(codec, first));
      expect(again, `${name}/${file}`).toEqual(first);
    }
  });
});
