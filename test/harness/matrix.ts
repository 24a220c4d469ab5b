/**
 * Clients of several generations: every command of the scenarios by the unmodified clients of one Debian
 * release, on a real 16.2 cluster and at the same time on ours, and the two answers compared as transcripts
 * are. What a newer client is told by an older cluster, no document says: the cluster does.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { commandIn } from "./debian-root.ts";
import { deviceClassBelow } from "./device-class.ts";
import { dropRealCeph, startRealCeph } from "./real-ceph.ts";
import { clientEnv, endChildren, must } from "./run.ts";
import { makeSampleDisk } from "./sample-disk.ts";
import {
  compareStep,
  recordStep,
  type Scenario,
  type ScenarioContext,
  type Step,
} from "./scenario.ts";
import { startSpirula } from "./spirula.ts";

let interrupted = false;

export interface MatrixOptions {
  /** Folder of the release's clients; undefined: those of this machine. */
  root: string | undefined;
  /** Empty folder for both clusters' data and the commands' files. */
  dir: string;
  scenarios: Scenario[];
  /** Told each command's outcome as it is there. */
  each: (outcome: Outcome) => void;
}

export interface Outcome {
  scenario: string;
  command: string;
  /** Why the two are known to differ. */
  differs: string | undefined;
  /** Transcripts, see scenario.ts. */
  ours: string;
  real: string;
}

/**
 * Runs all scenarios on a fresh cluster of each kind. `dropMatrix` must follow, however it ends.
 * @returns how often the clients asked our OSD for what it does not know, by operation
 */
export async function runMatrix(options: MatrixOptions): Promise<Record<string, number>> {
  const { root, dir, scenarios, each } = options;
  const [realDir, oursDir] = [join(dir, "real"), join(dir, "ours")];
  for (const path of [realDir, oursDir]) {
    await mkdir(path);
    await makeSampleDisk(path);
  }
  let ours: Awaited<ReturnType<typeof startSpirula>> | undefined;
  try {
    const real = await startRealCeph({ dir: realData(dir) });
    ours = await startSpirula({ dir: join(oursDir, "data") });
    const context = async (workDir: string, confPath: string): Promise<ScenarioContext> => ({
      workDir,
      confPath,
      deviceClass: await deviceClassBelow(workDir),
      inside: commandIn(root, dir, workDir),
    });
    const [realContext, oursContext] = await Promise.all([
      context(realDir, real.confPath),
      context(oursDir, ours.confPath),
    ]);
    for (const { name, steps } of scenarios) {
      for (const step of steps) {
        const { command, differs } = step;
        const answers = await both(step, realContext, oursContext);
        // What was killed says nothing, and says it on both sides.
        if (interrupted) throw new Error("interrupted");
        each({ scenario: name, command, differs, ...answers });
      }
    }
    const counters = await must("ceph tell osd.0 perf dump", { env: clientEnv(ours.confPath) });
    return (JSON.parse(counters) as { osd: { unsupported_ops: Record<string, number> } }).osd
      .unsupported_ops;
  } finally {
    await ours?.stop();
  }
}

/** Ends what a run left running: the real cluster is nobody's child. */
export function dropMatrix(dir: string): Promise<void> {
  return dropRealCeph(realData(dir));
}

/** The same in the middle of a run, whose commands end too, and no other begins. */
export function interruptMatrix(dir: string): Promise<void> {
  interrupted = true;
  endChildren();
  return dropMatrix(dir);
}

function realData(dir: string): string {
  return join(dir, "real", "data");
}

async function both(
  step: Step,
  real: ScenarioContext,
  ours: ScenarioContext,
): Promise<{ real: string; ours: string }> {
  const [said, first] = await Promise.all([recordStep(step, real), recordStep(step, ours)]);
  const again = step.settle && first !== said && step.differs === undefined;
  return { real: said, ours: again ? await compareStep(step, said, ours) : first };
}

/** What differs, as `diff` shows it: `<` a real cluster's, `>` ours. */
export function difference(outcome: Outcome): string {
  const [real, ours] = [outcome.real, outcome.ours].map((text) => text.split("\n"));
  const lines = (of: string[] = [], not: string[] = [], mark: string): string[] =>
    of.filter((line) => !not.includes(line)).map((line) => `${mark} ${line}`);
  const found = [...lines(real, ours, "<"), ...lines(ours, real, ">")];
  return found.length > 0 ? found.join("\n") : "the same lines in another order or number";
}

/** The exit code that a transcript ends with, or "timed out". */
export function exitOf(transcript: string): string {
  return /\n= (.*)\n$/.exec(transcript)?.[1] ?? "?";
}
