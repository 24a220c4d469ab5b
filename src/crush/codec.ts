/**
 * The CRUSH map on the wire. It has no version header: later parts are there or the bytes end.
 *
 *   u32 magic 0x00010000; s32 buckets; u32 rules; s32 devices
 *   per bucket slot: u32 alg (0: none, and nothing follows)
 *     s32 id; u16 type; u8 alg; u8 hash; u32 weight; u32 size; s32 items[size]
 *     uniform: u32 weight                 list:   (u32 weight, u32 sum)[size]
 *     tree:    u8 nodes, u32 weight[]     straw:  (u32 weight, u32 straw)[size]
 *     straw2:  u32 weight[size]
 *   per rule slot: u32 present; u32 steps; u8 ruleset, type, min, max; (u32 op, s32, s32)[steps]
 *   map<s32,str> type names, item names, rule names
 *   u32 local tries, fallback tries, total tries | u32 descend once | u8 vary_r | u8 straw calc
 *   u32 allowed algs | u8 stable | map<s32,s32> classes, map<s32,str> class names,
 *   map<s32,map<s32,s32>> shadows | choose args | u32 msr descents, collision tries
 *
 * A `|` is a place where maps of older releases end. We always write all but the last, which Squid began:
 * it is written if the map has it.
 * ceph: src/crush/CrushWrapper.cc encode, decode
 */

import {
  type Codec,
  list,
  map,
  type Reader,
  s32,
  str,
  u32,
  type Writer,
} from "../encoding/index.ts";
import {
  CRUSH_BUCKET,
  CRUSH_HASH_RJENKINS1,
  CRUSH_MAGIC,
  CRUSH_MAX_BUCKETS,
  CRUSH_MAX_RULES,
  type CrushBucket,
  type CrushChooseArg,
  type CrushChooseArgs,
  type CrushMap,
  type CrushRule,
  type CrushRuleStep,
  type CrushTunables,
  type MsrTunables,
} from "./map.ts";

/**
 * Names by id. No name is empty: a length of zero is the upper half of an id that an old bug wrote as
 * 64 bits, and the true length follows.
 */
const names: Codec<Map<number, string>> = {
  ...map(s32, str),
  decode(r) {
    const out = new Map<number, string>();
    for (let n = r.count(8); n > 0; n--) {
      const id = r.s32();
      const length = r.u32() || r.u32();
      out.set(id, r.view(length).toString("latin1"));
    }
    return out;
  },
};
const classes = map(s32, s32);
const shadows = map(s32, classes);
const weights = list(u32);
const ids = list(s32);

function encodeBucket(w: Writer, b: CrushBucket | undefined): void {
  w.u32(b?.alg ?? 0);
  if (b === undefined) return;
  w.s32(b.id);
  w.u16(b.type);
  w.u8(b.alg);
  w.u8(b.hash);
  w.u32(b.weight);
  w.u32(b.items.length);
  for (const item of b.items) w.s32(item);
  switch (b.alg) {
    case CRUSH_BUCKET.UNIFORM:
      w.u32(b.itemWeight);
      break;
    case CRUSH_BUCKET.LIST:
      for (let i = 0; i < b.items.length; i++) {
        w.u32(b.itemWeights[i]!);
        w.u32(b.sumWeights[i]!);
      }
      break;
    case CRUSH_BUCKET.TREE:
      w.u8(b.nodeWeights.length);
      for (const weight of b.nodeWeights) w.u32(weight);
      break;
    case CRUSH_BUCKET.STRAW:
      for (let i = 0; i < b.items.length; i++) {
        w.u32(b.itemWeights[i]!);
        w.u32(b.straws[i]!);
      }
      break;
    case CRUSH_BUCKET.STRAW2:
      for (const weight of b.itemWeights) w.u32(weight);
      break;
  }
}

/** Reads `n` pairs into two arrays. */
function decodePairs(r: Reader, n: number): [number[], number[]] {
  const first: number[] = [];
  const second: number[] = [];
  for (let i = 0; i < n; i++) {
    first.push(r.u32());
    second.push(r.u32());
  }
  return [first, second];
}

function decodeBucket(r: Reader, slot: number): CrushBucket | undefined {
  const alg = r.u32();
  if (alg === 0) return undefined;
  const id = r.s32();
  const type = r.u16();
  if (r.u8() !== alg) throw r.fail("a bucket of two algorithms");
  const hash = r.u8();
  if (hash !== CRUSH_HASH_RJENKINS1) throw r.fail(`bucket hash ${hash}`);
  const weight = r.u32();
  const items: number[] = [];
  for (let n = r.count(4); n > 0; n--) items.push(r.s32());
  if (id !== -1 - slot) throw r.fail(`bucket ${id} in slot ${slot}`);
  const base = { id, type, hash, weight, items };
  switch (alg) {
    case CRUSH_BUCKET.UNIFORM:
      return { ...base, alg, itemWeight: r.u32() };
    case CRUSH_BUCKET.LIST: {
      const [itemWeights, sumWeights] = decodePairs(r, items.length);
      return { ...base, alg, itemWeights, sumWeights };
    }
    case CRUSH_BUCKET.TREE: {
      const nodeWeights: number[] = [];
      for (let n = r.u8(); n > 0; n--) nodeWeights.push(r.u32());
      return { ...base, alg, nodeWeights };
    }
    case CRUSH_BUCKET.STRAW: {
      const [itemWeights, straws] = decodePairs(r, items.length);
      return { ...base, alg, itemWeights, straws };
    }
    case CRUSH_BUCKET.STRAW2: {
      const itemWeights: number[] = [];
      for (let i = 0; i < items.length; i++) itemWeights.push(r.u32());
      return { ...base, alg, itemWeights };
    }
    default:
      throw r.fail(`bucket algorithm ${alg}`);
  }
}

function encodeRule(w: Writer, rule: CrushRule | undefined): void {
  w.u32(rule === undefined ? 0 : 1);
  if (rule === undefined) return;
  w.u32(rule.steps.length);
  w.u8(rule.ruleset);
  w.u8(rule.type);
  w.u8(rule.minSize);
  w.u8(rule.maxSize);
  for (const step of rule.steps) {
    w.u32(step.op);
    w.s32(step.arg1);
    w.s32(step.arg2);
  }
}

function decodeRule(r: Reader): CrushRule | undefined {
  if (r.u32() === 0) return undefined;
  const n = r.count(12);
  const mask = { ruleset: r.u8(), type: r.u8(), minSize: r.u8(), maxSize: r.u8() };
  const steps: CrushRuleStep[] = [];
  for (let i = 0; i < n; i++) steps.push({ op: r.u32(), arg1: r.s32(), arg2: r.s32() });
  return { ...mask, steps };
}

function encodeTunables(w: Writer, t: CrushTunables): void {
  w.u32(t.chooseLocalTries);
  w.u32(t.chooseLocalFallbackTries);
  w.u32(t.chooseTotalTries);
  w.u32(t.chooseleafDescendOnce);
  w.u8(t.chooseleafVaryR);
  w.u8(t.strawCalcVersion);
  w.u32(t.allowedBucketAlgs);
  w.u8(t.chooseleafStable);
}

function decodeMsrTunables(r: Reader): MsrTunables | undefined {
  return r.remaining > 0 ? { descents: r.u32(), collisionTries: r.u32() } : undefined;
}

/** What maps that end early get is the behaviour of their time ("argonaut"). */
function decodeTunables(r: Reader): CrushTunables {
  const more = () => r.remaining > 0;
  const tries = more() ? [r.u32(), r.u32(), r.u32()] : [2, 5, 19];
  return {
    chooseLocalTries: tries[0]!,
    chooseLocalFallbackTries: tries[1]!,
    chooseTotalTries: tries[2]!,
    chooseleafDescendOnce: more() ? r.u32() : 0,
    chooseleafVaryR: more() ? r.u8() : 0,
    strawCalcVersion: more() ? r.u8() : 0,
    // uniform, list and straw
    allowedBucketAlgs: more() ? r.u32() : 22,
    chooseleafStable: more() ? r.u8() : 0,
  };
}

/*
 * choose args: u32 n; n times { s64 pool; u32 m; m times { u32 slot; u32 positions, list<u32> weights each;
 * u32 ids; s32 ids[] } }
 */
function encodeChooseArgs(w: Writer, x: CrushMap["chooseArgs"]): void {
  w.u32(x.size);
  for (const [pool, args] of [...x].sort((a, b) => a[0] - b[0])) {
    w.s64n(pool);
    w.u32(args.size);
    for (const [slot, arg] of [...args].sort((a, b) => a[0] - b[0])) {
      w.u32(slot);
      w.u32(arg.weightSet.length);
      for (const set of arg.weightSet) weights.encode(w, [...set]);
      ids.encode(w, [...arg.ids]);
    }
  }
}

/** `set` with as many weights as its bucket has items. */
function resized(set: number[], size: number): number[] {
  return Array.from({ length: size }, (_, i) => set[i] ?? 0);
}

/**
 * What old releases left behind is put in order as upstream does on reading: overrides of buckets that are
 * gone, or that do not draw by them, are dropped; a weight set misses no item.
 * ceph: src/crush/CrushWrapper.cc decode, update_choose_args
 */
function decodeChooseArgs(r: Reader, buckets: CrushMap["buckets"]): Map<number, CrushChooseArgs> {
  const out = new Map<number, CrushChooseArgs>();
  for (let n = r.count(12); n > 0; n--) {
    const pool = r.s64n();
    const args = new Map<number, CrushChooseArg>();
    for (let m = r.count(12); m > 0; m--) {
      const slot = r.u32();
      if (slot >= buckets.length) throw r.fail(`choose args for slot ${slot}`);
      const weightSet: number[][] = [];
      for (let p = r.count(4); p > 0; p--) weightSet.push(weights.decode(r));
      const own = ids.decode(r);
      const bucket = buckets[slot];
      if (bucket?.alg !== CRUSH_BUCKET.STRAW2) continue;
      const size = bucket.items.length;
      if (own.length !== 0 && own.length !== size) throw r.fail("choose args ids of another size");
      args.set(slot, { weightSet: weightSet.map((set) => resized(set, size)), ids: own });
    }
    out.set(pool, args);
  }
  return out;
}

export const CrushMapCodec: Codec<CrushMap> = {
  name: "CrushWrapper",
  minSize: 28,
  encode(w, x) {
    w.u32(CRUSH_MAGIC);
    w.s32(x.buckets.length);
    w.u32(x.rules.length);
    w.s32(x.maxDevices);
    for (const bucket of x.buckets) encodeBucket(w, bucket);
    for (const rule of x.rules) encodeRule(w, rule);
    names.encode(w, new Map(x.typeNames));
    names.encode(w, new Map(x.itemNames));
    names.encode(w, new Map(x.ruleNames));
    encodeTunables(w, x.tunables);
    classes.encode(w, new Map(x.classMap));
    names.encode(w, new Map(x.classNames));
    shadows.encode(w, new Map([...x.classBucket].map(([id, m]) => [id, new Map(m)])));
    encodeChooseArgs(w, x.chooseArgs);
    const { msr } = x.tunables;
    if (msr !== undefined) {
      w.u32(msr.descents);
      w.u32(msr.collisionTries);
    }
  },
  decode(r) {
    if (r.u32() !== CRUSH_MAGIC) throw r.fail("not a crush map");
    const slots = r.s32();
    const ruleSlots = r.u32();
    // Written for old readers; like upstream we go by the items and the names.
    r.s32();
    if (slots < 0 || slots > CRUSH_MAX_BUCKETS || slots * 4 > r.remaining) {
      throw r.fail(`${slots} buckets`);
    }
    if (ruleSlots > CRUSH_MAX_RULES) throw r.fail(`${ruleSlots} rules`);
    const buckets: (CrushBucket | undefined)[] = [];
    for (let i = 0; i < slots; i++) buckets.push(decodeBucket(r, i));
    const rules: (CrushRule | undefined)[] = [];
    for (let i = 0; i < ruleSlots; i++) rules.push(decodeRule(r));
    const typeNames = names.decode(r);
    const itemNames = names.decode(r);
    let maxDevices = 0;
    for (const bucket of buckets) {
      for (const item of bucket?.items ?? []) maxDevices = Math.max(maxDevices, item + 1);
    }
    for (const id of itemNames.keys()) maxDevices = Math.max(maxDevices, id + 1);
    const ruleNames = names.decode(r);
    const tunables = decodeTunables(r);
    const hasClasses = r.remaining > 0;
    const classMap = hasClasses ? classes.decode(r) : new Map<number, number>();
    const classNames = hasClasses ? names.decode(r) : new Map<number, string>();
    const classBucket = hasClasses ? shadows.decode(r) : new Map<number, Map<number, number>>();
    const chooseArgs =
      r.remaining > 0 ? decodeChooseArgs(r, buckets) : new Map<number, CrushChooseArgs>();
    const msr = decodeMsrTunables(r);
    return {
      buckets,
      rules,
      maxDevices,
      typeNames,
      itemNames,
      ruleNames,
      tunables: msr === undefined ? tunables : { ...tunables, msr },
      classMap,
      classNames,
      classBucket,
      chooseArgs,
    };
  },
};
