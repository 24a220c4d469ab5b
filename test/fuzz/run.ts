/**
 * Feeds targets with what is nearly right. Every input has a seed of its own, so that one is found again
 * without all before it; targets with a memory are opened anew every so often, and replayed from there.
 */
import { seededRandom } from "../../src/base/index.ts";
import type { Target } from "./target.ts";
import { toldMonitorTarget } from "./targets/admin-socket.ts";
import { bytesTargets } from "./targets/bytes.ts";
import { commandTargets } from "./targets/commands.ts";
import { loginTargets } from "./targets/login.ts";
import { osdTarget } from "./targets/osd.ts";
import { structTargets } from "./targets/structs.ts";
import { textTargets } from "./targets/text.ts";

export const TARGETS: readonly Target[] = [
  ...bytesTargets,
  ...structTargets,
  ...textTargets,
  ...loginTargets,
  ...commandTargets,
  osdTarget,
  toldMonitorTarget,
];

/** Inputs to one opening of a target, and between two checks. */
const ROUND = 2000;
const CHECK_EVERY = 250;
/** One input must not take more of the processor, milliseconds: a decoder that follows a wrong count. */
const SLOW_MS = 2000;
/** The process with all targets stays below this, bytes: about five times what it takes. */
const PEAK_MAX = 1.5e9;

export class FuzzError extends Error {
  constructor(target: string, seed: number, round: number, at: number, cause: unknown) {
    super(`${target}, seed ${seed}, round ${round}, input ${at}`, { cause });
    this.name = "FuzzError";
  }
}

export interface FuzzResult {
  inputs: number;
  peakBytes: number;
}

/** Neighbouring numbers make unlike dice. */
function mixed(...numbers: number[]): number {
  let h = 0x9e3779b9;
  for (const n of numbers) {
    h = Math.imul(h ^ n, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/**
 * One round of a target.
 * @param inputs at most ROUND
 * @throws FuzzError
 */
async function fuzzRound(
  target: Target,
  seed: number,
  round: number,
  inputs: number,
): Promise<void> {
  const opened = await target.open();
  for (let at = 0; at < inputs; at++) {
    const dice = seededRandom(mixed(seed, round, at));
    const start = process.cpuUsage();
    try {
      const what = await opened.feed(dice);
      const { user, system } = process.cpuUsage(start);
      const tookMs = (user + system) / 1000;
      if (tookMs > SLOW_MS) throw new Error(`took ${tookMs.toFixed(0)} ms: ${what}`);
      if (at % CHECK_EVERY === CHECK_EVERY - 1 || at === inputs - 1) await opened.check?.();
    } catch (error) {
      throw new FuzzError(target.name, seed, round, at, error);
    }
  }
}

/** Most inputs end in an error that is right, and where it was made costs as much to note as all the rest. */
async function withoutStacks(work: () => Promise<void>): Promise<void> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** @throws FuzzError at the first fault, with the stack of its cause */
export async function fuzz(
  target: Target,
  seed: number,
  inputs: number,
  onRound: (done: number) => void = () => undefined,
): Promise<FuzzResult> {
  let peakBytes = 0;
  for (let done = 0, round = 0; done < inputs; done += ROUND, round++) {
    const size = Math.min(ROUND, inputs - done);
    try {
      await withoutStacks(() => fuzzRound(target, seed, round, size));
    } catch (error) {
      // The same again, to see where it comes from.
      await fuzzRound(target, seed, round, size);
      throw error;
    }
    onRound(done + size);
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    if (peakBytes > PEAK_MAX) {
      const cause = new Error(`${peakBytes} bytes of memory`);
      throw new FuzzError(target.name, seed, round, ROUND - 1, cause);
    }
  }
  return { inputs, peakBytes };
}
