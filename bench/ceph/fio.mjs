#!/usr/bin/env node
// npm run bench:ceph: ours against a real one-OSD Ceph, by unmodified fio, on this machine and this disk.
//
// Both sides are started once and stay up, and stand still (SIGSTOP) while the other one works; each has an image of
// its own, written in full before the first job. Every job is run on one side and then at once on the other: a pair,
// whose ratio counts, because the machine is another one ten minutes later. Who begins changes every round.
// The table shows medians of the runs and the median of the pairs' ratios.
//
//   --rounds N     pairs of every job (3)          --jobs A,B     only these (bench/ceph/jobs.mjs)
//   --runtime S    seconds of each run (10)        --only-ours    one side, for a profiler
//   --warmup S     seconds of every job on both sides before the first round (3): code that has not been compiled
//                  yet costs many times as much, and a busy machine is long about compiling it
//   --size BYTES   of the image (1G)               --memory SIZE  of our server (its default)
//   --dir DIR      where the data lies             --json FILE    every figure of every run
//   --release R    of the real side: Debian's bookworm or trixie, for Ceph 16.2 or 18.2 (needs root). The client
//                  stays this machine's, which does not know the keys that a new cluster of 20.2 has
//   --strict       exit 1 when a floor is missed
//   --cold         an image of four times --memory; before each job the server is started anew and the page
//                  cache dropped (needs root)
//   --full         both stores on small file systems of their own, 90 % full and overwritten at random
//                  before the jobs (needs root, for the mounts)
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { detailRows, promiseRows, table } from "./goals.mjs";
import { ageImage, fillImage, IMAGE, JOBS, runJob } from "./jobs.mjs";
import { dropCaches, imageBytesFor, mountLoop, requireRoot } from "./machine.mjs";
import {
  clientEnv,
  dropServers,
  must,
  onInterrupt,
  releaseRoot,
  SIDES,
  sleep,
  startServer,
  without,
} from "./servers.mjs";
import { sizeOf } from "./sizes.mjs";

const FULL_JOBS = ["randwrite-4k-qd32", "randread-4k-qd32", "write-4m-qd16"];
/** Of a full store's data, and how long it is overwritten before the jobs. */
const FULL_SHARE = 0.9;
const AGE_S = 60;
const FULL_OSD_BYTES = 4 * 2 ** 30;
/** The real side keeps its monitor's database and its logs beside the device. */
const FULL_DISK_BYTES = { ours: FULL_OSD_BYTES, real: FULL_OSD_BYTES + 2 * 2 ** 30 };
const PAUSE_MS = 1000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    runtime: { type: "string", default: "10" },
    warmup: { type: "string", default: "3" },
    size: { type: "string" },
    memory: { type: "string" },
    jobs: { type: "string" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string" },
    "only-ours": { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    cold: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    release: { type: "string", default: "bookworm" },
  },
});
const sides = values["only-ours"] ? ["ours"] : SIDES;
const jobs = values.jobs?.split(",") ?? (values.full ? FULL_JOBS : Object.keys(JOBS));
for (const job of jobs) if (JOBS[job] === undefined) throw new Error(`no job ${job}`);
if (values.cold) requireRoot("--cold");
if (values.full) requireRoot("--full");

if (values.release === "testing") {
  throw new Error("--release testing: this machine's fio does not know the keys of such a cluster");
}
const root = await releaseRoot(values.release, (line) => console.log(line));
const load = loadavg();
console.log(`load average at the start: ${load.map((each) => each.toFixed(2)).join(" ")}`);
const base = await mkdtemp(join(values.dir, "spirula-bench-"));
const unmounts = [];
const runs = {};
onInterrupt(cleanUp);
try {
  const servers = {};
  for (const side of sides) servers[side] = await prepare(side);
  if (!values.cold) await warmUp(servers);
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = round % 2 === 0 ? sides : sides.toReversed();
    if (values.jobs === undefined && !values.full && !values.cold) {
      for (const side of order) note("first image", side, await firstImage(side));
    }
    for (const job of jobs) {
      for (const side of order) {
        const others = sides.filter((each) => each !== side).map((each) => servers[each]);
        note(job, side, await measure(servers[side], others, job, round));
      }
    }
  }
} finally {
  await cleanUp();
}
await report();

async function cleanUp() {
  await dropServers();
  for (const unmount of unmounts.splice(0)) await unmount();
  await rm(base, { recursive: true, force: true });
}

/** A server with an image that has been written in full. */
async function prepare(side) {
  const dir = join(base, side);
  if (values.full) unmounts.push(await mountLoop(dir, FULL_DISK_BYTES[side]));
  const server = await startServer(side, join(dir, "data"), {
    root,
    memory: values.memory,
    ...(values.full ? { osdBytes: FULL_OSD_BYTES } : {}),
  });
  const at = { env: clientEnv(server.confPath) };
  const bytes = values.full
    ? await imageBytesFor(server, FULL_SHARE)
    : sizeOf(values.size ?? (values.cold ? `${4 * sizeOf(values.memory ?? "256M")}` : "1G"));
  await must(`rbd create ${IMAGE} --size ${bytes}B`, at);
  console.log(`${side}: image of ${(bytes / 2 ** 20).toFixed(0)} MiB`);
  await fillImage(server);
  if (values.full) await ageImage(server, AGE_S);
  return server;
}

async function warmUp(servers) {
  const runtime = Number(values.warmup);
  if (runtime === 0) return;
  for (const job of jobs) {
    for (const side of sides) await runJob(servers[side], job, { runtime, seed: 0 });
  }
}

async function measure(server, others, job, round) {
  if (values.cold) {
    await server.stop();
    await server.resume();
    await dropCaches();
  }
  await sleep(PAUSE_MS);
  return without(others, () =>
    runJob(server, job, { runtime: Number(values.runtime), seed: round + 1 }),
  );
}

/** From an empty directory, through the start of the server, to an image that exists. */
async function firstImage(side) {
  const dir = join(base, `first-${side}`);
  const startMs = performance.now();
  const server = await startServer(side, dir, { root, memory: values.memory, settled: false });
  try {
    await must("rbd create first --size 1G", { env: clientEnv(server.confPath) });
    return { seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await server.drop();
  }
}

function note(job, side, result) {
  runs[job] ??= { ours: [], real: [] };
  runs[job][side].push(result);
  console.log(`${job} ${side} ${JSON.stringify(result)}`);
}

async function report() {
  const rows = promiseRows(runs);
  console.log(`\n${table(rows)}\n\n${table(detailRows(runs))}`);
  if (values.json !== undefined) {
    const options = { ...values, sides, jobs };
    const json = JSON.stringify({ node: process.version, load, options, rows, runs });
    await writeFile(values.json, `${json}\n`);
  }
  const missed = rows.some((row) => row.verdict === "MISSED");
  if (values.strict && missed) process.exitCode = 1;
}
