/**
 * `pg …`: placement groups as their OSDs report them.
 * ceph: src/mgr/DaemonServer.cc, src/mon/PGMap.cc process_pg_map_command
 */

import { TextTable } from "../../base/index.ts";
import { isUp, mapPg, type ObjectStatSum, osdIds } from "../../maps/index.ts";
import {
  type Args,
  type ClusterState,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  findPool,
  formatAge,
  formatBytes,
  isCommandReply,
  mapSumJson,
  ok,
  osdStatsJson,
  type PgEntry,
  pgCount,
  pgJson,
  poolStatsJson,
  poolsOf,
  refused,
  STATFS_ZERO,
  sortedPgs,
  usedBytes,
} from "../../mon/index.ts";
import { formatEVersion, formatPgId, formatUtime, utimeFromMs } from "../../types/index.ts";
import { pgSummaryJson, pgSummaryLine } from "./pg-summary.ts";

const NOTE =
  "\n* NOTE: Omap statistics are gathered during deep scrub and may be inaccurate soon afterwards depending on utilization. See http://docs.ceph.com/en/latest/dev/placement-group/#omap-statistics for further details.\n";

function stamp(ms: number): string {
  return formatUtime(utimeFromMs(ms));
}

function stat(ctx: CommandContext, args: Args): CommandReply {
  const text = () => `${pgSummaryLine(ctx.state)}\n`;
  const json = () => ({ pg_ready: true, pg_summary: pgSummaryJson(ctx.state) });
  return ok(splitLastBrace(args, args.render(text, json)));
}

/** compat: some of these commands break the line before their last brace. */
export function splitLastBrace(args: Args, text: string): string {
  if (args.format === "json") return text.replace(/\}$/, "\n}");
  if (args.format === "xml") return text.replace(/<\/\w+>$/, "\n$&");
  return args.format === "json-pretty" ? text.replace(/\}\n$/, "\n}\n") : text;
}

function sumCells(sum: ObjectStatSum, logSize: number): (string | number)[] {
  return [
    sum.numObjects,
    sum.numObjectsMissingOnPrimary,
    sum.numObjectsDegraded,
    sum.numObjectsMisplaced,
    sum.numObjectsUnfound,
    sum.numBytes,
    sum.numOmapBytes,
    sum.numOmapKeys,
    logSize,
    logSize,
  ];
}

const SUM_HEADS = [
  "OBJECTS",
  "MISSING_ON_PRIMARY",
  "DEGRADED",
  "MISPLACED",
  "UNFOUND",
  "BYTES",
  "OMAP_BYTES*",
  "OMAP_KEYS*",
  "LOG",
  "DISK_LOG",
];

function osdList(osds: readonly number[]): string {
  return `[${osds.join(",")}]`;
}

function pgsTable(state: ClusterState): string {
  const table = new TextTable().column("PG_STAT", "left", "left");
  const heads = [
    ...SUM_HEADS,
    "STATE",
    "STATE_STAMP",
    "VERSION",
    "REPORTED",
    "UP",
    "UP_PRIMARY",
    "ACTING",
    "ACTING_PRIMARY",
    "LAST_SCRUB",
    "SCRUB_STAMP",
    "LAST_DEEP_SCRUB",
    "DEEP_SCRUB_STAMP",
    "SNAPTRIMQ_LEN",
  ];
  for (const head of heads) table.column(head, "left", "right");
  for (const pg of sortedPgs(state).reverse()) {
    const { up, upPrimary, acting, actingPrimary } = mapPg(state.maps.map, pg.pgid);
    const created = stamp(pg.createdAt);
    table.row(
      formatPgId(pg.pgid),
      ...sumCells(pg.stats, pg.logSize),
      pg.state,
      stamp(pg.stateSince),
      formatEVersion(pg.version),
      `${pg.reportedEpoch}:${pg.reportedSeq}`,
      osdList(up),
      upPrimary,
      osdList(acting),
      actingPrimary,
      "0'0",
      created,
      "0'0",
      created,
      pg.snapTrimQueueLength,
    );
  }
  return table.toString();
}

function briefTable(state: ClusterState): string {
  const table = new TextTable().column("PG_STAT", "left", "left");
  for (const head of ["STATE", "UP", "UP_PRIMARY", "ACTING", "ACTING_PRIMARY"]) {
    table.column(head, "left", "right");
  }
  for (const pg of sortedPgs(state).reverse()) {
    const { up, upPrimary, acting, actingPrimary } = mapPg(state.maps.map, pg.pgid);
    const row = [pg.state, osdList(up), upPrimary, osdList(acting), actingPrimary];
    table.row(formatPgId(pg.pgid), ...row);
  }
  return table.toString();
}

/** Sums by pool; within the whole dump the headings are left blank. */
function poolsTable(state: ClusterState, withHeads: boolean): string {
  const table = new TextTable().column(withHeads ? "POOLID" : "", "left", "left");
  for (const head of SUM_HEADS) table.column(withHeads ? head : "", "left", "right");
  for (const [id] of poolsOf(state.maps.map).reverse()) {
    const sums = state.stats.poolSums(id);
    table.row(id, ...sumCells(sums.stats, sums.logSize));
  }
  return table.toString();
}

function sumTable(state: ClusterState, withHeads: boolean): string {
  const table = new TextTable().column(withHeads ? "PG_STAT" : "", "left", "left");
  for (const head of SUM_HEADS) table.column(withHeads ? head : "", "left", "right");
  const totals = state.stats.totals(state.maps.map);
  return table.row("sum", ...sumCells(totals.stats, totals.logSize)).toString();
}

function osdsTable(state: ClusterState, withOsds: boolean): string {
  const table = new TextTable().column("OSD_STAT", "left", "left");
  for (const head of ["USED", "AVAIL", "USED_RAW", "TOTAL"]) table.column(head, "left", "right");
  if (withOsds) {
    for (const head of ["HB_PEERS", "PG_SUM", "PRIMARY_PG_SUM"])
      table.column(head, "left", "right");
    for (const osd of osdIds(state.maps.map).reverse()) {
      const count = pgCount(state, osd);
      table.row(
        osd,
        ...spaceCells(state.stats.osd(osd)?.statfs ?? STATFS_ZERO),
        "[]",
        count,
        count,
      );
    }
  }
  table.row("sum", ...spaceCells(state.stats.statfs()));
  return table.toString();
}

function spaceCells(statfs: typeof STATFS_ZERO): string[] {
  const used = formatBytes(usedBytes(statfs));
  return [used, formatBytes(statfs.available), used, formatBytes(statfs.total)];
}

function headText(state: ClusterState): string {
  const now = stamp(state.clock.now());
  return `version ${state.stats.version}\nstamp ${now}\nlast_osdmap_epoch 0\nlast_pg_scan 0\n`;
}

const CONTENTS = ["all", "summary", "sum", "delta", "pools", "osds", "pgs", "pgs_brief"];

function dumpText(state: ClusterState, what: string): string {
  switch (what) {
    case "all":
      return (
        headText(state) +
        pgsTable(state) +
        poolsTable(state, false) +
        sumTable(state, false) +
        osdsTable(state, true) +
        NOTE
      );
    case "summary":
    case "sum":
    case "delta":
      return headText(state) + sumTable(state, true) + osdsTable(state, false) + NOTE;
    case "pools":
      return poolsTable(state, true) + NOTE;
    case "osds":
      return osdsTable(state, true);
    case "pgs":
      return pgsTable(state) + NOTE;
    default:
      return briefTable(state);
  }
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const { map } = state.maps;
  const contents = args.prefix === "pg dump_pools_json" ? ["pools"] : args.list("dumpcontents");
  const unknown = contents.find((what) => !CONTENTS.includes(what));
  if (unknown !== undefined) return refused("EINVAL", `unknown contents '${unknown}'`);
  const what = contents.length === 0 ? ["all"] : contents;
  const status = `dumped ${what.join(",")}`;
  const isJson = args.prefix !== "pg dump";
  if (args.format === "plain" && !isJson) {
    return ok(what.map((part) => dumpText(state, part)).join(""), status);
  }
  const pgs = () =>
    sortedPgs(state)
      .reverse()
      .map((pg) => pgJson(map, pg));
  const has = (part: string) => what.includes(part);
  const whole = has("all");
  const sums = has("sum") || has("summary") || has("delta");
  const value = {
    pg_ready: true,
    pg_map: whole
      ? {
          ...mapSumJson(state),
          pg_stats: pgs(),
          pool_stats: poolStatsJson(state),
          osd_stats: osdStatsJson(state),
          pool_statfs: [],
        }
      : sums
        ? mapSumJson(state)
        : undefined,
    pg_stats: has("pgs") || has("pgs_brief") ? pgs() : undefined,
    pool_stats: has("pools") ? poolStatsJson(state) : undefined,
    osd_stats: has("osds") ? osdStatsJson(state) : undefined,
  };
  return ok(isJson ? args.compactJson(value) : args.json(value), status);
}

function listTable(state: ClusterState, pgs: readonly PgEntry[]): string {
  const table = new TextTable().column("PG", "left", "left");
  const heads = [
    "OBJECTS",
    "DEGRADED",
    "MISPLACED",
    "UNFOUND",
    "BYTES",
    "OMAP_BYTES*",
    "OMAP_KEYS*",
    "LOG",
    "STATE",
    "SINCE",
    "VERSION",
    "REPORTED",
    "UP",
    "ACTING",
    "SCRUB_STAMP",
    "DEEP_SCRUB_STAMP",
  ];
  for (const head of heads) table.column(head, "left", "right");
  const now = state.clock.now();
  for (const pg of pgs) {
    const { up, upPrimary, acting, actingPrimary } = mapPg(state.maps.map, pg.pgid);
    const created = stamp(pg.createdAt);
    const s = pg.stats;
    table.row(
      formatPgId(pg.pgid),
      s.numObjects,
      s.numObjectsDegraded,
      s.numObjectsMisplaced,
      s.numObjectsUnfound,
      s.numBytes,
      s.numOmapBytes,
      s.numOmapKeys,
      pg.logSize,
      pg.state,
      formatAge(now - pg.stateSince),
      formatEVersion(pg.version),
      `${pg.reportedEpoch}:${pg.reportedSeq}`,
      `${osdList(up)}p${upPrimary}`,
      `${osdList(acting)}p${actingPrimary}`,
      created,
      created,
    );
  }
  return table.toString() + NOTE;
}

function list(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const { map } = state.maps;
  let pool = args.number("pool");
  const poolstr = args.text("poolstr");
  if (poolstr !== undefined) {
    const found = findPool(map, poolstr);
    if (isCommandReply(found)) return refused("ENOENT", `pool ${poolstr} does not exist`);
    pool = found.id;
  }
  if (pool !== undefined && !map.pools.has(pool)) {
    return refused("ENOENT", `pool ${pool} does not exist`);
  }
  const osd = args.number("osd");
  if (osd !== undefined && !isUp(map, osd)) return refused("EAGAIN", `osd ${osd} is not up`);
  const states = args.list("states").filter((name) => name !== "all");
  const unknown = states.find((name) => !PG_STATE_NAMES.includes(name));
  if (unknown !== undefined) {
    const choices = PG_STATE_NAMES.join("+");
    return refused("EINVAL", `'${unknown}' is not a valid pg state, available choices: ${choices}`);
  }
  const isOn = (pg: PgEntry) => {
    if (osd === undefined) return true;
    const { acting, actingPrimary } = mapPg(map, pg.pgid);
    return args.prefix.endsWith("primary") ? actingPrimary === osd : acting.includes(osd);
  };
  const pgs = sortedPgs(state).filter(
    (pg) =>
      (pool === undefined || pg.pgid.pool === pool) &&
      isOn(pg) &&
      states.every((name) => pg.state.split("+").includes(name)),
  );
  return ok(
    args.render(
      () => listTable(state, pgs),
      () => ({ pg_ready: true, pg_stats: pgs.map((pg) => pgJson(map, pg)) }),
    ),
  );
}

/** Nothing here can be stuck: a group is where its one OSD is. */
function dumpStuck(_ctx: CommandContext, args: Args): CommandReply {
  const text = args.render(
    () => "",
    () => ({ pg_ready: true, stuck_pg_stats: [] }),
  );
  return ok(splitLastBrace(args, text), "ok");
}

function debug(_ctx: CommandContext, args: Args): CommandReply {
  const what = args.text("debugop");
  if (what !== "unfound_objects_exist" && what !== "degraded_pgs_exist") {
    return refused("EINVAL", `unknown question '${what}'`);
  }
  return ok("FALSE\n");
}

/** ceph: src/osd/osd_types.cc pg_string_state; the order is that of the refusal of a real 16.2.15. */
const PG_STATE_NAMES =
  "stale+creating+active+activating+clean+recovery_wait+recovery_toofull+recovering+forced_recovery+down+recovery_unfound+backfill_unfound+undersized+degraded+remapped+premerge+scrubbing+deep+inconsistent+peering+repair+backfill_wait+backfilling+forced_backfill+backfill_toofull+incomplete+peered+snaptrim+snaptrim_wait+snaptrim_error".split(
    "+",
  );
const STATES = "name=states,type=CephString,n=N,req=false";
const POOL = "name=pool,type=CephInt,req=false";

export const pgCommands: readonly Command<CommandContext>[] = [
  ["pg stat", "sum up the placement groups", stat] as const,
  [
    `pg dump name=dumpcontents,type=CephChoices,strings=${CONTENTS.join("|")},n=N,req=false`,
    "show all placement groups, or some part of it",
    dump,
  ] as const,
  [
    "pg dump_json name=dumpcontents,type=CephChoices,strings=all|summary|sum|pools|osds|pgs,n=N,req=false",
    "show all placement groups as JSON",
    dump,
  ] as const,
  ["pg dump_pools_json", "show the pools' sums as JSON", dump] as const,
  [`pg ls ${POOL} ${STATES}`, "list placement groups", list] as const,
  [
    `pg ls-by-pool name=poolstr,type=CephString ${STATES}`,
    "list a pool's placement groups",
    list,
  ] as const,
  [
    `pg ls-by-osd name=osd,type=CephOsdName ${POOL} ${STATES}`,
    "list the placement groups on an OSD",
    list,
  ] as const,
  [
    `pg ls-by-primary name=osd,type=CephOsdName ${POOL} ${STATES}`,
    "list the placement groups an OSD is first for",
    list,
  ] as const,
  [
    "pg dump_stuck name=stuckops,type=CephChoices,strings=inactive|unclean|stale|undersized|degraded,n=N,req=false name=threshold,type=CephInt,req=false",
    "list placement groups that make no progress",
    dumpStuck,
  ] as const,
  [
    "pg debug name=debugop,type=CephChoices,strings=unfound_objects_exist|degraded_pgs_exist",
    "ask whether something is wrong with any placement group",
    debug,
  ] as const,
].map(([sig, help, run]) => ({
  sig,
  help,
  module: "pg",
  perm: "r",
  flags: COMMAND_FLAG.MGR,
  run,
}));
