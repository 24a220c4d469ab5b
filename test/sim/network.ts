/**
 * The network between the machines: delays by the seed, now and then a long one; links cut, hosts apart.
 *
 * Bytes of one link keep their order, links overtake each other. Hosts that are apart lose nothing: what
 * they send arrives when they are together again, as TCP has it, unless the link is cut before.
 */
import { type Endpoint, MemoryNetwork, type Transport } from "../../src/messenger/index.ts";
import type { Dice } from "../harness/dice.ts";
import type { World } from "./world.ts";

/** How fast it is today. Times are milliseconds. */
export interface NetworkMood {
  /** Least delay of anything. */
  readonly baseMs: number;
  /** Mean of what comes on top. */
  readonly jitterMs: number;
  /** Share of the chunks that take very long. */
  readonly stalls: number;
  readonly stallMs: number;
}

export const CALM: NetworkMood = { baseMs: 0.05, jitterMs: 0.05, stalls: 0, stallMs: 0 };

export class SimNetwork {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #memory: MemoryNetwork;
  /** Until when hosts are apart, by pair as bytes go. */
  readonly #apart = new Map<string, number>();
  mood: NetworkMood = CALM;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#memory = new MemoryNetwork(world, {
      delayMs: (from, to) => this.#delay(from, to),
    });
  }

  transport(host: string): Transport {
    return this.#memory.transport(host);
  }

  #delay(from: Endpoint, to: Endpoint): number {
    const { baseMs, jitterMs, stalls, stallMs } = this.mood;
    let delay = baseMs + this.#dice.exponential(jitterMs);
    if (stalls > 0 && this.#dice.chance(stalls)) delay += this.#dice.exponential(stallMs);
    const until = this.#apart.get(`${from.host}>${to.host}`) ?? 0;
    return delay + Math.max(0, until - this.#world.monotonic());
  }

  /** Nothing that `from` sends from now on reaches `to` for so long. */
  hold(from: string, to: string, forMs: number): void {
    this.#apart.set(`${from}>${to}`, this.#world.monotonic() + forMs);
  }

  /** Hosts reach each other again; what is under way keeps its time. */
  reunite(): void {
    this.#apart.clear();
  }

  /** Breaks links at both ends. What is under way is lost. */
  cut(matches: (a: Endpoint, b: Endpoint) => boolean): number {
    return this.#memory.cut((a, b) => matches(a, b) || matches(b, a));
  }
}
