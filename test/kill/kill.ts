/**
 * `kill -9` every few hundred milliseconds, under clients that check everything.
 *
 * Each cycle: the server works for a while, is killed at a moment that the seed picks, comes back on the same
 * directory and port; a fresh client then finds at least what was acknowledged before. All the time one
 * client writes and verifies an image, and another replaces, appends and reads objects, so that a lost
 * acknowledgement, an old value, a torn object or an operation done twice shows. Neither is told of the
 * kills. At the end everything is read once more, and the stores are checked to the last byte.
 */
import { join } from "node:path";
import { seededRandom } from "../../src/base/index.ts";
import { ObjectInfoCheck } from "../../src/osd/index.ts";
import { fsck } from "../../src/store/index.ts";
import { clientEnv, must, sleep, until } from "../harness/run.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { tempDir } from "../harness/temp.ts";
import { Checker, FioLoop } from "./clients.ts";

export interface KillOptions {
  cycles: number;
  seed: number;
  /** Has the pool more PGs right before every kill, so that it falls into their splits. @default false */
  splits?: boolean;
  /** @default nothing is printed */
  print?: (line: string) => void;
}

export interface KillResult {
  passed: number;
  fioRuns: number;
  acks: number;
  /** Start to ready, milliseconds, of every restart. */
  readyMs: number[];
}

/** How long a server is up before it is killed, milliseconds. */
const UP_MIN = 200;
const UP_MAX = 900;
/** One cycle in so many does not wait for the clients to be back before its time runs. */
const BLIND_EVERY = 4;
/** Acknowledgements that show a client to be back at work. */
const PROGRESS = 20;
/** A cycle that takes longer has hung. */
const CYCLE_TIMEOUT_MS = 180_000;
/** The clients' last runs. */
const FINISH_TIMEOUT_MS = 300_000;

/** Fails when `work` takes longer than it may. */
async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, timer.signal).then(() => {
    throw new Error(`${what}: not within ${ms} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

class KillRun {
  readonly #options: KillOptions;
  readonly #work: string;
  readonly #dice: ReturnType<typeof seededRandom>;
  readonly #readyMs: number[] = [];
  #server: SpirulaServer;
  #pgNum = 32;
  readonly fio: FioLoop;
  readonly checker: Checker;

  constructor(options: KillOptions, work: string, server: SpirulaServer) {
    this.#options = options;
    this.#work = work;
    this.#server = server;
    this.#dice = seededRandom(options.seed);
    this.fio = new FioLoop(work, server.confPath, options.seed * 1000);
    this.checker = new Checker(work, server.confPath);
  }

  get server(): SpirulaServer {
    return this.#server;
  }

  async run(): Promise<KillResult> {
    const { cycles, print = () => {} } = this.#options;
    await this.fio.start();
    this.checker.start();
    let passed = 0;
    try {
      for (let cycle = 1; cycle <= cycles; cycle++) {
        const line = await within(CYCLE_TIMEOUT_MS, `cycle ${cycle}`, this.#cycle(cycle));
        passed++;
        print(`cycle ${cycle}/${cycles} ok: ${line}`);
      }
      await this.#finish(print);
    } catch (error) {
      throw new KillError(passed, this.#options.seed, this.#server.output(), error as Error);
    }
    const acks = await this.checker.count();
    return { passed, fioRuns: this.fio.runs, acks, readyMs: this.#readyMs };
  }

  async #cycle(cycle: number): Promise<string> {
    if (cycle % BLIND_EVERY !== 0) {
      const before = await this.checker.count();
      await until("the clients are back at work", CYCLE_TIMEOUT_MS, async () => {
        this.#throwFailures();
        return (await this.checker.count()) >= before + PROGRESS ? true : undefined;
      });
    }
    const upMs = UP_MIN + this.#dice.below(UP_MAX - UP_MIN);
    await sleep(upMs);
    if (this.#options.splits === true) await this.#split();
    const position = await this.checker.position();
    await this.restart();
    await this.checker.check(position, CYCLE_TIMEOUT_MS);
    this.#throwFailures();
    const readyMs = Math.round(this.#readyMs.at(-1) ?? 0);
    return `killed after ${upMs} ms, ready again in ${readyMs} ms, ${await this.checker.count()} acks, fio run ${this.fio.runs + 1}`;
  }

  /** The command ends when the map is there: what it has the OSD do is done, or not, when the kill comes. */
  async #split(): Promise<void> {
    this.#pgNum += 1 + this.#dice.below(40);
    const env = clientEnv(this.#server.confPath);
    await must(`ceph osd pool set rbd pg_num ${this.#pgNum}`, { env });
    await sleep(this.#dice.below(20));
  }

  async restart(): Promise<void> {
    const { dir } = this.#server;
    const port = await monPort(dir);
    await this.#server.kill();
    this.#server = await startSpirula({ dir, port });
    this.#readyMs.push(this.#server.readyMs);
  }

  #throwFailures(): void {
    const failure = this.fio.failure ?? this.checker.failure;
    if (failure !== undefined) throw new Error(failure);
  }

  async #finish(print: (line: string) => void): Promise<void> {
    await within(FINISH_TIMEOUT_MS, "the checker's end", this.checker.finish());
    await within(FINISH_TIMEOUT_MS, "fio's last run", this.fio.finish());
    print(
      `fio: ${this.fio.runs} runs without an error; checker: ${await this.checker.count()} acks`,
    );
    // From the disk alone.
    await this.restart();
    await within(FINISH_TIMEOUT_MS, "the last verification", this.fio.verify());
    await this.checker.check(await this.checker.position(), FINISH_TIMEOUT_MS);
    await this.#server.kill();
    this.#fsck("killed", print);
    this.#server = await startSpirula({ dir: this.#server.dir });
    if ((await this.#server.stop()) !== 0) throw new Error("an orderly stop failed");
    this.#fsck("stopped", print);
  }

  #fsck(how: string, print: (line: string) => void): void {
    for (const name of ["mon", "osd.0"]) {
      const directory = join(this.#work, "data", name);
      const check = name === "mon" ? {} : { check: new ObjectInfoCheck() };
      const { faults, objects, complete } = fsck(directory, { deep: true, ...check });
      if (faults.length > 0 || !complete) {
        throw new Error(`fsck of ${name}, ${how}: ${faults.slice(0, 10).join("; ")}`);
      }
      print(`fsck --deep of ${name}, ${how}: sound, ${objects} objects`);
    }
  }
}

export class KillError extends Error {
  readonly passed: number;
  constructor(passed: number, seed: number, output: string, cause: Error) {
    super(
      `seed ${seed}, after ${passed} cycles: ${cause.message}\n--- server\n${output.slice(-4000)}`,
      {
        cause,
      },
    );
    this.passed = passed;
  }
}

/** @throws KillError, with the seed; the timing of processes is not the seed's, so it may take a few tries */
export async function killTest(options: KillOptions): Promise<KillResult> {
  requireBuild();
  const work = await tempDir("kill");
  let run: KillRun | undefined;
  let isKept = false;
  try {
    const server = await startSpirula({ dir: join(work.path, "data") });
    run = new KillRun(options, work.path, server);
    return await run.run();
  } catch (error) {
    // The stores tell what went wrong.
    isKept = true;
    options.print?.(`kept for a look: ${work.path}`);
    throw error;
  } finally {
    run?.fio.kill();
    run?.checker.kill();
    await run?.server.kill();
    if (!isKept) await work.remove();
  }
}
