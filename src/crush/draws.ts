/**
 * What the rules draw from, for one input: the buckets of a map, the weights of its devices and the
 * overrides that apply.
 */

import { bucketChoose, type Permutations, permChoose } from "./choose.ts";
import { crushHash32x2 } from "./hash.ts";
import {
  bucketOf,
  type CrushBucket,
  type CrushChooseArgs,
  type CrushMap,
  DEFAULT_CHOOSE_ARGS,
} from "./map.ts";

/** A real tree has about ten levels; a cycle has no end. */
export const DESCENT_MAX = 100;

export interface RuleInput {
  /** Placement seed, 32 bits. */
  readonly x: number;
  /** Most devices wanted: a pool's size. */
  readonly resultMax: number;
  /** 16.16 weight by device: 0 is out, 0x10000 is in. */
  readonly weights: readonly number[];
  /** Pool whose choose args apply, if it (or the default) has any. @default the default's */
  readonly chooseArgsPool?: number;
}

export class Draws {
  readonly map: CrushMap;
  readonly #x: number;
  readonly #weights: readonly number[];
  readonly #chooseArgs: CrushChooseArgs | undefined;
  readonly #perms: Permutations = new Map();

  constructor(map: CrushMap, input: RuleInput) {
    this.map = map;
    this.#x = input.x;
    this.#weights = input.weights;
    this.#chooseArgs =
      map.chooseArgs.get(input.chooseArgsPool ?? DEFAULT_CHOOSE_ARGS) ??
      map.chooseArgs.get(DEFAULT_CHOOSE_ARGS);
  }

  /** The item that a bucket, which is not empty, gives at try `r` for a position of the result. */
  choose(bucket: CrushBucket, r: number, position: number): number {
    const arg = this.#chooseArgs?.get(-1 - bucket.id);
    return bucketChoose(bucket, this.#perms, this.#x, r, arg, position);
  }

  /** The same in an order in which every item has its turn. */
  chooseInTurn(bucket: CrushBucket, r: number): number {
    return permChoose(bucket, this.#perms, this.#x, r);
  }

  /** Type of an item: 0 for a device, undefined for a bucket that is not there. */
  typeOf(item: number): number | undefined {
    return item >= 0 ? 0 : bucketOf(this.map, item)?.type;
  }

  /** Is a device out? One of weight 0.3 is, for seven in ten inputs. */
  isOut(item: number): boolean {
    const weight = this.#weights[item];
    if (weight === undefined || weight === 0) return true;
    if (weight >= 0x10000) return false;
    return (crushHash32x2(this.#x, item) & 0xffff) >= weight;
  }
}
