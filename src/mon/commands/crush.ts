/**
 * `osd crush …` that look: rules, classes, tunables, the tree of names. There is nothing to edit on one
 * machine, so the commands that would are not there.
 * ceph: src/crush/CrushWrapper.cc dump_*, src/mon/OSDMonitor.cc
 */

import {
  CRUSH_RULE_OP,
  type CrushBucket,
  type CrushMap,
  CrushMapCodec,
  type CrushRule,
} from "../../crush/index.ts";
import {
  byteString,
  encodeToBytes,
  type Json,
  type JsonObject,
  textOf,
} from "../../encoding/index.ts";
import type { OsdMap } from "../../maps/index.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";
import { deviceClass } from "./df.ts";

const STEP_NAMES: Readonly<Record<number, string>> = {
  [CRUSH_RULE_OP.CHOOSE_FIRSTN]: "choose_firstn",
  [CRUSH_RULE_OP.CHOOSE_INDEP]: "choose_indep",
  [CRUSH_RULE_OP.CHOOSELEAF_FIRSTN]: "chooseleaf_firstn",
  [CRUSH_RULE_OP.CHOOSELEAF_INDEP]: "chooseleaf_indep",
};
const SET_NAMES: Readonly<Record<number, string>> = {
  [CRUSH_RULE_OP.SET_CHOOSE_TRIES]: "set_choose_tries",
  [CRUSH_RULE_OP.SET_CHOOSELEAF_TRIES]: "set_chooseleaf_tries",
};
const ALG_NAMES = ["", "uniform", "list", "tree", "straw", "straw2"];

function itemName(crush: CrushMap, id: number): string {
  return textOf(crush.itemNames.get(id) ?? "");
}

function stepJson(crush: CrushMap, step: CrushRule["steps"][number]): Json {
  const { op, arg1, arg2 } = step;
  if (op === CRUSH_RULE_OP.NOOP) return { op: "noop" };
  if (op === CRUSH_RULE_OP.EMIT) return { op: "emit" };
  if (op === CRUSH_RULE_OP.TAKE) {
    return { op: "take", item: arg1, item_name: itemName(crush, arg1) };
  }
  const choose = STEP_NAMES[op];
  if (choose !== undefined) {
    return { op: choose, num: arg1, type: textOf(crush.typeNames.get(arg2) ?? "") };
  }
  const set = SET_NAMES[op];
  return set === undefined ? { opcode: op, arg1, arg2 } : { op: set, num: arg1 };
}

function ruleJson(crush: CrushMap, id: number, rule: CrushRule): JsonObject {
  return {
    rule_id: id,
    rule_name: textOf(crush.ruleNames.get(id) ?? ""),
    ruleset: rule.ruleset,
    type: rule.type,
    min_size: rule.minSize,
    max_size: rule.maxSize,
    steps: rule.steps.map((step) => stepJson(crush, step)),
  };
}

function rulesJson(crush: CrushMap): JsonObject[] {
  return crush.rules.flatMap((rule, id) => (rule === undefined ? [] : [ruleJson(crush, id, rule)]));
}

function ruleLs(ctx: CommandContext, args: Args): CommandReply {
  const { crush } = ctx.state.maps.map;
  const names = crush.rules.flatMap((rule, id) =>
    rule === undefined ? [] : [textOf(crush.ruleNames.get(id) ?? "")],
  );
  return ok(
    args.render(
      () => names.map((name) => `${name}\n`).join(""),
      () => names,
    ),
  );
}

function ruleDump(ctx: CommandContext, args: Args): CommandReply {
  const { crush } = ctx.state.maps.map;
  const name = args.text("name");
  if (name === undefined || name === "") return ok(args.json(rulesJson(crush), { newline: true }));
  for (const [id, text] of crush.ruleNames) {
    const rule = crush.rules[id];
    if (text !== byteString(name) || rule === undefined) continue;
    return ok(args.json(ruleJson(crush, id, rule), { newline: true }));
  }
  return refused("ENOENT", `unknown crush rule '${name}'`);
}

function classLs(ctx: CommandContext, args: Args): CommandReply {
  const names = [...ctx.state.maps.map.crush.classNames.values()].map(textOf).sort();
  return ok(args.json(names));
}

function classLsOsd(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const wanted = args.text("class");
  const ids = map.osdState.map((_, id) => id).filter((id) => deviceClass(map, id) === wanted);
  return ok(
    args.render(
      () => ids.map((id) => `${id}\n`).join(""),
      () => ids,
    ),
  );
}

function tunablesJson(crush: CrushMap): JsonObject {
  const t = crush.tunables;
  return {
    choose_local_tries: t.chooseLocalTries,
    choose_local_fallback_tries: t.chooseLocalFallbackTries,
    choose_total_tries: t.chooseTotalTries,
    chooseleaf_descend_once: t.chooseleafDescendOnce,
    chooseleaf_vary_r: t.chooseleafVaryR,
    chooseleaf_stable: t.chooseleafStable,
    straw_calc_version: t.strawCalcVersion,
    allowed_bucket_algs: t.allowedBucketAlgs,
    profile: "jewel",
    optimal_tunables: 1,
    legacy_tunables: 0,
    minimum_required_version: "jewel",
    require_feature_tunables: 1,
    require_feature_tunables2: 1,
    has_v2_rules: 0,
    require_feature_tunables3: 1,
    has_v3_rules: 0,
    has_v4_buckets: 1,
    require_feature_tunables5: 1,
    has_v5_rules: 0,
  };
}

function showTunables(ctx: CommandContext, args: Args): CommandReply {
  const newline = args.format !== "plain" || undefined;
  return ok(args.json(tunablesJson(ctx.state.maps.map.crush), { newline: newline ?? true }));
}

function bucketJson(crush: CrushMap, bucket: CrushBucket): JsonObject {
  const weightOf = (i: number) =>
    "itemWeights" in bucket
      ? (bucket.itemWeights[i] ?? 0)
      : "itemWeight" in bucket
        ? bucket.itemWeight
        : 0;
  return {
    id: bucket.id,
    name: itemName(crush, bucket.id),
    type_id: bucket.type,
    type_name: textOf(crush.typeNames.get(bucket.type) ?? ""),
    weight: bucket.weight,
    alg: ALG_NAMES[bucket.alg] ?? "unknown",
    hash: "rjenkins1",
    items: bucket.items.map((id, pos) => ({ id, weight: weightOf(pos), pos })),
  };
}

/** The whole CRUSH map. */
export function crushJson(map: OsdMap): JsonObject {
  const { crush } = map;
  const devices = Array.from({ length: crush.maxDevices }, (_, id) => {
    const name = crush.itemNames.has(id) ? itemName(crush, id) : `device${id}`;
    return { id, name, class: deviceClass(map, id) || undefined };
  });
  const types = [...crush.typeNames].sort(([a], [b]) => a - b);
  return {
    devices,
    types: types.map(([id, name]) => ({ type_id: id, name: textOf(name) })),
    buckets: crush.buckets.flatMap((b) => (b === undefined ? [] : [bucketJson(crush, b)])),
    rules: rulesJson(crush),
    tunables: tunablesJson(crush),
    choose_args: {},
  };
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json(crushJson(ctx.state.maps.map), { newline: true }));
}

function getcrushmap(ctx: CommandContext): CommandReply {
  const { crush, crushVersion } = ctx.state.maps.map;
  return ok(encodeToBytes(CrushMapCodec, crush), String(crushVersion));
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const { crush } = ctx.state.maps.map;
  const name = args.text("node") ?? "";
  const bucket = crush.buckets.find((b) => b !== undefined && itemName(crush, b.id) === name);
  if (bucket === undefined) return refused("ENOENT", `node '${name}' does not exist`);
  const names = bucket.items.map((id) => itemName(crush, id));
  return ok(
    args.render(
      () => names.map((item) => `${item}\n`).join(""),
      () => names,
      { newline: args.format === "json" },
    ),
  );
}

const NAME = "name=name,type=CephString,goodchars=[A-Za-z0-9-_.],req=false";

export const crushCommands: readonly MonCommand[] = [
  ["osd crush rule ls", "list the rules", ruleLs, 0] as const,
  ["osd crush rule list", "list the rules", ruleLs, COMMAND_FLAG.DEPRECATED] as const,
  [`osd crush rule dump ${NAME}`, "show one rule or all", ruleDump, 0] as const,
  ["osd crush class ls", "list the classes of devices", classLs, 0] as const,
  [
    "osd crush class ls-osd name=class,type=CephString,goodchars=[A-Za-z0-9-_]",
    "list the OSDs of a class",
    classLsOsd,
    0,
  ] as const,
  ["osd crush show-tunables", "show the tunables", showTunables, 0] as const,
  ["osd crush dump", "show the whole CRUSH map", dump, 0] as const,
  [
    "osd crush ls name=node,type=CephString,goodchars=[A-Za-z0-9-_.]",
    "list what is in a bucket",
    ls,
    0,
  ] as const,
  [
    "osd getcrushmap name=epoch,type=CephInt,range=0,req=false",
    "get the CRUSH map's bytes",
    getcrushmap,
    0,
  ] as const,
].map(
  ([sig, help, run, flags]): MonCommand => ({ sig, help, module: "osd", perm: "r", flags, run }),
);
