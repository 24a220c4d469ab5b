// Hostile and broken input: npm run test:fuzz -- [--seed S] [--inputs N] [--only REGEXP]
//
// The targets of test/fuzz (those whose names match) get N inputs together that are nearly right; a login, which
// takes longer and is several frames, counts as one. A failure names its target, seed, round and input; the same
// command with that seed and --only shows it again. Of each target it prints the process's peak memory.
import { spawn } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    inputs: { type: "string", default: "1000000" },
    only: { type: "string" },
  },
});
const env = { ...process.env, FUZZ_SEED: values.seed, FUZZ_INPUTS: values.inputs };
if (values.only !== undefined) env.FUZZ_ONLY = values.only;
const child = spawn("npx", ["vitest", "run", "--project", "fuzz"], { stdio: "inherit", env });
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
