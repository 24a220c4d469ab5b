// The long kill test: npm run test:kill -- --cycles N --seed S [--splits]
//
// Kills the built server N times under clients that check everything (test/kill/kill.ts). The seed picks the
// moments; the same seed picks the same ones, though what the processes have done by then varies. With --splits the
// pool gets more PGs right before each kill.
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "20" },
    seed: { type: "string" },
    splits: { type: "boolean", default: false },
  },
});
const cycles = Number(values.cycles);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(cycles >= 1 && Number.isInteger(seed))) {
  console.error("usage: npm run test:kill -- [--cycles N] [--seed S] [--splits]");
  process.exit(2);
}
const { killTest } = await loadTs("test/kill/kill.ts");
const startMs = performance.now();
const spent = () => `${((performance.now() - startMs) / 1000).toFixed(0)} s, seed ${seed}`;
try {
  const { passed, fioRuns, acks, readyMs } = await killTest({
    cycles,
    seed,
    splits: values.splits,
    print: (line) => console.log(line),
  });
  const sorted = readyMs.toSorted((a, b) => a - b);
  const median = Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
  console.log(
    `${fioRuns} fio runs, ${acks} acknowledgements; ready after ${median} ms (median), ${Math.round(sorted.at(-1) ?? 0)} ms (most)`,
  );
  console.log(`${passed} passed, 0 failed (${spent()})`);
} catch (error) {
  console.log(error.message);
  console.log(`${error.passed ?? 0} passed, 1 failed (${spent()})`);
  process.exitCode = 1;
}
