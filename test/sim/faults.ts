/**
 * What goes wrong: links, hosts, disks, processes, power, and orders of an operator, at random moments.
 * Which of them a run has, and how often, is drawn with its seed; whatever ends the server starts it again.
 */

import type { Dice } from "../harness/dice.ts";
import type { SimClient } from "./client.ts";
import { CALM, type SimNetwork } from "./network.ts";
import { SERVER_HOST, type SimServer } from "./server.ts";
import type { World } from "./world.ts";

/** Every fault, with how often it comes in a run that has it. */
const FAULTS = {
  "cut some links": 4,
  "cut a client off": 3,
  "hosts apart": 3,
  "one-way silence": 2,
  "slow network": 2,
  "slow disks": 2,
  kill: 2,
  "power cut": 2,
  "power cut in a disk call": 4,
  "orderly restart": 1,
  "disk error": 1,
  "osd down": 3,
  "pool comes and goes": 1,
  "client dies": 1,
  "more PGs": 2,
} as const;
type Fault = keyof typeof FAULTS;

/** The pool's PGs at most, so that a run does not only split. */
const PG_NUM_MAX = 400;

/** Requests that a dying client may leave behind. */
const ORPHANS_MAX = 4;

export interface FaultHost {
  /** Those that live. */
  readonly clients: readonly SimClient[];
  /** One of them dies and another one comes. */
  replaceClient(client: SimClient): void;
}

export interface FaultOptions {
  readonly world: World;
  readonly dice: Dice;
  readonly server: SimServer;
  readonly network: SimNetwork;
  readonly host: FaultHost;
  /** How much rarer faults are. */
  readonly slowness: number;
  /** The kinds of fault there are. @default by the dice */
  readonly only?: readonly string[];
}

export class Faults {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #network: SimNetwork;
  readonly #server: SimServer;
  readonly #host: FaultHost;
  readonly #weights: Readonly<Record<Fault, number>>;
  readonly #meanMs: number;
  #isOver = false;
  #isRestartDue = false;
  #pools = 0;
  /** Of the pool that is worked on, as far as anybody has asked for. */
  #pgNum = 32;
  /** How often each has struck. */
  readonly counts = new Map<Fault, number>();

  constructor(options: FaultOptions) {
    const { world, dice, server, only } = options;
    this.#world = world;
    this.#dice = dice;
    this.#server = server;
    this.#network = options.network;
    this.#host = options.host;
    this.#meanMs = dice.pick([200, 500, 2000, 5000]) * options.slowness;
    const weights: Record<Fault, number> = { ...FAULTS };
    // A run with few kinds of faults goes deeper into those.
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      const isOut = only === undefined ? dice.below(2) === 0 : !only.includes(fault);
      if (isOut) weights[fault] = 0;
    }
    if (Object.values(weights).every((weight) => weight === 0)) weights.kill = 1;
    this.#weights = weights;
    server.onGone = (why) => {
      world.trace(`server gone: ${why}`);
      this.#restartLater();
    };
  }

  /** The kinds of fault that this run has. */
  get kinds(): string[] {
    return Object.entries(this.#weights).flatMap(([fault, weight]) => (weight > 0 ? [fault] : []));
  }

  start(): void {
    this.#later(this.#meanMs, () => {
      const fault = this.#dice.weighted(this.#weights);
      this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
      this.#world.trace(`fault: ${fault}`);
      this.#strike(fault);
      this.start();
    });
  }

  /** No more faults, and those that last are over. */
  end(): void {
    this.#isOver = true;
    this.#network.reunite();
    this.#network.mood = CALM;
    this.#server.slowdown = 1;
    this.#server.disarm();
    if (this.#server.isDiskFailing) this.#kill();
    else if (this.#server.state === "off") this.#restartLater();
  }

  #later(meanMs: number, fn: () => void): void {
    this.#world.after(this.#dice.exponential(meanMs), () => {
      if (!this.#isOver) fn();
    });
  }

  #strike(fault: Fault): void {
    const dice = this.#dice;
    const network = this.#network;
    const server = this.#server;
    const { host } = dice.pick(this.#host.clients).process;
    switch (fault) {
      case "cut some links": {
        const salt = dice.below(3);
        network.cut((a, b) => b.host === SERVER_HOST && a.port % 3 === salt);
        return;
      }
      case "cut a client off":
        network.cut((a) => a.host === host);
        return;
      case "hosts apart":
      case "one-way silence":
        return this.#apart(host, fault === "hosts apart");
      case "slow network":
        network.mood = {
          baseMs: dice.exponential(5),
          jitterMs: dice.exponential(20),
          stalls: dice.fraction() / 20,
          stallMs: 2000,
        };
        return this.#later(3000, () => {
          network.mood = CALM;
        });
      case "slow disks":
        server.slowdown = dice.between(2, 300);
        return this.#later(2000, () => {
          server.slowdown = 1;
        });
      default:
        return this.#strikeServer(fault);
    }
  }

  #strikeServer(fault: Fault): void {
    const dice = this.#dice;
    const server = this.#server;
    switch (fault) {
      case "kill":
        return this.#kill();
      case "power cut":
        return this.#cutPower();
      case "power cut in a disk call":
        if (server.state !== "off") server.armCut(dice.between(1, 30));
        return;
      case "orderly restart":
        return this.#restart();
      case "disk error":
        if (server.state !== "up") return;
        server.armFault(dice.between(1, 30));
        // One OSD of several that is gone does not end the server.
        return this.#later(5000, () => {
          if (server.isDiskFailing) this.#kill();
        });
      default:
        return this.#strikeCluster(fault);
    }
  }

  #strikeCluster(fault: Fault): void {
    const dice = this.#dice;
    const client = dice.pick(this.#host.clients);
    switch (fault) {
      case "osd down":
        return this.#order(client, { prefix: "osd down", ids: [`${dice.below(3)}`] });
      case "pool comes and goes": {
        const pool = `extra${++this.#pools}`;
        this.#order(client, { prefix: "osd pool create", pool, pg_num: dice.between(1, 8) });
        return this.#later(2000, () =>
          this.#order(client, {
            prefix: "osd pool delete",
            pool,
            pool2: pool,
            yes_i_really_really_mean_it: true,
          }),
        );
      }
      case "more PGs":
        return this.#splitPgs(client);
      default:
        // Whether each of these has happened is a question with two answers.
        if (client.pending <= ORPHANS_MAX) this.#host.replaceClient(client);
    }
  }

  /** By a few, or all of them; now and then again before that can be over. */
  #splitPgs(client: SimClient): void {
    const dice = this.#dice;
    for (let times = dice.pick([1, 1, 1, 3]); times > 0; times--) {
      this.#pgNum += dice.below(3) === 0 ? this.#pgNum : dice.between(1, 9);
      if (this.#pgNum > PG_NUM_MAX) return;
      this.#order(client, {
        prefix: "osd pool set",
        pool: "rbd",
        var: "pg_num",
        val: `${this.#pgNum}`,
      });
    }
  }

  #order(client: SimClient, command: Readonly<Record<string, unknown>>): void {
    client.command(command).then(
      ({ r }) => this.#world.trace(`${String(command["prefix"])}: ${r}`),
      (error: unknown) => this.#world.fail(error as Error),
    );
  }

  #apart(host: string, both: boolean): void {
    const forMs = this.#dice.exponential(3000);
    const toServer = both || this.#dice.below(2) === 0;
    if (toServer) this.#network.hold(host, SERVER_HOST, forMs);
    if (both || !toServer) this.#network.hold(SERVER_HOST, host, forMs);
  }

  #kill(): void {
    if (this.#server.state === "off") return;
    this.#server.kill();
    this.#restartLater();
  }

  #cutPower(): void {
    if (this.#server.state === "off") return;
    this.#server.cutPower();
    this.#restartLater();
  }

  #restart(): void {
    if (this.#server.state !== "up") return;
    this.#server.stop().then(
      () => {
        if (this.#server.state === "off") this.#restartLater();
      },
      (error: unknown) => this.#world.fail(error as Error),
    );
  }

  #restartLater(): void {
    if (this.#isRestartDue) return;
    this.#isRestartDue = true;
    this.#world.after(this.#dice.exponential(300), () => {
      this.#isRestartDue = false;
      if (this.#server.state !== "off") return;
      this.#server.start();
      const isArmed = this.#weights["power cut in a disk call"] > 0 && this.#dice.below(4) === 0;
      if (isArmed && !this.#isOver) this.#server.armCut(this.#dice.between(1, 200));
    });
  }
}
