/** A long run: the targets whose names match, one after the other, each with its share of the inputs. */
import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./target.ts";

/** Inputs between two lines of how far it is. */
const PROGRESS = 100_000;

export interface LongRun {
  readonly seed: number;
  /** Of all targets together. */
  readonly inputs: number;
  readonly only: RegExp;
  readonly print: (line: string) => void;
}

/** @throws FuzzError at the first fault, with the stack of what was thrown */
export async function fuzzLong({ seed, inputs, only, print }: LongRun): Promise<void> {
  const targets = TARGETS.filter(({ name }) => only.test(name));
  const shares = targets.reduce((sum, { share = 1 }) => sum + share, 0);
  const inputsOf = ({ share = 1 }: Target) => Math.ceil((inputs * share) / shares);
  let [done, peak] = [0, 0];
  for (const target of targets) {
    const start = performance.now();
    const result = await fuzz(target, seed, inputsOf(target), (count) => {
      if (count % PROGRESS === 0) print(`  ${target.name}: ${count} …`);
    });
    done += result.inputs;
    peak = Math.max(peak, result.peakBytes);
    const rate = (result.inputs / (performance.now() - start)) * 1000;
    print(`${target.name}: ${result.inputs} inputs, ${rate.toFixed(0)}/s, ${megabytes(result)}`);
  }
  print(
    `${done} inputs of seed ${seed} to ${targets.length} targets, ${megabytes({ peakBytes: peak })}`,
  );
}

const megabytes = ({ peakBytes }: { peakBytes: number }) =>
  `peak memory ${(peakBytes / 1e6).toFixed(0)} MB`;
