#!/usr/bin/env node
// npm run bench:floors: the three promised floors, ours against a real one-OSD Ceph on this machine.
//
//   ready    from an empty directory to the line that says so            (ours: under 1 s)
//   idle     resident memory of the server processes, 20 s after ready   (ours: under 150 MB)
//   convert  `qemu-img convert` of the guest into an image, same client  (ours: no slower)
//
// The two take turns, three pairs or --pairs N, so that a machine that slows down slows both. Both keep
// their data under the same directory (--dir, the system's temporary directory by default). Prints a
// table of medians and a JSON of every run (--json FILE). Exits 1 when a floor is missed.
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "../../scripts/load-ts.mjs";
import { median } from "../stats.mjs";
import { residentBytes } from "./processes.mjs";
import {
  clientEnv,
  dropServers,
  must,
  onInterrupt,
  SIDES,
  sleep,
  startServer,
} from "./servers.mjs";

const READY_MS_MAX = 1000;
const IDLE_BYTES_MAX = 150e6;
const IDLE_WAIT_MS = 20_000;
const CONVERTS = 3;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "3" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string" },
  },
});
const { buildGuest } = await loadTs("test/harness/guest.ts");

const guest = await buildGuest();
const runs = { ours: [], real: [] };
onInterrupt(dropServers);
for (let pair = 0; pair < Number(values.pairs); pair++) {
  for (const side of pair % 2 === 0 ? SIDES : SIDES.toReversed()) {
    const result = await measure(side);
    runs[side].push(result);
    console.log(`${side} ${JSON.stringify(result)}`);
  }
}
report();

async function measure(side) {
  const base = await mkdtemp(join(values.dir, "spirula-floors-"));
  const server = await startServer(side, join(base, "data"));
  try {
    await sleep(IDLE_WAIT_MS);
    const idleBytes = residentBytes(await server.pids());
    const convertMs = [];
    for (let i = 0; i < CONVERTS; i++) convertMs.push(await convert(server.confPath, i));
    const loadedBytes = residentBytes(await server.pids());
    return { readyMs: server.readyMs, idleBytes, convertMs: median(convertMs), loadedBytes };
  } finally {
    await server.drop();
    await rm(base, { recursive: true, force: true });
  }
}

async function convert(confPath, number) {
  const at = { env: clientEnv(confPath), timeoutMs: 300_000 };
  const startMs = performance.now();
  await must(`qemu-img convert -f qcow2 -O raw ${guest} rbd:rbd/fedora${number}`, at);
  return performance.now() - startMs;
}

function report() {
  const of = (side, key) => median(runs[side].map((run) => run[key]));
  const rows = [
    ["ready, ms", "readyMs", 1, READY_MS_MAX],
    ["idle memory, MB", "idleBytes", 1e6, IDLE_BYTES_MAX],
    ["convert, ms", "convertMs", 1, of("real", "convertMs")],
    ["memory after, MB", "loadedBytes", 1e6, Number.POSITIVE_INFINITY],
  ];
  console.log(`\n| | Spirula | real Ceph | ratio | floor |\n|---|---|---|---|---|`);
  let missed = 0;
  for (const [title, key, unit, limit] of rows) {
    const [ours, theirs] = [of("ours", key), of("real", key)];
    const verdict = limit === Number.POSITIVE_INFINITY ? "" : ours <= limit ? "met" : "MISSED";
    if (verdict === "MISSED") missed++;
    const cells = [
      (ours / unit).toFixed(0),
      (theirs / unit).toFixed(0),
      (ours / theirs).toFixed(2),
    ];
    console.log(`| ${title} | ${cells.join(" | ")} | ${verdict} |`);
  }
  const json = JSON.stringify({ node: process.version, pairs: values.pairs, runs });
  if (values.json === undefined) console.log(json);
  else writeFileSync(values.json, `${json}\n`);
  process.exitCode = missed > 0 ? 1 : 0;
}
