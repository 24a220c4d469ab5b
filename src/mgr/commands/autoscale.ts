/**
 * `osd pool autoscale-status`: how many groups each pool should have, by what it holds or is said to hold once.
 * Nothing acts on it: a pool keeps the number it was made with, whatever its mode. No pool is a bulk pool.
 * ceph: src/pybind/mgr/pg_autoscaler/module.py, src/pybind/mgr/mgr_util.py format_units
 */

import { PRETTY, PyFloat, type PyJson, pythonJson, TextTable } from "../../base/index.ts";
import type { Settings } from "../../config/index.ts";
import { CRUSH_RULE_OP, type CrushMap } from "../../crush/index.ts";
import { autoscaleModeName, type OsdMap, type PgPool, POOL_OPTS } from "../../maps/index.ts";
import {
  type Args,
  type ClusterState,
  type CommandReply,
  poolName,
  poolsOf,
} from "../../mon/index.ts";
import type { MgrContext } from "../context.ts";
import { moduleAnswer } from "./module-answer.ts";
import { commandsOf } from "./row.ts";

/** A pool's groups unless it says otherwise, at least. */
const PG_NUM_MIN = 32;
/** A number is worth changing when it is this many times off. */
const THRESHOLD = 3;

/** The pools that share OSDs, and what there is to share. */
interface Root {
  readonly osds: ReadonlySet<number>;
  /** Bytes, of all OSDs whatever their weight. */
  readonly capacity: number;
  readonly totalTargetRatio: number;
  readonly totalTargetBytes: number;
}

/** Where a pool's rule begins. */
function rootOf(map: OsdMap, pool: PgPool): number {
  const steps = map.crush.rules[pool.crushRule]?.steps ?? [];
  return steps.find(({ op }) => op === CRUSH_RULE_OP.TAKE)?.arg1 ?? 0;
}

function osdsUnder(crush: CrushMap, id: number): number[] {
  if (id >= 0) return [id];
  return (crush.buckets[-1 - id]?.items ?? []).flatMap((item) => osdsUnder(crush, item));
}

function option(pool: PgPool, name: string, fallback: number): number {
  const spec = POOL_OPTS[name];
  const value = spec === undefined ? undefined : pool.opts.get(spec.key)?.value;
  return typeof value === "number" ? value : fallback;
}

/** What a pool is to hold, in bytes; nothing if it has a ratio. */
function targetBytes(pool: PgPool): number {
  return option(pool, "target_size_ratio", 0) === 0 ? option(pool, "target_size_bytes", 0) : 0;
}

function findRoot(state: ClusterState, root: number): Root {
  const { map } = state.maps;
  const osds = new Set(osdsUnder(map.crush, root));
  const pools = poolsOf(map)
    .map(([, pool]) => pool)
    .filter((pool) => rootOf(map, pool) === root);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const kib = (osd: number) => Math.floor((state.stats.osd(osd)?.statfs.total ?? 0) / 1024);
  return {
    osds,
    capacity: sum([...osds].map((osd) => kib(osd) * 1024)),
    totalTargetRatio: sum(pools.map((pool) => option(pool, "target_size_ratio", 0))),
    totalTargetBytes: sum(pools.map((pool) => targetBytes(pool) * pool.size)),
  };
}

/** A pool's ratio among those of all, of the space that no pool's bytes are kept free for. */
function effectiveRatio(ratio: number, root: Root): number {
  const share = root.totalTargetRatio > 0 ? ratio / root.totalTargetRatio : ratio;
  if (root.totalTargetBytes === 0 || root.capacity === 0) return share;
  return share * (1 - Math.min(1, root.totalTargetBytes / root.capacity));
}

/** The power of two that is nearer; of two as near, the greater. */
function nearestPowerOfTwo(x: number): number {
  const n = Math.trunc(x);
  // compat: for 0 the bits of -1 make 0.
  if (n <= 0) return 0;
  const high = 2 ** Math.ceil(Math.log2(n));
  const low = Math.floor(high / 2);
  return high - x > x - low ? low : high;
}

interface Status {
  readonly id: number;
  readonly pool: PgPool;
  readonly rootId: number;
  readonly capacity: number;
  readonly used: number;
  readonly targetBytes: number;
  readonly ratio: number;
  readonly effectiveRatio: number;
  readonly ideal: number;
  readonly final: number;
  readonly wouldAdjust: boolean;
  readonly bias: number;
}

/** OSDs make room for so many groups, each. */
function targetPerOsd(settings: Settings): number {
  return settings.number("mon_target_pg_per_osd");
}

function statusOf({ state, settings }: MgrContext): Status[] {
  const { map } = state.maps;
  /** Groups that the pools looked at so far have left, by root. */
  const left = new Map<number, number>();
  return poolsOf(map).flatMap(([id, pool]): Status[] => {
    const rootId = rootOf(map, pool);
    const root = findRoot(state, rootId);
    if (root.capacity === 0) return [];
    const used = state.stats.poolSums(id).stored;
    const target = targetBytes(pool);
    const effective = effectiveRatio(option(pool, "target_size_ratio", 0), root);
    const ratio = Math.max((Math.max(used, target) * pool.size) / root.capacity, effective);
    const room = left.get(rootId) ?? root.osds.size * targetPerOsd(settings);
    const groups = ratio * room;
    left.set(rootId, room - Math.trunc(groups));
    const bias = option(pool, "pg_autoscale_bias", 1);
    const ideal = (groups / pool.size) * bias;
    const max = option(pool, "pg_num_max", 0);
    const wanted = Math.max(option(pool, "pg_num_min", PG_NUM_MIN), nearestPowerOfTwo(ideal));
    const final = max > 0 ? Math.min(max, wanted) : wanted;
    const now = pool.pgNumTarget;
    const isFarOff = final > now * THRESHOLD || final < now / THRESHOLD;
    const isOn = autoscaleModeName(pool.pgAutoscaleMode) === "on";
    return [
      {
        id,
        pool,
        rootId,
        capacity: root.capacity,
        used,
        targetBytes: target,
        ratio,
        effectiveRatio: effective,
        ideal: Math.trunc(ideal),
        final,
        wouldAdjust: isFarOff && ratio <= 1 && isOn,
        bias,
      },
    ];
  });
}

function json(state: ClusterState, s: Status): PyJson {
  const { pool } = s;
  // Bytes on disks a byte of the pool.
  const rate = pool.size;
  return {
    pool_id: s.id,
    pool_name: poolName(state.maps.map, s.id),
    crush_root_id: s.rootId,
    pg_autoscale_mode: autoscaleModeName(pool.pgAutoscaleMode),
    pg_num_target: pool.pgNumTarget,
    logical_used: s.used,
    target_bytes: s.targetBytes,
    raw_used_rate: new PyFloat(rate),
    subtree_capacity: s.capacity,
    actual_raw_used: new PyFloat(s.used * rate),
    raw_used: new PyFloat(Math.max(s.used, s.targetBytes) * rate),
    actual_capacity_ratio: new PyFloat((s.used * rate) / s.capacity),
    capacity_ratio: new PyFloat(s.ratio),
    target_ratio: new PyFloat(option(pool, "target_size_ratio", 0)),
    effective_target_ratio: new PyFloat(s.effectiveRatio),
    pg_num_ideal: s.ideal,
    pg_num_final: s.final,
    would_adjust: s.wouldAdjust,
    bias: new PyFloat(s.bias),
    bulk: false,
  };
}

const UNITS = [" ", "k", "M", "G", "T", "P", "E"];
/** Characters of a size in the table, its unit included. */
const SIZE_WIDTH = 6;

/** `12288M`, `    0 `: as many digits as there is room for. */
export function formatSize(bytes: number): string {
  const room = SIZE_WIDTH - 1;
  const whole = (unit: number) => String(Math.floor(bytes / 1024 ** unit));
  let unit = 0;
  while (whole(unit).length > room && unit < UNITS.length - 1) unit++;
  if (unit === 0) return `${whole(0).padStart(room)}${UNITS[0]}`;
  const digits = (bytes / 1024 ** unit).toFixed(6).slice(0, room);
  return `${digits.endsWith(".") ? ` ${digits.slice(0, -1)}` : digits}${UNITS[unit]}`;
}

const COLUMNS = [
  "SIZE",
  "TARGET SIZE",
  "RATE",
  "RAW CAPACITY",
  "RATIO",
  "TARGET RATIO",
  "EFFECTIVE RATIO",
  "BIAS",
  "PG_NUM",
  "NEW PG_NUM",
];

function table(state: ClusterState, statuses: readonly Status[]): string {
  const out = new TextTable().column("POOL", "left", "left");
  for (const name of COLUMNS) out.column(name, "right", "right");
  out.column("AUTOSCALE", "left", "left").column("BULK", "left", "left");
  const float = (x: number) => pythonJson(new PyFloat(x));
  const ratio = (x: number) => (x > 0 ? x.toFixed(4) : "");
  for (const s of statuses) {
    out.row(
      poolName(state.maps.map, s.id),
      formatSize(s.used),
      s.targetBytes > 0 ? formatSize(s.targetBytes) : "",
      float(s.pool.size),
      formatSize(s.capacity),
      s.ratio.toFixed(4),
      ratio(option(s.pool, "target_size_ratio", 0)),
      ratio(s.effectiveRatio),
      float(s.bias),
      s.pool.pgNumTarget,
      s.wouldAdjust ? s.final : "",
      autoscaleModeName(s.pool.pgAutoscaleMode),
      "False",
    );
  }
  // compat: the last column has its distance to the next, too.
  return out.toString().replaceAll("\n", "  \n");
}

function status(ctx: MgrContext, args: Args): CommandReply {
  const { state } = ctx;
  const found = statusOf(ctx);
  if (args.format === "plain") return moduleAnswer(table(state, found));
  return moduleAnswer(
    pythonJson(
      found.map((s) => json(state, s)),
      PRETTY,
    ),
  );
}

export const autoscaleCommands = commandsOf<MgrContext>("pg_autoscaler", [
  [
    "osd pool autoscale-status name=format,type=CephString,req=false",
    "r",
    "show how many placement groups each pool should have",
    status,
  ],
]);
