/**
 * `df`: space, by device class and by pool.
 * ceph: src/mon/PGMap.cc dump_cluster_stats, dump_pool_stats_full
 */

import { TextTable } from "../../base/index.ts";
import { CRUSH_ITEM_NONE } from "../../crush/index.ts";
import { type Json, type JsonObject, textOf } from "../../encoding/index.ts";
import { isIn, type OsdMap, type OsdSpace, osdIds, type PgPool } from "../../maps/index.ts";
import { STATFS_ZERO, usedBytes } from "../services/stats.ts";
import { type Args, type CommandReply, ok } from "./command.ts";
import { type MonCommand, poolName, poolsOf } from "./common.ts";
import type { ClusterState, CommandContext } from "./context.ts";
import { formatBytes, formatCount, formatPercent } from "./units.ts";

/** The class of an OSD's device, "" if it has none. */
export function deviceClass(map: OsdMap, osd: number): string {
  const id = map.crush.classMap.get(osd);
  return id === undefined ? "" : textOf(map.crush.classNames.get(id) ?? "");
}

function plus(a: OsdSpace, b: OsdSpace): OsdSpace {
  return {
    total: a.total + b.total,
    available: a.available + b.available,
    data: a.data + b.data,
    internal: a.internal + b.internal,
  };
}

/** Space of the OSDs of each device class. */
export function spaceByClass(state: ClusterState): [string, OsdSpace][] {
  const { map } = state.maps;
  const sums = new Map<string, OsdSpace>();
  for (const osd of osdIds(map)) {
    const report = state.stats.osd(osd);
    if (report === undefined) continue;
    const name = deviceClass(map, osd);
    sums.set(name, plus(sums.get(name) ?? STATFS_ZERO, report.statfs));
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Bytes that pools can still take: what the fullest OSD (by its share) leaves below the full ratio, for all.
 */
export function ruleAvailable(state: ClusterState): number {
  const { map } = state.maps;
  const ids = osdIds(map).filter((osd) => isIn(map, osd) && osd !== CRUSH_ITEM_NONE);
  const totals = ids.map((osd) => state.stats.osd(osd)?.statfs.total ?? 0);
  const all = totals.reduce((a, b) => a + b, 0);
  let least: number | undefined;
  for (const [i, osd] of ids.entries()) {
    const statfs = state.stats.osd(osd)?.statfs;
    if (statfs === undefined || statfs.total === 0) continue;
    const kib = (bytes: number) => Math.floor(bytes / 1024);
    const unusable = kib(statfs.total) * (1 - map.fullRatio);
    const left = Math.max(0, kib(statfs.available) - unusable) * 1024;
    // Data goes to each OSD by its share of the weight, which is its size.
    const projected = Math.floor(left / Math.fround((totals[i] ?? 0) / all));
    if (least === undefined || projected < least) least = projected;
  }
  return least ?? 0;
}

function usedRatio(statfs: OsdSpace): number {
  return statfs.total === 0 ? 0 : Math.fround(usedBytes(statfs) / statfs.total);
}

interface PoolRow {
  readonly id: number;
  readonly name: string;
  readonly pool: PgPool;
  readonly stored: number;
  readonly objects: number;
  readonly used: number;
  readonly percent: number;
  readonly available: number;
  readonly dirty: number;
  readonly reads: readonly [ops: number, bytes: number];
  readonly writes: readonly [ops: number, bytes: number];
}

function poolRows(state: ClusterState): PoolRow[] {
  const { map } = state.maps;
  const available = ruleAvailable(state);
  return poolsOf(map).map(([id, pool]) => {
    const sums = state.stats.poolSums(id);
    const used = sums.allocated;
    const percent = available > 0 ? Math.fround(used / (used + available)) : used > 0 ? 1 : 0;
    const { numRd, numRdKb, numWr, numWrKb } = sums.stats;
    return {
      id,
      name: poolName(map, id),
      pool,
      stored: sums.stored,
      objects: sums.stats.numObjects,
      used,
      percent,
      available: Math.floor(available / pool.size),
      dirty: sums.stats.numObjectsDirty,
      reads: [numRd, numRdKb * 1024],
      writes: [numWr, numWrKb * 1024],
    };
  });
}

function rawTable(state: ClusterState): string {
  const table = new TextTable().column("CLASS", "left", "left");
  for (const head of ["SIZE", "AVAIL", "USED", "RAW USED", "%RAW USED"]) {
    table.column(head, "right", "right");
  }
  for (const [name, statfs] of [...spaceByClass(state), ["TOTAL", state.stats.statfs()] as const]) {
    const used = formatBytes(usedBytes(statfs));
    const sizes = [formatBytes(statfs.total), formatBytes(statfs.available), used, used];
    table.row(name, ...sizes, formatPercent(usedRatio(statfs)));
  }
  return table.toString();
}

function poolTable(state: ClusterState, detail: boolean): string {
  const table = new TextTable().column("POOL", "left", "left");
  const parts = detail ? ["(DATA)", "(OMAP)"] : [];
  const heads = [
    "ID",
    "PGS",
    "STORED",
    ...parts,
    "OBJECTS",
    "USED",
    ...parts,
    "%USED",
    "MAX AVAIL",
  ];
  if (detail) heads.push("QUOTA OBJECTS", "QUOTA BYTES", "DIRTY", "USED COMPR", "UNDER COMPR");
  for (const head of heads) table.column(head, "right", "right");
  for (const row of poolRows(state)) {
    const stored = formatBytes(row.stored);
    const used = formatBytes(row.used);
    const none = formatBytes(0);
    const { quotaMaxObjects, quotaMaxBytes } = row.pool;
    table.row(
      row.name,
      row.id,
      row.pool.pgNum,
      stored,
      ...(detail ? [stored, none] : []),
      formatCount(row.objects),
      used,
      ...(detail ? [used, none] : []),
      formatPercent(row.percent),
      formatBytes(row.available),
      ...(detail
        ? [
            quotaMaxObjects === 0 ? "N/A" : formatCount(quotaMaxObjects),
            quotaMaxBytes === 0 ? "N/A" : formatBytes(quotaMaxBytes),
            // compat: printed only for cache tiers.
            row.pool.tierOf >= 0 ? formatCount(row.dirty) : "N/A",
            none,
            none,
          ]
        : []),
    );
  }
  return table.toString();
}

function poolJson(row: PoolRow, detail: boolean): Json {
  const more = <T>(value: T): T | undefined => (detail ? value : undefined);
  return {
    name: row.name,
    id: row.id,
    stats: {
      stored: row.stored,
      stored_data: more(row.stored),
      stored_omap: more(0),
      objects: row.objects,
      kb_used: Math.ceil(row.used / 1024),
      bytes_used: row.used,
      data_bytes_used: more(row.used),
      omap_bytes_used: more(0),
      percent_used: row.percent,
      max_avail: row.available,
      quota_objects: more(row.pool.quotaMaxObjects),
      quota_bytes: more(row.pool.quotaMaxBytes),
      dirty: more(row.dirty),
      rd: more(row.reads[0]),
      rd_bytes: more(row.reads[1]),
      wr: more(row.writes[0]),
      wr_bytes: more(row.writes[1]),
      compress_bytes_used: more(0),
      compress_under_bytes: more(0),
      stored_raw: more(row.stored * row.pool.size),
      avail_raw: more(row.available * row.pool.size),
    },
  };
}

function spaceJson(statfs: OsdSpace): JsonObject {
  return {
    total_bytes: statfs.total,
    total_avail_bytes: statfs.available,
    total_used_bytes: usedBytes(statfs),
    total_used_raw_bytes: usedBytes(statfs),
    total_used_raw_ratio: usedRatio(statfs),
  };
}

function df(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const detail = args.text("detail") === "detail";
  const osds = osdIds(state.maps.map).filter((id) => state.stats.osd(id) !== undefined).length;
  return ok(
    args.render(
      () => `--- RAW STORAGE ---\n${rawTable(state)} \n--- POOLS ---\n${poolTable(state, detail)}`,
      () => ({
        stats: {
          ...spaceJson(state.stats.statfs()),
          num_osds: osds,
          num_per_pool_osds: osds,
          num_per_pool_omap_osds: osds,
        },
        stats_by_class: new Map(
          spaceByClass(state).map(([name, statfs]): [string, Json] => [name, spaceJson(statfs)]),
        ),
        pools: poolRows(state).map((row) => poolJson(row, detail)),
      }),
      { newline: args.format === "json" },
    ),
  );
}

export const dfCommands: readonly MonCommand[] = [
  {
    sig: "df name=detail,type=CephChoices,strings=detail,req=false",
    help: "show space, by device class and by pool",
    module: "mon",
    perm: "r",
    run: df,
  },
];
