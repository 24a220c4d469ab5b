// Hostile and broken input: npm run test:fuzz -- [--seed S] [--inputs N] [--only REGEXP]
//
// The targets of test/fuzz (those whose names match) get N inputs together that are nearly right; a login, which
// takes longer and is several frames, counts as one. Of each it prints the rate and the process's peak memory. A
// failure names its target, seed, round and input; the same command with that seed and --only shows it again.
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    inputs: { type: "string", default: "1000000" },
    only: { type: "string", default: "" },
  },
});
const [seed, inputs] = [values.seed, values.inputs].map(Number);
if (![seed, inputs].every((n) => Number.isSafeInteger(n) && n >= 0)) {
  console.error("usage: npm run test:fuzz -- [--seed S] [--inputs N] [--only REGEXP]");
  process.exit(2);
}
const { fuzzLong } = await loadTs("test/fuzz/long.ts");
await fuzzLong({ seed, inputs, only: new RegExp(values.only), print: (line) => console.log(line) });
