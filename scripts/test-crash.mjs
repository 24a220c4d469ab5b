// The long crash test of the store: npm run test:crash -- --seeds N --from K
//
// Each seed of test/crash cuts the power eight times. Says every half minute how far it is; a failure names its
// seed, and `--seeds 1 --from` that seed shows it again.
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const CUTS = 8;
const TELL_MS = 30_000;

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "1000" }, from: { type: "string", default: "1" } },
});
const { crashSeed } = await loadTs("test/crash/crash.ts");
const from = Number(values.from);
const end = from + Number(values.seeds);
const startMs = performance.now();
const tell = (done) => {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${done} seeds from ${from} on, ${done * CUTS} cuts of the power, ${seconds} s`);
};
let toldMs = startMs;
for (let seed = from; seed < end; seed++) {
  try {
    // Half of them with objects that move to other collections, as in the tests of every day.
    await crashSeed({ seed, cuts: CUTS, moves: seed % 2 === 0 });
  } catch (error) {
    console.error(error);
    tell(seed - from);
    process.exit(1);
  }
  if (performance.now() - toldMs < TELL_MS) continue;
  toldMs = performance.now();
  tell(seed + 1 - from);
}
tell(end - from);
