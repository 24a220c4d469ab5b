/**
 * The CRUSH map: a tree of weighted buckets over devices, and the rules that walk it.
 *
 * A plain object that nobody changes once it is part of an OSD map; builders return new ones.
 * Devices have ids from 0 up, buckets from -1 down; the bucket with id `b` lives in slot `-1 - b`.
 * Weights are 16.16 fixed point: 0x10000 is 1.0. Names are byte strings.
 * ceph: src/crush/crush.h, src/crush/CrushWrapper.h
 */

export const CRUSH_MAGIC = 0x0001_0000;
/** A slot of an indep result that no device could fill. */
export const CRUSH_ITEM_NONE = 0x7fff_ffff;
/** A slot that is still being looked for; never in a result. */
export const CRUSH_ITEM_UNDEF = 0x7fff_fffe;
/** Deepest tree we follow, and most buckets, items and rules we accept from a peer. */
export const CRUSH_MAX_DEPTH = 10;
export const CRUSH_MAX_BUCKETS = 1 << 20;
export const CRUSH_MAX_RULES = 1 << 8;

export const CRUSH_BUCKET = { UNIFORM: 1, LIST: 2, TREE: 3, STRAW: 4, STRAW2: 5 } as const;
export const CRUSH_HASH_RJENKINS1 = 0;

export const CRUSH_RULE_OP = {
  NOOP: 0,
  /** arg1: device or bucket to start from. */
  TAKE: 1,
  /** arg1: how many; arg2: bucket type. */
  CHOOSE_FIRSTN: 2,
  CHOOSE_INDEP: 3,
  EMIT: 4,
  CHOOSELEAF_FIRSTN: 6,
  CHOOSELEAF_INDEP: 7,
  SET_CHOOSE_TRIES: 8,
  SET_CHOOSELEAF_TRIES: 9,
  SET_CHOOSE_LOCAL_TRIES: 10,
  SET_CHOOSE_LOCAL_FALLBACK_TRIES: 11,
  SET_CHOOSELEAF_VARY_R: 12,
  SET_CHOOSELEAF_STABLE: 13,
  /** Only in rules of an MSR type: see CRUSH_RULE_TYPE. */
  SET_MSR_DESCENTS: 14,
  SET_MSR_COLLISION_TRIES: 15,
  /** arg1: how many, 0 for as many as wanted; arg2: bucket type. */
  CHOOSE_MSR: 16,
} as const;

/**
 * What a rule is for. The first two are types of pools; the others, of Squid and later, retry over all their
 * steps ("multi-step retry") and serve pools of the type that they replace.
 */
export const CRUSH_RULE_TYPE = { REPLICATED: 1, ERASURE: 3, MSR_FIRSTN: 4, MSR_INDEP: 5 } as const;

interface BucketBase {
  readonly id: number;
  /** Index into typeNames; never 0, which is a device. */
  readonly type: number;
  readonly hash: number;
  /** Sum of the items' weights. */
  readonly weight: number;
  readonly items: readonly number[];
}

/** All items weigh the same; O(1) and reshuffled entirely when the size changes. */
export interface UniformBucket extends BucketBase {
  readonly alg: typeof CRUSH_BUCKET.UNIFORM;
  readonly itemWeight: number;
}
/** Cheap to append to. `sumWeights[i]` is the weight of items 0 to i. */
export interface ListBucket extends BucketBase {
  readonly alg: typeof CRUSH_BUCKET.LIST;
  readonly itemWeights: readonly number[];
  readonly sumWeights: readonly number[];
}
/** A binary tree in an array; item i sits at node 2i+1. */
export interface TreeBucket extends BucketBase {
  readonly alg: typeof CRUSH_BUCKET.TREE;
  readonly nodeWeights: readonly number[];
}
/** The first try at straws; slightly wrong when weights differ. */
export interface StrawBucket extends BucketBase {
  readonly alg: typeof CRUSH_BUCKET.STRAW;
  readonly itemWeights: readonly number[];
  readonly straws: readonly number[];
}
export interface Straw2Bucket extends BucketBase {
  readonly alg: typeof CRUSH_BUCKET.STRAW2;
  readonly itemWeights: readonly number[];
}
export type CrushBucket = UniformBucket | ListBucket | TreeBucket | StrawBucket | Straw2Bucket;

export interface CrushRuleStep {
  readonly op: number;
  readonly arg1: number;
  readonly arg2: number;
}

export interface CrushRule {
  readonly ruleset: number;
  /** CRUSH_RULE_TYPE */
  readonly type: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly steps: readonly CrushRuleStep[];
}

export interface CrushTunables {
  readonly chooseLocalTries: number;
  readonly chooseLocalFallbackTries: number;
  readonly chooseTotalTries: number;
  readonly chooseleafDescendOnce: number;
  readonly chooseleafVaryR: number;
  readonly strawCalcVersion: number;
  /** Bits 1 << CRUSH_BUCKET.x. */
  readonly allowedBucketAlgs: number;
  readonly chooseleafStable: number;
  /** Of MSR rules; undefined in maps that end before it. @default DEFAULT_MSR_TUNABLES */
  readonly msr?: MsrTunables | undefined;
}

/** How often an MSR rule tries: descents from the top, and draws at one place that collide. */
export interface MsrTunables {
  readonly descents: number;
  readonly collisionTries: number;
}
export const DEFAULT_MSR_TUNABLES: MsrTunables = Object.freeze({
  descents: 100,
  collisionTries: 100,
});

/** The "jewel" profile, which every release since has as its default. */
export const TUNABLES_JEWEL: CrushTunables = Object.freeze({
  chooseLocalTries: 0,
  chooseLocalFallbackTries: 0,
  chooseTotalTries: 50,
  chooseleafDescendOnce: 1,
  chooseleafVaryR: 1,
  strawCalcVersion: 1,
  allowedBucketAlgs: 54,
  chooseleafStable: 1,
});

/** Weights and ids of one bucket as a balancer overrides them. */
export interface CrushChooseArg {
  /** By replica position; the last one counts for all later positions. */
  readonly weightSet: readonly (readonly number[])[];
  /** Ids that stand in for the items' own in the hash; empty for none. */
  readonly ids: readonly number[];
}

/** Overrides by bucket slot (`-1 - id`). */
export type CrushChooseArgs = ReadonlyMap<number, CrushChooseArg>;
/** Key of the overrides that apply to pools without their own. */
export const DEFAULT_CHOOSE_ARGS = -1;

export interface CrushMap {
  /** By slot; `undefined` where there is none. */
  readonly buckets: readonly (CrushBucket | undefined)[];
  /** By rule id. */
  readonly rules: readonly (CrushRule | undefined)[];
  /** One more than the highest id of a device that a bucket holds or that has a name. */
  readonly maxDevices: number;
  readonly typeNames: ReadonlyMap<number, string>;
  /** Names of devices and buckets; shadow buckets are `name~class`. */
  readonly itemNames: ReadonlyMap<number, string>;
  readonly ruleNames: ReadonlyMap<number, string>;
  readonly tunables: CrushTunables;
  /** Device id → class id; shadow bucket id → class id as well. */
  readonly classMap: ReadonlyMap<number, number>;
  readonly classNames: ReadonlyMap<number, string>;
  /** Bucket id → class id → id of its shadow. */
  readonly classBucket: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Pool id, or DEFAULT_CHOOSE_ARGS → overrides. */
  readonly chooseArgs: ReadonlyMap<number, CrushChooseArgs>;
}

/** The bucket with that id, if there is one. */
export function bucketOf(map: CrushMap, id: number): CrushBucket | undefined {
  return id < 0 ? map.buckets[-1 - id] : undefined;
}

/** Weight of the i-th item of a bucket. */
export function itemWeight(bucket: CrushBucket, i: number): number {
  switch (bucket.alg) {
    case CRUSH_BUCKET.UNIFORM:
      return bucket.itemWeight;
    case CRUSH_BUCKET.TREE:
      return bucket.nodeWeights[2 * i + 1] ?? 0;
    default:
      return bucket.itemWeights[i] ?? 0;
  }
}

/** Is it a class's shadow of another bucket? Such names have a `~`. */
export function isShadow(map: CrushMap, id: number): boolean {
  return map.itemNames.get(id)?.includes("~") ?? false;
}

/** Buckets that no other bucket holds, highest id first, shadows left out. */
export function rootsOf(map: CrushMap): number[] {
  const held = new Set<number>();
  for (const bucket of map.buckets) for (const item of bucket?.items ?? []) held.add(item);
  const roots: number[] = [];
  for (const bucket of map.buckets) {
    if (bucket !== undefined && !held.has(bucket.id) && !isShadow(map, bucket.id)) {
      roots.push(bucket.id);
    }
  }
  return roots;
}

/** Id of the item with that name. */
export function itemByName(map: CrushMap, name: string): number | undefined {
  for (const [id, text] of map.itemNames) if (text === name) return id;
  return undefined;
}

/** Id of the rule with that name. */
export function ruleByName(map: CrushMap, name: string): number | undefined {
  for (const [id, text] of map.ruleNames) if (text === name) return id;
  return undefined;
}

/** Name of a device's (or shadow's) class, if it has one. */
export function classOf(map: CrushMap, id: number): string | undefined {
  const cls = map.classMap.get(id);
  return cls === undefined ? undefined : map.classNames.get(cls);
}
