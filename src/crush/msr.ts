/**
 * MSR rules ("multi-step retry", Squid and later): a device that is out makes the whole descent be tried
 * again, not only its last step, and still no more than so many devices come from one bucket.
 *
 *   set_msr_* …, then blocks of: take a bucket, choose_msr steps, emit
 *
 * The positions of the result are cut into as many strides as the first step chooses buckets, each of them
 * into as many as the second does, and so on down to one position, which is a device's. What a stride has
 * chosen no other stride beside it may choose. One try fills what it can; what is left the next try fills.
 *
 * A rule that does not look like that gives nothing, and so does one that would end upstream's process:
 * steps that choose nothing, a bucket or level that is not there.
 * ceph: src/crush/mapper.c crush_msr_do_rule, doc/dev/crush-msr.rst
 */

import { DESCENT_MAX, type Draws } from "./draws.ts";
import {
  bucketOf,
  CRUSH_ITEM_NONE,
  CRUSH_ITEM_UNDEF,
  CRUSH_RULE_OP,
  CRUSH_RULE_TYPE,
  type CrushBucket,
  type CrushRule,
  type CrushRuleStep,
  DEFAULT_MSR_TUNABLES,
  type MsrTunables,
} from "./map.ts";

/** Bound of all draws of a block, whatever a map allows: some seconds. The defaults stay far below it. */
const DRAWS_MAX = 500_000;
/** Bound of the devices that a block's steps ask for in all. */
const FAN_OUT_MAX = 0xffff_ffff;

/** One block of a rule: what it takes, and how many of which type each step chooses. */
interface Block {
  readonly root: CrushBucket;
  readonly steps: readonly { readonly count: number; readonly type: number }[];
  /** Devices that the steps ask for in all. */
  readonly fanOut: number;
}

export function isMsrRule(rule: CrushRule): boolean {
  return rule.type === CRUSH_RULE_TYPE.MSR_FIRSTN || rule.type === CRUSH_RULE_TYPE.MSR_INDEP;
}

/** The rule's devices; holes of MSR_INDEP are CRUSH_ITEM_NONE. */
export function runMsrRule(draws: Draws, rule: CrushRule, resultMax: number): number[] {
  const settings = { ...(draws.map.tunables.msr ?? DEFAULT_MSR_TUNABLES) };
  let at = 0;
  for (; at < rule.steps.length; at++) {
    const { op, arg1 } = rule.steps[at]!;
    if (op === CRUSH_RULE_OP.SET_MSR_DESCENTS) settings.descents = arg1 >>> 0;
    else if (op === CRUSH_RULE_OP.SET_MSR_COLLISION_TRIES) settings.collisionTries = arg1 >>> 0;
    else break;
  }
  const result = new Result(resultMax, rule.type === CRUSH_RULE_TYPE.MSR_INDEP);
  let start = 0;
  while (at < rule.steps.length) {
    const emit = rule.steps.findIndex((s, i) => i > at && s.op === CRUSH_RULE_OP.EMIT);
    const block = emit < 0 ? undefined : blockOf(draws, rule.steps.slice(at, emit), resultMax);
    if (block === undefined) return [];
    const end = Math.min(start + block.fanOut, resultMax);
    new BlockRun({ draws, settings, block, result, resultMax }).run(start, end);
    start = end;
    at = emit + 1;
  }
  return result.osds();
}

/** Undefined for steps that are not a block's. */
function blockOf(
  draws: Draws,
  [take, ...chosen]: readonly CrushRuleStep[],
  resultMax: number,
): Block | undefined {
  if (take?.op !== CRUSH_RULE_OP.TAKE) return undefined;
  const root = bucketOf(draws.map, take.arg1);
  if (root === undefined || chosen.length === 0) return undefined;
  const steps = chosen.map(({ arg1, arg2 }) => ({ count: arg1 || resultMax, type: arg2 }));
  const fanOut = steps.reduce((product, { count }) => product * count, 1);
  const isSane = chosen.every(({ op, arg1 }) => op === CRUSH_RULE_OP.CHOOSE_MSR && arg1 >= 0);
  return isSane && fanOut <= FAN_OUT_MAX ? { root, steps, fanOut } : undefined;
}

/** Where devices go: to their position, or behind the ones before. */
class Result {
  readonly #osds: number[];
  readonly #keepsPositions: boolean;
  count = 0;

  constructor(size: number, keepsPositions: boolean) {
    this.#osds = Array.from({ length: size }, () => CRUSH_ITEM_NONE);
    this.#keepsPositions = keepsPositions;
  }

  add(position: number, osd: number): void {
    this.#osds[this.#keepsPositions ? position : this.count] = osd;
    this.count++;
  }

  osds(): number[] {
    return this.#keepsPositions ? this.#osds : this.#osds.slice(0, this.count);
  }
}

interface BlockRunOptions {
  readonly draws: Draws;
  readonly settings: MsrTunables;
  readonly block: Block;
  readonly result: Result;
  readonly resultMax: number;
}

/** A half-open range of positions. */
interface Range {
  readonly start: number;
  readonly end: number;
}

class BlockRun {
  readonly #options: BlockRunOptions;
  #drawsLeft = DRAWS_MAX;
  /** By step, what the strides have chosen: a stride's own choices from its start on, then UNDEF. */
  readonly #chosen: number[][];

  constructor(options: BlockRunOptions) {
    this.#options = options;
    this.#chosen = options.block.steps.map(() =>
      Array.from({ length: options.resultMax }, () => CRUSH_ITEM_UNDEF),
    );
  }

  run(start: number, end: number): void {
    const { settings, block, result } = this.#options;
    const full = result.count + (end - start);
    for (let tryNo = 0; tryNo < settings.descents && result.count < full; tryNo++) {
      if (this.#drawsLeft <= 0) return;
      this.#choose(block.root, { start, end }, { step: 0, fanOut: block.fanOut, tryNo });
    }
  }

  /** Fills what it can of a range from below a bucket. @returns how many positions it filled */
  #choose(
    bucket: CrushBucket,
    range: Range,
    at: { readonly step: number; readonly fanOut: number; readonly tryNo: number },
  ): number {
    const { step, tryNo } = at;
    const length = at.fanOut / this.#options.block.steps[step]!.count;
    const isLast = step + 1 === this.#options.block.steps.length;
    const unused: { stride: Range; item: number }[] = [];
    let filled = 0;
    for (let i = 0, start = range.start; start < range.end; i++, start += length) {
      const stride = { start, end: Math.min(start + length, range.end) };
      if (this.#isFull(stride)) continue;
      const item = this.#draw(bucket, { step, tryNo, index: i }, range, stride);
      if (item === undefined) continue;
      if (this.#options.block.steps[step]!.type === 0) {
        if (length === 1 && isLast && this.#place(item, stride)) filled++;
        continue;
      }
      const child = bucketOf(this.#options.draws.map, item);
      if (child === undefined || isLast) continue;
      const below = this.#choose(child, stride, { step: step + 1, fanOut: length, tryNo });
      // A bucket that gave nothing is held against the others until the end of this try only.
      if (this.#note(step, stride, item) && below === 0) unused.push({ stride, item });
      else filled += below;
    }
    for (const { stride, item } of unused) {
      const chosen = this.#chosen[step]!;
      chosen[chosen.lastIndexOf(item, stride.end - 1)] = CRUSH_ITEM_UNDEF;
    }
    return filled;
  }

  /** Has every position of a stride its device? */
  #isFull(stride: Range): boolean {
    const leaves = this.#chosen.at(-1)!;
    for (let i = stride.start; i < stride.end; i++) {
      if (leaves[i] === CRUSH_ITEM_UNDEF) return false;
    }
    return true;
  }

  /** An item of the step's type, or a device, that no other stride of the range has chosen. */
  #draw(
    bucket: CrushBucket,
    at: { readonly step: number; readonly tryNo: number; readonly index: number },
    range: Range,
    stride: Range,
  ): number | undefined {
    const { resultMax, block, settings } = this.#options;
    const chosen = this.#chosen[at.step]!;
    // Tries of different strides, and of different descents, must not draw alike.
    const base = (at.tryNo * resultMax + at.index) << 16;
    for (let local = 0; local < settings.collisionTries; local++) {
      const r = (base + local) >>> 0;
      const item = this.#descend(bucket, block.steps[at.step]!.type, r, at.index);
      if (item === undefined) return undefined;
      const holder = chosen.indexOf(item, range.start);
      if (holder < 0 || holder >= range.end) return item;
      if (holder >= stride.start && holder < stride.end) return item;
    }
    return undefined;
  }

  /** Undefined where there is nothing, or no more draws. */
  #descend(start: CrushBucket, type: number, r: number, index: number): number | undefined {
    const { draws } = this.#options;
    let bucket = start;
    for (let depth = 0; depth < DESCENT_MAX && bucket.items.length > 0; depth++) {
      if (--this.#drawsLeft < 0) return undefined;
      const item = draws.choose(bucket, r, index);
      if (item >= 0) return item;
      const next = bucketOf(draws.map, item);
      if (next === undefined) return undefined;
      if (next.type === type) return item;
      bucket = next;
    }
    return undefined;
  }

  /** Gives a position its device, unless that is out. */
  #place(osd: number, stride: Range): boolean {
    if (this.#options.draws.isOut(osd)) return false;
    this.#note(this.#chosen.length - 1, stride, osd);
    this.#options.result.add(stride.start, osd);
    return true;
  }

  /** @returns false if the stride has chosen it before */
  #note(step: number, stride: Range, item: number): boolean {
    const chosen = this.#chosen[step]!;
    let at = stride.start;
    while (at < stride.end && chosen[at] !== CRUSH_ITEM_UNDEF) {
      if (chosen[at] === item) return false;
      at++;
    }
    chosen[at] = item;
    return true;
  }
}
