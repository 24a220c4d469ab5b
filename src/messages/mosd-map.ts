/**
 * MOSDMap: OSD maps, full and incremental, as their encodings, by epoch.
 *
 * A client walks from the epoch it has: for each next one it takes the incremental, else the full map, and
 * below `oldest` it jumps.
 * ceph: src/messages/MOSDMap.h
 */

import { blob, fixed, map, record, u32 } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { type MessageValue, message } from "./message-type.ts";

export const MOSDMap = message(
  { type: 41, name: "osd_map", version: 4, compatVersion: 3 },
  record("MOSDMap", {
    fsid: Uuid,
    /** Encoded OSDMap::Incremental by the epoch it leads to. */
    incrementals: map(u32, blob),
    /** Encoded OSDMap by epoch. */
    maps: map(u32, blob),
    /** Oldest and newest epoch the sender has. */
    oldest: u32,
    newest: u32,
    /** Removed snaps of pools across a gap of maps: never sent since Octopus. */
    gapRemovedSnaps: fixed(u32, 0),
  }),
);
export type MOSDMap = MessageValue<typeof MOSDMap>;
