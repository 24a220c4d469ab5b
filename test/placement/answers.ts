/** What the real tools answer about a map, and where ours differs. */

import { type CrushMap, CrushMapCodec, doRule } from "../../src/crush/index.ts";
import { byteString, decodeFromBytes, encodeToBytes } from "../../src/encoding/index.ts";
import {
  encodeOsdMap,
  locateObject,
  mapPg,
  OsdMap,
  parsePgId,
  pgKey,
} from "../../src/maps/index.ts";

/** `crushtool --test --show-mappings` of one rule. */
export interface CrushAnswers {
  readonly rule: number;
  readonly numRep: number;
  /** 16.16, of devices that are not all in. */
  readonly weights: Readonly<Record<string, number>>;
  /** By input, from 0 up. */
  readonly osds: readonly (readonly number[])[];
}

/** `osdmaptool --test-map-pgs-dump-all` of one PG. */
export interface PgAnswer {
  readonly pgid: string;
  readonly up: readonly number[];
  readonly upPrimary: number;
  readonly acting: readonly number[];
  readonly actingPrimary: number;
}

/** `osdmaptool --test-map-object` of one object. */
export interface ObjectAnswer {
  readonly pool: number;
  readonly name: string;
  readonly pgid: string;
  readonly acting: readonly number[];
}

/** `2147483647` is a hole. */
export function parseOsds(list: string): number[] {
  return list === ""
    ? []
    : list.split(",").map((osd) => (osd === "NONE" ? 0x7fff_ffff : Number(osd)));
}

/** `CRUSH rule 0 x 1 [2,3]`, a line an input. */
export function parseCrushMappings(output: string): number[][] {
  return [...output.matchAll(/^CRUSH rule \d+ x (\d+) \[(.*)\]$/gm)].map((match, x) => {
    if (Number(match[1]) !== x) throw new Error(`input ${match[1]} in place of ${x}`);
    return parseOsds(match[2]!);
  });
}

/** `1.2 raw ([0], p0) up ([0], p0) acting ([0], p0)`, a line a PG. */
export function parsePgs(output: string): PgAnswer[] {
  const set = String.raw`\(\[([^\]]*)\], p(-?\d+)\)`;
  const line = new RegExp(`^(\\S+) raw ${set} up ${set} acting ${set}$`, "gm");
  return [...output.matchAll(line)].map((m) => ({
    pgid: m[1]!,
    up: parseOsds(m[4]!),
    upPrimary: Number(m[5]),
    acting: parseOsds(m[6]!),
    actingPrimary: Number(m[7]),
  }));
}

/** `object 'x' -> 1.0 -> [0,1]` */
export function parseObject(output: string): { pgid: string; acting: number[] } {
  const match = / -> (\S+) -> \[(.*)\]$/m.exec(output);
  if (match === null) throw new Error(`no object in: ${output}`);
  return { pgid: match[1]!, acting: parseOsds(match[2]!) };
}

function differs(what: string, ours: unknown, theirs: unknown): string[] {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return a === b ? [] : [`${what}: ours ${a}, Ceph's ${b}`];
}

/** @param bytes as a tool has written them that had read the map before */
export function crushDifferences(bytes: Buffer, cases: readonly CrushAnswers[]): string[] {
  const map = decodeFromBytes(CrushMapCodec, bytes);
  return [
    ...differs("re-encoded alike", encodeToBytes(CrushMapCodec, map).equals(bytes), true),
    ...cases.flatMap((one) => ruleDifferences(map, one)),
  ];
}

function ruleDifferences(map: CrushMap, { rule, numRep, weights, osds }: CrushAnswers): string[] {
  const all = Array.from({ length: map.maxDevices }, (_, osd) => weights[osd] ?? 0x10000);
  return osds.flatMap((expected, x) => {
    const input = { x, resultMax: numRep, weights: all, chooseArgsPool: 0 };
    return differs(`rule ${rule} of ${numRep}, input ${x}`, doRule(map, rule, input), expected);
  });
}

/**
 * Besides what is compared: the shard of an erasure-coded PG's primary has to be where the primary is.
 * @param release of the tools; osdmaptool's own maps require none of their OSDs, as no cluster's do
 */
export function mapDifferences(
  bytes: Buffer,
  release: number,
  { pgs, objects }: { pgs: readonly PgAnswer[]; objects: readonly ObjectAnswer[] },
): string[] {
  const decoded = decodeFromBytes(OsdMap, bytes);
  const map = { ...decoded, requireOsdRelease: decoded.requireOsdRelease || release };
  const again = decodeFromBytes(OsdMap, encodeOsdMap(map).bytes);
  return [
    ...pgs.flatMap((expected) => pgDifferences(map, expected)),
    ...pgs.flatMap((expected) => pgDifferences(again, expected)),
    ...objects.flatMap(({ pool, name, pgid, acting }) => {
      const at = locateObject(map, { pool, nspace: "", key: "" }, byteString(name));
      const ours = at && { pgid: pgKey(at.pg), acting: mapPg(map, at.pg).acting };
      return differs(`object ${name} of pool ${pool}`, ours, { pgid, acting });
    }),
  ];
}

function pgDifferences(map: OsdMap, { pgid, ...expected }: PgAnswer): string[] {
  const pg = parsePgId(pgid);
  if (pg === undefined) throw new Error(`not a pg: ${pgid}`);
  const { actingShard, ...ours } = mapPg(map, pg);
  const found = differs(`pg ${pgid}`, ours, expected);
  if (actingShard < 0 || ours.acting[actingShard] === ours.actingPrimary) return found;
  return [
    ...found,
    `pg ${pgid}: shard ${actingShard} of ${ours.acting.join()} is not ${ours.actingPrimary}`,
  ];
}
