// Our client and librbd contend for one image's lock, and are killed: npm run test:contention -- --seed S
//
// On a fresh cluster, ours or with --real a real one of Debian's packages (test/contention/contention.ts). The seed
// picks moments and slots; what the processes have done by then varies.
//   --hand-overs N   of each part (200)      --kills N   of each writer in each part (10)
//   --real           on a real cluster       --release R daemons of Debian's trixie or testing (needs root)
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    "hand-overs": { type: "string", default: "200" },
    kills: { type: "string", default: "10" },
    real: { type: "boolean", default: false },
    release: { type: "string", default: "bookworm" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const [handOvers, kills] = [Number(values["hand-overs"]), Number(values.kills)];
if (!Number.isInteger(seed) || !(handOvers >= 1) || !(kills >= 0)) {
  console.error(
    "usage: npm run test:contention -- [--seed S] [--hand-overs N] [--kills N] [--real [--release R]]",
  );
  process.exit(2);
}
const { contend } = await loadTs("test/contention/contention.ts");
const { startTarget } = await loadTs("test/harness/target.ts");
const { tempDir } = await loadTs("test/harness/temp.ts");
const { endChildren } = await loadTs("test/harness/run.ts");
const startMs = performance.now();
const spent = () => `${((performance.now() - startMs) / 1000).toFixed(0)} s, seed ${seed}`;
const work = await tempDir("contention");
const print = (line) => console.log(line);
if (values.real) process.env.SPIRULA_TARGET = "ceph";
if (values.release !== "bookworm") process.env.SPIRULA_RELEASE = values.release;
const cluster = await startTarget(work.path);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void leave(1));
let code = 0;
try {
  const { confPath } = cluster;
  const done = await contend({ confPath, dir: work.path, seed, handOvers, kills, print });
  console.log(`${done.handOvers} hand-overs, ${done.kills} kills, ${done.writes} writes`);
  console.log(`2 passed, 0 failed (${spent()})`);
} catch (error) {
  console.log(`${error.stack}\n0 passed, 1 failed (${spent()})`);
  code = 1;
}
await leave(code);

async function leave(exitCode) {
  await cluster.stop();
  endChildren();
  await work.remove();
  process.exit(exitCode);
}
