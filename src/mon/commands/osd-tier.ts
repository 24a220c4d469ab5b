/**
 * `osd tier …`: which pool is a cache tier of which. What would send requests to another pool than the one that
 * they name is checked as upstream checks it, and then refused.
 * ceph: src/mon/OSDMonitor.cc prepare_command_impl
 */

import { CACHE_MODE, type OsdMap, POOL_FLAG } from "../../maps/index.ts";
import { Refusal, updatePool } from "../services/osd-pools.ts";
import {
  addTier,
  checkBecomeTier,
  isTier,
  removeTier,
  type TierPair,
} from "../services/osd-tiers.ts";
import { type Args, type CommandReply } from "./command.ts";
import { changeMap, findPool, isCommandReply, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** The pools of a command; `other` is the argument that names the tier. */
function pairOf(map: OsdMap, args: Args, other: string): TierPair | CommandReply {
  const base = findPool(map, args.text("pool"));
  if (isCommandReply(base)) return base;
  const tier = findPool(map, args.text(other));
  return isCommandReply(tier) ? tier : { base: base.id, tier: tier.id };
}

function numObjects(ctx: CommandContext, pool: number): number {
  return ctx.state.stats.poolSums(pool).stats.numObjects;
}

async function add(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [pool, tierName] = [args.text("pool"), args.text("tierpool")];
  const done = `pool '${tierName}' is now (or already was) a tier of '${pool}'`;
  // compat: only the word itself counts, whatever the answer says.
  const isForced = args.text("force_nonempty") === "--force-nonempty";
  return await changeMap(ctx, (pending) => {
    const pair = pairOf(pending.map, args, "tierpool");
    if (isCommandReply(pair)) return pair;
    const can = checkBecomeTier(pending.map, pair);
    if (can instanceof Refusal) return can;
    if (!can) return done;
    if (numObjects(ctx, pair.tier) > 0 && !isForced) {
      return new Refusal(
        "ENOTEMPTY",
        `tier pool '${tierName}' is not empty; --force-nonempty to force`,
      );
    }
    const tier = pending.map.pools.get(pair.tier);
    if (tier !== undefined && (tier.snaps.size > 0 || !tier.removedSnaps.isEmpty)) {
      return new Refusal(
        "ENOTEMPTY",
        `tier pool '${tierName}' has snapshot state; it cannot be added as a tier without breaking the pool`,
      );
    }
    addTier(pending, pair);
    return done;
  });
}

async function remove(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [pool, tierName] = [args.text("pool"), args.text("tierpool")];
  return await changeMap(ctx, (pending) => {
    const pair = pairOf(pending.map, args, "tierpool");
    if (isCommandReply(pair)) return pair;
    if (pending.map.pools.get(pair.base)?.tiers.has(pair.tier) === true) removeTier(pending, pair);
    return `pool '${tierName}' is now (or already was) not a tier of '${pool}'`;
  });
}

async function setOverlay(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [pool, tierName] = [args.text("pool"), args.text("overlaypool")];
  return await changeMap(ctx, (pending) => {
    const pair = pairOf(pending.map, args, "overlaypool");
    if (isCommandReply(pair)) return pair;
    if (pending.map.pools.get(pair.base)?.tiers.has(pair.tier) !== true) {
      return new Refusal("EINVAL", `tier pool '${tierName}' is not a tier of '${pool}'`);
    }
    return new Refusal(
      "EOPNOTSUPP",
      `an overlay for '${pool}' is not supported: requests are served by the pool they name`,
    );
  });
}

/** There never is one. */
async function removeOverlay(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const pool = args.text("pool");
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, pool);
    if (isCommandReply(found)) return found;
    return `there is now (or already was) no overlay for '${pool}'`;
  });
}

const MODES = ["writeback", "proxy", "readproxy", "readonly", "none"];
const GONE_MODES = ["forward", "readforward"];

async function cacheMode(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [name, mode = ""] = [args.text("pool"), args.text("mode")];
  const done = `set cache-mode for pool '${name}' to ${mode}`;
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return found;
    const { id, pool } = found;
    if (!isTier(pool)) return new Refusal("EINVAL", `pool '${name}' is not a tier`);
    if (GONE_MODES.includes(mode)) {
      return new Refusal("EPERM", `'${mode}' is no longer a supported cache mode`);
    }
    if (!MODES.includes(mode)) {
      return new Refusal("EINVAL", `'${mode}' is not a valid cache mode`);
    }
    if (mode !== "none" && mode !== "readonly") {
      return new Refusal(
        "EOPNOTSUPP",
        `cache-mode '${mode}' is not supported: no object is cached; the modes are 'none' and 'readonly'`,
      );
    }
    if (mode === "readonly" && !args.flag("yes_i_really_mean_it")) {
      return new Refusal(
        "EPERM",
        "'readonly' is not a well-supported cache mode and may corrupt your data.  pass --yes-i-really-mean-it to force.",
      );
    }
    const value = mode === "none" ? CACHE_MODE.NONE : CACHE_MODE.READONLY;
    if (pool.cacheMode === value) return done;
    const flags = pool.flags | POOL_FLAG.INCOMPLETE_CLONES;
    updatePool(pending, id, { cacheMode: value, flags });
    return done;
  });
}

/** Upstream makes an overlay in mode writeback of it. */
async function addCache(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [pool, tierName] = [args.text("pool"), args.text("tierpool")];
  return await changeMap(ctx, (pending) => {
    const pair = pairOf(pending.map, args, "tierpool");
    if (isCommandReply(pair)) return pair;
    const can = checkBecomeTier(pending.map, pair);
    if (can instanceof Refusal) return can;
    if (!can) return `pool '${tierName}' is now (or already was) a tier of '${pool}'`;
    if (numObjects(ctx, pair.tier) > 0) {
      return new Refusal("ENOTEMPTY", `tier pool '${tierName}' is not empty`);
    }
    return new Refusal(
      "EOPNOTSUPP",
      `a cache for '${pool}' is not supported: requests are served by the pool they name`,
    );
  });
}

const POOL = "name=pool,type=CephPoolname";
const TIER = "name=tierpool,type=CephPoolname";

export const osdTierCommands: readonly MonCommand[] = (
  [
    [
      `osd tier add ${POOL} ${TIER} name=force_nonempty,type=CephChoices,strings=--force-nonempty,req=false`,
      "make a pool a tier of another",
      add,
    ],
    [`osd tier remove ${POOL} ${TIER}`, "a pool is no longer a tier of another", remove],
    [`osd tier rm ${POOL} ${TIER}`, "a pool is no longer a tier of another", remove],
    [
      `osd tier cache-mode ${POOL} name=mode,type=CephChoices,strings=writeback|proxy|readproxy|readonly|none name=yes_i_really_mean_it,type=CephBool,req=false`,
      "set what a tier does with requests",
      cacheMode,
    ],
    [
      `osd tier set-overlay ${POOL} name=overlaypool,type=CephPoolname`,
      "send a pool's requests to a tier of it, which is not supported",
      setOverlay,
    ],
    [`osd tier remove-overlay ${POOL}`, "send a pool's requests to itself", removeOverlay],
    [`osd tier rm-overlay ${POOL}`, "send a pool's requests to itself", removeOverlay],
    [
      `osd tier add-cache ${POOL} ${TIER} name=size,type=CephInt,range=0`,
      "put a cache in front of a pool, which is not supported",
      addCache,
    ],
  ] as const
).map(([sig, help, run]) => ({ sig, help, module: "osd", perm: "rw", run }));
