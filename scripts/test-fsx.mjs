// Random operations on images, by the unmodified librbd: npm run test:fsx -- --seed N --ops N [--seeds K]
//
// Two images of one seed at a time get operations of every kind, and all that is read is compared with a model
// (test/fsx/). --seeds K runs K seeds, --jobs N so many at a time, each on a server of its own; --osds N has a server
// with N OSDs, --real CONF takes a cluster that runs already, which is then not killed. --own has this package's own
// client in place of the unmodified librbd.
// --judged runs a seed that fails on a real cluster of this machine as well, and goes on if it fails there in the same
// way: librbd has faults of its own. --replay SEED --until N runs a seed to operation N once more and keeps its log; the
// sequence follows from the seed, when the server is killed does not.
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    ops: { type: "string", default: "2000" },
    osds: { type: "string", default: "1" },
    real: { type: "string" },
    judged: { type: "boolean", default: false },
    own: { type: "boolean", default: false },
    replay: { type: "string" },
    until: { type: "string" },
  },
});
const isReplay = values.replay !== undefined;
const seed = Number(values.replay ?? values.seed ?? Date.now() % 1_000_000);
const seeds = isReplay ? 1 : Number(values.seeds);
const ops = Number(values.until ?? values.ops);
const [osds, jobs] = [Number(values.osds), Number(values.jobs)];
const counts = [seeds, ops, osds, jobs];
if (![seed, ...counts].every(Number.isInteger) || counts.some((count) => count < 1)) {
  console.error(
    "usage: npm run test:fsx -- [--seed N] [--seeds K] [--jobs N] [--ops N] [--osds N] [--judged | [--own] [--real CONF]] | --replay SEED --until N",
  );
  process.exit(2);
}
if (values.judged && (values.own || values.real !== undefined)) {
  console.error(
    "--judged tells faults of librbd from those of a server of ours: not with --own or --real",
  );
  process.exit(2);
}
const { fsxTest } = await loadTs("test/fsx/fsx.ts");
const startMs = performance.now();
try {
  const done = await fsxTest({
    seed,
    seeds,
    jobs,
    ops,
    osds,
    judged: values.judged,
    own: values.own,
    keep: isReplay,
    print: (line) => console.log(line),
    ...(values.real === undefined ? {} : { real: values.real }),
  });
  const seconds = (performance.now() - startMs) / 1000;
  const own = done.faultsOfLibrbd;
  if (own.length > 0) console.log(`seeds that fail on a real cluster, too: ${own.join(", ")}`);
  console.log(
    `${seeds - own.length} seeds passed: ${done.ops} operations, ${done.kills} kills, ${seconds.toFixed(0)} s`,
  );
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
