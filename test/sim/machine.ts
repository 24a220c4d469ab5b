/**
 * A process that can die: its clock, its randomness, its side of the network.
 *
 * Code of a dead process is never run again: its timers do not fire, its promises of the disk do not
 * settle, its links neither take nor give. What it did before the moment of its death stands. A death in
 * the middle of a call (the power goes in it) lets that call run to its end without anything getting out.
 */
import type { Clock, Random, Timer } from "../../src/base/index.ts";
import type { Endpoint, Link, Transport } from "../../src/messenger/index.ts";
import { Dice } from "../harness/dice.ts";
import type { SimNetwork } from "./network.ts";
import { ProcessLink } from "./process-link.ts";
import type { World } from "./world.ts";

/** Turns of an event loop that take no time, as a share, and how long the others take at most. */
const INSTANT_TURNS = 0.5;
const TURN_MS_MAX = 0.3;

/** How a process dies. */
export type Death =
  /** The kernel closes its sockets: peers hear of it. */
  | "killed"
  /** Nobody says a word: peers find out later. */
  | "power";

export class SimProcess {
  readonly name: string;
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  isAlive = true;
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #dice: Dice;
  readonly #links = new Set<Link>();
  readonly #listeners = new Set<{ close(): Promise<void> }>();
  readonly #periodic: Timer[] = [];
  #turnEndsAt = 0;

  constructor(world: World, network: SimNetwork, name: string, host: string, seed: number) {
    this.#world = world;
    this.#network = network;
    this.name = name;
    this.host = host;
    this.#dice = new Dice(seed);
    this.random = new Dice(seed ^ 0x5eed).random;
    this.clock = this.#makeClock();
    this.transport = this.#makeTransport(network.transport(host));
  }

  /** Links with a host that have not ended at this end. */
  linksTo(host: string): number {
    let count = 0;
    for (const link of this.#links) if (link.remote.host === host) count++;
    return count;
  }

  /** Dies now. */
  die(death: Death): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const listener of this.#listeners) void listener.close();
    for (const timer of this.#periodic) timer.cancel();
    const links = [...this.#links];
    this.#links.clear();
    if (death === "killed") {
      for (const link of links) link.destroy("process killed");
      return;
    }
    const gone = new Set(links.map((link) => key(link.local, link.remote)));
    this.#world.after(this.#dice.exponential(500), () => {
      this.#network.cut((a, b) => gone.has(key(a, b)));
    });
  }

  #guard(fn: () => void): () => void {
    return () => this.#whileAlive(fn);
  }

  /** Runs `fn` unless we are dead. What it throws when it dies of it is nobody's business. */
  #whileAlive(fn: () => void): void {
    if (!this.isAlive) return;
    try {
      fn();
    } catch (error) {
      if (this.isAlive) throw error;
    }
  }

  #makeClock(): Clock {
    const world = this.#world;
    const never: Timer = { cancel: () => undefined };
    return {
      now: () => world.now(),
      monotonic: () => world.monotonic(),
      after: (delayMs, fn) => (this.isAlive ? world.after(delayMs, this.#guard(fn)) : never),
      every: (periodMs, fn) => {
        if (!this.isAlive) return never;
        const timer = world.every(periodMs, this.#guard(fn));
        this.#periodic.push(timer);
        return timer;
      },
      defer: (fn) => {
        if (!this.isAlive) return;
        const now = world.monotonic();
        // All that is put off in one turn comes at its end, in order.
        if (this.#turnEndsAt < now) {
          const length = this.#dice.chance(INSTANT_TURNS) ? 0 : this.#dice.fraction() * TURN_MS_MAX;
          this.#turnEndsAt = now + length;
        }
        world.after(this.#turnEndsAt - now, this.#guard(fn));
      },
    };
  }

  #makeTransport(inner: Transport): Transport {
    return {
      connect: async (endpoint) => this.#adopt(await inner.connect(endpoint)),
      listen: async (endpoint, onLink) => {
        const listener = await inner.listen(endpoint, (link) => {
          this.#whileAlive(() => onLink(this.#adopt(link)));
        });
        this.#listeners.add(listener);
        return listener;
      },
    };
  }

  #adopt(link: Link): Link {
    this.#links.add(link);
    return new ProcessLink(link, {
      world: this.#world,
      dice: this.#dice,
      isAlive: () => this.isAlive,
      whileAlive: (fn) => this.#whileAlive(fn),
      closed: () => this.#links.delete(link),
    });
  }
}

function key(a: Endpoint, b: Endpoint): string {
  return `${a.host}:${a.port}-${b.host}:${b.port}`;
}
