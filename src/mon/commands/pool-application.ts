/**
 * `osd pool application …`: which program a pool is for. `rbd pool init` enables "rbd" here; caps and a
 * health warning look at it.
 * ceph: src/mon/OSDMonitor.cc
 */

import { byKey, byteString, type Json, textOf } from "../../encoding/index.ts";
import { Refusal, updatePool } from "../services/osd-pools.ts";
import { isTier } from "../services/osd-tiers.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import {
  changeMap,
  findPool,
  isCommandReply,
  type MonCommand,
  poolName,
  poolsOf,
} from "./common.ts";
import type { CommandContext } from "./context.ts";

/** As upstream: a pool is rarely for more than one program. */
const APPS_MAX = 4;
const KEYS_MAX = 64;
const TEXT_MAX = 128;

type Apps = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Runs an edit of one pool's applications. */
async function changeApps(
  ctx: CommandContext,
  args: Args,
  edit: (
    apps: Map<string, Map<string, string>>,
    pool: string,
  ) => Refusal | string | { same: string },
  /** What a tier, which takes after its pool, answers instead. */
  ofTier?: string,
): Promise<CommandReply> {
  const name = args.text("pool") ?? "";
  return await changeMap(ctx, (pending) => {
    const found = findPool(pending.map, name);
    if (isCommandReply(found)) return found;
    if (ofTier !== undefined && isTier(found.pool)) return new Refusal("EINVAL", ofTier);
    const apps = new Map(
      [...found.pool.applicationMetadata].map(([app, keys]) => [app, new Map(keys)] as const),
    );
    const result = edit(apps, name);
    if (result instanceof Refusal) return result;
    if (typeof result !== "string") return result.same;
    updatePool(pending, found.id, { applicationMetadata: apps });
    return result;
  });
}

function enable(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const app = args.text("app") ?? "";
  return changeApps(
    ctx,
    args,
    (apps, pool) => {
      const done = `enabled application '${app}' on pool '${pool}'`;
      if (app === "" || app.length > TEXT_MAX) {
        return new Refusal("EINVAL", `application name must be 1 to ${TEXT_MAX} characters long`);
      }
      if (apps.has(byteString(app))) return { same: done };
      if (apps.size > 0 && !args.flag("yes_i_really_mean_it")) {
        return new Refusal(
          "EPERM",
          `Are you SURE? Pool '${pool}' already has an enabled application; pass --yes-i-really-mean-it to proceed anyway`,
        );
      }
      if (apps.size >= APPS_MAX) {
        return new Refusal(
          "EINVAL",
          `too many enabled applications on pool '${pool}'; max ${APPS_MAX}`,
        );
      }
      apps.set(byteString(app), new Map());
      return done;
    },
    "application must be enabled on base tier",
  );
}

function disable(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const app = args.text("app") ?? "";
  return changeApps(ctx, args, (apps, pool) => {
    if (!apps.has(byteString(app))) {
      return { same: `application '${app}' is not enabled on pool '${pool}'` };
    }
    if (!args.flag("yes_i_really_mean_it")) {
      return new Refusal(
        "EPERM",
        "Are you SURE? Disabling an application within a pool might result in loss of application functionality; pass --yes-i-really-mean-it to proceed anyway",
      );
    }
    apps.delete(byteString(app));
    return `disable application '${app}' on pool '${pool}'`;
  });
}

function set(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [app = "", key = "", value = ""] = ["app", "key", "value"].map((name) => args.text(name));
  return changeApps(
    ctx,
    args,
    (apps, pool) => {
      const keys = apps.get(byteString(app));
      if (keys === undefined) {
        return new Refusal("ENOENT", `application '${app}' is not enabled on pool '${pool}'`);
      }
      if (key === "" || key.length > TEXT_MAX || value.length > TEXT_MAX) {
        return new Refusal("EINVAL", `key and value must be at most ${TEXT_MAX} characters long`);
      }
      if (!keys.has(byteString(key)) && keys.size >= KEYS_MAX) {
        return new Refusal(
          "EINVAL",
          `too many keys set for application '${app}' on pool '${pool}'`,
        );
      }
      keys.set(byteString(key), byteString(value));
      return `set application '${app}' key '${key}' to '${value}' on pool '${pool}'`;
    },
    "application metadata must be set on base tier",
  );
}

function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const [app = "", key = ""] = ["app", "key"].map((name) => args.text(name));
  return changeApps(ctx, args, (apps, pool) => {
    const keys = apps.get(byteString(app));
    if (keys === undefined) {
      return new Refusal("ENOENT", `application '${app}' is not enabled on pool '${pool}'`);
    }
    if (!keys.delete(byteString(key))) {
      return { same: `application '${app}' on pool '${pool}' does not have key '${key}'` };
    }
    return `removed application '${app}' key '${key}' on pool '${pool}'`;
  });
}

function appsJson(apps: Apps): Json {
  const keysJson = (keys: ReadonlyMap<string, string>) =>
    new Map([...keys].sort(byKey).map(([key, value]) => [textOf(key), textOf(value)]));
  return new Map(
    [...apps].sort(byKey).map(([app, keys]): [string, Json] => [textOf(app), keysJson(keys)]),
  );
}

function get(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const name = args.text("pool");
  if (name === undefined) {
    const all = poolsOf(map).map(([id, pool]): [string, Json] => [
      poolName(map, id),
      appsJson(pool.applicationMetadata),
    ]);
    return ok(args.json(new Map(all)));
  }
  const found = findPool(map, name);
  if (isCommandReply(found)) return found;
  const apps = found.pool.applicationMetadata;
  const app = args.text("app");
  if (app === undefined) return ok(args.json(appsJson(apps), { root: name }));
  const keys = apps.get(byteString(app));
  if (keys === undefined) return refused("ENOENT", `pool '${name}' has no application '${app}'`);
  const key = args.text("key");
  if (key === undefined) {
    const values = new Map([...keys].map(([k, v]) => [textOf(k), textOf(v)]));
    return ok(args.json(values, { root: app }));
  }
  const value = keys.get(byteString(key));
  if (value === undefined) {
    return refused("ENOENT", `application '${app}' on pool '${name}' does not have key '${key}'`);
  }
  return ok(`${textOf(value)}\n`);
}

export const poolApplicationCommands: readonly MonCommand[] = [
  {
    sig: "osd pool application enable name=pool,type=CephPoolname name=app,type=CephString,goodchars=[A-Za-z0-9-_.] name=yes_i_really_mean_it,type=CephBool,req=false",
    help: "say which program a pool is for",
    module: "osd",
    perm: "rw",
    run: enable,
  },
  {
    sig: "osd pool application disable name=pool,type=CephPoolname name=app,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false",
    help: "a pool is no longer for a program",
    module: "osd",
    perm: "rw",
    run: disable,
  },
  {
    sig: "osd pool application set name=pool,type=CephPoolname name=app,type=CephString name=key,type=CephString,goodchars=[A-Za-z0-9-_.] name=value,type=CephString,goodchars=[A-Za-z0-9-_.=]",
    help: "note a key and value for a pool's program",
    module: "osd",
    perm: "rw",
    run: set,
  },
  {
    sig: "osd pool application rm name=pool,type=CephPoolname name=app,type=CephString name=key,type=CephString",
    help: "drop a key of a pool's program",
    module: "osd",
    perm: "rw",
    run: rm,
  },
  {
    sig: "osd pool application get name=pool,type=CephPoolname,req=false name=app,type=CephString,req=false name=key,type=CephString,req=false",
    help: "show which programs pools are for",
    module: "osd",
    perm: "r",
    run: get,
  },
];
