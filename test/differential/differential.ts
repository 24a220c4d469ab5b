/**
 * The differential test of RADOS: the same random requests through the real librados on a real cluster and
 * on ours, and every result, error, version and byte compared.
 *
 * Requests come in rounds, each on pools of its own, so that a difference in one does not blur the next.
 */
import { join, resolve } from "node:path";
import { startRealCeph } from "../harness/real-ceph.ts";
import { clientEnv, must } from "../harness/run.ts";
import { requireBuild, startSpirula } from "../harness/spirula.ts";
import { tempDir } from "../harness/temp.ts";
import { type Answer, difference, type Identity } from "./compare.ts";
import { Generator, type Request } from "./generate.ts";
import { shrink } from "./shrink.ts";
import { Side, SideEnded } from "./side.ts";

export interface DifferentialOptions {
  seed: number;
  ops: number;
  /** First round; together with `ops` of one round, runs that round alone. @default 0 */
  round?: number;
  /** Requests of a round. @default 2500 */
  roundOps?: number;
  /** OSDs on either side. @default 1 */
  osds?: number;
  /** Configuration of a real cluster that is there. @default one is started */
  real?: string;
  /** Configuration of a cluster of ours that is there. @default one is started */
  ours?: string;
  /** Shrink what shows a difference. @default false */
  shrink?: boolean;
  print: (line: string) => void;
}

export interface DifferentialResult {
  rounds: number;
  ops: number;
  /** Rounds with a difference. */
  different: number;
  /** Rounds that a real cluster did not see the end of. */
  cut: number;
  seconds: number;
  /** Milliseconds that each side took: real, ours. */
  spentMs: [number, number];
  /** Requests by kind, and how many of them were answered with an error. */
  kinds: Map<string, { count: number; errors: number }>;
}

const SIDE_NAMES = ["real", "ours"] as const;
type Sides = [Side, Side];

const ROUND_OPS = 2500;
const NOBODY: Identity = { ids: [], nonces: [], since: 0 };
/** Rounds of one seed have seeds of their own, this far apart. */
const ROUND_STRIDE = 7919;

export async function differentialTest(options: DifferentialOptions): Promise<DifferentialResult> {
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  const start = async (): Promise<Sides> => {
    await stop();
    const confs = await startClusters(options, cleanups);
    const startSide = async (name: string, conf: string) => {
      const side = await Side.start(name, conf);
      cleanups.push(() => side.stop());
      return side;
    };
    return await Promise.all([
      startSide(SIDE_NAMES[0], confs[0]),
      startSide(SIDE_NAMES[1], confs[1]),
    ]);
  };
  try {
    return await new Run(options, start).all();
  } finally {
    await stop();
  }
}

async function startClusters(
  { real, ours, osds = 1, print }: DifferentialOptions,
  cleanups: (() => Promise<unknown>)[],
): Promise<[string, string]> {
  const work = await tempDir("differential");
  cleanups.push(() => work.remove());
  let realConf = real;
  if (realConf === undefined) {
    print("starting a real cluster");
    const dir = join(work.path, "real");
    const cluster = await startRealCeph({ dir, osds, settled: false });
    cleanups.push(() => cluster.stop());
    realConf = cluster.confPath;
  }
  // A write of nothing past the end, which a round makes, spoils the object's checksum there: it never reads again.
  const keepNoDigests = "ceph config set osd osd_skip_data_digest true";
  await must(keepNoDigests, { env: clientEnv(resolve(realConf)), timeoutMs: 60_000 });
  let oursConf = ours;
  if (oursConf === undefined) {
    requireBuild();
    const server = await startSpirula({ dir: join(work.path, "ours"), osds });
    cleanups.push(() => server.stop());
    oursConf = server.confPath;
  }
  return [resolve(realConf), resolve(oursConf)];
}

class Run {
  readonly #options: DifferentialOptions;
  readonly #start: () => Promise<Sides>;
  #sides: Sides | undefined;
  readonly #spentMs: [number, number] = [0, 0];
  readonly #kinds: DifferentialResult["kinds"] = new Map();
  #identities: readonly [Identity, Identity] = [NOBODY, NOBODY];
  /** Requests of the last round that both sides answered. */
  #compared = 0;
  /** Rounds in which the real cluster ended. */
  #cut = 0;
  /** Pools made so far, for names of their own. */
  #pools = 0;
  readonly #tag = Date.now().toString(36);

  /** @param start fresh ones */
  constructor(options: DifferentialOptions, start: () => Promise<Sides>) {
    this.#options = options;
    this.#start = start;
  }

  async all(): Promise<DifferentialResult> {
    const { seed, ops, print } = this.#options;
    const startMs = performance.now();
    const roundOps = Math.min(ops, this.#options.roundOps ?? ROUND_OPS);
    let [done, different, round] = [0, 0, this.#options.round ?? 0];
    const rounds = Math.ceil(ops / roundOps);
    for (let i = 0; i < rounds; i++, round++) {
      const generator = new Generator(seed + round * ROUND_STRIDE, resolve("test/vectors/cls"));
      const count = Math.min(roundOps, ops - i * roundOps);
      const requests = Array.from({ length: count }, () => generator.next());
      if (!(await this.#round(round, requests))) different++;
      done += this.#compared;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
      print(`round ${round}: ${done} requests, ${different} rounds differ (${seconds} s)`);
    }
    const seconds = (performance.now() - startMs) / 1000;
    const [spentMs, kinds] = [this.#spentMs, this.#kinds];
    return { rounds, ops: done, different, cut: this.#cut, seconds, spentMs, kinds };
  }

  /** Returns whether all was the same. */
  async #round(round: number, requests: readonly Request[]): Promise<boolean> {
    const { print, seed } = this.#options;
    const { answers, first } = await this.#run(requests);
    this.#compared = answers[0].length;
    this.#count(requests.slice(0, this.#compared), answers[0]);
    if (first === undefined) return true;
    print(`DIFFERENT: seed ${seed}, round ${round}, request ${first}`);
    this.#show(
      requests.slice(first, first + 1),
      answers.map((side) => side.slice(first)) as [Answer[], Answer[]],
    );
    if (this.#options.shrink === true) await this.#shrink(requests.slice(0, first + 1));
    return false;
  }

  async #shrink(requests: readonly Request[]): Promise<void> {
    const { print } = this.#options;
    print("shrinking");
    const firstOf = async (some: readonly Request[]) => (await this.#run(some)).first;
    const kept = await shrink(requests, firstOf, print);
    const { answers } = await this.#run(kept);
    this.#show(kept, answers);
  }

  #show(requests: readonly Request[], [real, ours]: readonly [Answer[], Answer[]]): void {
    const short = (value: unknown) => {
      const text = JSON.stringify(value);
      return text.length > 1500 ? `${text.slice(0, 1500)}… ${text.length}` : text;
    };
    for (const [i, request] of requests.entries()) {
      this.#options.print(`  ${short(request)}`);
      const found = this.#difference([real[i] as Answer, ours[i] as Answer]);
      if (found === undefined) this.#options.print(`    both ${short(real[i])}`);
      else
        for (const [n, name] of SIDE_NAMES.entries())
          this.#options.print(`    ${name} ${short(found[n])}`);
    }
  }

  #difference(answers: readonly [Answer, Answer]) {
    return difference(answers, this.#identities, Date.now() / 1000);
  }

  /** Runs requests on fresh pools of both sides at once. */
  async #run(
    requests: readonly Request[],
  ): Promise<{ answers: [Answer[], Answer[]]; first: number | undefined }> {
    const pools = Generator.pools(`diff-${this.#tag}-${this.#pools++}`);
    const sides = this.#sides ?? (await this.#start());
    this.#sides = sides;
    this.#identities = [sides[0].identity, sides[1].identity];
    const answers = (await Promise.all(
      sides.map(async (side, n) => {
        const startMs = performance.now();
        const [, ...rest] = await side
          .run([pools, ...requests])
          .catch((error: unknown) => this.#ended(n, error));
        this.#spentMs[n as 0 | 1] += performance.now() - startMs;
        return rest;
      }),
    )) as [Answer[], Answer[]];
    // What a real cluster that has ended would have answered nobody knows.
    const count = answers[0].length;
    const first = requests.findIndex(
      (_, i) =>
        i < count &&
        this.#difference([answers[0][i] as Answer, answers[1][i] as Answer]) !== undefined,
    );
    return { answers, first: first < 0 ? undefined : first };
  }

  /** A real OSD stops at some requests: the round ends there, and the next one has a new cluster. */
  #ended(side: number, error: unknown): readonly Answer[] {
    if (side !== 0 || !(error instanceof SideEnded) || this.#options.real !== undefined)
      throw error;
    this.#options.print(`the real cluster has ended: ${error.message}`);
    this.#sides = undefined;
    this.#cut++;
    return error.answers;
  }

  #count(requests: readonly Request[], answers: readonly Answer[]): void {
    for (const [i, request] of requests.entries()) {
      const kind = this.#kinds.get(request.do) ?? { count: 0, errors: 0 };
      kind.count++;
      if ((answers[i]?.r ?? 0) < 0) kind.errors++;
      this.#kinds.set(request.do, kind);
    }
  }
}
