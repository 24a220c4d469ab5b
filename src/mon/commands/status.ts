/**
 * The commands that say how the cluster is: `status`, versions, quorum.
 * ceph: src/mon/Monitor.cc get_cluster_status, src/mon/PGMap.cc, src/mon/HealthMonitor.cc
 */

import { type JsonObject } from "../../encoding/index.ts";
import { isIn, isUp, OSDMAP_FLAG, type OsdMap, osdIds, osdMapFlagNames } from "../../maps/index.ts";
import { formatUtime, utimeToMs } from "../../types/index.ts";
import { checkHealth, type Health, healthLine } from "../services/health.ts";
import { usedBytes } from "../services/stats.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { ClusterState, CommandContext } from "./context.ts";
import { healthJson } from "./health.ts";
import { featureMap } from "./mon-status.ts";
import { formatAge, formatBytes, formatCount } from "./units.ts";

/** Flags every map of this release has: not worth a line. */
const HIDDEN_FLAGS =
  OSDMAP_FLAG.SORTBITWISE |
  OSDMAP_FLAG.RECOVERY_DELETES |
  OSDMAP_FLAG.PURGED_SNAPDIRS |
  OSDMAP_FLAG.PGLOG_HARDLIMIT;

interface OsdCounts {
  readonly all: number;
  readonly up: number;
  readonly in: number;
}

export function countOsds(map: OsdMap): OsdCounts {
  const ids = osdIds(map);
  return {
    all: ids.length,
    up: ids.filter((id) => isUp(map, id)).length,
    in: ids.filter((id) => isIn(map, id)).length,
  };
}

/** `e42: 1 total, 1 up, 1 in`: the map in a line, as the cluster log has it. */
export function osdMapLine(map: OsdMap): string {
  const { all, up, in: inCount } = countOsds(map);
  return `e${map.epoch}: ${all} total, ${up} up, ${inCount} in`;
}

export function osdSummary(state: ClusterState, prefix: string, withEpoch: boolean): string {
  const { map } = state.maps;
  const counts = countOsds(map);
  const now = state.clock.now();
  const since = (change: { sec: number; nsec: number }) =>
    change.sec === 0 ? "" : ` (since ${formatAge(now - utimeToMs(change))})`;
  const up = `${counts.up} up${since(map.lastUpChange)}`;
  const inText = `${counts.in} in${since(map.lastInChange)}`;
  const epoch = withEpoch ? `; epoch: e${map.epoch}` : "";
  const remapped = map.pgTemp.size > 0 ? `; ${map.pgTemp.size} remapped pgs` : "";
  const flags = map.flags & ~HIDDEN_FLAGS;
  const flagLine = flags === 0 ? "" : `${prefix}flags ${osdMapFlagNames(flags).join(",")}\n`;
  return `${counts.all} osds: ${up}, ${inText}${epoch}${remapped}\n${flagLine}`;
}

export function osdSummaryJson(map: OsdMap): JsonObject {
  const counts = countOsds(map);
  return {
    epoch: map.epoch,
    num_osds: counts.all,
    num_up_osds: counts.up,
    osd_up_since: map.lastUpChange.sec,
    num_in_osds: counts.in,
    osd_in_since: map.lastInChange.sec,
    num_remapped_pgs: map.pgTemp.size,
  };
}

/** States with the most groups first. */
function statesByCount(state: ClusterState): [string, number][] {
  return [...state.stats.states(state.maps.map)].sort(
    ([a, n], [b, m]) => m - n || (a < b ? 1 : -1),
  );
}

function ratios(state: ClusterState): { total: number; unknown: number; inactive: number } {
  let total = 0;
  let unknown = 0;
  let inactive = 0;
  for (const [name, count] of state.stats.states(state.maps.map)) {
    total += count;
    if (name === "unknown") unknown += count;
    else if (!name.split("+").includes("active")) inactive += count;
  }
  return { total, unknown, inactive };
}

/** `1.2 MiB/s rd, 3 op/s rd, …`; "" while nothing happens. */
export function ioRateText(state: ClusterState, pool?: number): string {
  const rates = state.stats.rates(pool);
  if (rates.readOps === 0 && rates.writeOps === 0) return "";
  const read = rates.readOps > 0 ? `${formatBytes(rates.readBytes)}/s rd, ` : "";
  const write = rates.writeOps > 0 ? `${formatBytes(rates.writeBytes)}/s wr, ` : "";
  const ops = `${formatCount(rates.readOps)} op/s rd, ${formatCount(rates.writeOps)} op/s wr`;
  return read + write + ops;
}

export function ioRateJson(state: ClusterState, pool?: number): JsonObject {
  const rates = state.stats.rates(pool);
  if (rates.readOps === 0 && rates.writeOps === 0) return {};
  return {
    read_bytes_sec: rates.readOps > 0 ? rates.readBytes : undefined,
    write_bytes_sec: rates.writeOps > 0 ? rates.writeBytes : undefined,
    read_op_per_sec: rates.readOps,
    write_op_per_sec: rates.writeOps,
  };
}

function pgSummary(state: ClusterState): string {
  const { stats } = state;
  const { map } = state.maps;
  const totals = stats.totals(map).stats;
  const statfs = stats.statfs();
  const { total, unknown, inactive } = ratios(state);
  const lines: string[] = [];
  const percent = (n: number) => ((n / total) * 100).toFixed(3);
  if (unknown > 0) lines.push(`${percent(unknown)}% pgs unknown`);
  if (inactive > 0) lines.push(`${percent(inactive)}% pgs not active`);
  const byCount = statesByCount(state);
  const width = Math.max(1, ...byCount.map(([, count]) => String(count).length));
  for (const [name, count] of byCount) lines.push(`${String(count).padEnd(width)} ${name}`);
  const io = ioRateText(state);
  return (
    `    pools:   ${map.pools.size} pools, ${total} pgs\n` +
    `    objects: ${formatCount(totals.numObjects)} objects, ${formatBytes(totals.numBytes)}\n` +
    `    usage:   ${formatBytes(usedBytes(statfs))} used, ${formatBytes(statfs.available)} / ${formatBytes(statfs.total)} avail\n` +
    `    pgs:     ${lines.map((line) => `${line}\n`).join("             ")}` +
    (io === "" ? "" : `\n \n  io:\n    client:   ${io}\n`)
  ).replace(/\n\n \n/, "\n \n");
}

function pgSummaryJson(state: ClusterState): JsonObject {
  const { map } = state.maps;
  const totals = state.stats.totals(map).stats;
  const statfs = state.stats.statfs();
  const { total, unknown, inactive } = ratios(state);
  return {
    pgs_by_state: statesByCount(state).map(([name, count]) => ({ state_name: name, count })),
    num_pgs: total,
    num_pools: map.pools.size,
    num_objects: totals.numObjects,
    data_bytes: totals.numBytes,
    bytes_used: usedBytes(statfs),
    bytes_avail: statfs.available,
    bytes_total: statfs.total,
    unknown_pgs_ratio: unknown > 0 ? Math.fround(unknown / total) : undefined,
    inactive_pgs_ratio: inactive > 0 ? Math.fround(inactive / total) : undefined,
    ...ioRateJson(state),
  };
}

function statusText(state: ClusterState, health: Health): string {
  const now = state.clock.now();
  const mgr = state.mgrMap();
  const mgrLine = mgr.available
    ? `${mgr.activeName}(active, since ${formatAge(now - utimeToMs(mgr.activeChange))})`
    : "no daemons active";
  const indent = "\n            ";
  return (
    `  cluster:\n    id:     ${state.fsid}\n` +
    `    health: ${healthLine(health, { first: indent, separator: indent, now })}\n` +
    ` \n  services:\n` +
    `    mon: 1 daemons, quorum ${state.name} (age ${formatAge(now - state.startedAt)})\n` +
    `    mgr: ${mgrLine}\n` +
    `    osd: ${osdSummary(state, "         ", false)}` +
    ` \n  data:\n${pgSummary(state)} \n`
  );
}

function statusJson(state: ClusterState, health: Health): JsonObject {
  const mgr = state.mgrMap();
  return {
    fsid: state.fsid,
    health: healthJson(health, false),
    election_epoch: 3,
    quorum: [0],
    quorum_names: [state.name],
    quorum_age: Math.floor((state.clock.now() - state.startedAt) / 1000),
    monmap: { epoch: state.monMap.epoch, min_mon_release_name: "pacific", num_mons: 1 },
    osdmap: osdSummaryJson(state.maps.map),
    pgmap: pgSummaryJson(state),
    fsmap: { epoch: 1, by_rank: [], "up:standby": 0 },
    mgrmap: {
      available: mgr.available,
      num_standbys: 0,
      modules: [...mgr.modules].sort(),
      services: Object.fromEntries(mgr.services),
    },
    servicemap: {
      epoch: 1,
      modified: formatUtime(state.monMap.created),
      services: {},
    },
    progress_events: {},
  };
}

function status(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const health = checkHealth(state);
  const newline = args.format === "json";
  return ok(
    args.render(
      () => statusText(state, health),
      () => statusJson(state, health),
      { newline },
    ),
  );
}

function versionCounts(ctx: CommandContext): JsonObject {
  const { state } = ctx;
  const count = (n: number): JsonObject => (n === 0 ? {} : { [state.version.text]: n });
  const osds = countOsds(state.maps.map).up;
  const mgrs = state.mgrMap().available ? 1 : 0;
  return {
    mon: count(1),
    mgr: count(mgrs),
    osd: count(osds),
    mds: {},
    overall: count(1 + mgrs + osds),
  };
}

function versions(ctx: CommandContext, args: Args): CommandReply {
  const counts = versionCounts(ctx);
  const kind = args.prefix === "versions" ? undefined : args.prefix.split(" ")[0];
  return ok(args.json(kind === undefined ? counts : (counts[kind] ?? {})));
}

function features(ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json(featureMap(ctx.state)));
}

function timeSync(_ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json({ timechecks: { epoch: 3, round: 0, round_status: "finished" } }));
}

function fsid(ctx: CommandContext, args: Args): CommandReply {
  return ok(
    args.render(
      () => `${ctx.state.fsid}\n`,
      () => ({ fsid: ctx.state.fsid }),
    ),
  );
}

function descriptions(ctx: CommandContext): CommandReply {
  return ok(ctx.descriptions());
}

function nodeLs(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const all: Record<string, JsonObject> = {
    mon: { [state.host]: [state.name] },
    osd: { [state.host]: osdIds(state.maps.map) },
    mgr: state.mgrMap().available ? { [state.host]: [state.mgrMap().activeName] } : {},
  };
  const type = args.text("type") ?? "all";
  if (type !== "all" && !["mon", "osd", "mds", "mgr"].includes(type)) {
    return refused("EINVAL", `unknown type '${type}'`);
  }
  const value = type === "all" ? all : (all[type] ?? {});
  return ok(args.json(value, { newline: args.format === "json" }));
}

export const statusCommands: readonly MonCommand[] = [
  { sig: "status", help: "show how the cluster is", module: "mon", perm: "r", run: status },
  {
    sig: "versions",
    help: "show what runs at which release",
    module: "mon",
    perm: "r",
    run: versions,
  },
  {
    sig: "mon versions",
    help: "show the monitors' releases",
    module: "mon",
    perm: "r",
    run: versions,
  },
  { sig: "osd versions", help: "show the OSDs' releases", module: "osd", perm: "r", run: versions },
  {
    sig: "mgr versions",
    help: "show the managers' releases",
    module: "mgr",
    perm: "r",
    run: versions,
  },
  {
    sig: "features",
    help: "show who is connected, by features",
    module: "mon",
    perm: "r",
    run: features,
  },
  {
    sig: "time-sync-status",
    help: "show how far the monitors' clocks are apart",
    module: "mon",
    perm: "r",
    run: timeSync,
  },
  {
    sig: "fsid",
    help: "show the cluster's id",
    module: "mon",
    perm: "r",
    run: fsid,
  },
  {
    sig: "node ls name=type,type=CephChoices,strings=all|osd|mon|mds|mgr,req=false",
    help: "list the hosts and what runs on them",
    module: "mon",
    perm: "r",
    run: nodeLs,
  },
  {
    sig: "get_command_descriptions",
    help: "list the commands",
    module: "mon",
    perm: "r",
    flags: 32,
    run: descriptions,
  },
];
