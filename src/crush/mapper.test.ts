import { describe, expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  addSimpleRule,
  buildDefaultMap,
  CRUSH_BUCKET,
  CRUSH_ITEM_NONE,
  CRUSH_RULE_OP,
  type CrushMap,
  CrushMapCodec,
  classOf,
  doRule,
  findRule,
  removeRule,
  rootsOf,
} from "./index.ts";

const IN = 0x10000;
const map = buildDefaultMap({
  host: "box",
  devices: [
    { id: 0, weight: 0x10000, deviceClass: "ssd" },
    { id: 1, weight: 0x10000, deviceClass: "hdd" },
    { id: 2, weight: 0x20000, deviceClass: "hdd" },
    { id: 3, weight: 0x20000, deviceClass: "hdd" },
  ],
});
const inputs = Array.from({ length: 2000 }, (_, x) => x);
const run = (m: CrushMap, rule: number, x: number, resultMax: number, weights: number[]) =>
  doRule(m, rule, { x, resultMax, weights });

describe("the built map", () => {
  test("encodes and decodes to itself", () => {
    expect(decodeFromBytes(CrushMapCodec, encodeToBytes(CrushMapCodec, map))).toEqual(map);
  });
  test("has one visible root, and each device its class", () => {
    expect(rootsOf(map)).toEqual([-1]);
    expect([0, 1, 2, 3].map((id) => classOf(map, id))).toEqual(["ssd", "hdd", "hdd", "hdd"]);
  });
  test("holds in each class's shadow tree the devices of that class only", () => {
    const { map: withRule, ruleId } = addSimpleRule(map, { name: "fast", root: -2 });
    for (const x of inputs.slice(0, 50)) {
      expect(run(withRule, ruleId, x, 3, [IN, IN, IN, IN])).toEqual([0]);
    }
  });
  test("keeps its rules when the machine's devices change", () => {
    const { map: withRule } = addSimpleRule(map, { name: "other" });
    const grown = buildDefaultMap({ host: "box", devices: [{ id: 5, weight: 1 }], base: withRule });
    expect(grown.ruleNames.get(1)).toBe("other");
    expect(grown.maxDevices).toBe(6);
  });
});

describe("a map of an older release, or with leftovers,", () => {
  const decoded = (m: CrushMap) => decodeFromBytes(CrushMapCodec, encodeToBytes(CrushMapCodec, m));
  const withArgs = (slot: number, weights: number[]): CrushMap => ({
    ...map,
    chooseArgs: new Map([[1, new Map([[slot, { weightSet: [weights], ids: [] }]])]]),
  });

  test("has as many devices as have a name, held by a bucket or not", () => {
    const itemNames = new Map(map.itemNames).set(9, "osd.9");
    expect(decoded({ ...map, itemNames }).maxDevices).toBe(10);
  });
  test("loses overrides of buckets that are gone or do not draw by them", () => {
    expect(decoded(withArgs(7, [1])).chooseArgs.get(1)).toEqual(new Map());
    const [root] = map.buckets;
    const uniform = { ...root!, alg: CRUSH_BUCKET.UNIFORM, itemWeight: IN };
    const buckets = [uniform, ...map.buckets.slice(1)];
    expect(decoded({ ...withArgs(0, [1]), buckets }).chooseArgs.get(1)).toEqual(new Map());
    expect(() => decoded(withArgs(8, [1]))).toThrow(DecodeError);
  });
  test("gets weight sets of the buckets' sizes", () => {
    const sets = (m: CrushMap) => m.chooseArgs.get(1)!.get(2)!.weightSet;
    expect(map.buckets[2]!.items.length).toBe(4);
    expect(sets(decoded(withArgs(2, [5, 6])))).toEqual([[5, 6, 0, 0]]);
    expect(sets(decoded(withArgs(2, [1, 2, 3, 4, 5])))).toEqual([[1, 2, 3, 4]]);
  });
  test("may have names whose ids are of 64 bits", () => {
    const bytes = encodeToBytes(CrushMapCodec, map);
    const name = Buffer.from([0, 0, 0, 0, 3, 0, 0, 0, ...Buffer.from("osd")]);
    const at = bytes.indexOf(name);
    const wide = Buffer.concat([
      bytes.subarray(0, at + 4),
      Buffer.alloc(4),
      bytes.subarray(at + 4),
    ]);
    expect(at).toBeGreaterThan(0);
    expect(decodeFromBytes(CrushMapCodec, wide)).toEqual(map);
  });
  test("may end before what later releases added", () => {
    const msr = { descents: 7, collisionTries: 8 };
    const tunables = { ...map.tunables, msr };
    expect(decoded({ ...map, tunables }).tunables).toEqual(tunables);
    expect(decoded(map).tunables.msr).toBeUndefined();
  });
});

describe("rules", () => {
  test("give distinct devices, in shares near their weights", () => {
    const firsts = [0, 0, 0, 0];
    for (const x of inputs) {
      const osds = run(map, 0, x, 3, [IN, IN, IN, IN]);
      expect(new Set(osds).size, `x ${x}`).toBe(3);
      firsts[osds[0]!]!++;
    }
    expect(firsts.map((n) => Math.round((n / inputs.length) * 6))).toEqual([1, 1, 2, 2]);
  });
  test("never give a device that is out, and move only what was on it", () => {
    for (const x of inputs) {
      const before = run(map, 0, x, 2, [IN, IN, IN, IN]);
      const after = run(map, 0, x, 2, [IN, IN, 0, IN]);
      expect(after).not.toContain(2);
      if (!before.includes(2)) expect(after, `x ${x}`).toEqual(before);
    }
  });
  test("leave a hole where an erasure-coded position finds no device", () => {
    const { map: ec, ruleId } = addSimpleRule(map, { name: "ec", erasure: { size: 4 } });
    const osds = run(ec, ruleId, 7, 4, [IN, IN, IN, 0]);
    expect(osds.filter((osd) => osd === CRUSH_ITEM_NONE).length).toBe(1);
    expect(osds.length).toBe(4);
  });
  test("are found by type and size, and not once removed", () => {
    expect(findRule(map, 0, 1, 3)).toBe(0);
    expect(findRule(map, 0, 3, 3)).toBe(-1);
    expect(findRule(map, 0, 1, 11)).toBe(-1);
    const without = removeRule(map, 0);
    expect(findRule(without, 0, 1, 3)).toBe(-1);
    expect(run(without, 0, 1, 3, [IN, IN, IN, IN])).toEqual([]);
  });
});

describe("a hostile map", () => {
  /** A bucket that holds only itself. */
  const loop: CrushMap = {
    ...map,
    buckets: [
      {
        id: -1,
        type: 1,
        alg: CRUSH_BUCKET.STRAW2,
        hash: 0,
        weight: 1,
        items: [-1],
        itemWeights: [1],
      },
    ],
  };
  test("that is a cycle ends, with nothing found", () => {
    expect(run(loop, 0, 1, 3, [])).toEqual([]);
    const { map: ec, ruleId } = addSimpleRule(loop, { name: "ec", erasure: { size: 2 } });
    expect(run(ec, ruleId, 1, 2, [])).toEqual([CRUSH_ITEM_NONE, CRUSH_ITEM_NONE]);
  });
  test("that asks for billions of tries ends", () => {
    const steps = [
      { op: CRUSH_RULE_OP.SET_CHOOSE_TRIES, arg1: 0x7fff_ffff, arg2: 0 },
      { op: CRUSH_RULE_OP.TAKE, arg1: -1, arg2: 0 },
      { op: CRUSH_RULE_OP.CHOOSE_FIRSTN, arg1: 1, arg2: 0 },
      { op: CRUSH_RULE_OP.EMIT, arg1: 0, arg2: 0 },
    ];
    const greedy = { ...map, rules: [{ ...map.rules[0]!, steps }] };
    expect(run(greedy, 0, 1, 1, [0, 0, 0, 0])).toEqual([]);
  });
  test("is refused when it claims more than its bytes hold", () => {
    const bytes = Uint8Array.from(encodeToBytes(CrushMapCodec, map));
    for (const at of [4, 8]) {
      const wrong = Uint8Array.from(bytes);
      wrong[at + 2] = 0xff;
      expect(() => decodeFromBytes(CrushMapCodec, wrong), `count at ${at}`).toThrow(DecodeError);
    }
  });
});
