/**
 * The commands that change OSDs and the map as a whole: flags, in and out, lock-outs, fill limits.
 * ceph: src/mon/OSDMonitor.cc
 */

import {
  addrMapKey,
  isUp,
  OSD_IN,
  OSD_OUT,
  OSD_STATE,
  OSDMAP_FLAG,
  type OsdMap,
  osdExists,
  osdIds,
  releaseNumber,
} from "../../maps/index.ts";
import {
  ADDR_TYPE,
  type EntityAddr,
  formatUtime,
  isIpAddress,
  utimeFromMs,
} from "../../types/index.ts";
import type { PendingMap } from "../services/osd-map.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";
import { formatDouble } from "./formatter.ts";

/** Flags by the names of `osd set`. `pause` is two. */
const FLAGS: Readonly<Record<string, number>> = {
  pause: OSDMAP_FLAG.PAUSERD | OSDMAP_FLAG.PAUSEWR,
  noup: OSDMAP_FLAG.NOUP,
  nodown: OSDMAP_FLAG.NODOWN,
  noout: OSDMAP_FLAG.NOOUT,
  noin: OSDMAP_FLAG.NOIN,
  nobackfill: OSDMAP_FLAG.NOBACKFILL,
  norebalance: OSDMAP_FLAG.NOREBALANCE,
  norecover: OSDMAP_FLAG.NORECOVER,
  noscrub: OSDMAP_FLAG.NOSCRUB,
  "nodeep-scrub": OSDMAP_FLAG.NODEEP_SCRUB,
  notieragent: OSDMAP_FLAG.NOTIERAGENT,
  nosnaptrim: OSDMAP_FLAG.NOSNAPTRIM,
};
const FLAG_NAMES =
  "full|pause|noup|nodown|noout|noin|nobackfill|norebalance|norecover|noscrub|nodeep-scrub|notieragent|nosnaptrim";

/** Default of `osd blocklist add`, seconds: as upstream's `mon osd blocklist default expire`. */
const BLOCKLIST_EXPIRE_S = 3600;
/** Longest lock-out that can be asked for, seconds. */
const BLOCKLIST_EXPIRE_MAX_S = 10 * 365 * 86400;
const BLOCKLIST_MAX = 10_000;

function setFlags(pending: PendingMap, flags: number): void {
  if (flags !== pending.map.flags) pending.edit((inc) => (inc.newFlags = flags));
}

async function setFlag(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const key =
    { "osd pause": "pause", "osd unpause": "pause" }[args.prefix] ?? args.text("key") ?? "";
  const on = args.prefix === "osd set" || args.prefix === "osd pause";
  const bits = Object.hasOwn(FLAGS, key) ? FLAGS[key] : undefined;
  if (bits === undefined) return refused("EINVAL", `unrecognized flag '${key}'`);
  const name = key === "pause" ? "pauserd,pausewr" : key;
  return await changeMap(ctx, (pending) => {
    const { flags } = pending.map;
    setFlags(pending, on ? flags | bits : flags & ~bits);
    return `${name} is ${on ? "set" : "unset"}`;
  });
}

/** Ids of a list argument: numbers, `osd.N`, or `any`/`all`/`*`. */
function idsOf(map: OsdMap, texts: readonly string[]): number[] | Refusal {
  const ids: number[] = [];
  for (const text of texts) {
    if (["any", "all", "*"].includes(text)) return osdIds(map);
    const match = /^(?:osd\.)?(\d{1,9})$/.exec(text);
    if (match === null) return new Refusal("EINVAL", `invalid osd id '${text}'`);
    ids.push(Number(match[1]));
  }
  return ids;
}

/** What `osd in|out|down` does to one OSD: an edit and the words for it. */
interface Verb {
  already(map: OsdMap, id: number): string | undefined;
  apply(pending: PendingMap, id: number, now: number): void;
  done(id: number): string;
}

const VERBS: Readonly<Record<string, Verb>> = {
  "osd in": {
    already: (map, id) =>
      (map.osdWeight[id] ?? 0) > OSD_OUT ? `osd.${id} is already in. ` : undefined,
    apply: (pending, id, now) =>
      pending.edit((inc) => {
        inc.newWeight.set(id, OSD_IN);
        inc.newLastInChange = utimeFromMs(now);
      }),
    done: (id) => `marked in osd.${id}. `,
  },
  "osd out": {
    already: (map, id) =>
      map.osdWeight[id] === OSD_OUT ? `osd.${id} is already out. ` : undefined,
    apply: (pending, id, now) =>
      pending.edit((inc) => {
        inc.newWeight.set(id, OSD_OUT);
        inc.newLastInChange = utimeFromMs(now);
      }),
    done: (id) => `marked out osd.${id}. `,
  },
  "osd down": {
    already: (map, id) => (isUp(map, id) ? undefined : `osd.${id} is already down. `),
    apply: (pending, id, now) =>
      pending.edit((inc) => {
        inc.newState.set(id, OSD_STATE.UP);
        inc.newLastUpChange = utimeFromMs(now);
      }),
    done: (id) => `marked down osd.${id}. `,
  },
};

async function verb(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const what = VERBS[args.prefix];
  if (what === undefined) return refused("EINVAL", "command not known");
  return await changeMap(ctx, (pending) => {
    const ids = idsOf(pending.map, args.list("ids"));
    if (ids instanceof Refusal) return ids;
    let text = "";
    for (const id of ids) {
      if (!osdExists(pending.map, id)) {
        text += `osd.${id} does not exist. `;
        continue;
      }
      const already = what.already(pending.map, id);
      if (already === undefined) what.apply(pending, id, ctx.state.clock.now());
      text += already ?? what.done(id);
    }
    return text;
  });
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  return await changeMap(ctx, (pending) => {
    const ids = idsOf(pending.map, args.list("ids"));
    if (ids instanceof Refusal) return ids;
    let text = "";
    for (const id of ids) {
      if (!osdExists(pending.map, id)) {
        text += `osd.${id} does not exist. `;
      } else if (isUp(pending.map, id)) {
        return new Refusal("EBUSY", `osd.${id} is still up; must be down before removal. `);
      } else {
        pending.edit((inc) => inc.newState.set(id, pending.base.osdState[id] ?? 0));
        text += `removed osd.${id} `;
      }
    }
    return text;
  });
}

async function reweight(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const id = args.number("id") ?? -1;
  const weight = args.number("weight") ?? 1;
  return await changeMap(ctx, (pending) => {
    if (!osdExists(pending.map, id)) return new Refusal("ENOENT", `osd.${id} does not exist`);
    const fixed = Math.trunc(weight * OSD_IN);
    pending.edit((inc) => inc.newWeight.set(id, fixed));
    return `reweighted osd.${id} to ${formatDouble(weight, 6)} (${fixed.toString(16)})`;
  });
}

const RATIOS = {
  "osd set-full-ratio": "newFullRatio",
  "osd set-nearfull-ratio": "newNearfullRatio",
  "osd set-backfillfull-ratio": "newBackfillfullRatio",
} as const;

async function setRatio(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const ratio = args.number("ratio") ?? 0;
  const field = RATIOS[args.prefix as keyof typeof RATIOS];
  return await changeMap(ctx, (pending) => {
    pending.edit((inc) => (inc[field] = Math.fround(ratio)));
    return `${args.prefix} ${formatDouble(ratio, 6)}`;
  });
}

/** `10.1.2.3`, `10.1.2.3:0/77`, `v1:…`, `[::1]:0/5`; undefined if it is none of them. */
export function parseAddr(text: string): EntityAddr | undefined {
  const match =
    /^(?:v[12]:|any:)?(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-fA-F:.]+)\])(?::(\d{1,5}))?(?:\/(\d{1,10}))?$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, v4, v6, port = "0", nonce = "0"] = match;
  const ip = v4 ?? v6 ?? "";
  if (!isIpAddress(ip)) return undefined;
  if (Number(port) > 65535 || Number(nonce) > 0xffff_ffff) return undefined;
  // Lock-outs are looked up by address and nonce whatever the type; maps carry type any.
  return { type: ADDR_TYPE.ANY, ip, port: Number(port), nonce: Number(nonce) };
}

function formatPlain(addr: EntityAddr): string {
  const ip = addr.ip.includes(":") ? `[${addr.ip}]` : addr.ip;
  return `${ip}:${addr.port}/${addr.nonce}`;
}

async function blocklist(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const op = args.text("blocklistop") ?? args.text("blacklistop");
  const text = args.text("addr") ?? "";
  if (op !== "add" && op !== "rm") return refused("EINVAL", `unknown operation '${op}'`);
  if (args.text("range") !== undefined) {
    return refused("EOPNOTSUPP", "blocklisting of address ranges is not supported");
  }
  const addr = parseAddr(text);
  if (addr === undefined) return refused("EINVAL", `unable to parse address ${text}`);
  const key = addrMapKey(addr);
  const name = formatPlain(addr);
  const seconds = args.number("expire") ?? BLOCKLIST_EXPIRE_S;
  return await changeMap(ctx, (pending) => {
    const entry = pending.map.blocklist.get(key);
    if (op === "rm") {
      if (entry === undefined) return `${name} isn't blocklisted`;
      pending.edit((inc) => {
        inc.newBlocklist.delete(key);
        if (pending.base.blocklist.has(key)) inc.oldBlocklist.push(addr);
      });
      return `un-blocklisting ${name}`;
    }
    if (seconds > BLOCKLIST_EXPIRE_MAX_S) return new Refusal("EINVAL", "expiry is too far away");
    if (entry === undefined && pending.map.blocklist.size >= BLOCKLIST_MAX) {
      return new Refusal("ENOSPC", `there are ${BLOCKLIST_MAX} entries already`);
    }
    const until = utimeFromMs(ctx.state.clock.now() + seconds * 1000);
    pending.edit((inc) => {
      inc.newBlocklist.set(key, { addr, until });
      inc.oldBlocklist = inc.oldBlocklist.filter((old) => addrMapKey(old) !== key);
    });
    return `blocklisting ${name} until ${formatUtime(until)} (${formatDouble(seconds, 6)} sec)`;
  });
}

function blocklistLs(ctx: CommandContext, args: Args): CommandReply {
  const entries = [...ctx.state.maps.map.blocklist.values()];
  const status = `listed ${entries.length} entries`;
  const rows = entries.map((e) => ({ addr: formatPlain(e.addr), until: formatUtime(e.until) }));
  // compat: a second list, of address ranges, follows; always empty here.
  const json = () => args.json(rows) + args.json([]);
  const plain = () => rows.map((row) => `${row.addr} ${row.until}\n`).join("");
  return ok(args.format === "plain" ? plain() : json(), status);
}

async function blocklistClear(ctx: CommandContext): Promise<CommandReply> {
  return await changeMap(ctx, (pending) => {
    const addrs = [...pending.base.blocklist.values()].map((entry) => entry.addr);
    if (pending.map.blocklist.size > 0) {
      pending.edit((inc) => {
        inc.newBlocklist.clear();
        inc.oldBlocklist = addrs;
      });
    }
    return " removed all blocklist entries";
  });
}

async function requireRelease(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("release") ?? "";
  if (ctx.state.maps.map.requireOsdRelease !== releaseNumber(name)) {
    return await Promise.resolve(refused("EPERM", `not all up OSDs have the release ${name}`));
  }
  return ok();
}

const IDS = "name=ids,type=CephString,n=N";
const RATIO = "name=ratio,type=CephFloat,range=0.0|1.0";
const ADDR = "name=addr,type=CephEntityAddr name=expire,type=CephFloat,range=0.0,req=false";
const { DEPRECATED } = COMMAND_FLAG;

export const osdAdminCommands: readonly MonCommand[] = [
  [
    `osd set name=key,type=CephChoices,strings=${FLAG_NAMES}|pglog_hardlimit name=yes_i_really_mean_it,type=CephBool,req=false`,
    "set a flag of the map",
    setFlag,
  ] as const,
  [
    `osd unset name=key,type=CephChoices,strings=${FLAG_NAMES}`,
    "unset a flag of the map",
    setFlag,
  ] as const,
  ["osd pause", "hold all client reads and writes", setFlag] as const,
  ["osd unpause", "let clients read and write again", setFlag] as const,
  [`osd in ${IDS}`, "give OSDs data", verb] as const,
  [`osd out ${IDS}`, "take data away from OSDs", verb] as const,
  [`osd down ${IDS} name=definitely_dead,type=CephBool,req=false`, "mark OSDs down", verb] as const,
  [
    `osd reweight name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0`,
    "set how much of its share an OSD takes",
    reweight,
  ] as const,
  [`osd set-full-ratio ${RATIO}`, "set how full an OSD may get", setRatio] as const,
  [
    `osd set-nearfull-ratio ${RATIO}`,
    "set how full an OSD may get before a warning",
    setRatio,
  ] as const,
  [
    `osd set-backfillfull-ratio ${RATIO}`,
    "set how full an OSD may get by backfill",
    setRatio,
  ] as const,
  [
    `osd blocklist name=range,type=CephString,goodchars=[range],req=false name=blocklistop,type=CephChoices,strings=add|rm ${ADDR}`,
    "lock a client out, or let it in again",
    blocklist,
  ] as const,
  ["osd blocklist clear", "let all clients in again", blocklistClear] as const,
  [
    "osd require-osd-release name=release,type=CephChoices,strings=luminous|mimic|nautilus|octopus|pacific name=yes_i_really_mean_it,type=CephBool,req=false",
    "say how old OSDs may be",
    requireRelease,
  ] as const,
]
  .map(([sig, help, run]): MonCommand => ({ sig, help, module: "osd", perm: "rw", run }))
  .concat([
    {
      sig: `osd rm ${IDS}`,
      help: "remove OSDs that are down",
      module: "osd",
      perm: "rw",
      flags: DEPRECATED,
      run: rm,
    },
    {
      sig: `osd blacklist name=blacklistop,type=CephChoices,strings=add|rm ${ADDR}`,
      help: "lock a client out, or let it in again",
      module: "osd",
      perm: "rw",
      flags: DEPRECATED,
      run: blocklist,
    },
    {
      sig: "osd blacklist clear",
      help: "let all clients in again",
      module: "osd",
      perm: "rw",
      flags: DEPRECATED,
      run: blocklistClear,
    },
    {
      sig: "osd blacklist ls",
      help: "list who is locked out",
      module: "osd",
      perm: "r",
      flags: DEPRECATED,
      run: blocklistLs,
    },
    {
      sig: "osd blocklist ls",
      help: "list who is locked out",
      module: "osd",
      perm: "r",
      run: blocklistLs,
    },
  ]);
