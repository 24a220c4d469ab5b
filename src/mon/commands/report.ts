/**
 * `report`: everything at once, for whoever is asked to help; made of what the other commands show.
 *
 * What there is none of here is left out: Paxos and its versions, the cluster's fingerprint, which is for
 * telemetry, and `purged_snaps`, which a 16.2.15 shows empty whatever was purged.
 * ceph: src/mon/Monitor.cc handle_command, src/mon/OSDMonitor.cc dump_info, src/mon/MgrStatMonitor.cc dump_info
 */

import { crc32c, type Json, type JsonObject } from "../../encoding/index.ts";
import { dumpMonMap, dumpOsdMap, mapPg, osdIds } from "../../maps/index.ts";
import { formatUtime, utimeFromMs } from "../../types/index.ts";
import { checkHealth } from "../services/health.ts";
import { type Args, type CommandReply, ok } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { ClusterState, CommandContext } from "./context.ts";
import { crushJson } from "./crush.ts";
import { deviceClass, spaceByClass } from "./df.ts";
import { healthJson } from "./health.ts";
import { FS_MAP_EPOCH, fsMapJson, serviceMapJson } from "./mon-info.ts";
import { osdMetadataJson } from "./osd-view.ts";
import { osdSumJson, pgCount, pgSumJson, poolStatsJson } from "./pg-json.ts";

/** What the checksum behind `report` starts from: the monitor's old port.  ceph: CEPH_MON_PORT_LEGACY */
const CRC_SEED = 6789;

function osdMapJson(state: ClusterState): JsonObject {
  const { map, oldestEpoch } = state.maps;
  return {
    osdmap: dumpOsdMap(map),
    osd_metadata: osdMetadataJson(state),
    osdmap_clean_epochs: {
      osd_epochs: osdIds(map).flatMap((id) => {
        const epoch = state.stats.osd(id)?.epoch;
        return epoch === undefined ? [] : [{ id, epoch }];
      }),
    },
    osdmap_first_committed: oldestEpoch,
    osdmap_last_committed: map.epoch,
    crushmap: crushJson(map),
  };
}

/** Groups that an OSD is the first of, and is in. */
function pgsOf(state: ClusterState, osd: number): JsonObject {
  const { map } = state.maps;
  let primary = 0;
  for (const { pgid } of state.stats.pgs()) if (mapPg(map, pgid).actingPrimary === osd) primary++;
  const acting = pgCount(state, osd);
  return { osd, num_primary_pg: primary, num_acting_pg: acting, num_up_not_acting_pg: 0 };
}

function pgMapJson(state: ClusterState): JsonObject {
  const { stats } = state;
  const { map } = state.maps;
  const states = [...stats.states(map)];
  const count = (wanted: (state: string) => boolean) =>
    states.reduce((sum, [name, n]) => sum + (wanted(name) ? n : 0), 0);
  return {
    num_pg: count(() => true),
    num_pg_active: count((name) => name.split("+").includes("active")),
    num_pg_unknown: count((name) => name === "unknown"),
    num_osd: osdIds(map).filter((id) => stats.osd(id) !== undefined).length,
    pool_sum: pgSumJson(state),
    osd_sum: osdSumJson(state),
    osd_sum_by_class: Object.fromEntries(
      spaceByClass(state).map(([name, space]) => {
        const osds = osdIds(map).filter((id) => deviceClass(map, id) === name);
        return [name, osdSumJson(state, osds, space)];
      }),
    ),
    pool_stats: poolStatsJson(state),
    osd_stats: osdIds(map).map((osd) => ({ osd, seq: stats.osd(osd)?.seq ?? 0 })),
    num_pg_by_state: states.map(([name, num]) => ({ state: name, num })),
    num_pg_by_osd: osdIds(map).map((osd) => pgsOf(state, osd)),
  };
}

function reportJson(state: ClusterState, tags: readonly string[]): JsonObject {
  const { version, monMap, auth, clock } = state;
  return {
    version: version.version,
    commit: /\(([^)]*)\)/.exec(version.text)?.[1] ?? "",
    timestamp: formatUtime(utimeFromMs(clock.now())),
    // compat: upstream loses the last one.
    tag: tags.length > 1 ? tags.slice(0, -1).join(" ") : tags.join(" "),
    health: healthJson(checkHealth(state), true),
    monmap_first_committed: monMap.epoch,
    monmap_last_committed: monMap.epoch,
    monmap: dumpMonMap(monMap),
    quorum: [0],
    ...osdMapJson(state),
    fsmap: fsMapJson(),
    mdsmap_first_committed: FS_MAP_EPOCH,
    mdsmap_last_committed: FS_MAP_EPOCH,
    auth: { num_secrets: auth.size },
    ...pgMapJson(state),
    servicemap: serviceMapJson(state),
  } satisfies Record<string, Json | undefined>;
}

function report(ctx: CommandContext, args: Args): CommandReply {
  const data = args.json(reportJson(ctx.state, args.list("tags")));
  const crc = crc32c(CRC_SEED, Buffer.from(data, "utf8"));
  return ok(data, `report ${crc}`);
}

export const reportCommands: readonly MonCommand[] = [
  {
    sig: "report name=tags,type=CephString,n=N,req=false",
    help: "show all there is to say of the cluster",
    module: "mon",
    perm: "r",
    run: report,
  },
];
