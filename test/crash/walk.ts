/**
 * Random transactions for the crash tests, from a seed: all ops on a few objects and two collections, sizes
 * around every limit of the store, clones of clones, and reads in between.
 */

import type { Random } from "../../src/base/index.ts";
import { type ObjectStore, type StoreOp, type Transaction } from "../../src/store/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP } from "../../src/types/index.ts";

export type Dice = Random & { u32(): number; below(n: number): number };

export const COLLECTIONS = ["1.0", "meta"];
const NAMES = 6;
/** One pool of bytes that data is cut from. */
const POOL_SIZE = 2 << 20;

export class Walk {
  readonly #dice: Dice;
  readonly #moves: Dice | undefined;
  readonly #pool: Uint8Array;

  /** @param moves says when objects go to the other collection, and which; without it none does */
  constructor(dice: Dice, moves?: Dice) {
    this.#dice = dice;
    this.#moves = moves;
    const words = new Uint32Array(POOL_SIZE / 4);
    for (let i = 0; i < words.length; i++) words[i] = dice.u32();
    this.#pool = new Uint8Array(words.buffer);
  }

  object(): HObject {
    const n = this.#dice.below(NAMES);
    const snap = this.#dice.below(3) === 0 ? BigInt(1 + this.#dice.below(2)) : NOSNAP;
    return { key: "", oid: `o${n}`, snap, hash: n * 0x01000193, max: 0, nspace: "", pool: 1n };
  }

  #bytes(max: number): Uint8Array {
    const length = this.#dice.below(max + 1);
    const from = this.#dice.below(POOL_SIZE - length);
    return this.#pool.subarray(from, from + length);
  }

  #offset(): number {
    const dice = this.#dice;
    switch (dice.below(4)) {
      case 0:
        return 0;
      case 1:
        return dice.below(96) * 4096;
      case 2:
        return dice.below(8192);
      default:
        return dice.below(400_000);
    }
  }

  #length(): number {
    const dice = this.#dice;
    switch (dice.below(6)) {
      case 0:
        return 1 + dice.below(300);
      case 1:
        return 4096;
      case 2:
        return 4096 * (1 + dice.below(8));
      case 3:
        return dice.below(40_000);
      case 4:
        return 4096 * (1 + dice.below(64));
      default:
        return dice.below(300_000);
    }
  }

  #key(): string {
    return `k${this.#dice.below(12)}`;
  }

  #op(): StoreOp {
    const dice = this.#dice;
    const object = this.object();
    switch (dice.below(20)) {
      case 0:
        return { op: "touch", object };
      case 1:
        return { op: "zero", object, offset: this.#offset(), length: this.#length() };
      case 2:
        return { op: "truncate", object, size: this.#offset() };
      case 3:
        return { op: "remove", object };
      case 4:
      case 5:
        return { op: "set-attr", object, name: this.#key(), value: this.#bytes(300) };
      case 6:
        return { op: "remove-attr", object, name: this.#key() };
      case 7:
      case 8: {
        const entries: [string, Uint8Array][] = [];
        for (let n = dice.below(5); n >= 0; n--) entries.push([this.#key(), this.#bytes(500)]);
        return { op: "omap-set", object, entries };
      }
      case 9:
        return { op: "omap-remove", object, keys: [this.#key(), this.#key()] };
      case 10:
        return { op: "omap-remove-range", object, from: this.#key(), to: this.#key() };
      case 11:
        return dice.below(3) === 0
          ? { op: "omap-clear", object }
          : { op: "omap-header", object, header: this.#bytes(60) };
      case 12:
        return { op: "clone", object, to: this.object() };
      case 13:
        return {
          op: "clone-range",
          object,
          to: this.object(),
          offset: this.#offset(),
          length: this.#length(),
          toOffset: this.#offset(),
        };
      default: {
        const from = dice.below(POOL_SIZE - 300_000);
        const data = this.#pool.subarray(from, from + this.#length());
        return { op: "write", object, offset: this.#offset(), data: [data] };
      }
    }
  }

  /** A transaction; now and then one that makes no sense, which the store must refuse whole. */
  transaction(store: ObjectStore): Transaction {
    if (this.#moves?.below(5) === 0) {
      const move = this.#move(store, this.#moves);
      if (move !== undefined) return move;
    }
    const collection = COLLECTIONS[this.#dice.below(8) === 0 ? 1 : 0]!;
    const ops: StoreOp[] = [];
    if (!store.hasCollection(collection)) ops.push({ op: "create-collection", collection });
    for (let n = this.#dice.below(4); n >= 0; n--) ops.push(this.#op());
    return { collection, ops };
  }

  /**
   * Objects of one name, or all there are, go to the other collection, in which their names are mostly free; other
   * changes before and behind. Who shares blocks with others may not go: the store has to say so.
   */
  #move(store: ObjectStore, moves: Dice): Transaction | undefined {
    const at = moves.below(2);
    const [collection, to] = [COLLECTIONS[at]!, COLLECTIONS[1 - at]!];
    if (!store.hasCollection(collection) || !store.hasCollection(to)) return undefined;
    const all = store.list(collection, HOBJECT_MIN, 1000).objects;
    const { oid } = this.object();
    const kind = moves.below(3);
    const chosen = all.filter((o) => kind === 0 || o.oid === oid);
    const isSafe = moves.below(8) > 0;
    const objects = chosen.filter((o) => !isSafe || store.stat(to, o) === undefined);
    const others = () => {
      const ops: StoreOp[] = [];
      for (let n = moves.below(3); n > 0; n--) {
        const op = this.#op();
        if (!isSafe || (op.op !== "clone" && op.op !== "clone-range")) ops.push(op);
      }
      return ops;
    };
    return { collection, ops: [...others(), { op: "move", objects, to }, ...others()] };
  }
}
