/**
 * Two writers of one image, ours and librbd, that are killed now and then: `npm run test:contention`.
 *
 * First both write as fast as they can, each in slots of its own, and the lock goes to and fro. Who is killed is
 * started again, and finds what it was promised; who is left has to see that the lock's owner is dead. Then both
 * take the lock by hand, read a counter, wait, and write the next number: two owners at a time would count the same
 * number twice. At the end a process that has written nothing reads everything, and the object map is checked.
 *
 * What a writer says, a line each: `found SLOT COUNT` as it starts; `ready`; `begun SLOT COUNT` before a write is
 * sent and `done SLOT COUNT` once it is acknowledged, for which it had the lock.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Dice } from "../harness/dice.ts";
import { clientEnv, must } from "../harness/run.ts";

export interface ContentionOptions {
  readonly confPath: string;
  /** A directory to work in. */
  readonly dir: string;
  readonly seed: number;
  /** Of each of the two parts, at least. */
  readonly handOvers: number;
  /** Of each writer, in each part. */
  readonly kills: number;
  readonly print?: (line: string) => void;
}

export interface ContentionResult {
  readonly handOvers: number;
  readonly kills: number;
  readonly writes: number;
}

type Mode = "own" | "together";
const KINDS = ["ours", "librbd"] as const;
type Kind = (typeof KINDS)[number];

const POOL = "rbd";
const IMAGE = "contended";
const BLOCK = 4096;
const SLOTS = 512;
const PYTHON = "/usr/bin/python3";
/** Nothing said for so long is a hang: a dead owner's watch is believed for half a minute. */
const SILENCE_MS = 120_000;
/** Longest wait from a hand-over to the kill, so that it comes at any point of what follows. */
const KILL_DELAY_MS = 300;

/** What was promised of a slot: the last count acknowledged, and the last that may have been written. */
interface Slot {
  done: number;
  begun: number;
}

/** A part: its mode, what it has promised so far, and who is at work. */
class Part {
  readonly #options: ContentionOptions;
  readonly #mode: Mode;
  readonly #dice: Dice;
  readonly #slots = new Map<number, Slot>();
  readonly #writers = new Map<Kind, Writer>();
  #failure: Error | undefined;
  #lastOwner: Kind | undefined;
  #heardAt = performance.now();
  handOvers = 0;
  writes = 0;
  kills = 0;

  constructor(options: ContentionOptions, mode: Mode) {
    this.#options = options;
    this.#mode = mode;
    this.#dice = new Dice(options.seed + (mode === "own" ? 0 : 1));
  }

  async run(): Promise<void> {
    const { handOvers, kills } = this.#options;
    try {
      for (const kind of KINDS) await this.#start(kind);
      const every = Math.ceil(handOvers / (KINDS.length * kills + 1));
      for (let n = 0; n < KINDS.length * kills; n++) {
        await this.#until(this.handOvers + every);
        await sleep(this.#dice.below(KILL_DELAY_MS));
        await this.#kill(this.#kindOf(n));
      }
      await this.#until(Math.max(handOvers, this.handOvers + every));
      for (const writer of this.#writers.values()) await writer.end();
      this.#check();
      await this.#verify();
    } finally {
      for (const writer of this.#writers.values()) await writer.kill();
    }
  }

  /** Each as often as the other, by turns or twice in a row. */
  #kindOf(n: number): Kind {
    if (n % 2 === 0) this.#first = this.#dice.pick(KINDS);
    return n % 2 === 0 ? this.#first : other(this.#first);
  }
  #first: Kind = "ours";

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    for (const [kind, writer] of this.#writers) {
      if (writer.code === undefined || writer.code === 0) continue;
      throw new Error(`${kind} has left with ${writer.code}: ${writer.stderr}`);
    }
  }

  async #until(handOvers: number): Promise<void> {
    this.#heardAt = performance.now();
    while (this.handOvers < handOvers) {
      this.#check();
      if (performance.now() - this.#heardAt > SILENCE_MS) {
        throw new Error(`${this.#mode}: no hand-over for ${SILENCE_MS / 1000} s`);
      }
      await sleep(20);
    }
  }

  async #start(kind: Kind): Promise<void> {
    const { confPath } = this.#options;
    const words = [confPath, POOL, IMAGE, this.#mode, String(KINDS.indexOf(kind)), String(SLOTS)];
    const writer = new Writer(kind, [...words, String(this.#dice.below(2 ** 31))], (line) =>
      this.#heard(kind, line),
    );
    this.#writers.set(kind, writer);
    await writer.ready;
  }

  async #kill(kind: Kind): Promise<void> {
    const wasOwner = this.#lastOwner === kind;
    await this.#writers.get(kind)?.kill();
    this.kills++;
    const { print } = this.#options;
    print?.(`${this.#mode}: ${kind} killed${wasOwner ? ", which was the owner" : ""}`);
    // The other one has to get on by itself, before and after.
    if (this.#dice.chance(0.5)) await sleep(this.#dice.below(2000));
    await this.#start(kind);
  }

  #heard(kind: Kind, line: string): void {
    const [what, slotText, countText] = line.split(" ");
    const slot = Number(slotText);
    const count = Number(countText);
    const known = this.#slots.get(slot) ?? { done: 0, begun: 0 };
    this.#slots.set(slot, known);
    const fail = (why: string) => {
      this.#failure ??= new Error(`${kind}, ${this.#mode}: ${why}`);
    };
    switch (what) {
      case "found":
        if (count < known.done || count > known.begun) {
          fail(`slot ${slot} has ${count}, of ${known.done} acknowledged and ${known.begun} begun`);
        }
        known.done = count;
        known.begun = count;
        break;
      case "begun":
        // Together they count: who begins has read what the last one was told is stable.
        if (count <= known.done) fail(`slot ${slot}: ${count} once more, after ${known.done}`);
        if (count > known.begun + 1) fail(`slot ${slot}: ${count} follows on ${known.begun}`);
        known.begun = Math.max(known.begun, count);
        break;
      case "done":
        if (count <= known.done) fail(`slot ${slot}: ${count} acknowledged after ${known.done}`);
        known.done = count;
        this.writes++;
        if (this.#lastOwner !== kind) {
          this.#lastOwner = kind;
          this.handOvers++;
          this.#heardAt = performance.now();
        }
        break;
      case "ready":
        break;
      default:
        fail(line);
    }
  }

  /** By a program that has had no part in it. */
  async #verify(): Promise<void> {
    const { confPath, dir } = this.#options;
    const at = { env: clientEnv(confPath), timeoutMs: 300_000 };
    const path = join(dir, "exported");
    await rm(path, { force: true });
    await must(`rbd export --no-progress ${POOL}/${IMAGE} ${path}`, at);
    const data = await readFile(path);
    for (const [slot, { done }] of this.#slots) {
      if (Number.isNaN(slot)) continue;
      const found = Number(data.readBigUInt64LE(slot * BLOCK + 8));
      if (found !== done) throw new Error(`slot ${slot} has ${found} at the end, ${done} is due`);
    }
    await must(`rbd object-map check --no-progress ${POOL}/${IMAGE}`, at);
    const { flags } = JSON.parse(await must(`rbd info --format json ${POOL}/${IMAGE}`, at));
    if (flags.length > 0) throw new Error(`flags of the image: ${flags}`);
  }
}

function other(kind: Kind): Kind {
  return kind === "ours" ? "librbd" : "ours";
}

/** One process. */
class Writer {
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  /** Exit code once it has left by itself. */
  code: number | undefined;
  stderr = "";
  #isEnded = false;

  constructor(kind: Kind, words: readonly string[], hear: (line: string) => void) {
    const [program, script] =
      kind === "ours"
        ? [process.execPath, resolve("test/contention/contender.mjs")]
        : [PYTHON, resolve("test/contention/contender.py")];
    const child = spawn(program, [script, ...words], {
      env: clientEnv(words[0]),
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdin?.on("error", () => undefined);
    child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr = `${this.stderr}${chunk.toString("utf8")}`.slice(-4000);
    });
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    this.ready = new Promise((resolveReady, reject) => {
      lines.on("line", (line) => {
        if (line === "ready") resolveReady();
        hear(line);
      });
      child.once("close", () => reject(new Error(`${kind} did not get ready: ${this.stderr}`)));
    });
    this.ready.catch(() => undefined);
    this.#gone = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code]]) => {
      if (!this.#isEnded) this.code = code ?? 1;
    });
  }

  /** Ends well. @throws Error if it does not */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#gone;
    if (this.code !== 0) throw new Error(`ended with ${this.code}: ${this.stderr}`);
  }

  async kill(): Promise<void> {
    this.#isEnded = true;
    this.#child.kill("SIGKILL");
    await this.#gone;
  }
}

/** On a cluster with a pool `rbd`. @throws Error what was lost, torn or done by two */
export async function contend(options: ContentionOptions): Promise<ContentionResult> {
  const at = { env: clientEnv(options.confPath), timeoutMs: 60_000 };
  const sum = { handOvers: 0, kills: 0, writes: 0 };
  for (const mode of ["own", "together"] as const) {
    await must(`rbd create --size ${SLOTS * BLOCK}B --object-size 64K ${POOL}/${IMAGE}`, at);
    const part = new Part(options, mode);
    await part.run();
    options.print?.(`${mode}: ${part.handOvers} hand-overs, ${part.writes} writes`);
    sum.handOvers += part.handOvers;
    sum.kills += part.kills;
    sum.writes += part.writes;
    await must(`rbd rm --no-progress ${POOL}/${IMAGE}`, at);
  }
  return sum;
}
