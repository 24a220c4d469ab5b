/**
 * What a monitor says of itself: in `ceph tell mon.a mon_status`, and in the answer to a ping.
 * ceph: src/mon/Monitor.cc get_mon_status, handle_ping
 */

import { type Json, type JsonObject } from "../../encoding/index.ts";
import { dumpMonMap, MON_FEATURES } from "../../maps/index.ts";
import { FEATURE_MSG_ADDR2, FEATURES_SUPPORTED } from "../../types/index.ts";
import type { ClusterState } from "./context.ts";

const FEATURE_NAMES = MON_FEATURES.map(([, name]) => name);

/** Who is connected, by kind of peer and by features. */
export function featureMap(state: ClusterState): Map<string, Json[]> {
  const byType = new Map<string, Json[]>();
  for (const { type, features, count } of state.sessions()) {
    const entry = { features: `0x${features.toString(16)}`, release: "luminous", num: count };
    byType.set(type, [...(byType.get(type) ?? []), entry]);
  }
  return byType;
}

export function monStatusJson(state: ClusterState): JsonObject {
  return {
    name: state.name,
    rank: 0,
    state: "leader",
    election_epoch: 3,
    quorum: [0],
    quorum_age: Math.floor((state.clock.now() - state.startedAt) / 1000),
    features: {
      required_con: FEATURE_MSG_ADDR2.toString(),
      required_mon: FEATURE_NAMES,
      quorum_con: FEATURES_SUPPORTED.toString(),
      quorum_mon: FEATURE_NAMES,
    },
    outside_quorum: [],
    extra_probe_peers: [],
    sync_provider: [],
    monmap: dumpMonMap(state.monMap),
    feature_map: featureMap(state),
    stretch_mode: false,
  };
}
