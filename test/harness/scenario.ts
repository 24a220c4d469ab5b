/**
 * Walk-through scenarios: lists of commands with directives, run in order on one cluster, and the
 * transcripts of what they said.
 *
 * A scenario is a file `NN-name.sh`: one command a line, `# ` comments, and `#@` directives that speak
 * about the next command:
 *   settle     statistics arrive late: wait before recording, ask again (up to 60 s) when comparing
 *   columns    collapse runs of blanks
 *   sort       compare the lines sorted
 *   numbers RE compare only the structure of lines that match RE (benchmarks)
 *   blank RE   blank the groups of RE
 *   drop RE    leave out lines that match RE
 *   differs WHY ours does not answer as a real cluster yet, or on purpose not (in test/matrix only)
 * Commands of one scenario may use files and images that earlier scenarios left.
 *
 * A transcript is the text of all steps: `$ command`, stdout, then `! ` before each line of stderr,
 * then `= N` for the exit code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type CommandFilters, filterOutput, type Machine, noFilters } from "./filters.ts";
import { clientEnv, sh, sleep } from "./run.ts";

export interface Step {
  command: string;
  line: number;
  settle: boolean;
  /** Why ours answers otherwise; undefined: it must not. */
  differs: string | undefined;
  filters: CommandFilters;
}

export interface Scenario {
  name: string;
  steps: Step[];
}

/** The commands run in `workDir`, which must hold `guest.qcow2` and the cluster's data. */
export interface ScenarioContext extends Machine {
  confPath: string;
  /** Makes of a command line one that runs it where the clients are. @default as it is */
  inside?: (command: string) => string;
}

export const TRANSCRIPTS_DIR = resolve("test/transcripts");
const SETTLE_RECORD_MS = 10_000;
const SETTLE_COMPARE_MS = 60_000;

export function loadScenarios(dir = TRANSCRIPTS_DIR): Scenario[] {
  const files = readdirSync(dir).filter((name) => name.endsWith(".sh"));
  return files.sort().map((file) => ({
    name: basename(file, ".sh"),
    steps: parseScenario(readFileSync(join(dir, file), "utf8")),
  }));
}

export function parseScenario(text: string): Step[] {
  const steps: Step[] = [];
  let next = plainStep();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line.startsWith("#@ ")) applyDirective(next, line.slice(3), index + 1);
    else if (line !== "" && !line.startsWith("#")) {
      steps.push({ command: line, line: index + 1, ...next });
      next = plainStep();
    }
  }
  return steps;
}

type Directed = Omit<Step, "command" | "line">;

function plainStep(): Directed {
  return { settle: false, differs: undefined, filters: noFilters() };
}

function applyDirective(next: Directed, text: string, line: number): void {
  const [word, ...rest] = text.split(" ");
  const argument = rest.join(" ");
  if (word === "settle") next.settle = true;
  else if (word === "differs") next.differs = argument;
  else if (word === "columns" || word === "sort") next.filters[word] = true;
  else if (word === "numbers") next.filters.numbers = new RegExp(argument);
  else if (word === "blank" || word === "drop") next.filters[word].push(new RegExp(argument));
  else throw new Error(`line ${line}: no directive ${word}`);
}

/** Runs one step once and gives its filtered transcript. */
export async function runStep(step: Step, context: ScenarioContext): Promise<string> {
  const { inside = (command) => command } = context;
  const options = {
    cwd: context.workDir,
    env: clientEnv(context.confPath),
    timeoutMs: 120_000,
  };
  const result = await sh(inside(step.command), options, step.command);
  const out = filterOutput(result.stdout, step.filters, context);
  const err = filterOutput(result.stderr, step.filters, context);
  const errLines = err.replace(/^/gm, "! ").replace(/! $/, "");
  const end = result.timedOut ? "timed out" : String(result.code);
  return `$ ${step.command}\n${out}${errLines}= ${end}\n`;
}

/** Runs a step as the recorder does: after statistics have come to rest. */
export async function recordStep(step: Step, context: ScenarioContext): Promise<string> {
  if (step.settle) await sleep(SETTLE_RECORD_MS);
  return runStep(step, context);
}

/** Runs a step until it says `expected`, once for plain steps, repeatedly for settling ones. */
export async function compareStep(
  step: Step,
  expected: string | undefined,
  context: ScenarioContext,
): Promise<string> {
  const endMs = performance.now() + (step.settle ? SETTLE_COMPARE_MS : 0);
  for (;;) {
    const got = await runStep(step, context);
    if (got === expected || performance.now() > endMs) return got;
    await sleep(1000);
  }
}

/** Splits a recorded transcript into its steps again. */
export function splitTranscript(text: string): string[] {
  return text.split(/^(?=\$ )/m).filter((part) => part !== "");
}
