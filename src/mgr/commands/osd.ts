/**
 * `osd df`, `osd perf`, `osd pool stats` and the like: OSDs by what they report.
 * ceph: src/mgr/DaemonServer.cc, src/mon/PGMap.cc, src/osd/OSDMap.cc print_osd_utilization
 */

import { TextTable } from "../../base/index.ts";
import { byteString, type JsonObject, textOf } from "../../encoding/index.ts";
import {
  isUp,
  type OsdMap,
  osdIds,
  osdTreeNodes,
  poolByName,
  type TreeNode,
} from "../../maps/index.ts";
import {
  type Args,
  type ClusterState,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  deviceClass,
  findPool,
  formatBytes,
  ioRateJson,
  ioRateText,
  isCommandReply,
  kbJson,
  nodeLabel,
  nodeWeight,
  ok,
  perfJson,
  pgCount,
  poolName,
  poolsOf,
  refused,
  STATFS_ZERO,
  usedBytes,
} from "../../mon/index.ts";
import { splitLastBrace } from "./pg.ts";

/** An OSD's share of use against the average. */
interface Use {
  readonly statfs: typeof STATFS_ZERO;
  readonly percent: number;
  readonly variance: number;
}

interface UseTable {
  readonly all: Use;
  byOsd(osd: number): Use;
  readonly min: number;
  readonly max: number;
  readonly deviation: number;
}

type Shows = (node: number) => boolean;

/**
 * What a filter leaves of the tree: a bucket or an OSD with what is below it, the OSDs of a device class, or
 * those that a pool is on. There is one root with one host, and every pool is on all of it.
 * @returns undefined if nothing is called so
 */
function shownBy(map: OsdMap, filter: string | undefined): Shows | undefined {
  if (filter === undefined) return () => true;
  const nodes = osdTreeNodes(map);
  const named = nodes.find(({ id }) => textOf(map.crush.itemNames.get(id) ?? "") === filter);
  if (named !== undefined) {
    const below = nodes.filter(({ id, depth }) =>
      named.id < 0 ? depth >= named.depth : id === named.id,
    );
    const shown = new Set(below.map(({ id }) => id));
    return (node) => shown.has(node);
  }
  if ([...map.crush.classNames.values()].some((name) => textOf(name) === filter)) {
    return (node) => node < 0 || deviceClass(map, node) === filter;
  }
  return poolByName(map, byteString(filter)) === undefined ? undefined : () => true;
}

function useOf(state: ClusterState, shows: Shows): UseTable {
  const percent = (s: typeof STATFS_ZERO) => (s.total === 0 ? 0 : (usedBytes(s) / s.total) * 100);
  const total = state.stats.statfs(shows);
  const average = percent(total);
  const use = (statfs: typeof STATFS_ZERO): Use => ({
    statfs,
    percent: percent(statfs),
    variance: average === 0 ? 1 : percent(statfs) / average,
  });
  const byOsd = (osd: number) => use(state.stats.osd(osd)?.statfs ?? STATFS_ZERO);
  const all = osdIds(state.maps.map).filter(shows).map(byOsd);
  const squares = all.reduce((sum, { percent: p }) => sum + (p - average) ** 2, 0);
  return {
    all: use(total),
    byOsd,
    min: Math.min(1e9, ...all.map((u) => u.variance)),
    max: Math.max(0, ...all.map((u) => u.variance)),
    deviation: all.length === 0 ? 0 : Math.sqrt(squares / all.length),
  };
}

function useCells(use: Use): string[] {
  const { statfs } = use;
  return [
    formatBytes(statfs.total),
    formatBytes(usedBytes(statfs)),
    formatBytes(statfs.data),
    formatBytes(0),
    formatBytes(statfs.internal),
    formatBytes(statfs.available),
    use.percent.toFixed(2),
  ];
}

const HEADS = ["SIZE", "RAW USE", "DATA", "OMAP", "META", "AVAIL", "%USE", "VAR", "PGS", "STATUS"];

function weightText(map: OsdMap, osd: number): string {
  return ((map.osdWeight[osd] ?? 0) / 0x1_0000).toFixed(5);
}

function dfTable(state: ClusterState, asTree: boolean, shows: Shows): string {
  const { map } = state.maps;
  const uses = useOf(state, shows);
  const table = new TextTable()
    .column("ID", "left", "right")
    .column("CLASS", "left", "right")
    .column("WEIGHT", "left", "right")
    .column("REWEIGHT", "left", "right");
  for (const head of HEADS) table.column(head, "left", "right");
  if (asTree) table.column("TYPE NAME", "left", "left");
  for (const node of osdTreeNodes(map)) {
    const { id } = node;
    if (!shows(id)) continue;
    if (id < 0) {
      if (!asTree) continue;
      const cells = useCells(uses.all);
      const variance = uses.all.variance.toFixed(2);
      table.row(id, "", nodeWeight(node), "-", ...cells, variance, "-", "", nodeLabel(map, node));
      continue;
    }
    const use = uses.byOsd(id);
    table.row(
      id,
      deviceClass(map, id),
      nodeWeight(node),
      weightText(map, id),
      ...useCells(use),
      use.variance.toFixed(2),
      pgCount(state, id),
      isUp(map, id) ? "up" : "down",
      ...(asTree ? [nodeLabel(map, node)] : []),
    );
  }
  table.row("", "", "", "TOTAL", ...useCells(uses.all));
  const fixed = (x: number) => x.toFixed(2);
  const deviation = uses.deviation === 0 ? "0" : fixed(uses.deviation);
  return `${table.toString()}MIN/MAX VAR: ${fixed(uses.min)}/${fixed(uses.max)}  STDDEV: ${deviation}\n`;
}

const kib = (bytes: number): number => Math.floor(bytes / 1024);

function dfNode(state: ClusterState, { id, weight, depth }: TreeNode, use: Use): JsonObject {
  const { map } = state.maps;
  const { statfs, percent, variance } = use;
  return {
    id,
    device_class: deviceClass(map, id),
    name: `osd.${id}`,
    type: "osd",
    type_id: 0,
    crush_weight: weight / 0x1_0000,
    depth,
    pool_weights: {},
    reweight: (map.osdWeight[id] ?? 0) / 0x1_0000,
    ...kbJson(statfs),
    utilization: percent,
    var: variance,
    pgs: pgCount(state, id),
    status: isUp(map, id) ? "up" : "down",
  };
}

function dfJson(state: ClusterState, shows: Shows): JsonObject {
  const uses = useOf(state, shows);
  const { statfs } = uses.all;
  const nodes = osdTreeNodes(state.maps.map).filter(({ id }) => id >= 0 && shows(id));
  return {
    nodes: nodes.map((node) => dfNode(state, node, uses.byOsd(node.id))),
    stray: [],
    summary: {
      total_kb: kib(statfs.total),
      total_kb_used: kib(usedBytes(statfs)),
      total_kb_used_data: kib(statfs.data),
      total_kb_used_omap: 0,
      total_kb_used_meta: kib(statfs.internal),
      total_kb_avail: kib(statfs.available),
      average_utilization: uses.all.percent,
      min_var: uses.min,
      max_var: uses.max,
      dev: uses.deviation,
    },
  };
}

function df(ctx: CommandContext, args: Args): CommandReply {
  const method = args.text("output_method") ?? "plain";
  if (method !== "plain" && method !== "tree") {
    return refused("EINVAL", `unknown output method '${method}'`);
  }
  const filter = args.text("filter");
  const shows = shownBy(ctx.state.maps.map, filter);
  if (shows === undefined) {
    return refused("EINVAL", `'${filter}' not a pool, crush node or device class name`);
  }
  return ok(
    args.render(
      () => dfTable(ctx.state, method === "tree", shows),
      () => dfJson(ctx.state, shows),
      { newline: args.format === "json" },
    ),
  );
}

function perf(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const rows = osdIds(state.maps.map).flatMap((id) => {
    const report = state.stats.osd(id);
    return report === undefined ? [] : [{ id, perf: report.perf }];
  });
  const text = () => {
    const table = new TextTable().column("osd", "left", "right");
    table
      .column("commit_latency(ms)", "left", "right")
      .column("apply_latency(ms)", "left", "right");
    for (const row of rows) {
      table.row(row.id, Math.round(row.perf.commitLatencyMs), Math.round(row.perf.applyLatencyMs));
    }
    return table.toString();
  };
  const infos = rows.map((row) => ({ id: row.id, perf_stats: perfJson(row.perf) }));
  const json = () => ({ pg_ready: true, osdstats: { osd_perf_infos: infos } });
  return ok(splitLastBrace(args, args.render(text, json)));
}

function poolStats(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const { map } = state.maps;
  const name = args.text("pool_name");
  let ids = poolsOf(map).map(([id]) => id);
  if (name !== undefined) {
    const found = findPool(map, name);
    if (isCommandReply(found)) return found;
    ids = [found.id];
  }
  const text = (id: number) => {
    const io = ioRateText(state, id);
    const what = io === "" ? "nothing is going on" : `client io ${io}`;
    return `pool ${poolName(map, id)} id ${id}\n  ${what}\n\n`;
  };
  return ok(
    args.render(
      () => ids.map(text).join(""),
      () =>
        ids.map((id) => ({
          pool_name: poolName(map, id),
          pool_id: id,
          recovery: {},
          recovery_rate: {},
          client_io_rate: ioRateJson(state, id),
        })),
    ),
  );
}

function blockedBy(_ctx: CommandContext, args: Args): CommandReply {
  return ok(
    args.render(
      () => "osd  num_blocked\n",
      () => ({ osd_map: { blocked_by: [] } }),
    ),
  );
}

export const osdCommands: readonly Command<CommandContext>[] = [
  [
    "osd df name=output_method,type=CephChoices,strings=plain|tree,req=false name=filter_by,type=CephChoices,strings=class|name,req=false name=filter,type=CephString,req=false",
    "show how full the OSDs are",
    df,
  ] as const,
  ["osd perf", "show the OSDs' latencies", perf] as const,
  [
    "osd pool stats name=pool_name,type=CephPoolname,req=false",
    "show what clients do to pools",
    poolStats,
  ] as const,
  ["osd blocked-by", "list OSDs that others wait for", blockedBy] as const,
].map(([sig, help, run]) => ({
  sig,
  help,
  module: "osd",
  perm: "r",
  flags: COMMAND_FLAG.MGR,
  run,
}));
