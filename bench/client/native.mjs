#!/usr/bin/env node
// npm run bench:client: our commands beside the native ones, on the same cluster in one run: on ours and on a
// real one-OSD Ceph.
//
// Both clusters are started once. Every job is run by the native command and at once by ours, a pair whose ratio
// counts; who begins changes every round. The client's cache is off, for the native one's would hide the rest.
// The table shows medians: rates, the client's own processor time for each operation, and its most memory.
//
//   --rounds N     pairs of every job (3)             --jobs A,B    only these (JOBS below)
//   --sides A,B    clusters: ours, real (both)        --seconds S   of each job that has a time (5)
//   --dir DIR      where the data lies                --json FILE   every figure of every run
//   --strict       exit 1 when a floor is missed
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "../../scripts/load-ts.mjs";
import { clientEnv, dropServers, must, onInterrupt, SIDES, startServer } from "../ceph/servers.mjs";
import { markdown, median } from "../stats.mjs";
import { runCommand } from "./command.mjs";

const CLIENTS = ["native", "own"];
const TOOLS = ["rados", "rbd"];
const PAUSE_MS = 500;
/** Of the image that is exported and imported; half of it has data, in every other object. */
const COPY_MIB = 512;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    jobs: { type: "string" },
    sides: { type: "string", default: SIDES.join(",") },
    seconds: { type: "string", default: "5" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string" },
    strict: { type: "boolean", default: false },
  },
});

/** `Average IOPS: 1234`, `Average Latency(s): 0.0012`, `Bandwidth (MB/sec): 12.3` of rados bench. */
const said = (name) => (out) =>
  Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(out)?.[1] ?? Number.NaN);
const radosBandwidth = {
  unit: "MiB/s",
  of: ({ out }) => said("Bandwidth \\(MB/sec\\)")(out),
  ops: ({ out }) => said("Total (?:writes|reads) made")(out),
};
const radosRate = { ...radosBandwidth, unit: "IOPS", of: ({ out }) => said("Average IOPS")(out) };
const radosLatency = {
  ...radosBandwidth,
  unit: "ms",
  lessIsBetter: true,
  of: ({ out }) => said("Average Latency\\(s\\)")(out) * 1000,
};
/** `elapsed: 5 ops: 1000 ops/sec: 200.1 bytes/sec: 800 KiB/s`, and the same of older ones without units. */
const rbdOps = ({ out }) => Number(/ops: (\d+)/.exec(out)?.[1] ?? Number.NaN);
const rbdRate = {
  unit: "IOPS",
  of: ({ out }) => Number(/ops\/sec: ([\d.]+)/.exec(out)?.[1] ?? Number.NaN),
  ops: rbdOps,
};
const rbdBandwidth = { ...rbdRate, unit: "MiB/s", of: (run) => rbdRate.of(run) * 4 };
const rbdLatency = {
  ...rbdRate,
  unit: "ms",
  lessIsBetter: true,
  of: (run) => 1000 / rbdRate.of(run),
};
const duration = {
  unit: "s",
  lessIsBetter: true,
  of: ({ seconds }) => seconds,
  ops: () => Number.NaN,
};

const S = values.seconds;
const radosWrite = (run, words) =>
  `rados -p rbd bench ${S} write ${words} --run-name ${run} --no-cleanup`;
/** What the run before has written would fill the cluster, round by round. */
const radosClean = (run) => `rados -p rbd cleanup --run-name ${run}`;
const rbdBench = (io) => `rbd bench bench ${io}`;
const rand4k = (type, threads, total) =>
  rbdBench(
    `--io-type ${type} --io-size 4K --io-threads ${threads} --io-total ${total}M --io-pattern rand`,
  );
const seq4m = (type) => rbdBench(`--io-type ${type} --io-size 4M --io-threads 16 --io-total 1G`);

/** What is run, what of it counts, and the least (or most) that our share of the native figure may be. */
const JOBS = {
  "rados-write-4m-t16": [radosWrite("big", "-b 4M -t 16"), radosBandwidth, 0.9, radosClean("big")],
  "rados-read-4m-t16": [`rados -p rbd bench ${S} seq -t 16 --run-name big`, radosBandwidth, 0.9],
  "rados-write-4k-t32": [radosWrite("small", "-b 4K -t 32"), radosRate, 0.7, radosClean("small")],
  "rados-read-4k-t32": [`rados -p rbd bench ${S} rand -t 32 --run-name small`, radosRate, 0.7],
  "rados-write-4k-t1": [radosWrite("lone", "-b 4K -t 1"), radosLatency, 1.3, radosClean("lone")],
  "rados-read-4k-t1": [`rados -p rbd bench ${S} rand -t 1 --run-name small`, radosLatency, 1.3],
  "rbd-write-4m-t16": [seq4m("write"), rbdBandwidth, 0.9],
  "rbd-read-4m-t16": [seq4m("read"), rbdBandwidth, 0.9],
  "rbd-write-4k-t32": [rand4k("write", 32, 128), rbdRate, 0.7],
  "rbd-read-4k-t32": [rand4k("read", 32, 256), rbdRate, 0.7],
  "rbd-write-4k-t1": [rand4k("write", 1, 12), rbdLatency, 1.3],
  "rbd-read-4k-t1": [rand4k("read", 1, 32), rbdLatency, 1.3],
  export: ["rbd export --no-progress copy out.raw", duration, 1, "rm -f out.raw"],
  import: [
    "rbd import --no-progress in.raw imported",
    duration,
    1,
    "rbd rm --no-progress imported 2>/dev/null || true",
  ],
  ls: ["rbd ls", duration, 1.5],
};
/** Runs of a job that is over in no time. */
const REPEATS = { ls: 7 };

const jobs = values.jobs?.split(",") ?? Object.keys(JOBS);
for (const job of jobs) if (JOBS[job] === undefined) throw new Error(`no job ${job}`);
const load = loadavg();
console.log(`load average at the start: ${load.map((each) => each.toFixed(2)).join(" ")}`);
const { ownTools } = await loadTs("test/harness/own-tools.ts");
const base = await mkdtemp(join(values.dir, "spirula-bench-client-"));
const bin = await ownTools(base, TOOLS);
/** Figures by cluster, job and client; the n-th of both clients are a pair. */
const runs = {};
onInterrupt(cleanUp);
try {
  for (const side of values.sides.split(",")) await runSide(side);
} finally {
  await cleanUp();
}
await report();

async function cleanUp() {
  await dropServers();
  await rm(base, { recursive: true, force: true });
}

async function runSide(side) {
  const server = await startServer(side, join(base, side), {});
  const env = clientEnv(server.confPath);
  const envs = { native: env, own: { ...env, PATH: `${bin}:${env.PATH}` } };
  await prepare(env);
  runs[side] = {};
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = round % 2 === 0 ? CLIENTS : CLIENTS.toReversed();
    for (const job of jobs) {
      for (let i = 0; i < (REPEATS[job] ?? 1); i++) {
        for (const client of order) note(side, job, client, await measure(job, envs[client]));
      }
    }
  }
  await server.drop();
}

/** Images and objects that reads find something in, by the native commands. */
async function prepare(env) {
  const at = { env, cwd: base, timeoutMs: 600_000 };
  await must("rbd create bench --size 1G", at);
  await must(seq4m("write"), at);
  await must(radosWrite("big", "-b 4M -t 16"), at);
  await must(radosWrite("small", "-b 4K -t 32"), at);
  await must(radosWrite("lone", "-b 4K -t 1"), at);
  await must(
    `for i in $(seq 0 2 ${COPY_MIB / 4 - 1}); do
       dd if=/dev/urandom of=in.raw bs=4M count=1 seek=$i conv=notrunc status=none
     done
     truncate -s ${COPY_MIB}M in.raw
     rbd import --no-progress in.raw copy`,
    at,
  );
}

async function measure(job, env) {
  const [command, , , before] = JOBS[job];
  if (before !== undefined) await must(before, { env, cwd: base });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return runCommand(command, { env, cwd: base });
}

function note(side, job, client, run) {
  const [command, metric] = JOBS[job];
  const figure = metric.of(run);
  if (!(figure > 0)) throw new Error(`${side}, ${client}: ${command}\n${run.out}`);
  const microsecondsPerOp = (run.cpuSeconds / metric.ops(run)) * 1e6;
  runs[side][job] ??= { native: [], own: [] };
  runs[side][job][client].push({
    figure,
    cpu: Number.isNaN(microsecondsPerOp) ? run.cpuSeconds * 1e6 : microsecondsPerOp,
    peakBytes: run.peakBytes,
  });
  console.log(`${side} ${job} ${client} ${figure.toFixed(2)} ${metric.unit}`);
}

/** Medians of one job on one cluster. */
function rowOf(side, job) {
  const [, metric, floor] = JOBS[job];
  const { native, own } = runs[side][job];
  const of = (key, digits, scale = 1) => {
    const ratio = median(native.map((each, i) => own[i][key] / each[key]));
    const texts = [native, own].map((all) =>
      (median(all.map((each) => each[key])) * scale).toFixed(digits),
    );
    return { ratio, texts };
  };
  const figure = of("figure", 2);
  const cpu = of("cpu", 0);
  const memory = of("peakBytes", 0, 1e-6);
  const isMet = metric.lessIsBetter ? figure.ratio <= floor : figure.ratio >= floor;
  return {
    isMet,
    cells: [
      side,
      `${job}, ${metric.unit}`,
      ...figure.texts,
      figure.ratio.toFixed(2),
      `${metric.lessIsBetter ? "≤" : "≥"} ${floor}`,
      isMet ? "met" : "MISSED",
      `${cpu.texts.join(", ")} (${cpu.ratio.toFixed(2)})`,
      `${memory.texts.join(", ")} (${memory.ratio.toFixed(2)})`,
    ],
  };
}

async function report() {
  const rows = Object.keys(runs).flatMap((side) => jobs.map((job) => rowOf(side, job)));
  const heads = ["cluster", "job", "native", "ours", "ratio", "floor", "verdict"];
  const costs = ["CPU µs an operation (ls, export, import: of all)", "most memory, MB"];
  const lines = rows.map(({ cells }) => cells);
  console.log(`\n${markdown([...heads, ...costs], lines)}`);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ node: process.version, load, runs })}\n`);
  }
  if (values.strict && rows.some(({ isMet }) => !isMet)) process.exitCode = 1;
}
