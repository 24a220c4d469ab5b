// The whole server in simulation: npm run test:sim -- --seed N [--seeds K] [--minutes M]
//
// Runs seeds N, N+1, … of test/sim, K of them, each M virtual minutes with faults. A failure names its
// seed, the commit and the virtual moment, and the same command with that seed shows it again.
// --trace tells all that happens, --keep-going does not stop at a failure, --faults "kill,power cut" has
// these kinds of fault and no others (the names are in test/sim/faults.ts).
import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs, ROOT } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    minutes: { type: "string", default: "1" },
    faults: { type: "string" },
    trace: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});
const { simulate } = await loadTs("test/sim/run.ts");
const first = Number(values.seed);
const minutes = Number(values.minutes);
const options = {
  minutes,
  ...(values.trace ? { onLine: (line) => console.log(line) } : {}),
  ...(values.faults === undefined ? {} : { faults: values.faults.split(",") }),
};
let answers = 0;
let virtualMs = 0;
let failed = 0;
const startMs = performance.now();
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const beganMs = performance.now();
  try {
    const result = await simulate({ seed, ...options });
    const seconds = (performance.now() - beganMs) / 1000;
    answers += result.answers;
    virtualMs += result.virtualMs;
    console.log(
      `seed ${seed} ok: ${result.answers} answers, ${result.faults} faults, ${result.starts} starts, ` +
        `${seconds.toFixed(1)} s, trace ${result.traceHash.slice(0, 12)}; ${result.scenario}`,
    );
  } catch (error) {
    failed++;
    report(error);
    if (!values["keep-going"]) break;
  }
}
const seconds = (performance.now() - startMs) / 1000;
console.log(
  `${answers} answers, ${(virtualMs / 60_000).toFixed(1)} virtual minutes in ${seconds.toFixed(1)} s` +
    (failed > 0 ? `; ${failed} FAILED` : ""),
);
process.exitCode = failed > 0 ? 1 : 0;

function report(error) {
  if (error.lines !== undefined && !values.trace) {
    console.log(`--- last events\n${error.lines.join("\n")}`);
  }
  console.log(`--- seed ${error.seed}, commit ${commit()}, ${error.scenario}`);
  console.log(error.message);
  console.log(error.cause?.stack ?? error.stack);
  const faults = values.faults === undefined ? "" : ` --faults "${values.faults}"`;
  console.log(`again: npm run test:sim -- --seed ${error.seed} --minutes ${minutes}${faults}`);
}

function commit() {
  const git = (...args) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  const isDirty = git("status", "--porcelain", "--untracked-files=no") !== "";
  return git("rev-parse", "--short=12", "HEAD") + (isDirty ? " with changes" : "");
}
