import { describe, expect, test } from "vitest";
import {
  buildDefaultMap,
  CRUSH_BUCKET,
  CRUSH_ITEM_NONE,
  CRUSH_RULE_OP,
  CRUSH_RULE_TYPE,
  type CrushMap,
  type CrushRuleStep,
  doRule,
} from "./index.ts";

// That MSR rules place as upstream's do is for the vectors of 20.2.4 to tell (test/vectors/placement).

const IN = 0x10000;
const HOST = 1;
const ROOT = -1;
const { TAKE, CHOOSE_MSR, EMIT, CHOOSE_FIRSTN, SET_MSR_DESCENTS, SET_MSR_COLLISION_TRIES } =
  CRUSH_RULE_OP;
const step = (op: number, arg1 = 0, arg2 = 0): CrushRuleStep => ({ op, arg1, arg2 });

/** Four hosts of four devices each. */
function hosts(): CrushMap {
  const base = buildDefaultMap({ host: "unused", devices: [] });
  const straw2 = (id: number, type: number, items: number[], weight: number) => ({
    id,
    type,
    alg: CRUSH_BUCKET.STRAW2,
    hash: 0,
    weight: weight * items.length,
    items,
    itemWeights: items.map(() => weight),
  });
  const ids = [-2, -3, -4, -5];
  return {
    ...base,
    maxDevices: 16,
    buckets: [
      straw2(ROOT, 11, ids, 4 * IN),
      ...ids.map((id, n) =>
        straw2(
          id,
          HOST,
          [0, 1, 2, 3].map((i) => 4 * n + i),
          IN,
        ),
      ),
    ],
  };
}

function run(
  steps: CrushRuleStep[],
  options: { type?: number; out?: number[]; size?: number; map?: CrushMap; inputs?: number },
) {
  const {
    type = CRUSH_RULE_TYPE.MSR_INDEP,
    out = [],
    size = 8,
    map = hosts(),
    inputs = 50,
  } = options;
  const rules = [{ ruleset: 0, type, minSize: 1, maxSize: 100, steps }];
  const weights = Array.from({ length: 16 }, (_, osd) => (out.includes(osd) ? 0 : IN));
  const of = (x: number) => doRule({ ...map, rules }, 0, { x, resultMax: size, weights });
  return Array.from({ length: inputs }, (_, x) => of(x));
}

const fourByTwo = [step(TAKE, ROOT), step(CHOOSE_MSR, 4, HOST), step(CHOOSE_MSR, 2, 0), step(EMIT)];

describe("an MSR rule of four hosts by two devices", () => {
  test("takes two devices of each", () => {
    for (const osds of run(fourByTwo, {})) {
      expect(new Set(osds).size).toBe(8);
      const perHost = [0, 1, 2, 3].map((h) => osds.filter((osd) => osd >> 2 === h).length);
      expect(perHost).toEqual([2, 2, 2, 2]);
    }
  });
  test("stays away from what is out, and leaves holes only where too little is left", () => {
    for (const osds of run(fourByTwo, { out: [0, 1] })) {
      expect(osds).not.toContain(CRUSH_ITEM_NONE);
      expect(osds.some((osd) => osd < 2)).toBe(false);
    }
    for (const osds of run(fourByTwo, { out: [0, 1, 2] })) {
      expect(osds.filter((osd) => osd === CRUSH_ITEM_NONE).length).toBe(1);
    }
  });
  test("closes up where positions mean nothing", () => {
    for (const osds of run(fourByTwo, { out: [0, 1, 2], type: CRUSH_RULE_TYPE.MSR_FIRSTN })) {
      expect(osds.length).toBe(7);
      expect(new Set(osds).size).toBe(7);
    }
  });
  test("has no second try if it may not descend again", () => {
    const once = run([step(SET_MSR_DESCENTS, 1), ...fourByTwo], { out: [0, 1] });
    expect(once.some((osds) => osds.includes(CRUSH_ITEM_NONE))).toBe(true);
  });
});

describe("a rule that upstream could not follow gives nothing", () => {
  const take = step(TAKE, ROOT);
  test.each([
    ["no emit", [take, step(CHOOSE_MSR, 2, 0)]],
    ["no take", [step(CHOOSE_MSR, 2, 0), step(EMIT)]],
    ["nothing chosen", [take, step(EMIT)]],
    ["a bucket that is not there", [step(TAKE, -99), step(CHOOSE_MSR, 2, 0), step(EMIT)]],
    ["a device taken", [step(TAKE, 3), step(CHOOSE_MSR, 2, 0), step(EMIT)]],
    ["steps of other rules", [take, step(CHOOSE_FIRSTN, 2, 0), step(EMIT)]],
    ["fewer than none", [take, step(CHOOSE_MSR, -2, 0), step(EMIT)]],
    [
      "more than there can be",
      [take, ...Array.from({ length: 5 }, () => step(CHOOSE_MSR, 9999, HOST)), step(EMIT)],
    ],
  ])("%s", (_, steps) => {
    expect(run(steps, {})[0]).toEqual([]);
  });
  test("devices that are not the last step's, or no devices at all, are holes", () => {
    const holes = Array.from({ length: 8 }, () => CRUSH_ITEM_NONE);
    const early = [take, step(CHOOSE_MSR, 4, 0), step(CHOOSE_MSR, 2, 0), step(EMIT)];
    expect(run(early, {})[0]).toEqual(holes);
    expect(run([take, step(CHOOSE_MSR, 4, HOST), step(EMIT)], {})[0]).toEqual(holes);
  });
  test("as many tries as a map can ask for end, with what was found", () => {
    const patient = [step(SET_MSR_DESCENTS, -1), step(SET_MSR_COLLISION_TRIES, -1)];
    const nothing = Array.from({ length: 16 }, (_, osd) => osd).slice(0, 12);
    const [osds] = run([...patient, ...fourByTwo], { inputs: 1, out: nothing });
    expect(osds!.filter((osd) => osd !== CRUSH_ITEM_NONE).length).toBe(2);
  }, 30_000);
  test("a bucket that holds itself, or nothing, ends", () => {
    const map = hosts();
    for (const items of [[ROOT], []]) {
      const itemWeights = items.map(() => IN);
      const buckets = [{ ...map.buckets[0]!, items, itemWeights, alg: CRUSH_BUCKET.STRAW2 }];
      const osds = run(fourByTwo, { inputs: 1, map: { ...map, buckets } })[0]!;
      expect(osds.every((osd) => osd === CRUSH_ITEM_NONE)).toBe(true);
    }
  });
});
