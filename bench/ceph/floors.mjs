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
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs, ROOT } from "../../scripts/load-ts.mjs";

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
process.chdir(ROOT);
const { startRealCeph, dropRealCeph } = await loadTs("test/harness/real-ceph.ts");
const { startSpirula } = await loadTs("test/harness/spirula.ts");
const { buildGuest } = await loadTs("test/harness/guest.ts");
const { clientEnv, must, sleep } = await loadTs("test/harness/run.ts");

const guest = await buildGuest();
const runs = { spirula: [], ceph: [] };
for (let pair = 0; pair < Number(values.pairs); pair++) {
  for (const name of pair % 2 === 0 ? ["spirula", "ceph"] : ["ceph", "spirula"]) {
    const result = await measure(name);
    runs[name].push(result);
    console.log(`${name} ${JSON.stringify(result)}`);
  }
}
report();

async function measure(name) {
  const base = await mkdtemp(join(values.dir, "spirula-floors-"));
  const dir = join(base, "data");
  const cluster = await start(name, dir);
  try {
    await sleep(IDLE_WAIT_MS);
    const idleBytes = await residentBytes(await cluster.pids());
    const convertMs = [];
    for (let i = 0; i < CONVERTS; i++) convertMs.push(await convert(cluster.confPath, i));
    const loadedBytes = await residentBytes(await cluster.pids());
    return { readyMs: cluster.readyMs, idleBytes, convertMs: median(convertMs), loadedBytes };
  } finally {
    await cluster.stop();
    await rm(base, { recursive: true, force: true });
  }
}

async function start(name, dir) {
  if (name === "ceph") {
    const cluster = await startRealCeph({ dir, portV2: 4340, portV1: 4829 });
    return { ...cluster, stop: () => dropRealCeph(dir) };
  }
  const server = await startSpirula({ dir });
  return { ...server, pids: async () => [server.pid] };
}

async function convert(confPath, number) {
  const at = { env: clientEnv(confPath), timeoutMs: 300_000 };
  const startMs = performance.now();
  await must(`qemu-img convert -f qcow2 -O raw ${guest} rbd:rbd/fedora${number}`, at);
  return performance.now() - startMs;
}

async function residentBytes(pids) {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024;
    }),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

function report() {
  const of = (name, key) => median(runs[name].map((run) => run[key]));
  const rows = [
    ["ready, ms", "readyMs", 1, READY_MS_MAX],
    ["idle memory, MB", "idleBytes", 1e6, IDLE_BYTES_MAX],
    ["convert, ms", "convertMs", 1, of("ceph", "convertMs")],
    ["memory after, MB", "loadedBytes", 1e6, Number.POSITIVE_INFINITY],
  ];
  console.log(`\n| | Spirula | real Ceph | ratio | floor |\n|---|---|---|---|---|`);
  let missed = 0;
  for (const [title, key, unit, limit] of rows) {
    const [ours, theirs] = [of("spirula", key), of("ceph", key)];
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
