/**
 * Starts a server and, for one seed after the other, the program that puts random operations on two images
 * through the unmodified librbd (`fsx.py`); kills the server and starts it again when that program asks.
 * After every seed of a server of ours nothing is left but what the pool had before; at the end the stores are
 * checked to the last byte.
 *
 * The unmodified librbd has faults of its own. So a seed that fails may be run on a real cluster, too: where it
 * fails at the same operation in the same words, it is librbd's, and the next seed has a server of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { ObjectInfoCheck } from "../../src/osd/index.ts";
import { fsck } from "../../src/store/index.ts";
import { dropRealCeph, startRealCeph } from "../harness/real-ceph.ts";
import { clientEnv, killGroup, ownGroup } from "../harness/run.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { tempDir } from "../harness/temp.ts";

export interface FsxOptions {
  /** The first; the next seeds follow it. */
  seed: number;
  /** @default 1 */
  seeds?: number;
  /** So many seeds at a time, each on a server of its own. @default 1 */
  jobs?: number;
  /** Operations of each seed; a step that is begun is finished. */
  ops: number;
  /** The conf file of a cluster that runs already and is not killed. @default a fresh server of ours */
  real?: string;
  /** Asks a real cluster of this machine about a seed of librbd's that fails on ours. @default false: it ends the run */
  judged?: boolean;
  /** The images are this package's own client's. @default false: the unmodified librbd's */
  own?: boolean;
  /** @default 1 */
  osds?: number;
  /** Keeps the logs of seeds that passed, too. @default false */
  keep?: boolean;
  /** @default nothing is printed */
  print?: (line: string) => void;
}

export interface FsxResult {
  ops: number;
  kills: number;
  /** Seeds that fail on a real cluster as well. */
  faultsOfLibrbd: number[];
}

/** Debian's python3, as in the other tests that have a program of their own. */
const PYTHON = "/usr/bin/python3";
const PROGRAM = resolve("test/fsx/fsx.py");
/** No operation may take longer; a deep copy under a kill is the longest. */
const STALLED_MS = 180_000;
/** A start beside other runs of this test on a machine that has few cores. */
const READY_MS = 60_000;
const STALL_CHECK_MS = 2_000;
const LOG_LINES_SHOWN = 15;

/** A server and what is put on it, one seed after the other. */
class FsxRun {
  readonly #options: FsxOptions;
  readonly #seeds: Iterable<number>;
  readonly #work: string;
  #server: SpirulaServer | undefined;
  #child: ChildProcess | undefined;
  /** How many there have been. */
  #servers = 0;
  #isOver = false;

  /** @param seeds the next one that nobody has taken */
  constructor(options: FsxOptions, seeds: Iterable<number>, work: string) {
    this.#options = options;
    this.#seeds = seeds;
    this.#work = work;
  }

  async run(): Promise<FsxResult> {
    const { real, judged = false, print = () => {} } = this.#options;
    if (real === undefined) await this.#start();
    const total: FsxResult = { ops: 0, kills: 0, faultsOfLibrbd: [] };
    for (const seed of this.#seeds) {
      const startMs = performance.now();
      try {
        const { ops, kills } = await this.#seed(seed);
        total.ops += ops;
        total.kills += kills;
        const seconds = (performance.now() - startMs) / 1000;
        print(
          `seed ${seed} ok: ${ops} operations, ${kills} kills, ${seconds.toFixed(0)} s, ${(ops / seconds).toFixed(0)} a second`,
        );
      } catch (error) {
        if (this.#isOver || !(judged && error instanceof SeedFailure)) throw error;
        print(error.what);
        if (!(await this.#failsOnReal(error))) throw error;
        print("  on a real cluster, too");
        total.faultsOfLibrbd.push(seed);
        total.ops += error.operation - 1;
        // What the seed has left is in the way of the next.
        await this.#stop();
        await this.#start();
      }
    }
    await this.#stop();
    return total;
  }

  async #start(): Promise<void> {
    requireBuild();
    const { osds = 1 } = this.#options;
    const dir = join(this.#work, `data${++this.#servers}`);
    this.#server = await startSpirula({ dir, osds, readyTimeoutMs: READY_MS });
  }

  /** Stops a server of ours in order, and checks what it has stored. */
  async #stop(): Promise<void> {
    if (this.#server === undefined) return;
    const { dir } = this.#server;
    if ((await this.#server.stop()) !== 0) throw new Error("an orderly stop failed");
    checkStores(dir);
    await rm(dir, { recursive: true });
  }

  /** Whether the seed ends in the same way on a real cluster. */
  async #failsOnReal({ seed, what }: SeedFailure): Promise<boolean> {
    const dir = join(this.#work, "real");
    try {
      const { confPath } = await startRealCeph({ dir });
      // As many of them, for how a seed ends follows from that.
      await fsxTest({ seed, ops: this.#options.ops, real: confPath });
      return false;
    } catch (error) {
      if (!(error instanceof SeedFailure)) throw error;
      return blankIds(error.what) === blankIds(what);
    } finally {
      await dropRealCeph(dir);
    }
  }

  async #seed(seed: number): Promise<{ ops: number; kills: number }> {
    const log = join(this.#work, `seed-${seed}.log`);
    const conf = this.#server?.confPath ?? resolve(this.#options.real ?? "");
    const args = ["-B", PROGRAM, conf, String(seed), String(this.#options.ops), log];
    if (this.#server !== undefined) args.push("kill");
    if (this.#options.own === true) args.push("own");
    const child = spawn(PYTHON, args, {
      cwd: this.#work,
      env: { ...clientEnv(conf), FSX_NODE: process.execPath },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    ownGroup(child);
    this.#child = child;
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-20_000);
    });
    let failure: Error | undefined;
    const fail = (error: Error) => {
      failure ??= error;
      killGroup(child.pid, "SIGKILL");
    };
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line !== "kill") said += `${line}\n`;
      else this.#restart().then(() => child.stdin.write("up\n"), fail);
    });
    const stopWatching = watchForStall(log, fail);
    const [code] = (await once(child, "close")) as [number | null];
    stopWatching();
    const done = /^done (\d+) operations, (\d+) kills$/m.exec(said);
    if (failure === undefined && code === 0 && done !== null) {
      if (this.#options.keep !== true) await rm(log);
      return { ops: Number(done[1]), kills: Number(done[2]) };
    }
    const how = failure?.message ?? `exit ${code ?? "by a signal"}`;
    const tail = await readFile(log, "utf8").catch((error: Error) => error.message);
    const last = tail.trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
    const operation = Number(/\n(\d+) [^\n]*\n(?:#[^\n]*\n)*$/.exec(tail)?.[1] ?? "0");
    const what = /^seed \d+, operation .*$/m.exec(said)?.[0] ?? how;
    throw new SeedFailure(
      { seed, operation, what },
      `seed ${seed}, at operation ${operation}: ${how}\n${said}--- the log's end (${log})\n${last}\n` +
        `--- the same again: npm run test:fsx -- --replay ${seed} --until ${operation}\n` +
        `--- server\n${this.#server?.output().slice(-3000) ?? "a cluster of somebody else's"}`,
    );
  }

  async #restart(): Promise<void> {
    if (this.#server === undefined) throw new Error("there is no server of ours to kill");
    const { dir } = this.#server;
    const port = await monPort(dir);
    await this.#server.kill();
    const osds = this.#options.osds ?? 1;
    this.#server = await startSpirula({ dir, port, osds, readyTimeoutMs: READY_MS });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    killGroup(this.#child?.pid, "SIGKILL");
    await this.#server?.kill();
  }
}

/** Objects are called by their image's id, which each cluster makes. */
function blankIds(what: string): string {
  return what.replace(/\b(rbd_\w+\.(?:\d+\.)?)[0-9a-f]+/g, "$1ID");
}

/** Calls `fail` when the log stops growing. Returns how to stop watching. */
function watchForStall(log: string, fail: (error: Error) => void): () => void {
  let size = -1;
  let grownMs = performance.now();
  const timer = setInterval(() => {
    const now = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (now !== size) {
      size = now;
      grownMs = performance.now();
    } else if (performance.now() - grownMs > STALLED_MS) {
      fail(new Error(`no operation ended for ${STALLED_MS / 1000} s`));
    }
  }, STALL_CHECK_MS);
  return () => clearInterval(timer);
}

function checkStores(data: string): void {
  for (const name of readdirSync(data).filter((entry) => /^(mon|osd\.\d+)$/.test(entry))) {
    const check = name === "mon" ? {} : { check: new ObjectInfoCheck() };
    const { faults, complete } = fsck(join(data, name), { deep: true, ...check });
    if (faults.length > 0 || !complete) {
      throw new FsxError(`fsck of ${name}: ${faults.slice(0, 10).join("; ")}`);
    }
  }
}

export class FsxError extends Error {}

/** A seed came to something that is wrong. */
class SeedFailure extends FsxError {
  readonly seed: number;
  /** Which one it was at. */
  readonly operation: number;
  /** In one line. */
  readonly what: string;

  constructor(at: { seed: number; operation: number; what: string }, message: string) {
    super(message);
    this.seed = at.seed;
    this.operation = at.operation;
    this.what = at.what;
  }
}

function* seedsOf({ seed, seeds = 1 }: FsxOptions): Generator<number> {
  for (let i = 0; i < seeds; i++) yield seed + i;
}

/** @throws FsxError, with the seed and the operation; the log and the stores are kept then */
export async function fsxTest(options: FsxOptions): Promise<FsxResult> {
  const work = await tempDir("fsx");
  const seeds = seedsOf(options);
  const runs: FsxRun[] = [];
  for (let job = 1; job <= (options.jobs ?? 1); job++) {
    const path = join(work.path, `job${job}`);
    await mkdir(path);
    runs.push(new FsxRun(options, seeds, path));
  }
  let isKept = options.keep ?? false;
  try {
    const results = await Promise.all(runs.map((run) => run.run()));
    return {
      ops: results.reduce((sum, { ops }) => sum + ops, 0),
      kills: results.reduce((sum, { kills }) => sum + kills, 0),
      faultsOfLibrbd: results.flatMap((result) => result.faultsOfLibrbd).sort((x, y) => x - y),
    };
  } catch (error) {
    isKept = true;
    throw error;
  } finally {
    for (const run of runs) await run.end();
    if (isKept) options.print?.(`kept: ${work.path}`);
    else await work.remove();
  }
}
