/**
 * Runs a CRUSH rule: from a placement seed to devices. Pure, and equal to the last bit on every client
 * and server of a cluster; a difference means data that cannot be found.
 *
 * Loops are bounded where upstream trusts the map: a descent through more levels than any sane tree has,
 * and tries beyond any sane setting, count as finding nothing.
 * ceph: src/crush/mapper.c crush_do_rule
 */

import { DESCENT_MAX, Draws, type RuleInput } from "./draws.ts";
import {
  bucketOf,
  CRUSH_BUCKET,
  CRUSH_ITEM_NONE,
  CRUSH_ITEM_UNDEF,
  CRUSH_RULE_OP,
  type CrushBucket,
  type CrushMap,
  type CrushRuleStep,
} from "./map.ts";
import { isMsrRule, runMsrRule } from "./msr.ts";

/** Bound of tries and of replicas looked for. */
const TRIES_MAX = 10_000;

/** Tunables as the rule's own steps have changed them so far. */
interface Settings {
  tries: number;
  leafTries: number;
  localRetries: number;
  localFallbackRetries: number;
  varyR: number;
  stable: number;
}

/** What is looked for below one bucket. */
interface Search {
  readonly numrep: number;
  /** Bucket type; 0 for devices. */
  readonly type: number;
  readonly tries: number;
  readonly recurseTries: number;
  /** One device below each item found. */
  readonly toLeaf: boolean;
  readonly parentR: number;
}

class RuleRun {
  readonly #map: CrushMap;
  readonly #draws: Draws;
  readonly #settings: Settings;

  constructor(draws: Draws) {
    const { map } = draws;
    this.#map = map;
    this.#draws = draws;
    const t = map.tunables;
    this.#settings = {
      // The tunable counts retries, a rule's own setting counts tries.
      tries: t.chooseTotalTries + 1,
      leafTries: 0,
      localRetries: Math.min(t.chooseLocalTries, TRIES_MAX),
      localFallbackRetries: Math.min(t.chooseLocalFallbackTries, TRIES_MAX),
      varyR: t.chooseleafVaryR,
      stable: t.chooseleafStable,
    };
  }

  run(steps: readonly CrushRuleStep[], resultMax: number): number[] {
    const result: number[] = [];
    let work: number[] = [];
    for (const step of steps) {
      const { op, arg1 } = step;
      switch (op) {
        case CRUSH_RULE_OP.TAKE:
          if (arg1 >= 0 ? arg1 < this.#map.maxDevices : bucketOf(this.#map, arg1) !== undefined) {
            work = [arg1];
          }
          break;
        case CRUSH_RULE_OP.CHOOSE_FIRSTN:
        case CRUSH_RULE_OP.CHOOSE_INDEP:
        case CRUSH_RULE_OP.CHOOSELEAF_FIRSTN:
        case CRUSH_RULE_OP.CHOOSELEAF_INDEP:
          if (work.length > 0) work = this.#chooseStep(step, work, resultMax);
          break;
        case CRUSH_RULE_OP.EMIT:
          result.push(...work.slice(0, resultMax - result.length));
          work = [];
          break;
        default:
          this.#set(op, arg1);
      }
    }
    return result;
  }

  /** A step that changes a tunable for the rest of the rule; anything else does nothing. */
  #set(op: number, value: number): void {
    const s = this.#settings;
    if (op === CRUSH_RULE_OP.SET_CHOOSE_TRIES && value > 0) s.tries = value;
    if (op === CRUSH_RULE_OP.SET_CHOOSELEAF_TRIES && value > 0) s.leafTries = value;
    if (value < 0) return;
    const bounded = Math.min(value, TRIES_MAX);
    if (op === CRUSH_RULE_OP.SET_CHOOSE_LOCAL_TRIES) s.localRetries = bounded;
    if (op === CRUSH_RULE_OP.SET_CHOOSE_LOCAL_FALLBACK_TRIES) s.localFallbackRetries = bounded;
    if (op === CRUSH_RULE_OP.SET_CHOOSELEAF_VARY_R) s.varyR = value;
    if (op === CRUSH_RULE_OP.SET_CHOOSELEAF_STABLE) s.stable = value;
  }

  /** Replaces each bucket of the work list by what is chosen below it. */
  #chooseStep(step: CrushRuleStep, work: readonly number[], resultMax: number): number[] {
    const { op, arg1, arg2: type } = step;
    const firstn = op === CRUSH_RULE_OP.CHOOSE_FIRSTN || op === CRUSH_RULE_OP.CHOOSELEAF_FIRSTN;
    const toLeaf = op === CRUSH_RULE_OP.CHOOSELEAF_FIRSTN || op === CRUSH_RULE_OP.CHOOSELEAF_INDEP;
    const s = this.#settings;
    const tries = Math.min(s.tries, TRIES_MAX);
    // Zero means as many as wanted, below zero that many fewer.
    const numrep = arg1 > 0 ? arg1 : arg1 + resultMax;
    const out: number[] = [];
    if (numrep <= 0) return out;
    const leafTriesFirstn = this.#map.tunables.chooseleafDescendOnce ? 1 : tries;
    const recurseTries = s.leafTries || (firstn ? leafTriesFirstn : 1);
    const search: Search = { numrep, type, tries, recurseTries, toLeaf, parentR: 0 };
    for (const item of work) {
      const bucket = bucketOf(this.#map, item);
      if (bucket === undefined) continue;
      const found: number[] = [];
      const leaves: number[] = [];
      const room = resultMax - out.length;
      if (firstn) this.#firstn(bucket, search, room, { out: found, leaves, outpos: 0 });
      else this.#indep(bucket, search, { out: found, leaves, outpos: 0 }, Math.min(numrep, room));
      // A leaf may have been noted for a replica that was then given up.
      out.push(...(toLeaf ? leaves.slice(0, found.length) : found));
    }
    return out;
  }

  /**
   * Fills `out` with distinct items, leaving no holes: replicated pools.
   * @returns the new length of `out`
   */
  #firstn(bucket: CrushBucket, search: Search, room: number, target: Target): number {
    const { out, leaves } = target;
    let { outpos } = target;
    let count = room;
    const numrep = Math.min(search.numrep, TRIES_MAX);
    for (let rep = this.#settings.stable ? 0 : outpos; rep < numrep && count > 0; rep++) {
      const item = this.#placeFirstn(bucket, search, rep, { out, leaves, outpos }, count);
      if (item === undefined) continue;
      out[outpos++] = item;
      count--;
    }
    return outpos;
  }

  /** Tries until an item fits; undefined when this replica has to be given up. */
  #placeFirstn(
    start: CrushBucket,
    search: Search,
    rep: number,
    target: Target,
    count: number,
  ): number | undefined {
    const { localRetries, localFallbackRetries: fallback } = this.#settings;
    for (let ftotal = 0; ; ) {
      let bucket = start;
      let flocal = 0;
      for (let depth = 0; ; ) {
        const r = rep + search.parentR + ftotal;
        const size = bucket.items.length;
        let verdict: Verdict = "reject";
        if (size > 0) {
          const exhaustive = fallback > 0 && flocal >= size >> 1 && flocal > fallback;
          const item = exhaustive
            ? this.#draws.chooseInTurn(bucket, r)
            : this.#draws.choose(bucket, r, target.outpos);
          if (item >= this.#map.maxDevices) return undefined;
          if (this.#draws.typeOf(item) !== search.type) {
            const next = bucketOf(this.#map, item);
            if (next === undefined || ++depth > DESCENT_MAX) return undefined;
            bucket = next;
            continue;
          }
          verdict = this.#judgeFirstn(item, r, search, target, count);
          if (verdict === "fits") return item;
        }
        ftotal++;
        flocal++;
        if (verdict === "collides" && flocal <= localRetries) continue;
        if (fallback > 0 && flocal <= size + fallback) continue;
        if (ftotal < search.tries) break;
        return undefined;
      }
    }
  }

  #judgeFirstn(item: number, r: number, search: Search, target: Target, count: number): Verdict {
    const { out, leaves, outpos } = target;
    for (let i = 0; i < outpos; i++) if (out[i] === item) return "collides";
    if (search.toLeaf) {
      if (item >= 0) {
        leaves[outpos] = item;
      } else {
        const { varyR, stable } = this.#settings;
        const below: Search = {
          numrep: stable ? 1 : outpos + 1,
          type: 0,
          tries: search.recurseTries,
          recurseTries: 0,
          toLeaf: false,
          parentR: varyR ? r >> (varyR - 1) : 0,
        };
        const found = this.#firstn(bucketOf(this.#map, item)!, below, count, {
          out: leaves,
          leaves: [],
          outpos,
        });
        if (found <= outpos) return "reject";
      }
    }
    return search.type === 0 && this.#draws.isOut(item) ? "reject" : "fits";
  }

  /** Fills positions independently, with holes where nothing fits: erasure-coded pools. */
  #indep(bucket: CrushBucket, search: Search, target: Target, length: number): void {
    const { out, leaves, outpos } = target;
    const end = outpos + length;
    for (let rep = outpos; rep < end; rep++) {
      out[rep] = CRUSH_ITEM_UNDEF;
      if (search.toLeaf) leaves[rep] = CRUSH_ITEM_UNDEF;
    }
    let left = length;
    for (let ftotal = 0; left > 0 && ftotal < search.tries; ftotal++) {
      for (let rep = outpos; rep < end; rep++) {
        if (out[rep] !== CRUSH_ITEM_UNDEF) continue;
        const item = this.#placeIndep(bucket, search, { target, end, rep, ftotal });
        if (item === undefined) continue;
        out[rep] = item;
        if (item === CRUSH_ITEM_NONE && search.toLeaf) leaves[rep] = CRUSH_ITEM_NONE;
        left--;
      }
    }
    for (let rep = outpos; rep < end; rep++) {
      if (out[rep] === CRUSH_ITEM_UNDEF) out[rep] = CRUSH_ITEM_NONE;
      if (search.toLeaf && leaves[rep] === CRUSH_ITEM_UNDEF) leaves[rep] = CRUSH_ITEM_NONE;
    }
  }

  /** One try for one position: an item, NONE for good, or undefined to try again. */
  #placeIndep(
    start: CrushBucket,
    search: Search,
    at: { target: Target; end: number; rep: number; ftotal: number },
  ): number | undefined {
    const { numrep, toLeaf, type } = search;
    const { target, end, rep, ftotal } = at;
    const { out, leaves, outpos } = target;
    let bucket = start;
    for (let depth = 0; depth <= DESCENT_MAX; depth++) {
      const size = bucket.items.length;
      // In a uniform bucket of a multiple of numrep items, steps of numrep would never meet the others.
      const stride =
        bucket.alg === CRUSH_BUCKET.UNIFORM && size % numrep === 0 ? numrep + 1 : numrep;
      const r = rep + search.parentR + stride * ftotal;
      if (size === 0) return undefined;
      const item = this.#draws.choose(bucket, r, outpos);
      if (item >= this.#map.maxDevices) return CRUSH_ITEM_NONE;
      if (this.#draws.typeOf(item) !== type) {
        const next = bucketOf(this.#map, item);
        if (next === undefined) return CRUSH_ITEM_NONE;
        bucket = next;
        continue;
      }
      for (let i = outpos; i < end; i++) if (out[i] === item) return undefined;
      if (toLeaf) {
        if (item >= 0) {
          leaves[rep] = item;
        } else {
          const tries = search.recurseTries;
          const below = { numrep, type: 0, tries, recurseTries: 0, toLeaf: false, parentR: r };
          const child = { out: leaves, leaves: [], outpos: rep };
          this.#indep(bucketOf(this.#map, item)!, below, child, 1);
          if (leaves[rep] === CRUSH_ITEM_NONE) return undefined;
        }
      }
      return type === 0 && this.#draws.isOut(item) ? undefined : item;
    }
    return CRUSH_ITEM_NONE;
  }
}

type Verdict = "fits" | "collides" | "reject";

/** Where a search writes: from `outpos` on, leaves beside the items they are below. */
interface Target {
  readonly out: number[];
  readonly leaves: number[];
  readonly outpos: number;
}

/**
 * The devices a rule gives for an input; holes of an indep rule are CRUSH_ITEM_NONE. Empty if there is
 * no such rule.
 */
export function doRule(map: CrushMap, ruleId: number, input: RuleInput): number[] {
  const rule = map.rules[ruleId];
  if (rule === undefined) return [];
  const draws = new Draws(map, input);
  return isMsrRule(rule)
    ? runMsrRule(draws, rule, input.resultMax)
    : new RuleRun(draws).run(rule.steps, input.resultMax);
}

/** Id of the rule that a pool's crush_rule, type and size select before Quincy; -1 for none. */
export function findRule(map: CrushMap, ruleset: number, type: number, size: number): number {
  return map.rules.findIndex(
    (rule) =>
      rule !== undefined &&
      rule.ruleset === ruleset &&
      rule.type === type &&
      rule.minSize <= size &&
      rule.maxSize >= size,
  );
}
