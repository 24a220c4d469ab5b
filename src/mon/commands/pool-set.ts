/**
 * `osd pool get` and `osd pool set`: a table of variables, each with how it is read and written.
 * ceph: src/mon/OSDMonitor.cc prepare_command_pool_set
 */

import { byteString, formatDouble, type Json, textOf } from "../../encoding/index.ts";
import {
  type OsdMap,
  PG_AUTOSCALE_MODE,
  type PgPool,
  POOL_FLAG,
  POOL_FLAG_NAMES,
  POOL_OPTS,
  type PoolOpt,
} from "../../maps/index.ts";
import type { PendingMap } from "../services/osd-map.ts";
import { Refusal, updatePool } from "../services/osd-pools.ts";
import { isTier } from "../services/osd-tiers.ts";
import { setPgNum, setPgpNum } from "../services/pg-num.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type FoundPool, findPool, isCommandReply, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";
import { parseSize } from "./units.ts";

/** Switches that are flag bits of a pool. */
const FLAG_VARS = [
  "hashpspool",
  "nodelete",
  "nopgchange",
  "nosizechange",
  "write_fadvise_dontneed",
  "noscrub",
  "nodeep-scrub",
];
/** Only cache tiers have these. */
const TIER_VARS = [
  "hit_set_type",
  "hit_set_period",
  "hit_set_count",
  "hit_set_fpp",
  "target_max_objects",
  "target_max_bytes",
  "cache_target_dirty_ratio",
  "cache_target_dirty_high_ratio",
  "cache_target_full_ratio",
  "cache_min_flush_age",
  "cache_min_evict_age",
  "min_read_recency_for_promote",
  "min_write_recency_for_promote",
  "hit_set_grade_decay_rate",
  "hit_set_search_last_n",
];
const SIZE_OPTS = new Set([
  "target_size_bytes",
  "compression_max_blob_size",
  "compression_min_blob_size",
  "csum_max_block",
  "csum_min_block",
]);
/** ceph: OSD_POOL_PRIORITY_MAX */
const RECOVERY_PRIORITY_MAX = 10;
const COMPRESSION_MODES = ["none", "passive", "aggressive", "force"];
const COMPRESSION_ALGORITHMS = ["", "none", "snappy", "zlib", "zstd", "lz4"];

const GET_VARS =
  "size|min_size|pg_num|pgp_num|crush_rule|hashpspool|nodelete|nopgchange|nosizechange|write_fadvise_dontneed|noscrub|nodeep-scrub|hit_set_type|hit_set_period|hit_set_count|hit_set_fpp|use_gmt_hitset|target_max_objects|target_max_bytes|cache_target_dirty_ratio|cache_target_dirty_high_ratio|cache_target_full_ratio|cache_min_flush_age|cache_min_evict_age|erasure_code_profile|min_read_recency_for_promote|all|min_write_recency_for_promote|fast_read|hit_set_grade_decay_rate|hit_set_search_last_n|scrub_min_interval|scrub_max_interval|deep_scrub_interval|recovery_priority|recovery_op_priority|scrub_priority|compression_mode|compression_algorithm|compression_required_ratio|compression_max_blob_size|compression_min_blob_size|csum_type|csum_min_block|csum_max_block|allow_ec_overwrites|fingerprint_algorithm|pg_autoscale_mode|pg_autoscale_bias|pg_num_min|pg_num_max|target_size_bytes|target_size_ratio|dedup_tier|dedup_chunk_algorithm|dedup_cdc_chunk_size|bulk";
/** By their numbers.  ceph: Checksummer::CSumType, where they begin with 1 */
const CSUM_TYPES = ["", "none", "xxhash32", "xxhash64", "crc32c", "crc32c_16", "crc32c_8"];
/** The most that numbers of these may be, and what is said otherwise. */
const MOST: Readonly<Record<string, readonly [most: number, refusal: (text: string) => string]>> = {
  compression_required_ratio: [
    1,
    (text) => `compression_required_ratio is out of range (0-1): '${text}'`,
  ],
  pg_autoscale_bias: [1000, () => "pg_autoscale_bias must be between 0 and 1000"],
};
const SET_VARS = GET_VARS.replace("|erasure_code_profile", "")
  .replace("|all", "")
  .replace("|pgp_num|", "|pgp_num|pgp_num_actual|")
  .replace("target_max_objects|target_max_bytes", "target_max_bytes|target_max_objects");

function flagOf(name: string): number {
  return POOL_FLAG_NAMES.find(([, text]) => text === name)?.[0] ?? 0;
}

function autoscaleName(mode: number): string {
  const found = Object.entries(PG_AUTOSCALE_MODE).find(([, value]) => value === mode);
  return found?.[0].toLowerCase() ?? "unknown";
}

/** A variable's value as [text, JSON]; undefined if the pool has none. */
function valueOf(map: OsdMap, pool: PgPool, name: string): [string, Json] | undefined {
  const number = (x: number): [string, Json] => [formatDouble(x, 6), x];
  if (FLAG_VARS.includes(name)) {
    const on = (pool.flags & flagOf(name)) !== 0;
    return [String(on), on];
  }
  switch (name) {
    case "size":
      return number(pool.size);
    case "min_size":
      return number(pool.minSize);
    case "pg_num":
      return number(pool.pgNum);
    case "pgp_num":
      return number(pool.pgpNum);
    case "crush_rule": {
      const rule = textOf(map.crush.ruleNames.get(pool.crushRule) ?? String(pool.crushRule));
      return [rule, rule];
    }
    case "use_gmt_hitset":
      return [pool.useGmtHitset ? "1" : "0", pool.useGmtHitset];
    case "fast_read":
      return [pool.fastRead ? "1" : "0", pool.fastRead ? 1 : 0];
    case "pg_autoscale_mode":
      return [autoscaleName(pool.pgAutoscaleMode), autoscaleName(pool.pgAutoscaleMode)];
    case "bulk":
      return ["false", false];
    default: {
      const opt = POOL_OPTS[name];
      const value = opt === undefined ? undefined : pool.opts.get(opt.key);
      if (value === undefined) return undefined;
      if (value.type === "str") return [textOf(value.value), textOf(value.value)];
      if (name === "csum_type") {
        const text = CSUM_TYPES[value.value] ?? String(value.value);
        return [text, text];
      }
      return value.type === "int" ? [String(value.value), value.value] : number(value.value);
    }
  }
}

/** The order of `osd pool get … all`. */
const ALL_VARS = [
  "size",
  "min_size",
  "pg_num",
  "pgp_num",
  "crush_rule",
  ...FLAG_VARS,
  "use_gmt_hitset",
  "fast_read",
  "scrub_min_interval",
  "scrub_max_interval",
  "deep_scrub_interval",
  "recovery_priority",
  "recovery_op_priority",
  "scrub_priority",
  "compression_mode",
  "compression_algorithm",
  "compression_required_ratio",
  "compression_max_blob_size",
  "compression_min_blob_size",
  "csum_type",
  "csum_max_block",
  "csum_min_block",
  "fingerprint_algorithm",
  "pg_autoscale_mode",
  "pg_num_min",
  "target_size_bytes",
  "target_size_ratio",
  "pg_autoscale_bias",
  "bulk",
];

function get(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const name = args.text("pool") ?? "";
  const variable = args.text("var") ?? "";
  const found = findPool(map, name);
  if (isCommandReply(found)) return found;
  const all = variable === "all";
  if (!GET_VARS.split("|").includes(variable)) {
    return refused("EINVAL", `pool '${name}': invalid variable: '${variable}'`);
  }
  if (TIER_VARS.includes(variable)) {
    if (isTier(found.pool)) {
      return refused("EOPNOTSUPP", `variable '${variable}' is not supported: no object is cached`);
    }
    return refused("EACCES", `pool '${name}' is not a tier pool: variable not applicable`);
  }
  if (variable === "erasure_code_profile" || variable === "allow_ec_overwrites") {
    return refused("EACCES", `pool '${name}' is not a erasure pool: variable not applicable`);
  }
  const values = (all ? ALL_VARS : [variable]).flatMap((key) => {
    const value = valueOf(map, found.pool, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  if (values.length === 0) {
    return refused("ENOENT", `option '${variable}' is not set on pool '${name}'`);
  }
  return ok(
    args.render(
      () => values.map(([key, [text]]) => `${key}: ${text}\n`).join(""),
      () =>
        new Map<string, Json>([
          ["pool", name],
          ["pool_id", found.id],
          ...values.map(([key, [, json]]): [string, Json] => [key, json]),
        ]),
    ),
  );
}

/** A whole number, or why the text is none. */
function integer(text: string): number | Refusal {
  const isWhole = /^\s*[+-]?\d+\s*$/.test(text);
  if (isWhole && Number.isSafeInteger(Number(text))) return Number(text);
  const why = isWhole
    ? `The option value '${text}' seems to be invalid`
    : `Expected option value to be integer, got '${text}'`;
  return new Refusal("EINVAL", `error parsing integer value '${text}': ${why}`);
}

/** The value of an option that is a number. */
function optionNumber(name: string, type: "int" | "double", text: string): number | Refusal {
  if (SIZE_OPTS.has(name)) {
    const size = parseSize(text, 1024);
    if (typeof size !== "number") {
      return new Refusal("EINVAL", `error parsing int value '${text}': ${size.error}`);
    }
    if (size < 0) return new Refusal("EINVAL", `error parsing value '${text}'`);
    return size;
  }
  if (name === "csum_type") {
    const value = CSUM_TYPES.indexOf(text, 1);
    return value < 0 ? new Refusal("EINVAL", `unrecognized csum_type '${text}'`) : value;
  }
  if (type === "double") {
    const value = Number(text);
    const [most, refusal] = MOST[name] ?? [Number.MAX_VALUE, undefined];
    const isOut = value < 0 || (value > most && Number.isFinite(value));
    if (isOut && refusal !== undefined) return new Refusal("EINVAL", refusal(text));
    if (Number.isFinite(value) && text.trim() !== "" && value >= 0) return value;
    return new Refusal("EINVAL", `error parsing value '${text}'`);
  }
  const value = integer(text);
  const isPriority = name === "recovery_priority" && !(value instanceof Refusal);
  if (isPriority && Math.abs(value) > RECOVERY_PRIORITY_MAX) {
    return new Refusal(
      "EINVAL",
      `pool recovery_priority must be between -${RECOVERY_PRIORITY_MAX} and ${RECOVERY_PRIORITY_MAX}`,
    );
  }
  return value;
}

function setOption(pool: PgPool, name: string, text: string): Partial<PgPool> | Refusal {
  const opt = Object.hasOwn(POOL_OPTS, name) ? POOL_OPTS[name] : undefined;
  if (opt === undefined) return new Refusal("EINVAL", `unrecognized variable '${name}'`);
  const opts = new Map(pool.opts);
  if (text === "unset") {
    opts.delete(opt.key);
    return { opts };
  }
  if (name === "compression_mode" && !COMPRESSION_MODES.includes(text)) {
    return new Refusal("EINVAL", `unrecognized compression mode '${text}'`);
  }
  if (name === "compression_algorithm" && !COMPRESSION_ALGORITHMS.includes(text)) {
    return new Refusal("EINVAL", `unrecognized compression_algorithm '${text}'`);
  }
  let value: PoolOpt;
  if (opt.type === "str") {
    value = { type: "str", value: byteString(text) };
  } else {
    const number = optionNumber(name, opt.type, text);
    if (number instanceof Refusal) return number;
    if (name === "pg_num_min" && number > pool.pgNumTarget) {
      const what = `specified pg_num_min ${number} > pg_num ${pool.pgNumTarget}`;
      return new Refusal("EINVAL", what);
    }
    value = { type: opt.type, value: number };
  }
  // Zero is how numbers are unset.
  if (value.value === 0) opts.delete(opt.key);
  else opts.set(opt.key, value);
  return { opts };
}

function setSize(pool: PgPool, text: string, sure: boolean): Partial<PgPool> | Refusal {
  const n = integer(text);
  if (n instanceof Refusal) return n;
  if (n <= 0 || n > 10) return new Refusal("EINVAL", "pool size must be between 1 and 10");
  if (n > 1) return new Refusal("EINVAL", `pool size ${n} is not supported: the only size is 1`);
  if (!sure) {
    return new Refusal(
      "EPERM",
      "WARNING: setting pool size 1 could lead to data loss without recovery. If you are *ABSOLUTELY CERTAIN* that is what you want, pass the flag --yes-i-really-mean-it.",
    );
  }
  return { size: n, minSize: Math.min(pool.minSize, n) };
}

function setFlag(pool: PgPool, name: string, text: string): Partial<PgPool> | Refusal {
  if (text !== "true" && text !== "1" && text !== "false" && text !== "0") {
    return new Refusal("EINVAL", "expecting value 'true', 'false', '0', or '1'");
  }
  const bit = flagOf(name);
  const on = text === "true" || text === "1";
  return { flags: on ? pool.flags | bit : pool.flags & ~bit };
}

/** The change that setting a variable makes. */
function change(
  ctx: CommandContext,
  { map, epoch }: PendingMap,
  { id, pool }: FoundPool,
  args: Args,
): Partial<PgPool> | Refusal {
  const name = args.text("var") ?? "";
  const text = args.text("val") ?? "";
  const sure = args.flag("yes_i_really_mean_it");
  if (TIER_VARS.includes(name) && isTier(pool)) {
    return new Refusal("EOPNOTSUPP", `variable '${name}' is not supported: no object is cached`);
  }
  if (TIER_VARS.includes(name) || name === "use_gmt_hitset") return new Refusal("EACCES");
  if (name === "hashpspool") {
    return new Refusal("EOPNOTSUPP", "changing hashpspool of an existing pool is not supported");
  }
  if (FLAG_VARS.includes(name)) return setFlag(pool, name, text);
  switch (name) {
    case "size":
      if ((pool.flags & POOL_FLAG.NOSIZECHANGE) !== 0) {
        const why = "you must unset nosizechange flag for the pool first";
        return new Refusal("EPERM", `pool size change is disabled; ${why}`);
      }
      return setSize(pool, text, sure);
    case "min_size": {
      const n = integer(text);
      if (n instanceof Refusal) return n;
      if (n >= 1 && n <= pool.size) return { minSize: n };
      return new Refusal(
        "EINVAL",
        `pool min_size must be between 1 and size, which is set to ${pool.size}`,
      );
    }
    case "pg_num": {
      const { settings } = ctx.state;
      return setPgNum({ map, id, pool, epoch, settings }, integer(text), sure);
    }
    case "pgp_num":
    case "pgp_num_actual":
      return setPgpNum(map, pool, integer(text));
    case "pg_autoscale_mode":
      // Accepted and shown: no autoscaler acts on it, as on a cluster whose module is off.
      if (!["on", "off", "warn"].includes(text)) {
        return new Refusal("EINVAL", `specified invalid mode ${text}`);
      }
      return { pgAutoscaleMode: { off: 0, warn: 1, on: 2 }[text] ?? 0 };
    case "crush_rule": {
      for (const [id, rule] of map.crush.ruleNames) {
        if (rule === byteString(text)) return { crushRule: id };
      }
      return new Refusal("ENOENT", `crush rule ${text} does not exist`);
    }
    case "fast_read":
      return new Refusal("EINVAL", "fast read is not supported in replication pool");
    case "allow_ec_overwrites":
      return new Refusal("EINVAL", "ec overwrites can only be enabled for an erasure coded pool");
    case "bulk":
      return new Refusal("EOPNOTSUPP", `variable '${name}' is not supported`);
    default:
      return setOption(pool, name, text);
  }
}

async function set(ctx: CommandContext, args: Args): Promise<CommandReply> {
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, args.text("pool"));
    if (isCommandReply(found)) return found;
    const edit = change(ctx, pending, found, args);
    if (edit instanceof Refusal) return edit;
    if (Object.keys(edit).length > 0) updatePool(pending, found.id, edit);
    // compat: as many as there are is no change, and the only one that nothing is said of.
    else if (args.text("var") === "pg_num") return "";
    return `set pool ${found.id} ${args.text("var")} to ${args.text("val")}`;
  });
}

export const poolSetCommands: readonly MonCommand[] = [
  {
    sig: `osd pool get name=pool,type=CephPoolname name=var,type=CephChoices,strings=${GET_VARS}`,
    help: "show a variable of a pool",
    module: "osd",
    perm: "r",
    run: get,
  },
  {
    sig: `osd pool set name=pool,type=CephPoolname name=var,type=CephChoices,strings=${SET_VARS} name=val,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false`,
    help: "set a variable of a pool",
    module: "osd",
    perm: "rw",
    run: set,
  },
];
