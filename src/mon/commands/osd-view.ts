/**
 * `osd …` and `pg map` that look at the map: dump, tree, where an object is, what an OSD runs on.
 * ceph: src/mon/OSDMonitor.cc preprocess_command
 */

import { must } from "../../base/index.ts";
import { byteString, type JsonObject } from "../../encoding/index.ts";
import {
  type DumpObject,
  dumpAddrVec,
  dumpOsdMap,
  dumpOsdTree,
  encodeOsdMap,
  isIn,
  isUp,
  locateObject,
  mapPg,
  type OsdMap,
  osdExists,
  osdIds,
  osdMapText,
  osdTreeNodes,
  osdTreeText,
  PRIMARY_AFFINITY_DEFAULT,
  poolByName,
} from "../../maps/index.ts";
import { formatPgId, type PgId } from "../../types/index.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import { isCommandReply, type MonCommand } from "./common.ts";
import type { ClusterState, CommandContext } from "./context.ts";
import { prunedTree, treeJson, treeTable } from "./osd-tree.ts";
import { osdSummary, osdSummaryJson } from "./status.ts";

/** The map of the epoch that was asked for, or the newest. */
function mapOf(ctx: CommandContext, args: Args): OsdMap | CommandReply {
  const epoch = args.number("epoch");
  const { maps } = ctx.state;
  const map = epoch === undefined || epoch === 0 ? maps.map : maps.mapAt(epoch);
  return map ?? refused("ENOENT", `there is no map for epoch ${epoch}`);
}

function isMap(x: OsdMap | CommandReply): x is OsdMap {
  return !isCommandReply(x);
}

/** Compact JSON of most of these ends in a line end. */
function lineEnd(args: Args): { newline: boolean } {
  return { newline: args.format === "json" };
}

function stat(ctx: CommandContext, args: Args): CommandReply {
  return ok(
    args.render(
      () => osdSummary(ctx.state, "", true),
      () => osdSummaryJson(ctx.state.maps.map),
    ),
  );
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  const map = mapOf(ctx, args);
  if (!isMap(map)) return map;
  return ok(
    args.render(
      // compat: the monitor's answers lose their empty lines, here and in `status`.
      () => osdMapText(map).replaceAll(/\n{2,}/g, "\n"),
      () => dumpOsdMap(map),
      lineEnd(args),
    ),
  );
}

const STATES: Readonly<Record<string, (map: OsdMap, osd: number) => boolean>> = {
  up: isUp,
  down: (map, osd) => !isUp(map, osd),
  in: isIn,
  out: (map, osd) => !isIn(map, osd),
  destroyed: () => false,
};

function tree(ctx: CommandContext, args: Args): CommandReply {
  const map = mapOf(ctx, args);
  if (!isMap(map)) return map;
  const states = args.list("states");
  const unknown = states.find((state) => !Object.hasOwn(STATES, state));
  if (unknown !== undefined) return refused("EINVAL", `'${unknown}' is not a valid state`);
  const keep =
    states.length === 0
      ? undefined
      : (osd: number) => states.some((state) => STATES[state]?.(map, osd) === true);
  if (keep === undefined) {
    return ok(
      args.render(
        () => osdTreeText(map),
        () => dumpOsdTree(map),
        lineEnd(args),
      ),
    );
  }
  const nodes = prunedTree(map, keep);
  const unit = (x: number | undefined) => ((x ?? 0) / 0x1_0000).toFixed(5);
  const columns = [
    { title: "STATUS", cell: (osd: number) => (isUp(map, osd) ? "up" : "down") },
    { title: "REWEIGHT", cell: (osd: number) => unit(map.osdWeight[osd]) },
    {
      title: "PRI-AFF",
      cell: (osd: number) => unit(map.osdPrimaryAffinity[osd] ?? PRIMARY_AFFINITY_DEFAULT),
    },
  ];
  return ok(
    args.render(
      () => treeTable(map, nodes, columns),
      () => treeJson(map, nodes),
      lineEnd(args),
    ),
  );
}

function crushTree(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const nodes = osdTreeNodes(map);
  const stateFields = ["exists", "status", "reweight", "primary_affinity"];
  return ok(
    args.render(
      () => treeTable(map, nodes, []),
      () => treeJson(map, nodes, stateFields),
    ),
  );
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const map = mapOf(ctx, args);
  if (!isMap(map)) return map;
  const name = args.text("name");
  const known = [...map.crush.itemNames.values()].includes(byteString(name ?? ""));
  if (name !== undefined && !known) return refused("ENOENT", `"${name}" does not exist`);
  // One root, one host: every bucket holds all OSDs; an OSD's name stands for itself.
  const match = /^osd\.(\d+)$/.exec(name ?? "");
  const ids = match === null ? osdIds(map) : osdIds(map).filter((id) => id === Number(match[1]));
  return ok(
    args.render(
      () => ids.map((id) => `${id}\n`).join(""),
      () => ids,
      lineEnd(args),
    ),
  );
}

function getmap(ctx: CommandContext, args: Args): CommandReply {
  const map = mapOf(ctx, args);
  if (!isMap(map)) return map;
  const { maps } = ctx.state;
  const bytes = map === maps.map ? maps.full : encodeOsdMap(map).bytes;
  return ok(bytes, `got osdmap epoch ${map.epoch}`);
}

function lastStatSeq(ctx: CommandContext, args: Args): CommandReply {
  const seq = ctx.state.stats.osd(args.number("id") ?? -1)?.seq ?? 0;
  return ok(
    args.render(
      () => String(seq),
      () => seq,
    ),
  );
}

function maxOsd(ctx: CommandContext, args: Args): CommandReply {
  const { epoch, maxOsd: max } = ctx.state.maps.map;
  return ok(
    args.render(
      () => `max_osd = ${max} in epoch ${epoch}\n`,
      () => ({ epoch, max_osd: max }),
    ),
  );
}

function find(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const id = args.number("id") ?? -1;
  if (!osdExists(map, id)) return refused("ENOENT", `osd.${id} does not exist`);
  return ok(
    args.json({
      osd: id,
      addrs: dumpAddrVec(map.clientAddrs[id] ?? []),
      osd_fsid: map.osdUuid[id],
      host: ctx.state.host,
      crush_location: { host: ctx.state.host, root: "default" },
    }),
  );
}

function info(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const id = args.number("id");
  if (id !== undefined && !osdExists(map, id)) {
    return refused("EINVAL", `osd.${id} does not exist`);
  }
  const wanted = (osd: number) => id === undefined || osd === id;
  // The lines and entries of the whole map's dump are what is shown here.
  const text = () =>
    osdMapText(map)
      .split("\n")
      .filter((line) => wanted(Number(/^osd\.(\d+) /.exec(line)?.[1] ?? Number.NaN)))
      .filter((line) => line.startsWith("osd."))
      .map((line) => `${line}\n`)
      .join("");
  const entries = () => dumpOsdMap(map)["osds"] as readonly DumpObject[];
  const json = () =>
    id === undefined ? entries() : (entries().find((entry) => entry["osd"] === id) ?? {});
  return ok(args.render(text, json, lineEnd(args)));
}

/** What each OSD runs on. */
export function osdMetadataJson({ maps, osdMetadata }: ClusterState): JsonObject[] {
  return osdIds(maps.map).map((id) => ({ id, ...osdMetadata(id) }));
}

function metadata(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const id = args.number("id");
  if (id !== undefined) {
    if (!osdExists(map, id)) return refused("ENOENT", `osd.${id} does not exist`);
    return ok(args.json({ id, ...ctx.state.osdMetadata(id) }));
  }
  return ok(args.json(osdMetadataJson(ctx.state)));
}

function countMetadata(ctx: CommandContext, args: Args): CommandReply {
  const property = args.text("property") ?? "";
  const counts: Record<string, number> = {};
  for (const id of osdIds(ctx.state.maps.map)) {
    const value = ctx.state.osdMetadata(id)?.[property] ?? "unknown";
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return ok(args.json(counts, { root: property }));
}

/** How evenly the map lays groups on the OSDs that are up and in.  ceph: OSDMap::summarize_mapping_stats */
function utilization(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const osds = osdIds(map).filter((osd) => isUp(map, osd) && isIn(map, osd));
  if (osds.length === 0) return refused("EINVAL", "");
  const mapped = [...map.pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => mapPg(map, { pool, seed }).up).flat(),
  );
  const counts = osds.map((osd) => ({ osd, pgs: mapped.filter((up) => up === osd).length }));
  const pgs = counts.map((count) => count.pgs);
  const having = (n: number) =>
    must(
      counts.find((count) => count.pgs === n),
      "an OSD",
    );
  const average = pgs.reduce((sum, x) => sum + x, 0) / osds.length;
  const deviation = Math.sqrt(pgs.reduce((sum, x) => sum + (x - average) ** 2, 0) / osds.length);
  // Of as many throws of as many balls.
  const expected = Math.sqrt(average * (1 - 1 / osds.length));
  const [least, most] = [having(Math.min(...pgs)), having(Math.max(...pgs))];
  const figure = (x: number) => String(Number(x.toPrecision(6)));
  const line = (what: string, { osd, pgs: n }: typeof least) =>
    `${what} osd.${osd} with ${n} pgs (${average === 0 ? "-nan" : figure(n / average)} * mean)\n`;
  return ok(
    args.render(
      () =>
        `avg ${figure(average)}\nstddev ${figure(deviation)} (expected baseline ${figure(expected)})\n` +
        `${line("min", least)}${line("max", most)}`,
      () => ({
        avg_pgs: average,
        std_dev: deviation,
        expected_baseline_std_dev: expected,
        min_osd: least.osd,
        min_osd_pgs: least.pgs,
        max_osd: most.osd,
        max_osd_pgs: most.pgs,
      }),
    ),
  );
}

function list(ids: readonly number[]): string {
  return `[${ids.join(",")}]`;
}

function mapObject(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const [pool = "", object = "", nspace = ""] = ["pool", "object", "nspace"].map((name) =>
    args.text(name),
  );
  const id = poolByName(map, byteString(pool));
  if (id === undefined) return refused("ENOENT", `pool ${pool} does not exist`);
  const locator = { pool: id, nspace: byteString(nspace), key: "" };
  const found = locateObject(map, locator, byteString(object));
  if (found === undefined) return refused("ENOENT", `pool ${pool} does not exist`);
  const { up, upPrimary, acting, actingPrimary } = mapPg(map, found.pg);
  const raw = `${id}.${found.hash.toString(16)}`;
  const pgid = formatPgId(found.pg);
  const name = nspace === "" ? object : `${nspace}/${object}`;
  return ok(
    args.render(
      () =>
        `osdmap e${map.epoch} pool '${pool}' (${id}) object '${name}' -> pg ${raw} (${pgid}) -> up (${list(up)}, p${upPrimary}) acting (${list(acting)}, p${actingPrimary})\n`,
      () => ({
        epoch: map.epoch,
        pool,
        pool_id: id,
        objname: name,
        raw_pgid: raw,
        pgid,
        up,
        up_primary: upPrimary,
        acting,
        acting_primary: actingPrimary,
      }),
    ),
  );
}

/** Reads `1.2a`; undefined if it is no PG of the map. */
export function findPg(map: OsdMap, text: string): PgId | undefined {
  const match = /^(\d{1,15})\.([0-9a-f]{1,8})$/.exec(text);
  if (match === null) return undefined;
  const pg = { pool: Number(match[1]), seed: Number.parseInt(match[2] ?? "", 16) };
  const pool = map.pools.get(pg.pool);
  return pool === undefined || pg.seed >= pool.pgNum ? undefined : pg;
}

function mapPgCommand(ctx: CommandContext, args: Args): CommandReply {
  const { map } = ctx.state.maps;
  const text = args.text("pgid") ?? "";
  const pg = findPg(map, text);
  if (pg === undefined) return refused("ENOENT", `pg '${text}' does not exist`);
  const { up, acting } = mapPg(map, pg);
  const pgid = formatPgId(pg);
  return ok(
    args.render(
      () => `osdmap e${map.epoch} pg ${pgid} (${pgid}) -> up ${list(up)} acting ${list(acting)}\n`,
      () => ({ epoch: map.epoch, raw_pgid: pgid, pgid, up, acting }),
    ),
  );
}

const EPOCH = "name=epoch,type=CephInt,range=0,req=false";

export const osdViewCommands: readonly MonCommand[] = [
  ["osd stat", "sum up the OSDs", stat, 0] as const,
  [`osd dump ${EPOCH}`, "show the OSD map", dump, 0] as const,
  [
    `osd tree ${EPOCH} name=states,type=CephChoices,strings=up|down|in|out|destroyed,n=N,req=false`,
    "show the OSDs as a tree",
    tree,
    0,
  ] as const,
  [
    "osd crush tree name=shadow,type=CephChoices,strings=--show-shadow,req=false",
    "show the CRUSH buckets and devices",
    crushTree,
    0,
  ] as const,
  [`osd ls ${EPOCH}`, "list the OSDs", ls, 0] as const,
  [
    `osd ls-tree ${EPOCH} name=name,type=CephString,req=true`,
    "list the OSDs under a bucket",
    ls,
    0,
  ] as const,
  [`osd getmap ${EPOCH}`, "get the OSD map's bytes", getmap, 0] as const,
  [
    "osd last-stat-seq name=id,type=CephOsdName",
    "show the sequence number of an OSD's last report",
    lastStatSeq,
    0,
  ] as const,
  ["osd utilization", "show how evenly placement groups lie on the OSDs", utilization, 0] as const,
  ["osd getmaxosd", "show how many OSD ids there are", maxOsd, 0] as const,
  ["osd find name=id,type=CephOsdName", "show where an OSD is", find, 0] as const,
  [
    "osd info name=id,type=CephOsdName,req=false",
    "show the map's line of an OSD",
    info,
    0,
  ] as const,
  [
    "osd metadata name=id,type=CephOsdName,req=false",
    "show what an OSD runs on",
    metadata,
    0,
  ] as const,
  [
    "osd count-metadata name=property,type=CephString",
    "count OSDs by a property",
    countMetadata,
    0,
  ] as const,
  [
    "osd map name=pool,type=CephPoolname name=object,type=CephObjectname name=nspace,type=CephString,req=false",
    "show where an object is or would be",
    mapObject,
    0,
  ] as const,
]
  .map(
    ([sig, help, run, flags]): MonCommand => ({ sig, help, module: "osd", perm: "r", flags, run }),
  )
  .concat([
    {
      sig: "pg map name=pgid,type=CephPgid",
      help: "show which OSDs a placement group is on",
      module: "pg",
      perm: "r",
      run: mapPgCommand,
    },
  ]);
