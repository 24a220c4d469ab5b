// The differential test of RADOS: npm run test:differential -- --seed N --ops N
//
// The same random requests through the real librados on a real cluster and on a fresh Spirula, and every answer
// compared (test/differential/). One seed replays all. --osds N on either side; --real CONF takes a real
// cluster that is there (with mon_allow_pool_delete, and no sleep while trimming), --ours CONF likewise; --round R runs round R of the seed alone (--ops: up to there);
// --shrink finds the fewest requests that still show a difference. Needs python3, librados2, ceph-mon,
// ceph-mgr and ceph-osd of Debian 12.
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    ops: { type: "string", default: "10000" },
    round: { type: "string" },
    "round-ops": { type: "string", default: "2500" },
    osds: { type: "string", default: "1" },
    real: { type: "string" },
    ours: { type: "string" },
    shrink: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const [ops, osds, roundOps] = [values.ops, values.osds, values["round-ops"]].map(Number);
const round = Number(values.round ?? 0);
if (![seed, ops, osds, round, roundOps].every((n) => Number.isInteger(n) && n >= 0) || ops < 1) {
  console.error(
    "usage: npm run test:differential -- [--seed N] [--ops N] (options: scripts/test-differential.mjs)",
  );
  process.exit(2);
}
const { differentialTest } = await loadTs("test/differential/differential.ts");
console.log(`seed ${seed}`);
try {
  const result = await differentialTest({
    seed,
    ops,
    round,
    roundOps,
    osds,
    real: values.real,
    ours: values.ours,
    shrink: values.shrink,
    print: (line) => console.log(line),
  });
  for (const [kind, { count, errors }] of result.kinds) {
    console.log(
      `${kind.padEnd(20)} ${String(count).padStart(7)}, ${errors} answered with an error`,
    );
  }
  const rates = result.spentMs.map((ms) => ((result.ops * 1000) / ms).toFixed(0));
  console.log(
    `${result.ops} requests in ${result.rounds} rounds, ${result.different} rounds differ, ${result.cut} cut short by the real cluster's end; ` +
      `${result.seconds.toFixed(0)} s, a second: real ${rates[0]}, ours ${rates[1]} (seed ${seed})`,
  );
  process.exitCode = result.different > 0 ? 1 : 0;
} catch (error) {
  console.log(error.message);
  console.log(`failed (seed ${seed})`);
  process.exitCode = 1;
}
