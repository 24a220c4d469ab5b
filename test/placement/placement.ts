/**
 * Placement against Ceph's own tools: random maps, some written by us and some by the tools, and of each
 * where every rule, PG and object goes. Any difference ends the run.
 *
 *   crush   a text map that crushtool compiles, at times changed by it afterwards, or a choose args map added
 *           by us; every rule for several sizes and weights
 *   osd     our OSD map over such a CRUSH map; every PG and some objects
 *   simple  osdmaptool's own map, its OSDs up and in, balanced by its upmap (and, since Reef, its primaries)
 *           and with one of our CRUSH maps or its own; every PG and some objects
 */

import {
  CRUSH_BUCKET,
  type CrushChooseArg,
  type CrushMap,
  CrushMapCodec,
  DEFAULT_CHOOSE_ARGS,
} from "../../src/crush/index.ts";
import { decodeFromBytes, encodeToBytes } from "../../src/encoding/index.ts";
import { encodeOsdMap, OsdMap, pgKey } from "../../src/maps/index.ts";
import { Dice } from "../harness/dice.ts";
import {
  type CrushAnswers,
  crushDifferences,
  mapDifferences,
  type ObjectAnswer,
  type PgAnswer,
  parseCrushMappings,
  parseObject,
  parsePgs,
} from "./answers.ts";
import { crushText } from "./crush-text.ts";
import { randomOsdMap } from "./osd-maps.ts";
import type { Tools } from "./tools.ts";

/** Differences shown of one map. */
const SHOWN = 5;
/** PGs that the tool has to be asked for one by one, at most, of one map. */
const SINGLE_PGS_MAX = 12;

/** One map and what the tools answered. */
export type Recorded =
  | { readonly kind: "crush"; readonly map: Buffer; readonly rules: readonly CrushAnswers[] }
  | {
      readonly kind: "osd";
      readonly map: Buffer;
      readonly pgs: readonly PgAnswer[];
      readonly objects: readonly ObjectAnswer[];
    };

export interface PlacementOptions {
  readonly tools: Tools;
  readonly seed: number;
  readonly maps: number;
  /** Inputs tried of each rule. */
  readonly inputs: number;
  readonly print: (line: string) => void;
}

/**
 * @returns what was compared, map by map
 * @throws Error with the first differences of a map, and its number
 */
export async function placementTest(options: PlacementOptions): Promise<Recorded[]> {
  const { tools, seed, maps, inputs, print } = options;
  const dice = new Dice(seed);
  const all: Recorded[] = [];
  for (let n = 0; n < maps; n++) {
    const own = dice.fork();
    const kind = (["crush", "osd", "osd", "crush", "simple"] as const)[n % 5]!;
    const recorded =
      kind === "crush"
        ? await askCrush(own, tools, inputs)
        : await askMap(
            own,
            tools,
            kind === "osd" ? await ownMap(own, tools) : await simpleMap(own, tools),
          );
    const found = differencesOf(recorded, tools.release);
    if (found.length > 0) {
      const shown = found.slice(0, SHOWN).join("\n");
      throw new Error(`seed ${seed}, map ${n} (${kind}): ${found.length} differences\n${shown}`);
    }
    print(`map ${n}: ${kind}, ${pairsOf(recorded)} pairs`);
    all.push(recorded);
  }
  return all;
}

/** @param release of the tools that answered */
export function differencesOf(recorded: Recorded, release: number): string[] {
  return recorded.kind === "crush"
    ? crushDifferences(recorded.map, recorded.rules)
    : mapDifferences(recorded.map, release, recorded);
}

/** (map, input) and (map, pg or object) pairs compared. */
export function pairsOf(recorded: Recorded): number {
  return recorded.kind === "crush"
    ? recorded.rules.reduce((sum, { osds }) => sum + osds.length, 0)
    : recorded.pgs.length + recorded.objects.length;
}

/** A compiled map, of crushtool's own making at times. */
async function compiledCrush(dice: Dice, tools: Tools): Promise<Buffer> {
  const { text } = crushText(dice, { release: tools.release });
  const compiled = tools.blank();
  const source = tools.write(text);
  await tools.crushtool("-c", source, "-o", compiled, "--enable-unsafe-tunables");
  const map = decodeFromBytes(CrushMapCodec, tools.read(compiled));
  // Changes leave holes among the buckets.
  let current = compiled;
  const change = async (...args: string[]) => {
    const next = tools.blank();
    await tools.crushtool("-i", current, "-o", next, ...args);
    current = next;
  };
  const osd = dice.below(map.maxDevices);
  const holders = map.buckets.filter((b) => b?.items.includes(osd));
  // 16.2.15 dies of removing the last item of a bucket, or the last of a tree that weighs anything.
  const canRemove =
    holders.length > 0 && holders.every((b) => b!.items.length > 1 && b!.alg !== CRUSH_BUCKET.TREE);
  if (canRemove && dice.chance(0.5)) await change("--remove-item", `osd.${osd}`);
  if (dice.chance(0.2)) {
    const id = map.maxDevices + dice.below(2);
    const host = [...map.buckets].find((b) => b?.type === 1);
    const at = host === undefined ? undefined : map.itemNames.get(host.id);
    const hasRoom = host?.alg === CRUSH_BUCKET.STRAW2 && at !== undefined && !at.includes("~");
    if (hasRoom) await change("--add-item", `${id}`, "1.5", `osd.${id}`, "--loc", "host", at);
  }
  // Read and written again: what the compiler leaves too much is gone, as it is from a map of a monitor.
  const before = tools.read(current);
  await change("--set-choose-total-tries", `${map.tunables.chooseTotalTries}`);
  const after = tools.read(current);
  if (!encodeToBytes(CrushMapCodec, decodeFromBytes(CrushMapCodec, before)).equals(after)) {
    throw new Error(`read and written again, the map is not what the tool makes of it:\n${text}`);
  }
  return after;
}

/** The balancer's overrides for pools that have none of their own, which the text form cannot say. */
function withDefaultChooseArgs(dice: Dice, map: CrushMap): CrushMap {
  const args = new Map<number, CrushChooseArg>();
  map.buckets.forEach((bucket, slot) => {
    if (bucket?.alg !== CRUSH_BUCKET.STRAW2 || bucket.items.length === 0) return;
    const weights = bucket.itemWeights.map((weight) => Math.floor(weight * dice.fraction() * 2));
    args.set(slot, { weightSet: [weights], ids: [] });
  });
  return { ...map, chooseArgs: new Map(map.chooseArgs).set(DEFAULT_CHOOSE_ARGS, args) };
}

async function randomCrush(dice: Dice, tools: Tools): Promise<Buffer> {
  const bytes = await compiledCrush(dice, tools);
  if (!dice.chance(0.3)) return bytes;
  const map = decodeFromBytes(CrushMapCodec, bytes);
  return encodeToBytes(CrushMapCodec, withDefaultChooseArgs(dice, map));
}

async function askCrush(dice: Dice, tools: Tools, inputs: number): Promise<Recorded> {
  const bytes = await randomCrush(dice, tools);
  const map = decodeFromBytes(CrushMapCodec, bytes);
  const file = tools.write(bytes);
  const rules: CrushAnswers[] = [];
  // The tool prints nothing if all that there is weighs nothing.
  const kept = map.buckets.flatMap((b) => b?.items.filter((item) => item >= 0) ?? [])[0];
  for (let rule = 0; rule < map.rules.length; rule++) {
    for (const isWhole of [true, false]) {
      const numRep = dice.between(1, 8);
      const weights: Record<string, number> = {};
      const devices = isWhole ? 0 : map.maxDevices;
      for (let osd = 0; osd < devices; osd++) {
        // Sixty-fourths, which the tool's decimals say exactly.
        if (dice.chance(0.3) && osd !== kept)
          weights[osd] = dice.chance(0.5) ? 0 : dice.below(64) * 0x400;
      }
      const weightArgs = Object.entries(weights).flatMap(([osd, weight]) => [
        "--weight",
        osd,
        `${weight / 0x10000}`,
      ]);
      const said = await tools.crushtool(
        `-i ${file} --test --show-mappings --rule ${rule} --num-rep ${numRep}`,
        `--min-x 0 --max-x ${inputs - 1}`,
        ...weightArgs,
      );
      const osds = parseCrushMappings(said);
      if (osds.length !== inputs)
        throw new Error(`rule ${rule} of ${file}: ${osds.length} mappings\n${said.slice(-300)}`);
      rules.push({ rule, numRep, weights, osds });
    }
  }
  return { kind: "crush", map: bytes, rules };
}

async function ownMap(dice: Dice, tools: Tools): Promise<Buffer> {
  const crush = decodeFromBytes(CrushMapCodec, await randomCrush(dice, tools));
  return encodeOsdMap(randomOsdMap(dice, crush, tools.release)).bytes;
}

async function simpleMap(dice: Dice, tools: Tools): Promise<Buffer> {
  const file = tools.blank();
  const osds = dice.between(3, 24);
  const size = dice.between(1, Math.min(osds, 4));
  await tools.osdmaptool(
    `${file} --createsimple ${osds} --with-default-pool --pg-bits 3`,
    `--osd_pool_default_size=${size}`,
    // The rule that it makes spreads over devices: there is one host.
    "--osd_crush_chooseleaf_type=0",
  );
  if (dice.chance(0.5)) {
    const crush = await compiledCrush(dice, tools);
    if (decodeFromBytes(CrushMapCodec, crush).maxDevices <= osds) {
      await tools.osdmaptool(file, "--mark-up-in", "--import-crush", tools.write(crush));
      return tools.read(file);
    }
  }
  const balance = [
    file,
    "--mark-up-in",
    "--upmap",
    tools.blank(),
    "--upmap-deviation",
    "1",
    "--save",
  ];
  await tools.osdmaptool(...balance, "--upmap-max", "30");
  return tools.read(file);
}

async function askMap(dice: Dice, tools: Tools, bytes: Buffer): Promise<Recorded> {
  const map = decodeFromBytes(OsdMap, bytes);
  const file = tools.write(bytes);
  const pgs: PgAnswer[] = [];
  let singles = SINGLE_PGS_MAX;
  for (const [id, { pgNum }] of map.pools) {
    // The tool counts by OSD and dies of the first hole; it has printed that PG by then.
    const dumped = parsePgs(
      await tools.tryOsdmaptool(file, "--test-map-pgs-dump-all", "--pool", `${id}`),
    );
    pgs.push(...dumped);
    for (let seed = dumped.length; seed < pgNum && singles > 0; seed++, singles--) {
      const pg = pgKey({ pool: id, seed });
      pgs.push(...parsePgs(await tools.osdmaptool(file, "--test-map-pg", pg)));
    }
  }
  const objects: ObjectAnswer[] = [];
  for (let n = dice.between(2, 4); n > 0; n--) {
    const pool = dice.pick([...map.pools.keys()]);
    const name = `${"x".repeat(dice.below(30))}${dice.random.u32().toString(16)}`;
    const said = await tools.osdmaptool(file, "--test-map-object", name, "--pool", `${pool}`);
    objects.push({ pool, name, ...parseObject(said) });
  }
  return { kind: "osd", map: bytes, pgs, objects };
}
