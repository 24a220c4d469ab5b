/** Random OSD maps over a CRUSH map: OSDs in every state, pools of every kind, and all that overrides placement. */

import type { CrushMap } from "../../src/crush/index.ts";
import { CRUSH_ITEM_NONE, CRUSH_RULE_TYPE } from "../../src/crush/index.ts";
import {
  emptyOsdMap,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  newPool,
  OSD_STATE,
  type OsdMap,
  type PgPool,
  POOL_FLAG,
  POOL_FLAG_EC_OPTIMIZATIONS,
  POOL_TYPE,
  pgKey,
} from "../../src/maps/index.ts";
import { OBJECT_HASH, UUID_ZERO } from "../../src/types/index.ts";
import type { Dice } from "../harness/dice.ts";

const FSID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const IN = 0x1_0000;
/** The releases in which the things below began. */
const REEF = 18;
const TENTACLE = 20;

function osdState(dice: Dice): number {
  if (dice.chance(0.06)) return 0;
  const up = dice.chance(0.88) ? OSD_STATE.UP : 0;
  const odd = dice.pick([0, 0, OSD_STATE.AUTOOUT, OSD_STATE.NEW, OSD_STATE.NOUP]);
  return OSD_STATE.EXISTS | (dice.chance(0.03) ? OSD_STATE.DESTROYED : up) | odd;
}

function osdWeight(dice: Dice): number {
  if (dice.chance(0.8)) return IN;
  return dice.chance(0.4) ? 0 : dice.between(1, IN - 1);
}

function affinity(dice: Dice): number {
  if (dice.chance(0.5)) return IN;
  return dice.chance(0.3) ? 0 : dice.between(1, IN - 1);
}

function pool(dice: Dice, crush: CrushMap, release: number): PgPool {
  const rule = dice.below(crush.rules.length);
  const type = crush.rules[rule]?.type ?? CRUSH_RULE_TYPE.REPLICATED;
  const isEc = type === CRUSH_RULE_TYPE.ERASURE || type === CRUSH_RULE_TYPE.MSR_INDEP;
  // A rule that is not of the pool's type: until Pacific that is no rule at all.
  const erasure = isEc !== dice.chance(0.04);
  const size = dice.between(1, erasure ? 8 : 5);
  const pgNum = dice.between(1, 40);
  const optimized = erasure && release >= TENTACLE && dice.chance(0.6);
  const shards = Array.from({ length: size }, (_, shard) => shard);
  return newPool({
    pgNum,
    size,
    pgpNum: dice.chance(0.6) ? pgNum : dice.between(1, pgNum),
    type: erasure ? POOL_TYPE.ERASURE : POOL_TYPE.REPLICATED,
    crushRule: rule,
    objectHash: dice.chance(0.25) ? OBJECT_HASH.LINUX : OBJECT_HASH.RJENKINS,
    flags:
      (dice.chance(0.75) ? POOL_FLAG.HASHPSPOOL : 0) | (optimized ? POOL_FLAG_EC_OPTIMIZATIONS : 0),
    nonprimaryShards: new Set(
      optimized ? shards.filter((shard) => shard > 0 && dice.chance(0.5)) : [],
    ),
  });
}

/** @param release whose tools are to read it, and which the map requires of its OSDs */
export function randomOsdMap(dice: Dice, crush: CrushMap, release: number): OsdMap {
  const maxOsd = crush.maxDevices + dice.below(3);
  const perOsd = <T>(make: () => T): T[] => Array.from({ length: maxOsd }, make);
  const pools = new Map<number, PgPool>();
  for (let id = dice.between(1, 3), left = dice.between(2, 4); left > 0; left--) {
    pools.set(id, pool(dice, crush, release));
    id += dice.between(1, 9);
  }
  const map: OsdMap = {
    ...emptyOsdMap(FSID),
    epoch: dice.between(1, 1000),
    crush,
    maxOsd,
    requireOsdRelease: release,
    requireMinCompatClient: release,
    pools,
    poolNames: new Map([...pools.keys()].map((id) => [id, `pool${id}`])),
    poolMax: Math.max(...pools.keys()),
    osdState: perOsd(() => osdState(dice)),
    osdWeight: perOsd(() => osdWeight(dice)),
    osdPrimaryAffinity: dice.chance(0.5) ? perOsd(() => affinity(dice)) : [],
    clientAddrs: perOsd(() => []),
    clusterAddrs: perOsd(() => []),
    hbBackAddrs: perOsd(() => []),
    hbFrontAddrs: perOsd(() => []),
    osdInfo: perOsd(() => NEW_OSD_INFO),
    osdXinfo: perOsd(() => NEW_OSD_XINFO),
    osdUuid: perOsd(() => UUID_ZERO),
    pgUpmap: new Map(),
    pgUpmapItems: new Map(),
    pgUpmapPrimaries: new Map(),
    pgTemp: new Map(),
    primaryTemp: new Map(),
  };
  for (const [id, { pgNum, size, type }] of pools) {
    // Mostly OSDs that are there, at times one that is not.
    const osd = () => dice.below(maxOsd + (dice.chance(0.02) ? 2 : 0));
    const distinct = (n: number) => [...new Set(Array.from({ length: n }, osd))];
    const hole = (osds: number[]) =>
      type === POOL_TYPE.ERASURE && dice.chance(0.2) ? [...osds.slice(1), CRUSH_ITEM_NONE] : osds;
    const temp = (): number[] => {
      const osds = type === POOL_TYPE.ERASURE ? Array.from({ length: size }, osd) : distinct(size);
      return hole(osds);
    };
    for (let seed = 0; seed < pgNum; seed++) {
      const pg = pgKey({ pool: id, seed });
      if (dice.chance(0.1)) map.pgUpmap.set(pg, hole(distinct(size)));
      if (dice.chance(0.3)) {
        const pairs = Array.from({ length: dice.between(1, 6) }, (): [number, number] => [
          osd(),
          osd(),
        ]);
        map.pgUpmapItems.set(pg, pairs);
      }
      if (release >= REEF && dice.chance(0.5)) map.pgUpmapPrimaries.set(pg, osd());
      if (dice.chance(0.12)) map.pgTemp.set(pg, temp());
      if (dice.chance(0.06)) map.primaryTemp.set(pg, osd());
    }
  }
  return map;
}
