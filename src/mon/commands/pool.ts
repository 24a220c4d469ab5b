/**
 * `osd pool …` that make, list, rename, limit and remove pools and their snapshots.
 * ceph: src/mon/OSDMonitor.cc
 */

import { byteString } from "../../encoding/index.ts";
import {
  dumpPools,
  type OsdMap,
  PG_AUTOSCALE_MODE,
  POOL_OPTS,
  type PoolOpt,
  poolByName,
  poolsText,
} from "../../maps/index.ts";
import { utimeFromMs } from "../../types/index.ts";
import {
  createPool,
  createPoolSnap,
  deletePool,
  poolSnapId,
  Refusal,
  removePoolSnap,
  renamePool,
  updatePool,
} from "../services/osd-pools.ts";
import { isTier, removalRefusal } from "../services/osd-tiers.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import {
  changeMap,
  findPool,
  isCommandReply,
  type MonCommand,
  poolName,
  poolsOf,
} from "./common.ts";
import type { CommandContext } from "./context.ts";
import { formatBytes, formatCount, parseSize } from "./units.ts";

/** The rule a pool gets: the named one, or the only one there is by default. */
export function findRule(map: OsdMap, name: string | undefined): number | Refusal {
  if (name === undefined || name === "") return 0;
  for (const [id, text] of map.crush.ruleNames) if (text === byteString(name)) return id;
  return new Refusal("ENOENT", `specified rule ${name} doesn't exist`);
}

function optsOf(args: Args): Map<number, PoolOpt> {
  const opts = new Map<number, PoolOpt>();
  const wanted: readonly [arg: string, opt: string][] = [
    ["pg_num_min", "pg_num_min"],
    ["pg_num_max", "pg_num_max"],
    ["target_size_bytes", "target_size_bytes"],
    ["target_size_ratio", "target_size_ratio"],
  ];
  for (const [arg, name] of wanted) {
    const value = args.number(arg);
    const opt = POOL_OPTS[name];
    if (value === undefined || value === 0 || opt === undefined || opt.type === "str") continue;
    // compat: what comes with the making of a pool has a float's precision.
    opts.set(opt.key, {
      type: opt.type,
      value: opt.type === "double" ? Math.fround(value) : value,
    });
  }
  return opts;
}

async function create(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("pool") ?? "";
  const type = args.text("pool_type") ?? "replicated";
  const pgNum = args.number("pg_num") ?? 0;
  const pgpNum = args.number("pgp_num") ?? 0;
  const mode = (args.text("autoscale_mode") ?? "off").toUpperCase();
  if (mode !== "ON" && mode !== "OFF" && mode !== "WARN") {
    return refused("EINVAL", `specified invalid mode ${args.text("autoscale_mode")}`);
  }
  // compat: the CLI puts a replicated pool's rule where an erasure-coded one has its profile.
  const ruleName = args.text("erasure_code_profile") ?? args.text("rule");
  return await changeMap(ctx, (pending) => {
    const existing = poolByName(pending.map, byteString(name));
    if (existing !== undefined) {
      // No other type can be made.
      if (type === "replicated") return `pool '${name}' already exists`;
      return new Refusal("EINVAL", `pool '${name}' cannot change to type ${type}`);
    }
    if (type !== "replicated" && type !== "erasure") {
      return new Refusal("EINVAL", `unknown pool type '${type}'`);
    }
    if (type === "erasure") {
      return new Refusal("EOPNOTSUPP", "erasure coded pools are not supported");
    }
    const rule = findRule(pending.map, ruleName);
    if (rule instanceof Refusal) return rule;
    if (pgpNum !== 0 && pgNum !== 0 && pgpNum !== pgNum) {
      return new Refusal("ERANGE", "'pgp_num' other than 'pg_num' is not supported");
    }
    const id = createPool(pending, {
      name: byteString(name),
      pgNum,
      size: args.number("size") ?? 0,
      crushRule: rule,
      expectedNumObjects: args.number("expected_num_objects") ?? 0,
      opts: optsOf(args),
      autoscaleMode: PG_AUTOSCALE_MODE[mode],
      createTime: utimeFromMs(ctx.state.clock.now()),
    });
    return id instanceof Refusal ? id : `pool '${name}' created`;
  });
}

async function remove(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("pool") ?? "";
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return `pool '${name}' does not exist`;
    const sure =
      args.flag("yes_i_really_really_mean_it") ||
      args.flag("yes_i_really_really_mean_it_not_faking");
    if (args.text("pool2") !== name || !sure) {
      return new Refusal(
        "EPERM",
        `WARNING: this will *PERMANENTLY DESTROY* all data stored in pool ${name}.  If you are *ABSOLUTELY CERTAIN* that is what you want, pass the pool name *twice*, followed by --yes-i-really-really-mean-it.`,
      );
    }
    const isAllowed = ctx.state.settings.flag("mon_allow_pool_delete");
    const refusal = removalRefusal(pending.map, found.id, isAllowed);
    if (refusal !== undefined) return refusal;
    deletePool(pending, found.id);
    return `pool '${name}' removed`;
  });
}

async function rename(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const from = args.text("srcpool") ?? "";
  const to = args.text("destpool") ?? "";
  return await changeMap(ctx, (pending) => {
    const id = poolByName(pending.map, byteString(from));
    const taken = poolByName(pending.map, byteString(to)) !== undefined;
    if (id === undefined) {
      if (!taken) return new Refusal("ENOENT", `unrecognized pool '${from}'`);
      // A resend of a request that was served: the outcome is the one wanted.
      return `pool '${from}' does not exist; pool '${to}' does -- assuming successful rename`;
    }
    if (taken) return new Refusal("EEXIST", `pool '${to}' already exists`);
    return renamePool(pending, id, byteString(to)) ?? `pool '${from}' renamed to '${to}'`;
  });
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const pools = poolsOf(map);
  if (args.text("detail") !== undefined) {
    return ok(
      args.render(
        () => poolsText(map),
        () => dumpPools(map).map(({ pool, ...rest }) => ({ pool_id: pool, ...rest })),
      ),
    );
  }
  const names = pools.map(([id]) => poolName(map, id));
  return ok(
    args.render(
      () => names.map((name) => `${name}\n`).join(""),
      () => names,
    ),
  );
}

function lspools(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const pools = poolsOf(map).map(([id]) => ({ poolnum: id, poolname: poolName(map, id) }));
  return ok(
    args.render(
      () => pools.map((pool) => `${pool.poolnum} ${pool.poolname}\n`).join(""),
      () => pools,
      { newline: args.format === "json" },
    ),
  );
}

async function setQuota(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("pool");
  const field = args.text("field");
  const text = args.text("val") ?? "";
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return found;
    if (field !== "max_objects" && field !== "max_bytes") {
      const what = `unrecognized field '${field}'; should be 'max_bytes' or 'max_objects'`;
      return new Refusal("EINVAL", what);
    }
    const value = parseSize(text, field === "max_bytes" ? 1024 : 1000);
    if (typeof value !== "number") {
      return new Refusal("EINVAL", `error parsing value '${text}': ${value.error}`);
    }
    if (value < 0) {
      const reader = field === "max_bytes" ? "strict_iecstrtoll" : "strict_sistrtoll";
      const why = `${reader}: value should not be negative`;
      return new Refusal("EINVAL", `error parsing value '${text}': ${why}`);
    }
    updatePool(
      pending,
      found.id,
      field === "max_bytes" ? { quotaMaxBytes: value } : { quotaMaxObjects: value },
    );
    return `set-quota ${field} = ${value} for pool ${name}`;
  });
}

function getQuota(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("pool") ?? "";
  const found = findPool(ctx.state.maps.map, name);
  if (isCommandReply(found)) return found;
  const { quotaMaxBytes, quotaMaxObjects } = found.pool;
  const { stats } = ctx.state.stats.poolSums(found.id);
  const line = (limit: number, format: (x: number) => string, unit: string, current: number) =>
    limit === 0
      ? "N/A"
      : `${format(limit)}${unit}  (current num ${unit.trim() || "bytes"}: ${current} ${unit.trim() || "bytes"})`;
  return ok(
    args.render(
      () =>
        `quotas for pool '${name}':\n` +
        `  max objects: ${line(quotaMaxObjects, formatCount, " objects", stats.numObjects)}\n` +
        `  max bytes  : ${line(quotaMaxBytes, formatBytes, "", stats.numBytes)}`,
      () => ({
        pool_name: name,
        pool_id: found.id,
        quota_max_objects: quotaMaxObjects,
        current_num_objects: stats.numObjects,
        quota_max_bytes: quotaMaxBytes,
        current_num_bytes: stats.numBytes,
      }),
    ) + "\n",
  );
}

async function mksnap(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("pool") ?? "";
  const snap = args.text("snap") ?? "";
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return found;
    if (poolSnapId(found.pool, byteString(snap)) !== undefined) {
      return `pool ${name} snap ${snap} already exists`;
    }
    if (isTier(found.pool)) return new Refusal("EINVAL", `pool ${name} is a cache tier`);
    const stamp = utimeFromMs(ctx.state.clock.now());
    const refusal = createPoolSnap(pending, found.id, byteString(snap), stamp);
    if (refusal === undefined) return `created pool ${name} snap ${snap}`;
    return new Refusal("EINVAL", `pool ${name} is in unmanaged snaps mode`);
  });
}

async function rmsnap(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("pool") ?? "";
  const snap = args.text("snap") ?? "";
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return found;
    if (poolSnapId(found.pool, byteString(snap)) === undefined) {
      return `pool ${name} snap ${snap} does not exist`;
    }
    const refusal = removePoolSnap(pending, found.id, byteString(snap));
    return refusal ?? `removed pool ${name} snap ${snap}`;
  });
}

const SURE =
  "name=pool2,type=CephPoolname,req=false name=yes_i_really_really_mean_it,type=CephBool,req=false name=yes_i_really_really_mean_it_not_faking,type=CephBool,req=false";

export const poolCommands: readonly MonCommand[] = [
  {
    sig: "osd pool create name=pool,type=CephPoolname name=pg_num,type=CephInt,range=0,req=false name=pgp_num,type=CephInt,range=0,req=false name=pool_type,type=CephChoices,strings=replicated|erasure,req=false name=erasure_code_profile,type=CephString,req=false,goodchars=[A-Za-z0-9-_.] name=rule,type=CephString,req=false name=expected_num_objects,type=CephInt,range=0,req=false name=size,type=CephInt,range=0,req=false name=pg_num_min,type=CephInt,range=0,req=false name=pg_num_max,type=CephInt,range=0,req=false name=autoscale_mode,type=CephChoices,strings=on|off|warn,req=false name=bulk,type=CephBool,req=false name=target_size_bytes,type=CephInt,range=0,req=false name=target_size_ratio,type=CephFloat,range=0.0,req=false",
    help: "make a new pool",
    module: "osd",
    perm: "rw",
    run: create,
  },
  {
    sig: `osd pool rm name=pool,type=CephPoolname ${SURE}`,
    help: "remove a pool and everything in it",
    module: "osd",
    perm: "rw",
    run: remove,
  },
  {
    sig: `osd pool delete name=pool,type=CephPoolname ${SURE}`,
    help: "remove a pool and everything in it",
    module: "osd",
    perm: "rw",
    flags: COMMAND_FLAG.DEPRECATED,
    run: remove,
  },
  {
    sig: "osd pool rename name=srcpool,type=CephPoolname name=destpool,type=CephPoolname",
    help: "give a pool another name",
    module: "osd",
    perm: "rw",
    run: rename,
  },
  {
    sig: "osd pool ls name=detail,type=CephChoices,strings=detail,req=false",
    help: "list the pools",
    module: "osd",
    perm: "r",
    run: ls,
  },
  {
    sig: "osd lspools",
    help: "list the pools with their numbers",
    module: "osd",
    perm: "r",
    flags: COMMAND_FLAG.DEPRECATED,
    run: lspools,
  },
  {
    sig: "osd pool set-quota name=pool,type=CephPoolname name=field,type=CephChoices,strings=max_objects|max_bytes name=val,type=CephString",
    help: "limit the objects or bytes of a pool; 0 lifts the limit",
    module: "osd",
    perm: "rw",
    run: setQuota,
  },
  {
    sig: "osd pool get-quota name=pool,type=CephPoolname",
    help: "show the limits of a pool",
    module: "osd",
    perm: "r",
    run: getQuota,
  },
  {
    sig: "osd pool mksnap name=pool,type=CephPoolname name=snap,type=CephString",
    help: "take a snapshot of a whole pool",
    module: "osd",
    perm: "rw",
    run: mksnap,
  },
  {
    sig: "osd pool rmsnap name=pool,type=CephPoolname name=snap,type=CephString",
    help: "drop a snapshot of a whole pool",
    module: "osd",
    perm: "rw",
    run: rmsnap,
  },
];
