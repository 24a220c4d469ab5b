/**
 * What the monitors and the manager are: `mon …`, `quorum_status`, `mgr …`, `service …`, and the file
 * system commands of a cluster without any.
 * ceph: src/mon/MonmapMonitor.cc, src/mon/MgrMonitor.cc, src/mon/MDSMonitor.cc
 */

import { encodeToBytes, type Json, type JsonObject, textOf } from "../../encoding/index.ts";
import {
  dumpAddrVec,
  dumpMonMap,
  legacyAddrText,
  MON_FEATURES,
  MonMap,
  monMapText,
  releaseName,
} from "../../maps/index.ts";
import { FEATURES_SUPPORTED, formatAddrVec, formatUtime } from "../../types/index.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { ClusterState, CommandContext } from "./context.ts";
import { moduleJson } from "./mgr-module.ts";
import { keyPolicyJson, keyPolicyText } from "./mon-set.ts";

const FEATURE_NAMES = MON_FEATURES.map(([, name]) => name);

/** Maps that never change or are not kept: only the newest epoch (also named by 0) can be asked for. */
function epochRefusal(args: Args, newest: number): CommandReply | undefined {
  const epoch = args.number("epoch") ?? 0;
  if (epoch === 0 || epoch === newest) return undefined;
  return refused("ENOENT", `there is no map for epoch ${epoch}`);
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const { monMap } = state;
  const refusal = epochRefusal(args, monMap.epoch);
  if (refusal !== undefined) return refusal;
  const text = () => monMapText(monMap) + keyPolicyText(state.auth.policy);
  const json = () => ({ ...dumpMonMap(monMap), ...keyPolicyJson(state.auth.policy), quorum: [0] });
  const data = args.render(text, json, { newline: args.format === "json" });
  return ok(data, `dumped monmap epoch ${monMap.epoch}`);
}

function stat(ctx: CommandContext, args: Args): CommandReply {
  const { monMap, name } = ctx.state;
  const mons = monMap.ranks.map(
    (rank) => `${rank}=${formatAddrVec(monMap.monInfo.get(rank)?.publicAddrs ?? [])}`,
  );
  return ok(
    args.render(
      () =>
        `e${monMap.epoch}: ${monMap.ranks.length} mons at {${mons.join(",")}} removed_ranks: {}, election epoch 3, leader 0 ${name}, quorum 0 ${name}`,
      () => ({
        epoch: monMap.epoch,
        min_mon_release_name: "pacific",
        num_mons: monMap.ranks.length,
        leader: name,
        quorum: [{ rank: 0, name }],
      }),
    ) + (args.format === "json-pretty" ? "" : "\n"),
  );
}

function getmap(ctx: CommandContext, args: Args): CommandReply {
  const { monMap } = ctx.state;
  const refusal = epochRefusal(args, monMap.epoch);
  if (refusal !== undefined) return refusal;
  return ok(encodeToBytes(MonMap, monMap), `got monmap epoch ${monMap.epoch}`);
}

function quorum(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  return ok(
    // Compact unless asked otherwise.
    args.compactJson(
      {
        election_epoch: 3,
        quorum: [0],
        quorum_names: [state.name],
        quorum_leader_name: state.name,
        quorum_age: Math.floor((state.clock.now() - state.startedAt) / 1000),
        features: { quorum_con: FEATURES_SUPPORTED.toString(), quorum_mon: FEATURE_NAMES },
        monmap: dumpMonMap(state.monMap),
      },
      { newline: args.format !== "json-pretty" },
    ),
  );
}

function metadata(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const isMgr = args.prefix.startsWith("mgr");
  const name = isMgr ? state.mgrMap().activeName : state.name;
  const values = isMgr ? state.mgrMetadata() : state.monMetadata;
  const asked = args.text("id") ?? args.text("who");
  if (asked === undefined) return ok(args.json([{ name, ...values }]));
  if (asked !== name) {
    return refused("ENOENT", isMgr ? `mgr.${asked} does not exist` : "requested mon not found");
  }
  return ok(args.json({ ...values }));
}

/** There is one of each: its value, counted. */
function countMetadata(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const isMgr = args.prefix.startsWith("mgr");
  const values = isMgr ? state.mgrMetadata() : state.monMetadata;
  const property = args.text("property") ?? "";
  return ok(args.json({ [values[property] ?? "unknown"]: 1 }, { root: property }));
}

function featureLs(_ctx: CommandContext, args: Args): CommandReply {
  const names = `[${FEATURE_NAMES.join(",")}]`;
  const list: Json = FEATURE_NAMES;
  return ok(
    args.render(
      () =>
        `all features\n\tsupported: ${names}\n\tpersistent: ${names}\n` +
        `on current monmap (epoch 1)\n\tpersistent: ${names}\n\trequired: ${names}\n`,
      () => ({
        all: { supported: list, persistent: list },
        monmap: { persistent: list, optional: [], required: list },
      }),
      { newline: args.format === "json" },
    ),
  );
}

function mgrDump(ctx: CommandContext, args: Args): CommandReply {
  const mgr = ctx.state.mgrMap();
  const refusal = epochRefusal(args, mgr.epoch);
  if (refusal !== undefined) return refusal;
  return ok(
    args.json({
      epoch: mgr.epoch,
      active_gid: mgr.activeGid,
      active_name: mgr.activeName,
      active_addrs: dumpAddrVec(mgr.activeAddrs),
      active_addr: legacyAddrText(mgr.activeAddrs),
      active_change: formatUtime(mgr.activeChange),
      active_mgr_features: mgr.activeMgrFeatures,
      available: mgr.available,
      standbys: [],
      modules: [...mgr.modules].sort().map(textOf),
      available_modules: mgr.availableModules.map(moduleJson),
      services: Object.fromEntries(mgr.services),
      always_on_modules: Object.fromEntries(
        [...mgr.alwaysOnModules].map(([release, names]) => [releaseName(release), [...names]]),
      ),
      last_failure_osd_epoch: mgr.lastFailureOsdEpoch,
      active_clients: [],
    }),
  );
}

function mgrStat(ctx: CommandContext, args: Args): CommandReply {
  const { epoch, available, activeName } = ctx.state.mgrMap();
  return ok(args.json({ epoch, available, active_name: activeName, num_standby: 0 }));
}

function mgrServices(ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json(Object.fromEntries(ctx.state.mgrMap().services)));
}

/** Daemons that registered: none is kept. */
export function serviceMapJson({ monMap }: ClusterState): JsonObject {
  return { epoch: 1, modified: formatUtime(monMap.created), services: {} };
}

function serviceDump(ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json(serviceMapJson(ctx.state)));
}

function serviceStatus(_ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json({}));
}

function fsLs(_ctx: CommandContext, args: Args): CommandReply {
  return ok(
    args.render(
      () => "No filesystems enabled\n",
      () => [],
      { newline: args.format === "json" },
    ),
  );
}

/** What a file system would be made with.  ceph: src/mds/MDSMap.cc get_compat_set_default */
const FS_INCOMPAT: readonly (readonly [id: number, what: string])[] = [
  [1, "base v0.20"],
  [2, "client writeable ranges"],
  [3, "default file layouts on dirs"],
  [4, "dir inode in separate object"],
  [5, "mds uses versioned encoding"],
  [6, "dirfrag is stored in omap"],
  [8, "no anchor table"],
  [9, "file layout v2"],
  [10, "snaprealm v2"],
];
/** The map without a file system never changes. */
export const FS_MAP_EPOCH = 1;

/** ceph: src/mds/FSMap.cc dump */
export function fsMapJson(): JsonObject {
  return {
    epoch: FS_MAP_EPOCH,
    default_fscid: -1,
    compat: {
      compat: {},
      ro_compat: {},
      incompat: Object.fromEntries(FS_INCOMPAT.map(([id, what]) => [`feature_${id}`, what])),
    },
    feature_flags: { enable_multiple: true, ever_enabled_multiple: true },
    standbys: [],
    filesystems: [],
  };
}

/** ceph: src/mds/FSMap.cc print */
function fsDump(_ctx: CommandContext, args: Args): CommandReply {
  const incompat = FS_INCOMPAT.map(([id, what]) => `${id}=${what}`).join(",");
  const text = [
    `e${FS_MAP_EPOCH}`,
    "enable_multiple, ever_enabled_multiple: 1,1",
    `default compat: compat={},rocompat={},incompat={${incompat}}`,
    "legacy client fscid: -1",
    " ",
    "No filesystems configured",
    "",
  ].join("\n");
  return ok(
    args.render(() => text, fsMapJson),
    `dumped fsmap epoch ${FS_MAP_EPOCH}`,
  );
}

/** Of metadata servers there are none. */
function mdsStat(_ctx: CommandContext, args: Args): CommandReply {
  return ok(
    args.render(
      () => "",
      () => ({
        fsmap: fsMapJson(),
        mdsmap_first_committed: FS_MAP_EPOCH,
        mdsmap_last_committed: FS_MAP_EPOCH,
      }),
      { newline: args.format === "json" },
    ),
  );
}

function fsStatus(): CommandReply {
  return ok("");
}

function monAdd(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("name") ?? "";
  const known = ctx.state.monMap.monInfo.get(name);
  if (known !== undefined) {
    const where = formatAddrVec(known.publicAddrs);
    return refused("EEXIST", `mon.${name} already exists at address ${where}`);
  }
  return refused("EOPNOTSUPP", "a second monitor is not supported");
}

function monRm(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("name") ?? "";
  if (ctx.state.monMap.monInfo.has(name)) {
    return refused("EINVAL", `error: refusing removal of last monitor ${name}`);
  }
  return ok("", `mon.${name} does not exist or has already been removed`);
}

const ID = "name=id,type=CephString,req=false";

export const monInfoCommands: readonly MonCommand[] = [
  [
    "mon dump name=epoch,type=CephInt,range=0,req=false",
    "mon",
    "show the monitor map",
    dump,
  ] as const,
  ["mon stat", "mon", "sum up the monitors", stat] as const,
  [
    "mon getmap name=epoch,type=CephInt,range=0,req=false",
    "mon",
    "get the monitor map's bytes",
    getmap,
  ] as const,
  ["quorum_status", "mon", "show which monitors agree", quorum] as const,
  [`mon metadata ${ID}`, "mon", "show what a monitor runs on", metadata] as const,
  [
    "mon count-metadata name=property,type=CephString",
    "mon",
    "count monitors by a property",
    countMetadata,
  ] as const,
  [
    "mgr count-metadata name=property,type=CephString",
    "mgr",
    "count managers by a property",
    countMetadata,
  ] as const,
  [
    "mon feature ls name=with_value,type=CephChoices,strings=--with-value,req=false",
    "mon",
    "list the features of the monitors",
    featureLs,
  ] as const,
  [
    "mgr dump name=epoch,type=CephInt,range=0,req=false",
    "mgr",
    "show the manager map",
    mgrDump,
  ] as const,
  ["mgr stat", "mgr", "sum up the managers", mgrStat] as const,
  ["mgr services", "mgr", "list the addresses modules serve at", mgrServices] as const,
  [
    "mgr metadata name=who,type=CephString,req=false",
    "mgr",
    "show what a manager runs on",
    metadata,
  ] as const,
  ["mds stat", "mds", "sum up the metadata servers", mdsStat] as const,
  ["fs ls", "fs", "list the file systems", fsLs] as const,
  ["fs dump", "mds", "show the map of file systems", fsDump] as const,
]
  .map(([sig, module, help, run]): MonCommand => ({ sig, help, module, perm: "r", run }))
  .concat([
    {
      sig: "mon add name=name,type=CephString name=addr,type=CephIPAddr name=location,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=],req=false",
      help: "add a monitor",
      module: "mon",
      perm: "rw",
      run: monAdd,
    },
    {
      sig: "mon rm name=name,type=CephString",
      help: "remove a monitor",
      module: "mon",
      perm: "rw",
      run: monRm,
    },
    {
      sig: "mon remove name=name,type=CephString",
      help: "remove a monitor",
      module: "mon",
      perm: "rw",
      flags: COMMAND_FLAG.DEPRECATED,
      run: monRm,
    },
  ]);

/** Those that clients send to the manager. */
export const managerInfoCommands: readonly MonCommand[] = [
  {
    sig: "service dump",
    help: "show the daemons that registered",
    module: "service",
    perm: "r",
    flags: COMMAND_FLAG.MGR,
    run: serviceDump,
  },
  {
    sig: "service status",
    help: "show how registered daemons are",
    module: "service",
    perm: "r",
    flags: COMMAND_FLAG.MGR,
    run: serviceStatus,
  },
  {
    sig: "fs status name=fs,type=CephString,req=false",
    help: "show how the file systems are",
    module: "mgr",
    pythonModule: "status",
    perm: "r",
    flags: COMMAND_FLAG.MGR,
    run: fsStatus,
  },
];
