/**
 * `osd ok-to-stop`, `osd safe-to-destroy`: what would become of the placement groups.
 * ceph: src/mgr/DaemonServer.cc _check_offlines_pgs, _maximize_ok_to_stop_set
 */

import { ERRNO } from "../../base/index.ts";
import { type JsonObject } from "../../encoding/index.ts";
import { isUp, mapPg, type OsdMap, osdExists, osdIds, osdTreeNodes } from "../../maps/index.ts";
import {
  type Args,
  type ClusterState,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  isCommandReply,
  ok,
  poolsOf,
  refused,
} from "../../mon/index.ts";
import { formatPgId, type PgId } from "../../types/index.ts";

/** Ids of a list argument: numbers, `osd.N`, or one word for all there are.  ceph: OSDMap::parse_osd_id_list */
function idsOf(map: OsdMap, texts: readonly string[]): number[] | CommandReply {
  const [first = ""] = texts;
  if (texts.length === 1 && ["any", "all", "*"].includes(first)) return osdIds(map);
  const ids: number[] = [];
  for (const text of texts) {
    const match = /^(?:osd\.)?(\d{1,9})$/.exec(text);
    if (match === null) {
      const what = `Expected option value to be integer, got '${text.replace(/^osd\./, "")}'`;
      return refused("EINVAL", `${what}invalid osd id '${text}'`);
    }
    ids.push(Number(match[1]));
  }
  return ids.length > 0 ? ids : refused("EINVAL", "must specify one or more OSDs");
}

/** Groups by what stopping some OSDs does to them. */
interface OfflineReport {
  readonly osds: readonly number[];
  /** Nobody has told of them. */
  readonly unknown: readonly string[];
  readonly alreadyInactive: readonly string[];
  readonly becomeInactive: readonly string[];
  readonly becomeDegraded: readonly string[];
  /** Not active, or not to be; each once. */
  readonly notOk: number;
}

function isOkToStop({ notOk, unknown }: OfflineReport): boolean {
  return notOk === 0 && unknown.length === 0;
}

/** In order. */
function unknownGroups({ stats, maps }: ClusterState): string[] {
  const known = new Set([...stats.pgs()].map(({ pgid }) => formatPgId(pgid)));
  return poolsOf(maps.map).flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => formatPgId({ pool, seed })).filter(
      (name) => !known.has(name),
    ),
  );
}

const byId = (a: PgId, b: PgId) => a.pool - b.pool || a.seed - b.seed;

function checkOffline(state: ClusterState, osds: ReadonlySet<number>): OfflineReport {
  const { map } = state.maps;
  const alreadyInactive: string[] = [];
  const becomeInactive: string[] = [];
  const becomeDegraded: string[] = [];
  let notOk = 0;
  const groups = [...state.stats.pgs()].sort((a, b) => byId(a.pgid, b.pgid));
  for (const { pgid, state: names } of groups) {
    const pool = map.pools.get(pgid.pool);
    const { acting } = mapPg(map, pgid);
    if (pool === undefined || !acting.some((osd) => osds.has(osd))) continue;
    const name = formatPgId(pgid);
    const isInactive = !names.split("+").includes("active");
    const isShort = acting.filter((osd) => !osds.has(osd)).length < pool.minSize;
    if (isInactive) alreadyInactive.push(name);
    if (isShort) becomeInactive.push(name);
    if (isInactive || isShort) notOk++;
    else becomeDegraded.push(name);
  }
  const unknown = unknownGroups(state);
  const sorted = [...osds].sort((a, b) => a - b);
  return { osds: sorted, unknown, alreadyInactive, becomeInactive, becomeDegraded, notOk };
}

/**
 * More OSDs that may stop with these: the nearest in the tree first, up to `max` of them altogether, and no
 * further up than to where one has to stay.
 */
function maximize(state: ClusterState, first: readonly number[], max: number): OfflineReport {
  const { map } = state.maps;
  const osds = new Set(first);
  let report = checkOffline(state, osds);
  if (!isOkToStop(report)) return report;
  const nodes = new Map(osdTreeNodes(map).map((node) => [node.id, node]));
  const osdsUnder = (id: number): number[] =>
    id >= 0 ? [id] : (nodes.get(id)?.children ?? []).flatMap(osdsUnder);
  let at = nodes.get(Math.min(...first));
  // A root's parent is 0, which is an OSD's id too: only what is deeper has one.
  while (at !== undefined && at.depth > 0 && osds.size < max) {
    at = nodes.get(at.parent);
    let failed = 0;
    for (const osd of osdsUnder(at?.id ?? 0).sort((a, b) => a - b)) {
      if (osds.size >= max) break;
      if (osds.has(osd) || !isUp(map, osd)) continue;
      const more = checkOffline(state, new Set([...osds, osd]));
      if (isOkToStop(more)) {
        osds.add(osd);
        report = more;
      } else failed++;
    }
    if (failed > 0) break;
  }
  return report;
}

function offlineJson(report: OfflineReport): JsonObject {
  const unlessEmpty = (names: readonly string[]) => (names.length === 0 ? undefined : names);
  return {
    ok_to_stop: isOkToStop(report),
    osds: report.osds,
    num_ok_pgs: report.becomeDegraded.length,
    num_not_ok_pgs: report.notOk,
    unknown_pgs: unlessEmpty(report.unknown),
    bad_already_inactive: unlessEmpty(report.alreadyInactive),
    bad_become_inactive: unlessEmpty(report.becomeInactive),
    ok_become_degraded: unlessEmpty(report.becomeDegraded),
  };
}

function okToStop(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const ids = idsOf(state.maps.map, args.list("ids"));
  if (isCommandReply(ids)) return ids;
  const report = maximize(state, ids, args.number("max") ?? 1);
  const data = args.compactJson(offlineJson(report), { newline: true });
  if (report.unknown.length > 0) {
    const what = `${report.unknown.length} pgs have unknown state; cannot draw any conclusions`;
    return refused("EAGAIN", what, data);
  }
  if (report.notOk === 0) return ok(data);
  const what = `unsafe to stop osd(s) at this time (${report.notOk} PGs are or would become offline)`;
  return refused("EBUSY", what, data);
}

/** Groups that the map has on an OSD, or will have. */
function groupsOn(map: OsdMap, osd: number): number {
  let n = 0;
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      const { up, acting } = mapPg(map, { pool, seed });
      if (up.includes(osd) || acting.includes(osd)) n++;
    }
  }
  return n;
}

function safeToDestroy(ctx: CommandContext, args: Args): CommandReply {
  const { state } = ctx;
  const { map } = state.maps;
  const ids = idsOf(map, args.list("ids"));
  if (isCommandReply(ids)) return ids;
  const unknown = unknownGroups(state).length;
  if (unknown > 0) {
    return refused("EAGAIN", `${unknown} pgs have unknown state; cannot draw any conclusions`);
  }
  const isAllClean = [...state.stats.pgs()].every(
    ({ state: names }) => names.includes("active") && names.includes("clean"),
  );
  const safe: number[] = [];
  const active: number[] = [];
  const missingStats: number[] = [];
  const storedPgs: number[] = [];
  let affected = 0;
  for (const osd of [...new Set(ids)].sort((a, b) => a - b)) {
    const groups = osdExists(map, osd) ? groupsOn(map, osd) : 0;
    affected += groups;
    const report = state.stats.osd(osd);
    if (!osdExists(map, osd)) safe.push(osd);
    else if (groups > 0) active.push(osd);
    else if (isAllClean) safe.push(osd);
    else if (report === undefined || !isUp(map, osd)) missingStats.push(osd);
    else if (report.pgs.length > 0) storedPgs.push(osd);
    else safe.push(osd);
  }
  if (args.format !== "plain") {
    const value = {
      safe_to_destroy: safe,
      active,
      missing_stats: missingStats,
      stored_pgs: storedPgs,
    };
    return ok(args.json(value));
  }
  const list = (osds: readonly number[]) => `OSD(s) ${osds.join(",")}`;
  if (active.length + missingStats.length + storedPgs.length === 0) {
    return ok("", `${list(safe)} are safe to destroy without reducing data durability.`);
  }
  const parts = [
    safe.length > 0 && `${list(safe)} are safe to destroy without reducing data durability. `,
    active.length > 0 && `${list(active)} have ${affected} pgs currently mapped to them. `,
    missingStats.length > 0 &&
      `${list(missingStats)} have no reported stats, and not all PGs are active+clean; we cannot draw any conclusions. `,
    storedPgs.length > 0 &&
      `${list(storedPgs)} last reported they still store some PG data, and not all PGs are active+clean; we cannot be sure they aren't still needed.`,
  ];
  const isBusy = active.length + storedPgs.length > 0;
  const status = parts.filter((part) => part !== false).join("");
  return { r: -ERRNO[isBusy ? "EBUSY" : "EAGAIN"], status, data: "" };
}

const common = { module: "osd", perm: "r", flags: COMMAND_FLAG.MGR } as const;
const IDS = "name=ids,type=CephString,n=N";

export const osdSafetyCommands: readonly Command<CommandContext>[] = [
  {
    ...common,
    sig: `osd ok-to-stop ${IDS} name=max,type=CephInt,req=false`,
    help: "say whether data stays available when OSDs stop",
    run: okToStop,
  },
  {
    ...common,
    sig: `osd safe-to-destroy ${IDS}`,
    help: "say whether all data is elsewhere when OSDs are destroyed",
    run: safeToDestroy,
  },
];
