// The client library against a real cluster that things happen to: npm run test:client -- --seed S
//
// Starts a cluster of Debian's ceph-mon, ceph-mgr and ceph-osd with three OSDs, and runs every phase of
// test/client/client-test.ts on a replicated and on an erasure-coded pool. The seed picks OSDs, moments and
// links; what the cluster has done by then varies.
//   --phases a,b   only these     --pools replicated   only this     --writes N   in the phase of cut links
//   --release R    daemons of Debian's trixie or testing: Ceph 18.2, 20.2 (needs root)
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    writes: { type: "string", default: "10000" },
    phases: { type: "string" },
    pools: { type: "string" },
    release: { type: "string", default: "bookworm" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const cutWrites = Number(values.writes);
if (!Number.isInteger(seed) || !(cutWrites >= 1)) {
  console.error(
    "usage: npm run test:client -- [--seed S] [--writes N] [--phases A,B] [--pools P] [--release R]",
  );
  process.exit(2);
}
const { realClusterTest } = await loadTs("test/client/real-cluster.ts");
const { releaseRoot } = await loadTs("test/harness/debian-root.ts");
const startMs = performance.now();
const spent = () => `${((performance.now() - startMs) / 1000).toFixed(0)} s, seed ${seed}`;
const list = (text) => (text === undefined ? {} : text.split(","));
try {
  const root = await releaseRoot(values.release, (line) => console.log(line));
  const writes = await realClusterTest({
    root,
    seed,
    cutWrites,
    ...(values.phases === undefined ? {} : { phases: list(values.phases) }),
    ...(values.pools === undefined ? {} : { pools: list(values.pools) }),
    print: (line) => console.log(line),
  });
  console.log(`${writes} writes: none lost, none doubled, none out of order (${spent()})`);
} catch (error) {
  console.log(`${error.stack}\nFAILED (${spent()})`);
  process.exitCode = 1;
}
