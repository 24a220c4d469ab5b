// Placement against Ceph's own crushtool and osdmaptool: npm run test:placement -- [--seed N] [--maps N]
//
// Random maps of one seed, and where the tools and we place every input, PG and object (test/placement/). The
// tools are those of this machine (Debian's package ceph-base) or with --root DIR those of another release,
// unpacked there: by chroot, as root. --inputs N inputs a rule. --record FILE keeps the maps and the answers,
// as the vectors tier reads them.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { loadTs } from "./load-ts.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    maps: { type: "string", default: "60" },
    inputs: { type: "string", default: "64" },
    root: { type: "string" },
    record: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const maps = Number(values.maps);
const inputs = Number(values.inputs);
if (![seed, maps, inputs].every(Number.isInteger) || maps < 1 || inputs < 1) {
  console.error(
    "usage: npm run test:placement -- [--seed N] [--maps N] [--inputs N] [--root DIR] [--record FILE] [--verbose]",
  );
  process.exit(2);
}
const { placementTest, pairsOf, recordText, Tools } = await loadTs("test/placement/index.ts");
let tools;
try {
  tools = await Tools.open(values.root);
} catch (error) {
  console.log(error.message);
  process.exit(1);
}
console.log(`Ceph ${tools.version}, seed ${seed}`);
try {
  const print = (line) => values.verbose && console.log(line);
  const done = await placementTest({ tools, seed, maps, inputs, print });
  const pairs = done.reduce((sum, one) => sum + pairsOf(one), 0);
  if (values.record !== undefined) {
    writeFileSync(values.record, gzipSync(recordText(tools.version, done), { level: 9 }));
  }
  console.log(`${maps} maps, ${pairs} pairs: all placed alike`);
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
} finally {
  tools.close();
}
