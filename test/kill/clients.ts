/**
 * The two unmodified clients that work while the server is killed under them: `fio`, which writes and
 * verifies one image over and over, and a librados program that knows what was acknowledged to it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { clientEnv, killGroup, must, ownGroup, run } from "../harness/run.ts";

/** The interpreter that Debian's python3-rados is for. */
const PYTHON = "/usr/bin/python3";
const CHECKER = resolve("test/kill/checker.py");
const POOL = "rbd";
const IMAGE = "fio";
const FIO_MIB = 24;

interface Ended {
  code: number;
  said: string;
}

function start(program: string, args: string[], cwd: string, confPath: string) {
  const child = spawn(program, args, {
    cwd,
    env: clientEnv(confPath),
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  ownGroup(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-20_000);
    });
  }
  const ended = once(child, "close").then(
    ([code]): Ended => ({ code: (code as number) ?? -1, said }),
  );
  return { child, ended };
}

/** `fio`, again and again: random writes of mixed sizes, each verified soon after and again at the end. */
export class FioLoop {
  readonly #work: string;
  readonly #confPath: string;
  #seed: number;
  #child: ChildProcess | undefined;
  #stopping = false;
  #over: Promise<void> | undefined;
  #ended = false;
  runs = 0;
  /** What the first run that failed had to say. */
  failure: string | undefined;

  constructor(work: string, confPath: string, seed: number) {
    this.#work = work;
    this.#confPath = confPath;
    this.#seed = seed;
  }

  async start(): Promise<void> {
    await must(`rbd create --size ${FIO_MIB}M ${IMAGE}`, { env: clientEnv(this.#confPath) });
    this.#over = this.#loop();
  }

  get isOver(): boolean {
    return this.#ended;
  }

  #args(...rest: string[]): string[] {
    return [
      "--name=kill",
      "--ioengine=rbd",
      "--clientname=admin",
      `--pool=${POOL}`,
      `--rbdname=${IMAGE}`,
      `--size=${FIO_MIB}M`,
      "--rw=randwrite",
      "--bssplit=4k/50:16k/30:64k/20",
      "--blockalign=4k",
      "--iodepth=16",
      "--verify=crc32c",
      "--verify_fatal=1",
      `--randseed=${this.#seed}`,
      ...rest,
    ];
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#stopping && this.failure === undefined) {
        this.#seed++;
        const args = this.#args("--do_verify=1", "--verify_backlog=64");
        const { child, ended } = start("fio", args, this.#work, this.#confPath);
        this.#child = child;
        const { code, said } = await ended;
        if (code === 0 && /err= 0/.test(said)) this.runs++;
        else this.failure = `fio: exit ${code}, seed ${this.#seed}\n${said}`;
      }
    } finally {
      this.#ended = true;
    }
  }

  /** Lets the run under way end by itself. */
  async finish(): Promise<void> {
    this.#stopping = true;
    await this.#over;
    if (this.failure !== undefined) throw new Error(this.failure);
  }

  /** What the last run has written, all of it. */
  async verify(): Promise<void> {
    const { code, said } = await start(
      "fio",
      this.#args("--verify_only"),
      this.#work,
      this.#confPath,
    ).ended;
    if (code !== 0) throw new Error(`fio --verify_only: exit ${code}\n${said}`);
  }

  kill(): void {
    this.#stopping = true;
    killGroup(this.#child?.pid, "SIGKILL");
  }
}

/** The program that knows what was acknowledged. */
export class Checker {
  readonly #work: string;
  readonly #confPath: string;
  readonly #acks: string;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> | undefined;
  failure: string | undefined;

  constructor(work: string, confPath: string) {
    this.#work = work;
    this.#confPath = confPath;
    this.#acks = join(work, "acks");
  }

  start(): void {
    const args = [CHECKER, "write", this.#confPath, POOL, this.#acks];
    const { child, ended } = start(PYTHON, args, this.#work, this.#confPath);
    this.#child = child;
    this.#ended = ended.then((result) => {
      if (result.code !== 0) this.failure = `checker: exit ${result.code}\n${result.said}`;
      return result;
    });
  }

  /** Bytes of acknowledgements so far: a moment to check against later. */
  async position(): Promise<number> {
    try {
      return (await stat(this.#acks)).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw error;
    }
  }

  async count(): Promise<number> {
    return (await this.position()) === 0
      ? 0
      : (await readFile(this.#acks, "latin1")).split("\n").length - 1;
  }

  /** A fresh client finds at least everything that was acknowledged up to `position`. */
  async check(position: number, timeoutMs: number): Promise<void> {
    if (position === 0) return;
    const args = [CHECKER, "check", this.#confPath, POOL, this.#acks, String(position)];
    const env = clientEnv(this.#confPath);
    const result = await run(PYTHON, args, { env, cwd: this.#work, timeoutMs });
    if (result.code === 0 && !result.timedOut) return;
    const how = result.timedOut ? "timed out" : `exit ${result.code}`;
    throw new Error(`check of the acknowledgements: ${how}\n${result.stdout}${result.stderr}`);
  }

  async finish(): Promise<void> {
    this.#child?.stdin?.end();
    await this.#ended;
    if (this.failure !== undefined) throw new Error(this.failure);
  }

  kill(): void {
    killGroup(this.#child?.pid, "SIGKILL");
  }
}
