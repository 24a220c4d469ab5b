/**
 * Random CRUSH maps in crushtool's text form: trees of one to four levels of all kinds of buckets, device
 * classes, tunables of every age, weight sets and ids of a balancer, and rules of every shape that ends in
 * devices.
 */

import type { Dice } from "../harness/dice.ts";

const ALGS = ["uniform", "list", "tree", "straw", "straw2"] as const;
type Alg = (typeof ALGS)[number];
const CLASSES = ["ssd", "hdd", "nvme"];
/** The release that began MSR rules. */
const SQUID = 19;
const TYPES = ["osd", "host", "chassis", "rack", "root"];

interface Bucket {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly alg: Alg;
  readonly items: readonly { readonly name: string; readonly weight: number }[];
  readonly weight: number;
}

export interface CrushText {
  readonly text: string;
  readonly rules: readonly { readonly erasure: boolean }[];
}

export interface CrushTextOptions {
  /** Release of the crushtool that is to read it. */
  readonly release: number;
}

/** Three decimals, as the text form has them. */
const text3 = (weight: number): string => weight.toFixed(3);

export function crushText(dice: Dice, { release }: CrushTextOptions): CrushText {
  const out: string[] = [];
  out.push(...tunables(dice));
  const hasMsr = release >= SQUID;
  const tree = new Tree(dice, { hasClasses: dice.chance(0.5), hasEmpty: !hasMsr });
  for (const osd of tree.osds) {
    const cls = tree.classes.get(osd);
    out.push(`device ${osd} osd.${osd}${cls === undefined ? "" : ` class ${cls}`}`);
  }
  TYPES.forEach((name, type) => {
    out.push(`type ${type} ${name}`);
  });
  for (const bucket of tree.buckets) {
    out.push(`${TYPES[bucket.type]} ${bucket.name} {`, `  id ${bucket.id}`);
    out.push(`  alg ${bucket.alg}`, "  hash 0");
    for (const { name, weight } of bucket.items) out.push(`  item ${name} weight ${text3(weight)}`);
    out.push("}");
  }
  const rules = Array.from({ length: dice.between(4, 7) }, () =>
    dice.chance(hasMsr ? 0.4 : 0) ? msrRule(dice, tree) : plainRule(dice, tree),
  );
  rules.forEach(({ type, steps }, id) => {
    out.push(`rule rule${id} {`, `  id ${id}`, `  type ${type}`);
    if (release < 17) out.push("  min_size 1", `  max_size ${dice.pick([3, 10, 20])}`);
    out.push(...steps.map((step) => `  step ${step}`), "}");
  });
  if (dice.chance(0.5)) {
    for (const pool of [0, 1, 2]) if (dice.chance(0.6)) out.push(...chooseArgs(dice, tree, pool));
  }
  return {
    text: `${out.join("\n")}\n`,
    rules: rules.map(({ type }) => ({ erasure: type === "erasure" || type === "msr_indep" })),
  };
}

function tunables(dice: Dice): string[] {
  const age = dice.weighted({ jewel: 3, firefly: 1, bobtail: 1, argonaut: 1, odd: 3 });
  const values = {
    jewel: [0, 0, 50, 1, 1, 1, 1],
    firefly: [0, 0, 50, 1, 1, 0, 0],
    bobtail: [0, 0, 50, 1, 0, 0, 0],
    argonaut: [2, 5, 19, 0, 0, 0, 0],
    odd: [
      dice.below(4),
      dice.below(6),
      dice.between(2, 60),
      dice.below(2),
      dice.below(5),
      dice.below(2),
      dice.below(2),
    ],
  }[age];
  const names = [
    "choose_local_tries",
    "choose_local_fallback_tries",
    "choose_total_tries",
    "chooseleaf_descend_once",
    "chooseleaf_vary_r",
    "chooseleaf_stable",
    "straw_calc_version",
  ];
  return [
    ...names.map((name, i) => `tunable ${name} ${values[i]}`),
    "tunable allowed_bucket_algs 62",
  ];
}

/** One or two roots over the same or other devices. */
class Tree {
  readonly osds: number[] = [];
  readonly buckets: Bucket[] = [];
  readonly roots: Bucket[] = [];
  /** By device. */
  readonly classes = new Map<number, string>();
  /** Types that have buckets, from the devices up. */
  readonly types: readonly number[];
  readonly #dice: Dice;
  readonly #algs: readonly Alg[];
  readonly #hasEmpty: boolean;
  #nextOsd = 0;
  #nextId = -1;

  /**
   * crushtool makes no shadow of a uniform bucket, so there are none with classes; the tools die of an MSR
   * rule that comes to an empty bucket.
   */
  constructor(dice: Dice, { hasClasses, hasEmpty }: { hasClasses: boolean; hasEmpty: boolean }) {
    this.#dice = dice;
    this.#hasEmpty = hasEmpty;
    this.#algs = hasClasses ? ALGS.filter((alg) => alg !== "uniform") : ALGS;
    const inner = [1, 2, 3].filter(() => dice.chance(0.6));
    this.types = [0, ...inner, 4];
    const alg = dice.chance(0.4) ? dice.pick(this.#algs) : undefined;
    const roots = dice.chance(0.25) ? 2 : 1;
    for (let i = 0; i < roots || this.osds.length === 0; i++) {
      this.roots.push(this.#bucket(this.types.length - 1, alg));
    }
    for (const osd of hasClasses ? this.osds : []) {
      if (dice.chance(0.9)) this.classes.set(osd, dice.pick(CLASSES));
    }
  }

  /** Classes of the devices under a bucket; there are no shadows of others. */
  classesUnder(bucket: Bucket): string[] {
    return CLASSES.filter((cls) => this.#hosts(bucket).some((host) => this.#has(host, cls)));
  }

  /** Those of which no bucket below has an empty shadow. */
  classesEverywhere(bucket: Bucket): string[] {
    return CLASSES.filter((cls) => this.#hosts(bucket).every((host) => this.#has(host, cls)));
  }

  /** The buckets of devices at or under a bucket. */
  #hosts(bucket: Bucket): Bucket[] {
    const children = bucket.items.flatMap(
      ({ name }) => this.buckets.find((b) => b.name === name) ?? [],
    );
    return children.length === 0 ? [bucket] : children.flatMap((child) => this.#hosts(child));
  }

  #has(host: Bucket, cls: string): boolean {
    return host.items.some(
      ({ name }) => this.classes.get(Number(name.slice("osd.".length))) === cls,
    );
  }

  /** A bucket of the level, and all below it, which come first in the text. */
  #bucket(level: number, given: Alg | undefined): Bucket {
    const dice = this.#dice;
    const type = this.types[level]!;
    const isLeaf = level === 1;
    const wanted = given ?? dice.pick(this.#algs);
    // Buckets in a bucket weigh what is in them, which is seldom the same.
    const alg = wanted === "uniform" && !isLeaf ? "straw2" : wanted;
    const isEmpty = this.#hasEmpty && dice.chance(0.03);
    const size = isEmpty ? 0 : dice.between(1, isLeaf ? 6 : 3) + (level === 2 ? 1 : 0);
    const same = dice.pick([0.5, 1, 2.25]);
    const items = Array.from({ length: size }, () => {
      if (!isLeaf) {
        const { name, weight } = this.#bucket(level - 1, given);
        return { name, weight: dice.chance(0.05) ? weight / 2 : weight };
      }
      const osd = this.#nextOsd;
      this.#nextOsd += dice.chance(0.1) ? 2 : 1;
      this.osds.push(osd);
      const weight = alg === "uniform" ? same : dice.pick([0, 0.25, 0.91, 1, 1, 1, 3.5, 12.7]);
      return { name: `osd.${osd}`, weight };
    });
    const id = this.#nextId;
    this.#nextId -= dice.chance(0.1) ? 3 : 1;
    const weight = items.reduce((sum, item) => sum + Number(text3(item.weight)), 0);
    const bucket = { id, name: `${TYPES[type]}${-id}`, type, alg, items, weight };
    this.buckets.push(bucket);
    return bucket;
  }
}

const counts = (dice: Dice): number => dice.pick([0, 0, 0, 1, 2, 2, 3, 4, -1, -2]);

function takeFrom(dice: Dice, bucket: Bucket, classes: readonly string[]): string {
  const cls = classes.length > 0 && dice.chance(0.4) ? ` class ${dice.pick(classes)}` : "";
  return `take ${bucket.name}${cls}`;
}

/** Types that a descent goes through, from the top down, without the root and the devices. */
function stops(dice: Dice, tree: Tree): string[] {
  return tree.types
    .slice(1, -1)
    .filter(() => dice.chance(0.4))
    .reverse()
    .map((type) => TYPES[type]!);
}

function plainRule(dice: Dice, tree: Tree): { type: string; steps: string[] } {
  const erasure = dice.chance(0.5);
  const way = () => (erasure !== dice.chance(0.1) ? "indep" : "firstn");
  const steps: string[] = [];
  const set = (name: string, probability: number, high: number) => {
    if (dice.chance(probability)) steps.push(`set_${name} ${dice.between(0, high)}`);
  };
  set("chooseleaf_tries", 0.3, 10);
  set("choose_tries", 0.3, 100);
  set("choose_local_tries", 0.15, 3);
  set("choose_local_fallback_tries", 0.15, 5);
  set("chooseleaf_vary_r", 0.15, 4);
  set("chooseleaf_stable", 0.15, 1);
  for (let blocks = dice.chance(0.3) ? 2 : 1; blocks > 0; blocks--) {
    const bucket = dice.pick(dice.chance(0.8) ? tree.roots : tree.buckets);
    steps.push(takeFrom(dice, bucket, tree.classesUnder(bucket)));
    const types = stops(dice, tree);
    const leafUnder = dice.chance(0.6) ? types.pop() : undefined;
    for (const type of types) steps.push(`choose ${way()} ${counts(dice)} type ${type}`);
    steps.push(
      leafUnder === undefined
        ? `choose ${way()} ${counts(dice)} type osd`
        : `chooseleaf ${way()} ${counts(dice)} type ${leafUnder}`,
    );
    steps.push("emit");
  }
  return { type: erasure ? "erasure" : "replicated", steps };
}

function msrRule(dice: Dice, tree: Tree): { type: string; steps: string[] } {
  const steps: string[] = [];
  if (dice.chance(0.3)) steps.push(`set_msr_descents ${dice.between(1, 30)}`);
  if (dice.chance(0.3)) steps.push(`set_msr_collision_tries ${dice.between(1, 30)}`);
  for (let blocks = dice.chance(0.3) ? 2 : 1; blocks > 0; blocks--) {
    const root = dice.pick(tree.roots);
    steps.push(takeFrom(dice, root, tree.classesEverywhere(root)));
    const types = [...stops(dice, tree), "osd"];
    for (const type of types) steps.push(`choosemsr ${dice.pick([0, 1, 2, 2, 3, 4])} type ${type}`);
    steps.push("emit");
  }
  return { type: dice.chance(0.5) ? "msr_firstn" : "msr_indep", steps };
}

function chooseArgs(dice: Dice, tree: Tree, pool: number): string[] {
  const positions = dice.between(1, 3);
  const out = [`choose_args ${pool} {`];
  for (const { id, alg, items } of tree.buckets) {
    if (alg !== "straw2" || items.length === 0 || dice.chance(0.4)) continue;
    const set = () => `[ ${items.map(() => text3(dice.fraction() * 4)).join(" ")} ]`;
    const sets = Array.from({ length: positions }, set).join(" ");
    const weights = dice.chance(0.8) ? ` weight_set [ ${sets} ]` : "";
    const ids = items.map(() => -1000 - dice.below(1000)).join(" ");
    const hasIds = weights === "" || dice.chance(0.4);
    out.push(`  { bucket_id ${id}${weights}${hasIds ? ` ids [ ${ids} ]` : ""} }`);
  }
  return [...out, "}"];
}
