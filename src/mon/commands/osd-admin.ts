/**
 * The commands that change OSDs and the map as a whole: flags, in and out, fill limits.
 * ceph: src/mon/OSDMonitor.cc
 */

import { formatDouble } from "../../encoding/index.ts";
import {
  isUp,
  movesPgs,
  OSD_IN,
  OSD_OUT,
  OSD_STATE,
  OSDMAP_FLAG,
  type OsdMap,
  osdExists,
  osdIds,
  releaseNumber,
} from "../../maps/index.ts";
import { utimeFromMs } from "../../types/index.ts";
import type { PendingMap } from "../services/osd-map.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

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
    if (match === null) {
      const what = `Expected option value to be integer, got '${text.replace(/^osd\./, "")}'`;
      // compat: upstream's id is -1 by then.
      return new Refusal("EINVAL", `${what}invalid osd id-1`);
    }
    ids.push(Number(match[1]));
  }
  return ids;
}

/**
 * Objects are not moved between OSDs: a weight with which a PG would be another one's, who has none of its objects, is
 * none that an OSD may get. Its full weight it can always have back.
 */
function checkWeight(map: OsdMap, id: number, weight: number): Refusal | undefined {
  if (weight === OSD_IN) return undefined;
  const after = { ...map, osdWeight: map.osdWeight.with(id, weight) };
  if (!movesPgs(map, after)) return undefined;
  return new Refusal("EOPNOTSUPP", `osd.${id} has objects that cannot be moved to another OSD`);
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
      if (already === undefined) {
        const isOut = args.prefix === "osd out";
        const refusal = isOut ? checkWeight(pending.map, id, OSD_OUT) : undefined;
        if (refusal !== undefined) return refusal;
        what.apply(pending, id, ctx.state.clock.now());
      }
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
    const refusal = checkWeight(pending.map, id, fixed);
    if (refusal !== undefined) return refusal;
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

async function requireRelease(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("release") ?? "";
  if (ctx.state.maps.map.requireOsdRelease !== releaseNumber(name)) {
    return await Promise.resolve(refused("EPERM", `not all up OSDs have the release ${name}`));
  }
  return ok();
}

const IDS = "name=ids,type=CephString,n=N";
const RATIO = "name=ratio,type=CephFloat,range=0.0|1.0";
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
  ]);
