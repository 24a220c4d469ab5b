/**
 * The first OSD map of a cluster: its OSDs exist, out and down, and its first pools are there.
 * ceph: src/osd/OSDMap.cc build_simple_optioned, src/mon/OSDMonitor.cc create_initial
 */

import { buildDefaultMap, type CrushMap } from "../../crush/index.ts";
import { byteString } from "../../encoding/index.ts";
import {
  emptyOsdMap,
  NEW_OSD_INFO,
  NEW_OSD_XINFO,
  newPool,
  OSD_OUT,
  OSD_STATE,
  type OsdMap,
  PG_AUTOSCALE_MODE,
  POOL_FLAG,
} from "../../maps/index.ts";
import { type Utime, UUID_ZERO } from "../../types/index.ts";

export interface FirstMap {
  readonly fsid: string;
  readonly created: Utime;
  /** Short host name. */
  readonly host: string;
  readonly numOsds: number;
  /** Bytes of each OSD's disk: its CRUSH weight is the size in TiB. */
  readonly osdBytes: number;
  /** "ssd", "hdd", "nvme" */
  readonly deviceClass: string;
  /** Names; each gets the application "rbd". */
  readonly pools: readonly string[];
  readonly pgNum: number;
}

/**
 * 16.16 weight of a disk: TiB with four decimals, as an OSD states it when it starts. Never 0, or nothing
 * would be placed there.
 */
export function crushWeight(bytes: number): number {
  return Math.max(1, Math.floor(Number((bytes / 2 ** 40).toFixed(4)) * 0x1_0000));
}

export function crushFor(
  options: Pick<FirstMap, "host" | "numOsds" | "osdBytes" | "deviceClass">,
): CrushMap {
  return buildDefaultMap({
    host: byteString(options.host),
    devices: Array.from({ length: options.numOsds }, (_, id) => ({
      id,
      weight: crushWeight(options.osdBytes),
      deviceClass: options.deviceClass,
    })),
  });
}

/** No pool here uses it, but a real cluster is born with it.  ceph: osd_pool_default_erasure_code_profile */
const DEFAULT_PROFILE = new Map(
  Object.entries({ k: "2", m: "2", plugin: "jerasure", technique: "reed_sol_van" }),
);

export function firstOsdMap(options: FirstMap): OsdMap {
  const { fsid, created, numOsds } = options;
  const perOsd = <T>(value: T): T[] => Array.from({ length: numOsds }, () => value);
  const pools = options.pools.map((name, i) => {
    const pool = newPool({
      pgNum: options.pgNum,
      size: 1,
      minSize: 1,
      lastChange: 1,
      // As 'rbd pool init' leaves it: snapshots are the clients' own, one id was taken and given back.
      flags: POOL_FLAG.HASHPSPOOL | POOL_FLAG.SELFMANAGED_SNAPS,
      snapSeq: 3n,
      snapEpoch: 1,
      createTime: created,
      pgAutoscaleMode: PG_AUTOSCALE_MODE.OFF,
      applicationMetadata: new Map([["rbd", new Map<string, string>()]]),
    });
    return { id: i + 1, name: byteString(name), pool };
  });
  return {
    ...emptyOsdMap(fsid, created),
    epoch: 1,
    pools: new Map(pools.map(({ id, pool }) => [id, pool])),
    poolNames: new Map(pools.map(({ id, name }) => [id, name])),
    poolMax: pools.length,
    maxOsd: numOsds,
    osdState: perOsd(OSD_STATE.EXISTS | OSD_STATE.NEW),
    osdWeight: perOsd(OSD_OUT),
    clientAddrs: perOsd([]),
    erasureCodeProfiles: new Map([[byteString("default"), DEFAULT_PROFILE]]),
    crush: crushFor(options),
    hbBackAddrs: perOsd([]),
    osdInfo: perOsd(NEW_OSD_INFO),
    clusterAddrs: perOsd([]),
    osdUuid: perOsd(UUID_ZERO),
    osdXinfo: perOsd(NEW_OSD_XINFO),
    hbFrontAddrs: perOsd([]),
  };
}
