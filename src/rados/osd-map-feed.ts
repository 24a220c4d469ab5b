/** Following the OSD map, epoch by epoch.  ceph: src/osdc/Objecter.cc handle_osd_map */

import { decodeFromBytes } from "../encoding/index.ts";
import { applyIncremental, OsdMap, OsdMapIncremental } from "../maps/index.ts";
import type { MOSDMap } from "../messages/index.ts";

export interface MapStep {
  readonly map: OsdMap;
  /** Epochs in between were not seen: what they would have said is unknown. */
  readonly skipped: boolean;
}

/** The next epoch that the message has for whoever has this map; undefined if it has none. */
export function nextMap(map: OsdMap | undefined, maps: MOSDMap): MapStep | undefined {
  const next = (map?.epoch ?? 0) + 1;
  const incremental = maps.incrementals.get(next);
  if (map !== undefined && incremental !== undefined) {
    const step = decodeFromBytes(OsdMapIncremental, incremental);
    return { map: applyIncremental(map, step), skipped: false };
  }
  const exact = maps.maps.get(next);
  const newest = maps.newest >= next ? maps.maps.get(maps.newest) : undefined;
  const full = exact ?? newest;
  if (full === undefined) return undefined;
  return { map: decodeFromBytes(OsdMap, full), skipped: exact === undefined };
}

/** Has the message maps after this epoch, though not the next one? */
export function hasAfter(maps: MOSDMap, epoch: number): boolean {
  return [...maps.maps.keys(), ...maps.incrementals.keys()].some((e) => e > epoch);
}
