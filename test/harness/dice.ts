/** Dice for scenarios: everything that is left to chance comes from a seed, by one of these. */
import { seededRandom } from "../../src/base/index.ts";

export class Dice {
  readonly random: ReturnType<typeof seededRandom>;

  constructor(seed: number) {
    this.random = seededRandom(scrambled(seed));
  }

  /** Dice of their own for a part of the scenario: its rolls do not shift anybody else's. */
  fork(): Dice {
    return new Dice(this.random.u32());
  }

  below(n: number): number {
    return this.random.below(n);
  }

  bytes(count: number): Uint8Array {
    return this.random.bytes(count);
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.random.u32() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Waiting times: often short, sometimes several times the mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.random.below(list.length)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  /** One of the keys, by weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return this.pick(entries)[0];
  }
}

/** Neighbouring seeds must not roll alike.  (splitmix32) */
export function scrambled(seed: number): number {
  let x = (seed + 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
