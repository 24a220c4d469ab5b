/** A seed's choices. */
import { seededRandom } from "../../src/base/index.ts";

export interface Dice {
  /** From 0 to n - 1. */
  below(n: number): number;
  bytes(count: number): Uint8Array;
  pick<T>(from: readonly T[]): T;
  chance(probability: number): boolean;
  /** One of the keys, each as likely as its weight. */
  weighted<K extends string>(weights: Record<K, number>): K;
}

export function dice(seed: number): Dice {
  const random = seededRandom(seed);
  const below = (n: number) => random.below(n);
  return {
    below,
    bytes: (count) => random.bytes(count),
    pick<T>(from: readonly T[]): T {
      return from[below(from.length)] as T;
    },
    chance: (probability) => random.u32() < probability * 2 ** 32,
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let left = below(entries.reduce((sum, [, weight]) => sum + weight, 0));
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key;
      }
      throw new Error("no weights");
    },
  };
}
