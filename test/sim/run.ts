/**
 * One seed, one scenario: so many OSDs, clients, objects, faults of these kinds at this rate.
 *
 * After the given time the faults end. From then on everything must come to an end soon: every request is
 * answered, every removed snapshot trimmed; then all objects are read back, the server stops in order, its
 * stores are checked deep, it starts once more, has everything still, and stops for good.
 */
import nodeProcess from "node:process";
import { parseKeyring } from "../../src/auth/index.ts";
import { must } from "../../src/base/index.ts";
import { Dice } from "../harness/dice.ts";
import { poolSnapsToTrim, SimClient } from "./client.ts";
import { Faults } from "./faults.ts";
import { SimProcess } from "./machine.ts";
import { SimNetwork } from "./network.ts";
import { SimServer } from "./server.ts";
import { KINDS, type Kind, Workload } from "./workload.ts";
import { World } from "./world.ts";

/** Time for things to come to an end once nothing goes wrong any more, virtual milliseconds. */
const SETTLE_MS = 120_000;

/** One run in so many takes hours, slowly: tickets run out, secrets rotate. */
const SLOW_RUNS = 8;
const SLOWNESS = 600;
/** How often a dead client's links are looked at, virtual milliseconds. */
const LINK_CHECK_MS = 50;

export interface SimOptions {
  readonly seed: number;
  /** Virtual minutes with faults; in a slow run, 600 times as many. */
  readonly minutes: number;
  /** The kinds of fault there are, by name. @default by the seed */
  readonly faults?: readonly string[];
  /** The disks lose what they have promised to keep, to see that the run notices. */
  readonly disksLie?: boolean;
  /** Gets every line of the trace. */
  readonly onLine?: (line: string) => void;
}

export interface SimResult {
  readonly seed: number;
  /** What kind of run it was. */
  readonly scenario: string;
  /** Requests answered and checked. */
  readonly answers: number;
  readonly faults: number;
  readonly starts: number;
  /** Events of the world. */
  readonly events: number;
  readonly virtualMs: number;
  readonly traceHash: string;
}

export class SimulationError extends Error {
  readonly seed: number;
  readonly atMs: number;
  readonly scenario: string;
  readonly lines: readonly string[];

  constructor(cause: Error, facts: { seed: number; world: World; scenario: string }) {
    const { seed, world, scenario } = facts;
    const atMs = world.monotonic();
    super(`seed ${seed} at ${(atMs / 1000).toFixed(3)} s: ${cause.message}`, { cause });
    this.name = "SimulationError";
    this.seed = seed;
    this.atMs = atMs;
    this.scenario = scenario;
    this.lines = world.lines;
  }
}

class Scenario {
  readonly world = new World();
  readonly #dice: Dice;
  readonly #network: SimNetwork;
  readonly #server: SimServer;
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #clients: SimClient[] = [];
  readonly #clientCount: number;
  /** How much slower all goes, and how much longer. */
  readonly #slowness: number;
  #named = 0;
  readonly text: string;

  constructor(seed: number, faults: readonly string[] | undefined) {
    const dice = new Dice(seed);
    this.#dice = dice;
    const { world } = this;
    this.#network = new SimNetwork(world, dice.fork());
    const osds = dice.pick([1, 1, 2, 3]);
    this.#clientCount = dice.between(2, 4);
    const segmentSize = dice.pick([64, 128, 256, 1024]) * 1024;
    this.#server = new SimServer(world, this.#network, dice.fork(), {
      osds,
      // With the least of it every few writes bring something home, and stores become congested.
      memory: dice.pick([osds / 2, 16, 64]) * 2 ** 20,
      sizes: {
        mon: { capacityBytes: 2 ** 30, segmentSize: 256 * 1024, segments: 2 },
        osd: { capacityBytes: 2 ** 30, segmentSize, segments: 2 },
      },
      diskMs: dice.pick([0.1, 1, 5]),
    });
    const mix = Object.fromEntries(
      KINDS.map((kind) => [kind, dice.below(4) === 0 ? 0 : kindWeight(kind)]),
    ) as Record<Kind, number>;
    const workers = dice.pick([1, 2, 4, 8]);
    this.#slowness = dice.below(SLOW_RUNS) === 0 ? SLOWNESS : 1;
    const options = {
      sharedObjects: dice.between(2, 6),
      ownedObjects: dice.between(1, 2),
      workers,
      thinkMs: dice.pick([10, 50, 100]) * workers * this.#slowness,
      mix: { ...mix, read: 8 },
    };
    this.#workload = new Workload(world, dice.fork(), options);
    this.#faults = new Faults({
      world,
      dice: dice.fork(),
      server: this.#server,
      network: this.#network,
      slowness: this.#slowness,
      host: { clients: this.#clients, replaceClient: (client) => this.#replace(client) },
      ...(faults === undefined ? {} : { only: faults }),
    });
    const pace = this.#slowness > 1 ? "slow, " : "";
    this.text = `${pace}${osds} OSDs, ${this.#clientCount} clients, ${options.workers} workers each; ${this.#faults.kinds.join(", ")}`;
  }

  async run(minutes: number): Promise<void> {
    const { world } = this;
    this.#server.start();
    await this.#until(() => this.#server.state === "up", "the first start");
    for (let n = 0; n < this.#clientCount; n++) this.#workload.employ(this.#addClient());
    this.#faults.start();
    await world.run(world.monotonic() + minutes * 60_000 * this.#slowness);
    this.#faults.end();
    this.#workload.stop();
    world.trace("faults are over");
    await this.#until(() => this.#server.state === "up", "a start without faults");
    await this.#until(() => this.#clients.every((client) => client.pending === 0), "all answers");
    await this.#finish(this.#checkAll(), "reading everything");
    await this.#stopAndCheck();
    this.#server.start();
    await this.#until(() => this.#server.state === "up", "the last start");
    await this.#finish(this.#checkAll(), "reading everything again");
    const [client] = this.#clients;
    await this.#finish(this.#workload.removeSnaps(must(client, "a client")), "removing snaps");
    await this.#until(() => poolSnapsToTrim(must(client, "a client")) === 0, "trimming");
    await this.#stopAndCheck();
    const clones = await this.world.finish(this.#server.clones(), SETTLE_MS, "looking for clones");
    if (clones.length > 0) throw new Error(`clones of no snapshot: ${clones.join("; ")}`);
  }

  sabotage(): void {
    this.#server.disksLie = true;
  }

  get result(): Omit<SimResult, "seed" | "traceHash"> {
    let faults = 0;
    for (const count of this.#faults.counts.values()) faults += count;
    return {
      scenario: this.text,
      answers: this.#workload.answers,
      faults,
      starts: this.#server.starts,
      events: this.world.events,
      virtualMs: this.world.monotonic(),
    };
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    if (await this.world.run(this.world.monotonic() + SETTLE_MS, done)) return;
    throw new Error(`not within ${SETTLE_MS / 1000} virtual seconds: ${what}`);
  }

  async #finish(work: Promise<void>, what: string): Promise<void> {
    await this.world.finish(work, SETTLE_MS, what);
  }

  async #checkAll(): Promise<void> {
    await this.#workload.readAll(this.#addClient());
    if (this.#workload.unchecked > 0) throw new Error("some answers were never looked at");
  }

  async #stopAndCheck(): Promise<void> {
    await this.#server.shutDown();
    const faults = this.#server.fsck();
    if (faults.length > 0) throw new Error(`fsck: ${faults.slice(0, 5).join("; ")}`);
  }

  #addClient(): SimClient {
    const n = ++this.#named;
    const keyring = parseKeyring(this.#server.file("ceph.client.admin.keyring"));
    const [entry] = must(Array.isArray(keyring) ? keyring : undefined, "a keyring");
    const { world } = this;
    const host = `10.0.1.${(n % 250) + 1}`;
    const seed = this.#dice.random.u32();
    const process = new SimProcess(world, this.#network, `client${n}`, host, seed);
    const { key } = must(entry, "the administrator").auth;
    const client = new SimClient({ world, process, dice: this.#dice.fork(), key });
    client.start();
    this.#clients.push(client);
    return client;
  }

  #replace(client: SimClient): void {
    client.process.die(this.#dice.below(2) === 0 ? "killed" : "power");
    this.#workload.clientDied(client);
    const { host } = client.process;
    const timer = this.world.every(LINK_CHECK_MS, () => {
      if (this.#server.isLinkedTo(host)) return;
      timer.cancel();
      this.#workload.giveUp(client);
    });
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#workload.employ(this.#addClient());
  }
}

function kindWeight(kind: Kind): number {
  const rare = { snapshot: 1, monitor: 1, exclusive: 1 };
  return kind in rare ? 1 : 4;
}

/** @throws SimulationError */
export async function simulate(options: SimOptions): Promise<SimResult> {
  const { seed } = options;
  const scenario = new Scenario(seed, options.faults);
  const { world } = scenario;
  if (options.onLine !== undefined) world.onLine = options.onLine;
  // A promise that nobody looks after ends a real server, too.
  const rejected = (error: unknown) => world.fail(error as Error);
  nodeProcess.on("unhandledRejection", rejected);
  try {
    if (options.disksLie === true) scenario.sabotage();
    await scenario.run(options.minutes);
  } catch (error) {
    throw new SimulationError(error as Error, { seed, world, scenario: scenario.text });
  } finally {
    nodeProcess.off("unhandledRejection", rejected);
  }
  return { seed, ...scenario.result, traceHash: world.traceHash };
}
